package overlapped_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// Each error says of which socket it is, also where the port was any that is free.
func TestErrorsNameTheirSockets(t *testing.T) {
	w := sim.New(1)
	a, err := w.NewAdapter("a", 1, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.NewWire(a, a, device.WireConfig{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := w.WithCancel(w.Context())
	cancel()
	datagram, err := overlapped.ListenDatagram(w, "a", 0)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := overlapped.Listen(w, "a", 0)
	if err != nil {
		t.Fatal(err)
	}
	accept := listener.AcceptAsync(w.Context())
	dialed, err := overlapped.DialAsync(w.Context(), w, "a", listener.Addr()).Await()
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := accept.Await()
	if err != nil {
		t.Fatal(err)
	}
	from, to := dialed.LocalAddr(), listener.Addr()
	check := func(op, path string, want, err error) {
		t.Helper()
		var at *fs.PathError
		if !errors.As(err, &at) || at.Op != op || at.Path != path || !errors.Is(err, want) {
			t.Errorf("want %s of %s, %v: got %v", op, path, want, err)
		}
	}
	errorOf := func(op async.Operation) error { return async.WhenAll0(context.Background(), op).Await() }
	buf := make([]byte, 1)
	check("read", datagram.Addr().String(), context.Canceled, errorOf(datagram.ReceiveFromAsync(ctx, buf)))
	check("write", datagram.Addr().String(), context.Canceled, errorOf(datagram.SendToAsync(ctx, buf, datagram.Addr())))
	check("accept", to.String(), context.Canceled, errorOf(listener.AcceptAsync(ctx)))
	check("read", from.String()+"->"+to.String(), context.Canceled, errorOf(dialed.ReadAsync(ctx, buf)))
	check("write", to.String()+"->"+from.String(), context.Canceled, errorOf(accepted.WriteAsync(ctx, buf)))
	for _, s := range []interface{ Close() error }{datagram, listener, dialed, accepted} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	check("close", datagram.Addr().String(), os.ErrClosed, datagram.Close())
	check("close", to.String(), os.ErrClosed, listener.Close())
	check("accept", to.String(), os.ErrClosed, errorOf(listener.AcceptAsync(w.Context())))
	check("read", to.String()+"->"+from.String(), os.ErrClosed, errorOf(accepted.ReadAsync(w.Context(), buf)))
}

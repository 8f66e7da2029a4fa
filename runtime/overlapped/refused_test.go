package overlapped_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// refusable is an operation, and whether it reads into its buffer.
type refusable struct {
	start func(ctx context.Context, buf []byte) async.Operation
	reads bool
}

// refusables are the operations of all kinds of handles of a World, and a clock of it.
func refusables(t *testing.T, w *sim.World) (map[string]refusable, *overlapped.Clock) {
	a, err := w.NewAdapter("a", 1, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.NewWire(a, a, device.WireConfig{}); err != nil {
		t.Fatal(err)
	}
	disk, _ := w.NewDisk("disk", device.NewMemory(nil), device.DiskConfig{})
	chip, _ := w.NewTimer("chip", device.TimerConfig{})
	bread, _ := w.NewToaster("bread", device.ToasterConfig{})
	file, _ := disk.Open()
	clock, _ := chip.Open()
	toaster, _ := bread.Open()
	datagram, err := overlapped.ListenDatagram(w, "a", 7)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := overlapped.Listen(w, "a", 80)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := overlapped.DialAsync(w.Context(), w, "a", listener.Addr()).Await()
	if err != nil {
		t.Fatal(err)
	}
	timer := clock.NewTimer(time.Second, 0)
	return map[string]refusable{
		"File.ReadAsync":     {func(ctx context.Context, buf []byte) async.Operation { return file.ReadAsync(ctx, buf) }, true},
		"File.WriteAsync":    {func(ctx context.Context, buf []byte) async.Operation { return file.WriteAsync(ctx, buf) }, false},
		"File.ReadAtAsync":   {func(ctx context.Context, buf []byte) async.Operation { return file.ReadAtAsync(ctx, buf, 0) }, true},
		"File.WriteAtAsync":  {func(ctx context.Context, buf []byte) async.Operation { return file.WriteAtAsync(ctx, buf, 0) }, false},
		"File.FlushAsync":    {func(ctx context.Context, _ []byte) async.Operation { return file.FlushAsync(ctx) }, false},
		"Conn.ReadAsync":     {func(ctx context.Context, buf []byte) async.Operation { return conn.ReadAsync(ctx, buf) }, true},
		"Conn.WriteAsync":    {func(ctx context.Context, buf []byte) async.Operation { return conn.WriteAsync(ctx, buf) }, false},
		"Toaster.WriteAsync": {func(ctx context.Context, buf []byte) async.Operation { return toaster.WriteAsync(ctx, buf) }, false},
		"DatagramSocket.ReceiveFromAsync": {func(ctx context.Context, buf []byte) async.Operation {
			return datagram.ReceiveFromAsync(ctx, buf)
		}, false},
		"DatagramSocket.SendToAsync": {func(ctx context.Context, buf []byte) async.Operation {
			return datagram.SendToAsync(ctx, buf, datagram.Addr())
		}, false},
		"Listener.AcceptAsync": {func(ctx context.Context, _ []byte) async.Operation { return listener.AcceptAsync(ctx) }, false},
		"DialAsync": {func(ctx context.Context, _ []byte) async.Operation {
			return overlapped.DialAsync(ctx, w, "a", listener.Addr())
		}, false},
		"Clock.AfterAsync": {func(ctx context.Context, _ []byte) async.Operation { return clock.AfterAsync(ctx, time.Second) }, false},
		"Clock.AtAsync":    {func(ctx context.Context, _ []byte) async.Operation { return clock.AtAsync(ctx, 1<<40) }, false},
		"Timer.WaitAsync":  {func(ctx context.Context, _ []byte) async.Operation { return timer.WaitAsync(ctx) }, false},
	}, clock
}

// Every operation refuses a context of another World, and a read of a file or a connection a buffer that is nil, at once.
func TestRefused(t *testing.T) {
	w, other := sim.New(1), sim.New(2)
	operations, clock := refusables(t, w)
	for name, op := range operations {
		check := func(want error, ctx context.Context, buf []byte) {
			task := op.start(ctx, buf)
			if !task.IsCompleted() {
				t.Errorf("%s: pending, want %v", name, want)
				return
			}
			var at *fs.PathError
			if err := async.WhenAll0(context.Background(), task).Await(); !errors.Is(err, want) || !errors.As(err, &at) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		}
		check(overlapped.ErrOtherWorld, other.Context(), make([]byte, 1))
		if op.reads {
			check(overlapped.ErrNilBuffer, w.Context(), nil)
		}
	}
	for name, call := range map[string]func(){
		"NewTimer": func() { clock.NewTimer(time.Second, -1) }, "Reset": func() { clock.NewTimer(time.Second, 0).Reset(time.Second, -1) },
	} {
		func() {
			defer func() {
				if told, _ := recover().(string); !strings.Contains(told, "negative period") {
					t.Errorf("%s: %q", name, told)
				}
			}()
			call()
		}()
	}
}

package overlapped_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// newNetwork joins two adapters of a World, "net1" of host 1 and "net2" of host 2.
func newNetwork(t testing.TB, w *sim.World, cfg device.WireConfig) *device.Wire {
	t.Helper()
	a, err := w.NewAdapter("net1", 1, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.NewAdapter("net2", 2, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := sim.NewWire(a, b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// connect makes a connection from host 1 to a listener of host 2.
func connect(t testing.TB, w *sim.World) (client, server *overlapped.Conn, l *overlapped.Listener) {
	t.Helper()
	l, err := overlapped.Listen(w, "net2", 80)
	if err != nil {
		t.Fatal(err)
	}
	accept := l.AcceptAsync(w.Context())
	client, err = overlapped.DialAsync(w.Context(), w, "net1", l.Addr()).Await()
	if err != nil {
		t.Fatal(err)
	}
	if server, err = accept.Await(); err != nil {
		t.Fatal(err)
	}
	return client, server, l
}

// newDatagrams opens a datagram socket on host 1, and one on host 2 at port 53.
func newDatagrams(t testing.TB, w *sim.World) (a, b *overlapped.DatagramSocket) {
	t.Helper()
	a, err := overlapped.ListenDatagram(w, "net1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = overlapped.ListenDatagram(w, "net2", 53); err != nil {
		t.Fatal(err)
	}
	return a, b
}

// rest runs the World to its end and complains of what is left.
func rest(t testing.TB, w *sim.World) {
	t.Helper()
	w.Run()
	if n := w.Counters().IRPsInFlight; n != 0 {
		t.Errorf("%d IRPs in flight when all is done", n)
	}
}

// readAll reads to the end of the stream.
func readAll(ctx context.Context, c *overlapped.Conn, size int) ([]byte, error) {
	var all []byte
	buf := make([]byte, size)
	for {
		n, err := c.ReadAsync(ctx, buf).Await()
		all = append(all, buf[:n]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

func TestConversation(t *testing.T) {
	w := sim.New(1, sim.WithVerifier())
	newNetwork(t, w, device.WireConfig{})
	client, server, l := connect(t, w)
	if l.Addr() != (overlapped.Addr{Host: 2, Port: 80}) || client.RemoteAddr() != l.Addr() || server.LocalAddr() != l.Addr() ||
		client.LocalAddr() != server.RemoteAddr() || client.LocalAddr().Host != 1 {
		t.Errorf("addresses %v %v; %v %v", client.LocalAddr(), client.RemoteAddr(), server.LocalAddr(), server.RemoteAddr())
	}
	ctx := w.Context()
	if n, err := client.WriteAsync(ctx, []byte("hello")).Await(); n != 5 || err != nil {
		t.Error(n, err)
	}
	buf := make([]byte, 100)
	if n, err := server.ReadAsync(ctx, buf).Await(); err != nil || string(buf[:n]) != "hello" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	// A read that waits, then the bytes; and a half-close.
	answer := client.ReadAsync(ctx, buf)
	if err := client.CloseWrite(); err != nil {
		t.Error(err)
	}
	if n, err := server.ReadAsync(ctx, make([]byte, 1)).Await(); n != 0 || err != io.EOF {
		t.Errorf("after the other side's CloseWrite: %d, %v", n, err)
	}
	if _, err := client.WriteAsync(ctx, []byte("more")).Await(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a write after CloseWrite: %v", err)
	}
	server.WriteAsync(ctx, []byte("goodbye"))
	if n, err := answer.Await(); err != nil || string(buf[:n]) != "goodbye" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	server.Close()
	for range 2 {
		if n, err := client.ReadAsync(ctx, buf).Await(); n != 0 || err != io.EOF {
			t.Errorf("after the other side's Close: %d, %v", n, err)
		}
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if err := client.CloseWrite(); !errors.Is(err, os.ErrClosed) || !errors.As(err, new(*fs.PathError)) {
		t.Errorf("CloseWrite of a closed connection: %v", err)
	}
	if err := client.Close(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := client.ReadAsync(ctx, buf).Await(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	l.Close()
	rest(t, w)
}

// TestHopsOfARead: what a socket's read waits for comes up on the disk's road.
func TestHopsOfARead(t *testing.T) {
	var kinds []string
	on := false
	w := sim.New(1, sim.WithObserver(func(h *kernel.Hop) {
		if on {
			kinds = append(kinds, h.Kind.String())
		}
	}))
	newNetwork(t, w, device.WireConfig{})
	client, server, _ := connect(t, w)
	w.Run()
	on = true
	read := client.ReadAsync(w.UIContext(), make([]byte, 9))
	server.WriteAsync(w.Context(), []byte("x"))
	read.Await()
	all := strings.Join(kinds, " ")
	for _, want := range []string{"library-call", "irp-built", "call-driver", "mark-pending", "queued", "pending", "task-incomplete",
		"dma-start", "dma-done", "interrupt", "isr", "dpc-queued", "dpc", "irp-complete", "apc-queued", "apc", "packet", "thread-borrowed", "task-complete"} {
		i := strings.Index(all+" ", want+" ")
		if i < 0 {
			t.Fatalf("no %s in %v", want, kinds)
		}
		all = all[i:]
	}
}

func TestRefusedAndUnreachable(t *testing.T) {
	w := sim.New(1)
	wire := newNetwork(t, w, device.WireConfig{})
	ctx := w.Context()
	if _, err := overlapped.DialAsync(ctx, w, "net1", overlapped.Addr{Host: 2, Port: 81}).Await(); !errors.Is(err, overlapped.ErrRefused) {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := overlapped.DialAsync(ctx, w, "net3", overlapped.Addr{Host: 2, Port: 81}).Await(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no adapter: %v", err)
	}
	client, server, l := connect(t, w)
	if _, err := overlapped.Listen(w, "net2", 80); !errors.Is(err, overlapped.ErrAddressUsed) {
		t.Errorf("a second listener: %v", err)
	}
	accept := l.AcceptAsync(ctx)
	wire.Cut(true)
	var timeout interface{ Timeout() bool }
	if _, err := overlapped.DialAsync(ctx, w, "net1", l.Addr()).Await(); !errors.Is(err, overlapped.ErrUnreachable) || !errors.As(err, &timeout) {
		t.Errorf("the wire is cut: %v", err)
	}
	timed, stop := w.WithTimeout(ctx, time.Millisecond)
	defer stop()
	if _, err := overlapped.DialAsync(timed, w, "net1", l.Addr()).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("dial with a deadline: %v", err)
	}
	read := client.ReadAsync(ctx, make([]byte, 1))
	client.WriteAsync(ctx, []byte("x")).Await()
	if _, err := read.Await(); !errors.Is(err, overlapped.ErrUnreachable) {
		t.Errorf("read of a connection that is cut: %v", err)
	}
	if _, err := client.WriteAsync(ctx, []byte("x")).Await(); !errors.Is(err, overlapped.ErrUnreachable) {
		t.Errorf("write to a connection that is cut: %v", err)
	}
	wire.Cut(false)
	// The server does not know yet; what it says finds nobody.
	server.WriteAsync(ctx, []byte("x")).Await()
	if _, err := server.ReadAsync(ctx, make([]byte, 1)).Await(); !errors.Is(err, overlapped.ErrReset) {
		t.Errorf("read of a connection that is gone: %v", err)
	}
	client.Close()
	server.Close()
	l.Close()
	if _, err := accept.Await(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("accept on a listener that is closed: %v", err)
	}
	rest(t, w)
}

// TestFailedCallsCloseTheirSockets: the socket that an accept or a dial opens for the connection to come is closed when
// there will be none, whether that is found at once or later.
func TestFailedCallsCloseTheirSockets(t *testing.T) {
	w := sim.New(1)
	wire := newNetwork(t, w, device.WireConfig{})
	l, err := overlapped.Listen(w, "net2", 80)
	if err != nil {
		t.Fatal(err)
	}
	// The low half of a handle is its row in the table, of which the one freed last is used next.
	row := func() uint32 {
		h, status := w.Kernel().CPU().Open("net2", kernel.OpenOptions{})
		if !status.IsSuccess() {
			t.Fatal(status)
		}
		w.Kernel().CPU().CloseHandle(h)
		return uint32(h)
	}
	free := row()
	fails := func(name string, want error, start func(ctx context.Context) async.Task[*overlapped.Conn], meanwhile func(cancel func())) {
		t.Helper()
		ctx, cancel := w.WithCancel(w.Context())
		defer cancel()
		if meanwhile == nil {
			cancel() // before it begins
		}
		task := start(ctx)
		if meanwhile != nil {
			w.AfterFunc(time.Millisecond, func() { meanwhile(cancel) })
		}
		if c, err := task.Await(); c != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
		if again := row(); again != free {
			t.Errorf("%s: a handle stays open: the next is in row %d, before it was %d", name, again, free)
			free = again
		}
	}
	accept := func(ctx context.Context) async.Task[*overlapped.Conn] { return l.AcceptAsync(ctx) }
	dial := func(ctx context.Context) async.Task[*overlapped.Conn] {
		return overlapped.DialAsync(ctx, w, "net1", l.Addr())
	}
	refused := func(ctx context.Context) async.Task[*overlapped.Conn] {
		return overlapped.DialAsync(ctx, w, "net1", overlapped.Addr{Host: 2, Port: 81})
	}
	fails("an accept that begins too late", context.Canceled, accept, nil)
	fails("an accept that is cancelled", context.Canceled, accept, func(cancel func()) { cancel() })
	fails("a dial that begins too late", context.Canceled, dial, nil)
	fails("a dial that is refused", overlapped.ErrRefused, refused, func(func()) {})
	wire.Cut(true)
	fails("a dial that is cancelled", context.Canceled, dial, func(cancel func()) { cancel() })
	wire.Cut(false)
	fails("an accept whose listener closes", os.ErrClosed, accept, func(func()) { l.Close() })
	rest(t, w)
}

func TestCloseWithUnreadBytesResets(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	client, server, l := connect(t, w)
	ctx := w.Context()
	read := client.ReadAsync(ctx, make([]byte, 1))
	client.WriteAsync(ctx, []byte("unread")).Await()
	w.Run()
	server.Close()
	if _, err := read.Await(); !errors.Is(err, overlapped.ErrReset) {
		t.Errorf("%v", err)
	}
	client.Close()
	l.Close()
	rest(t, w)
}

// TestWriteToAClosedConnectionResets: who writes to somebody who has closed hears of it.
func TestWriteToAClosedConnectionResets(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	client, server, l := connect(t, w)
	ctx := w.Context()
	server.Close()
	w.Run()
	if n, err := client.ReadAsync(ctx, make([]byte, 1)).Await(); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := client.WriteAsync(ctx, []byte("x")).Await(); err != nil {
		t.Errorf("the network takes the first: %v", err)
	}
	w.Run()
	if _, err := client.WriteAsync(ctx, []byte("y")).Await(); !errors.Is(err, overlapped.ErrReset) {
		t.Errorf("%v", err)
	}
	client.Close()
	l.Close()
	rest(t, w)
}

// TestAtOnceCostsNothing: a call that is complete at once allocates nothing.
func TestAtOnceCostsNothing(t *testing.T) {
	w := sim.New(1)
	c := filled(t, w, 1000)
	ctx, buf := w.Context(), make([]byte, 1)
	if allocs := testing.AllocsPerRun(500, func() {
		if task := c.ReadAsync(ctx, buf); !task.IsCompleted() {
			t.Error("what has arrived is waited for")
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestA21_TheBufferIsFreeWhenTheTaskIsComplete: what was written is what arrives, whatever is done to the buffer later.
func TestA21_TheBufferIsFreeWhenTheTaskIsComplete(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{Loss: 200_000})
	client, server, _ := connect(t, w)
	ctx := w.Context()
	buf := make([]byte, 3000)
	w.Workers().Go(func() {
		for i := range byte(50) {
			for j := range buf {
				buf[j] = i
			}
			client.WriteAsync(ctx, buf).Await()
		}
		clear(buf)
		client.Close()
	})
	var got []byte
	var err error
	w.Workers().Go(func() { got, err = readAll(ctx, server, 1000) })
	w.Run()
	if err != nil || len(got) != 50*3000 {
		t.Fatal(len(got), err)
	}
	for i, b := range got {
		if b != byte(i/3000) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

// TestBackpressure: a writer whose reader does not read waits, is cancelled in the middle, and knows how much has gone.
func TestBackpressure(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	client, server, l := connect(t, w)
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i / 251)
	}
	ctx, cancel := w.WithCancel(w.Context())
	write := client.WriteAsync(ctx, big)
	second := client.WriteAsync(ctx, big)
	w.Run() // it has nothing left to do: a closed window costs nothing
	if write.IsCompleted() {
		t.Fatal("a megabyte written that nobody reads")
	}
	cancel()
	n, err := write.Await()
	if n == 0 || n > 1<<18 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := second.Await(); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("the second write: %d, %v", n, err)
	}
	rest := client.WriteAsync(w.Context(), big[n:])
	client.CloseWrite()
	got, err := readAll(w.Context(), server, 5000)
	if err != nil || !bytes.Equal(got, big) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if n, err := rest.Await(); err != nil || n == 0 {
		t.Error(n, err)
	}
	client.Close()
	server.Close()
	l.Close()
	w.Run()
	if n := w.Counters().IRPsInFlight; n != 0 {
		t.Errorf("%d IRPs left", n)
	}
}

func TestDatagrams(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	a, b := newDatagrams(t, w)
	if _, err := overlapped.ListenDatagram(w, "net2", 53); !errors.Is(err, overlapped.ErrAddressUsed) {
		t.Error(err)
	}
	ctx := w.Context()
	buf := make([]byte, 10)
	receive := b.ReceiveFromAsync(ctx, buf)
	for i := range 100 {
		a.SendToAsync(ctx, fmt.Appendf(nil, "message %d and so on", i), b.Addr())
	}
	if n, from, err := receive.Await(); err != nil || from != a.Addr() || string(buf[:n]) != "message 0 " {
		t.Errorf("%q from %v, %v", buf[:n], from, err)
	}
	w.Run()
	for i := 1; i <= 64; i++ { // so many are kept
		n, from, err := b.ReceiveFromAsync(ctx, buf).Await()
		if err != nil || from != a.Addr() || string(buf[:n]) != fmt.Sprintf("message %d and", i)[:10] {
			t.Fatalf("%d: %q from %v, %v", i, buf[:n], from, err)
		}
	}
	if _, err := a.SendToAsync(ctx, make([]byte, 2000), b.Addr()).Await(); !errors.Is(err, overlapped.ErrTooLong) {
		t.Error(err)
	}
	timed, stop := w.WithTimeout(ctx, time.Millisecond)
	defer stop()
	if _, _, err := b.ReceiveFromAsync(timed, buf).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	last := b.ReceiveFromAsync(ctx, buf)
	b.Close()
	if _, _, err := last.Await(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	a.Close()
	rest(t, w)
}

// TestPortsRunOut: who asks for any port when all of them are in use is told so.
func TestPortsRunOut(t *testing.T) {
	const ports = 1<<16 - 49152
	w := sim.New(1, sim.WithoutVerifier())
	newNetwork(t, w, device.WireConfig{})
	for range ports {
		if _, err := overlapped.ListenDatagram(w, "net1", 0); err != nil {
			t.Fatal(err)
		}
		if _, err := overlapped.Listen(w, "net1", 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := overlapped.ListenDatagram(w, "net1", 0); !errors.Is(err, overlapped.ErrAddressUsed) {
		t.Error(err)
	}
	if _, err := overlapped.Listen(w, "net1", 0); !errors.Is(err, overlapped.ErrAddressUsed) {
		t.Error(err)
	}
	if _, err := overlapped.DialAsync(w.Context(), w, "net1", overlapped.Addr{Host: 1, Port: 49152}).Await(); !errors.Is(err, overlapped.ErrAddressUsed) {
		t.Error(err)
	}
}

package overlapped_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// deadliner makes a context that ends by cancel: the World's own, or a foreign one.
type deadliner func(w *sim.World) (context.Context, context.CancelFunc)

var deadliners = map[string]deadliner{
	"own":     func(w *sim.World) (context.Context, context.CancelFunc) { return w.WithCancel(w.Context()) },
	"foreign": func(w *sim.World) (context.Context, context.CancelFunc) { return context.WithCancel(w.Context()) },
}

// cancelling calls start for an operation in a new World and cancels it after a while; at its end, which must come once,
// ended is called at once.
func cancelling(
	t *testing.T, derive deadliner, after time.Duration,
	start func(w *sim.World, ctx context.Context) async.Task[int], ended func(n int, err error),
) {
	t.Helper()
	w := sim.New(1)
	ctx, cancel := derive(w)
	defer cancel()
	w.AfterFunc(after, func() {
		cancel()
		for range 20 { // a foreign cancellation is brought in by a goroutine: let it
			runtime.Gosched()
		}
	})
	task, ends := start(w, ctx), 0
	if !task.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
		ends++
		ended(task.GetResult())
	})) {
		ends++
		ended(task.GetResult())
	}
	w.Run()
	if err := w.Settle(time.Minute); err != nil || ends != 1 || w.Counters().IRPsInFlight != 0 {
		t.Fatalf("cancelled after %v: it ended %d times; %v", after, ends, err)
	}
}

// behind opens a disk that is busy with another request: the next one waits for a while before the hardware has it.
func behind(t *testing.T, w *sim.World, m *device.Memory) *overlapped.File {
	f := newFile(t, w, m, device.DiskConfig{})
	f.ReadAtAsync(w.Context(), make([]byte, 512), 0)
	return f
}

// TestC01_A21_CancelledOperationEndsOnce cancels a read and a write of a disk at every moment, by a context of the World's and by
// a foreign one. Each completes once; until then the buffer is the operation's, and from then on the caller's alone (A21).
func TestC01_A21_CancelledOperationEndsOnce(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1024)
	for name, derive := range deadliners {
		t.Run(name, func(t *testing.T) {
			cancelled := 0
			for after := time.Duration(0); after < 200*time.Microsecond; after += 3 * time.Microsecond {
				count := func(n int, err error) {
					if err != nil && !errors.Is(err, context.Canceled) || err == nil && n != len(data) {
						t.Errorf("after %v: %d, %v", after, n, err)
					}
					if err != nil {
						cancelled++
					}
				}
				scribbled := bytes.Repeat([]byte{'!'}, len(data))
				buf := make([]byte, len(data))
				cancelling(t, derive, after, func(w *sim.World, ctx context.Context) async.Task[int] {
					return behind(t, w, device.NewMemory(bytes.Clone(data))).ReadAtAsync(ctx, buf, 0)
				}, func(n int, err error) {
					if !bytes.Equal(buf[:n], data[:n]) {
						t.Errorf("after %v: the %d bytes read are not the file's", after, n)
					}
					copy(buf, scribbled)
					count(n, err)
				})
				if !bytes.Equal(buf, scribbled) {
					t.Errorf("after %v: the device wrote to the caller's buffer", after)
				}

				memory, buf := device.NewMemory(nil), bytes.Clone(data)
				written := 0
				cancelling(t, derive, after, func(w *sim.World, ctx context.Context) async.Task[int] {
					return behind(t, w, memory).WriteAtAsync(ctx, buf, 0)
				}, func(n int, err error) {
					written = n
					copy(buf, scribbled)
					count(n, err)
				})
				if got := memory.Bytes(); len(got) < written || !bytes.Equal(got[:written], data[:written]) || bytes.Contains(got, []byte("!")) {
					t.Errorf("after %v: %d bytes written, the disk has %d, or others", after, written, len(got))
				}
			}
			if cancelled == 0 {
				t.Error("no operation was cancelled")
			}
		})
	}
}

// TestForeignDeadlineInRealTime: nothing in the World could end a read of a silent connection, or an accept; a context of
// the standard library does, by real time or from another goroutine. The connection is as good as new.
func TestForeignDeadlineInRealTime(t *testing.T) {
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	client, server, l := connect(t, w)
	timed, stop := context.WithTimeout(w.Context(), 5*time.Millisecond)
	defer stop()
	if n, err := client.ReadAsync(timed, make([]byte, 8)).Await(); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read: %d, %v", n, err)
	}
	called, cancel := context.WithCancel(w.Context())
	defer cancel()
	time.AfterFunc(5*time.Millisecond, cancel)
	if _, err := l.AcceptAsync(called).Await(); !errors.Is(err, context.Canceled) {
		t.Errorf("accept: %v", err)
	}
	// A combinator, a delay that has no timer, and Run, which waits for the deadline too.
	again, stopAgain := context.WithTimeout(w.Context(), 5*time.Millisecond)
	defer stopAgain()
	read := client.ReadAsync(w.Context(), make([]byte, 8))
	first, forever := async.WhenAny(again, read), async.Delay(again, async.Infinite)
	w.Run()
	if i, err := first.Await(); i != -1 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("WhenAny: %d, %v", i, err)
	}
	if err := forever.Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Delay: %v", err)
	}
	if n, err := server.WriteAsync(w.Context(), []byte("hello")).Await(); n != 5 || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	if n, err := read.Await(); n != 5 || err != nil {
		t.Errorf("read: %d, %v", n, err)
	}
}

// TestForeignContextThatNeverEnds: a World waits a while for the outside, and then says that it did.
func TestForeignContextThatNeverEnds(t *testing.T) {
	t.Parallel()
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{})
	l, err := overlapped.Listen(w, "net2", 80)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	accept := l.AcceptAsync(ctx)
	w.Run() // nobody is blocked: it does not wait
	defer func() {
		d, _ := recover().(*sim.Deadlock)
		if d == nil || !bytes.Contains([]byte(d.Error()), []byte("foreign contexts that are watched (1)")) {
			t.Errorf("%v", d)
		}
	}()
	accept.Await()
}

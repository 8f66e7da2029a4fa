package overlapped_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

func TestBeginEnd(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory([]byte("hello, world")), device.DiskConfig{})
	buf := make([]byte, 5)
	type call struct{ name string }
	var got []string
	ar := f.BeginRead(buf, func(ar *overlapped.AsyncResult) {
		n, err := f.EndRead(ar)
		if err != nil || ar.CompletedSynchronously() || !ar.IsCompleted() {
			t.Error(n, err)
		}
		got = append(got, ar.AsyncState().(*call).name+" "+string(buf[:n]))
	}, &call{"first"})
	if ar.IsCompleted() || ar.CompletedSynchronously() {
		t.Error("a disk was done at once")
	}
	w.Run()
	if len(got) != 1 || got[0] != "first hello" {
		t.Errorf("%q", got)
	}
	if _, err := f.EndRead(ar); !errors.Is(err, overlapped.ErrEnded) {
		t.Errorf("a second End: %v", err)
	}
	ar = f.BeginWrite([]byte("HELLO"), nil, nil)
	if _, err := f.EndRead(ar); !errors.Is(err, overlapped.ErrOtherOperation) {
		t.Errorf("EndRead of a write: %v", err)
	}
	if other, err := overlapped.Open(w, f.Name()); err != nil {
		t.Error(err)
	} else if _, err := other.EndWrite(ar); !errors.Is(err, overlapped.ErrOtherOperation) {
		t.Errorf("EndWrite of another file's write: %v", err)
	}
	if n, err := f.EndWrite(ar); n != 5 || err != nil { // End waits
		t.Error(n, err)
	}
	if _, err := f.EndWrite(nil); !errors.Is(err, overlapped.ErrOtherOperation) {
		t.Errorf("End of nothing: %v", err)
	}
}

// filled returns a connection on which n bytes have arrived that nobody has read.
func filled(t *testing.T, w *sim.World, n int) *overlapped.Conn {
	t.Helper()
	newNetwork(t, w, device.WireConfig{})
	client, server, _ := connect(t, w)
	if _, err := server.WriteAsync(w.Context(), make([]byte, n)).Await(); err != nil {
		t.Fatal(err)
	}
	server.Close()
	w.Run()
	return client
}

func depth() int {
	var pcs [4000]uintptr
	return runtime.Callers(0, pcs[:])
}

// TestTheStackDive: reads that are complete at once, each begun by the callback of the one before, dive; a loop around
// CompletedSynchronously does not, and neither does a machine over FromBeginEnd.
func TestTheStackDive(t *testing.T) {
	const n = 400
	deepest := func(run func(w *sim.World, c *overlapped.Conn, count func())) int {
		w := sim.New(1)
		c := filled(t, w, n)
		bytes, from, deep := 0, depth(), 0
		run(w, c, func() {
			bytes++
			deep = max(deep, depth()-from)
		})
		w.Run()
		if bytes != n {
			t.Errorf("%d of %d bytes", bytes, n)
		}
		return deep
	}
	naive, loop, bridge := deepest(diveIn), deepest(stayUp), deepest(crossOver)
	if naive < 2*n {
		t.Errorf("the trap is gone: %d frames deep after %d reads", naive, n)
	}
	if loop > 20 || bridge > 20 {
		t.Errorf("the loop is %d frames deep, the bridge %d", loop, bridge)
	}
	t.Logf("%d reads: naive %d frames deep, loop %d, bridge %d", n, naive, loop, bridge)
}

// diveIn is the seeds' trap.
func diveIn(_ *sim.World, c *overlapped.Conn, count func()) {
	buf := make([]byte, 1)
	var callback overlapped.AsyncCallback
	callback = func(ar *overlapped.AsyncResult) {
		if _, err := c.EndRead(ar); err == nil {
			count()
			c.BeginRead(buf, callback, nil)
		}
	}
	c.BeginRead(buf, callback, nil)
}

// stayUp is the usual remedy: what is complete already goes on in a loop, and only the rest in the callback.
func stayUp(_ *sim.World, c *overlapped.Conn, count func()) {
	buf := make([]byte, 1)
	var read func()
	callback := func(ar *overlapped.AsyncResult) {
		if ar.CompletedSynchronously() {
			return
		}
		if _, err := c.EndRead(ar); err == nil {
			count()
			read()
		}
	}
	read = func() {
		for {
			ar := c.BeginRead(buf, callback, nil)
			if !ar.CompletedSynchronously() {
				return
			}
			if _, err := c.EndRead(ar); err != nil {
				return
			}
			count()
		}
	}
	read()
}

// crossOver makes tasks of Begin and End and awaits them in a machine.
func crossOver(w *sim.World, c *overlapped.Conn, count func()) {
	buf := make([]byte, 1)
	var task async.Task[int]
	begun := false
	start(func() async.Pending {
		if begun {
			if _, err := task.GetResult(); err != nil {
				return nil
			}
			count()
		}
		begun = true
		task = overlapped.FromBeginEnd(w.Context(), func(callback func(*overlapped.AsyncResult)) *overlapped.AsyncResult {
			return c.BeginRead(buf, callback, nil)
		}, c.EndRead)
		return task
	})
}

func TestFromBeginEnd(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory([]byte("abc")), device.DiskConfig{})
	buf := make([]byte, 2)
	read := func() async.Task[int] {
		return overlapped.FromBeginEnd(w.Context(), func(callback func(*overlapped.AsyncResult)) *overlapped.AsyncResult {
			return f.BeginRead(buf, callback, nil)
		}, f.EndRead)
	}
	for _, want := range []struct {
		n   int
		err error
	}{{2, nil}, {1, nil}, {0, io.EOF}} {
		task := read()
		if task.IsCompleted() {
			t.Error("a disk was done at once")
		}
		if n, err := task.Await(); n != want.n || err != want.err {
			t.Errorf("%d, %v", n, err)
		}
	}
	f.Close()
	if task := read(); !task.IsCompleted() {
		t.Error("a read of a closed file waits")
	}
}

// TestEvents: a read, a transformation and a write, an event each, all on the UI thread.
func TestEvents(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory([]byte("hello")), device.DiskConfig{})
	e := overlapped.NewEventFile(f)
	thread := func() string {
		if th := w.Kernel().CPU().Thread(); th != nil {
			return th.Name()
		}
		return ""
	}
	var log []string
	e.ReadFileCompleted.Add(func(args overlapped.CompletedArgs) {
		log = append(log, "read "+string(args.Buffer[:args.N])+" on "+thread())
		if args.Err != nil || e.IsBusy("copy") {
			t.Error(args.Err)
		}
		e.WriteFileAsync(w.UIContext(), []byte("HELLO"), args.UserState)
	})
	e.ReadFileCompleted.Add(func(overlapped.CompletedArgs) { log = append(log, "second handler") })
	e.WriteFileCompleted.Add(func(args overlapped.CompletedArgs) {
		log = append(log, "wrote on "+thread())
		if args.N != 5 || args.Err != nil || args.UserState != "copy" {
			t.Errorf("%+v", args)
		}
	})
	w.Go("click", func(ctx context.Context) {
		if err := e.ReadFileAsync(ctx, make([]byte, 5), "copy"); err != nil || !e.IsBusy("copy") {
			t.Error(err)
		}
		if err := e.ReadFileAsync(ctx, make([]byte, 5), "copy"); err != overlapped.ErrBusy {
			t.Errorf("two of one state: %v", err)
		}
		log = append(log, "click is over")
	})
	w.Run()
	want := []string{"click is over", "read hello on UI thread", "second handler", "wrote on UI thread"}
	if len(log) != len(want) {
		t.Fatalf("%q", log)
	}
	for i := range want {
		if log[i] != want[i] {
			t.Errorf("%q, want %q", log[i], want[i])
		}
	}
	rest(t, w)
}

func TestEventsOfWhatFails(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory(make([]byte, 100)), device.DiskConfig{})
	e := overlapped.NewEventFile(f)
	ended := map[any]overlapped.CompletedArgs{}
	inCall := false
	e.ReadFileCompleted.Add(func(args overlapped.CompletedArgs) {
		if inCall {
			t.Error("the event is raised before the call returns")
		}
		ended[args.UserState] = args
	})
	w.Go("click", func(ctx context.Context) {
		inCall = true
		e.ReadFileAsync(ctx, make([]byte, 10), 1)
		e.ReadFileAsync(ctx, make([]byte, 10), 2) // waits for the disk
		e.ReadFileAsync(ctx, nil, 3)
		e.CancelAsync(2)
		e.CancelAsync(99)
		inCall = false
	})
	w.Run()
	if a := ended[1]; a.N != 10 || a.Err != nil || a.Cancelled {
		t.Errorf("%+v", a)
	}
	if a := ended[2]; !a.Cancelled || !errors.Is(a.Err, context.Canceled) {
		t.Errorf("%+v", a)
	}
	if a := ended[3]; !errors.Is(a.Err, overlapped.ErrNilBuffer) || len(ended) != 3 {
		t.Errorf("%+v", a)
	}
	rest(t, w)
}

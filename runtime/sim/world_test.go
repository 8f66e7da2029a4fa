package sim_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// open makes a disk over data and opens it.
func open(t testing.TB, w *sim.World, name string, data []byte) (*overlapped.File, *device.Memory) {
	t.Helper()
	m := device.NewMemory(data)
	d, err := w.NewDisk(name, m, device.DiskConfig{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return f, m
}

// TestOwnerReads blocks the owner on reads to the end of a file.
func TestOwnerReads(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("hello, world"))
	buf := make([]byte, 8)
	var got []byte
	for {
		n, err := f.ReadAsync(w.Context(), buf).Await()
		got = append(got, buf[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if string(got) != "hello, world" {
		t.Fatalf("read %q", got)
	}
	if w.Now() < 180_000 {
		t.Errorf("three disk accesses took %v of virtual time", w.Now())
	}
	if c := w.Counters(); c.Interrupts != 3 || c.DPCs != 3 || c.APCs < 2 || c.Packets != 3 || c.IRPsInFlight != 0 {
		t.Errorf("counters %+v", c)
	}
}

// copyAll is the synchronous form of the seeds' CopyStream.
func copyAll(ctx context.Context, dst, src *overlapped.File) (int64, error) {
	buf := make([]byte, 4096)
	var copied int64
	for {
		n, err := src.ReadAsync(ctx, buf).Await()
		if err == io.EOF {
			return copied, nil
		}
		if err != nil {
			return copied, err
		}
		if _, err := dst.WriteAsync(ctx, buf[:n]).Await(); err != nil {
			return copied, err
		}
		copied += int64(n)
	}
}

// TestUIThreadBlocks runs the synchronous form on the UI thread: that thread's stack is kept on a goroutine of its own.
func TestUIThreadBlocks(t *testing.T) {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 100_000} {
		data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		w := sim.New(uint64(size))
		src, _ := open(t, w, "src", data)
		dst, m := open(t, w, "dst", nil)
		before := runtime.NumGoroutine()
		inFlight := 0
		count := func() { inFlight = max(inFlight, w.Goroutines()) }
		var copied int64
		var err error
		w.Go("copy", func(ctx context.Context) { copied, err = copyAll(ctx, dst, src) })
		w.UI().Go("count", count)
		w.AfterFunc(50*time.Microsecond, count)
		w.Run()
		if err != nil || copied != int64(size) || !bytes.Equal(m.Bytes(), data) {
			t.Fatalf("size %d: copied %d, %v", size, copied, err)
		}
		if blocked := size > 0; blocked && inFlight != 2 || w.Goroutines() != 1 {
			t.Errorf("size %d: %d goroutines in flight, %d after", size, inFlight, w.Goroutines())
		}
		for wait := 0; runtime.NumGoroutine() > before && wait < 1000; wait++ {
			time.Sleep(time.Millisecond) // one that has handed over the baton may not have ended yet
		}
		if after := runtime.NumGoroutine(); after > before {
			t.Errorf("size %d: %d goroutines after, %d before", size, after, before)
		}
	}
}

// TestHopsOfAWrite is the seeds' button click: every hop, in order, and on what it runs.
func TestHopsOfAWrite(t *testing.T) {
	type hop struct {
		kind kernel.HopKind
		on   string
	}
	var hops []hop
	w := sim.New(3, sim.WithObserver(func(h *kernel.Hop) { hops = append(hops, hop{h.Kind, h.Where()}) }))
	f, _ := open(t, w, "disk", nil)
	var err error
	w.Go("click", func(ctx context.Context) {
		task := f.WriteAsync(ctx, []byte("data"))
		task.OnCompleted(onUI{sc: w.UI(), f: func() { _, err = task.GetResult() }})
	})
	w.Go("paint", func(context.Context) {})
	w.Run()
	if err != nil {
		t.Fatal(err)
	}
	want := []hop{
		{kernel.HopLibraryCall, "UI thread"},
		{kernel.HopOverlappedCall, "UI thread"},
		{kernel.HopIRPBuilt, "UI thread"},
		{kernel.HopCallDriver, "UI thread"},
		{kernel.HopMarkPending, "UI thread"},
		{kernel.HopDMAStart, "UI thread"},
		{kernel.HopPending, "UI thread"},
		{kernel.HopTaskIncomplete, "UI thread"},
		{kernel.HopMessageLoop, "UI thread"},
		{kernel.HopMessage, "UI thread"},
		{kernel.HopDMADone, "no thread"},
		{kernel.HopInterrupt, "no thread"},
		{kernel.HopISR, "no thread"},
		{kernel.HopDPC, "no thread"},
		{kernel.HopIRPComplete, "no thread"},
		{kernel.HopAPCQueued, "no thread"},
		{kernel.HopAPC, "UI thread"},
		{kernel.HopPacket, "UI thread"},
		{kernel.HopThreadBorrowed, "I/O thread"},
		{kernel.HopTaskComplete, "I/O thread"},
		{kernel.HopPosted, "I/O thread"},
		{kernel.HopResumed, "UI thread"},
	}
	i := 0
	for _, h := range hops {
		if i < len(want) && h.kind == want[i].kind && strings.HasPrefix(h.on, want[i].on) {
			i++
		}
	}
	if i < len(want) {
		t.Fatalf("no hop %v on %q after %v\n%v", want[i].kind, want[i].on, want[:i], hops)
	}
}

// onUI is a continuation that wants a context.
type onUI struct {
	async.Anywhere
	sc async.SyncContext
	f  func()
}

func (c onUI) MoveNext(*async.Executor) async.Continuation { c.f(); return nil }
func (c onUI) SyncContext() async.SyncContext              { return c.sc }

// trace runs a copy, with a blocked thread and a timer, and returns its trace.
func trace(t *testing.T, seed uint64) string {
	var out bytes.Buffer
	w := sim.New(seed, sim.WithTrace(&out))
	src, _ := open(t, w, "src", make([]byte, 50_000))
	dst, _ := open(t, w, "dst", nil)
	w.Go("copy", func(ctx context.Context) { copyAll(ctx, dst, src) })
	w.Workers().Go(func() { copyAll(w.Context(), dst, src) })
	w.AfterFunc(time.Millisecond, func() {})
	w.Run()
	return out.String()
}

// TestTraceFollowsFromTheSeed: the same seed, the same bytes, whatever GOMAXPROCS; another seed, others.
func TestTraceFollowsFromTheSeed(t *testing.T) {
	one := trace(t, 7)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	two := trace(t, 7)
	runtime.GOMAXPROCS(2)
	three := trace(t, 7)
	if one != two || one != three {
		t.Error("one seed, different traces")
	}
	if len(one) < 10_000 || !strings.Contains(one, "dma-start") {
		t.Errorf("the trace has %d bytes", len(one))
	}
	if trace(t, 8) == one {
		t.Error("another seed, the same trace")
	}
}

// TestRunUntil: it runs as far as is needed, not at all for what is complete, and says so if it never will be.
func TestRunUntil(t *testing.T) {
	w := sim.New(1)
	rang := 0
	for i := range 3 {
		w.AfterFunc(time.Duration(i+1)*time.Second, func() { rang++ })
	}
	w.RunUntil(async.Delay(w.Context(), 2500*time.Millisecond))
	at := w.Now()
	if rang != 2 {
		t.Errorf("%d functions were called by %v", rang, at)
	}
	if w.RunUntil(async.Completed(1, nil)); w.Now() != at {
		t.Errorf("for what is complete it ran until %v", w.Now())
	}
	defer func() {
		d, ok := recover().(*sim.Deadlock)
		if want := "nothing is left that could happen, and the owner waits for an Await in sim_test.TestRunUntil"; !ok || !strings.Contains(d.Error(), want) || d.Trap {
			t.Errorf("want %q, got %v", want, d)
		}
		if rang != 3 {
			t.Errorf("a deadlock, and %d functions were called", rang)
		}
	}()
	w.RunUntil(async.NewSourceFor[int](w.Context()).Task())
}

// TestDeadlock blocks the UI thread on what only the UI thread can do.
func TestDeadlock(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	f, _ := open(t, w, "disk", []byte("x"))
	w.Go("click", func(ctx context.Context) {
		source := async.NewSourceFor[int](ctx)
		task := f.ReadAsync(ctx, make([]byte, 1))
		task.OnCompleted(onUI{sc: w.UI(), f: func() { source.SetResult(1) }})
		source.Task().Await()
	})
	defer func() {
		d, ok := recover().(*sim.Deadlock)
		if !ok {
			t.Fatalf("no deadlock")
		}
		for _, want := range []string{"UI thread is blocked on an Await in sim_test.TestDeadlock", "while sim_test.onUI waits to go on on that thread", "seed 1"} {
			if !strings.Contains(d.Error(), want) {
				t.Errorf("%q does not say %q", d, want)
			}
		}
	}()
	w.Run()
}

// TestDeadlockCannotBeSwallowed: the code that is told of it catches it, and the owner hears of it all the same.
func TestDeadlockCannotBeSwallowed(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	caught := false
	w.Go("click", func(ctx context.Context) {
		defer func() { caught = recover() != nil }()
		async.NewSourceFor[int](ctx).Task().Await()
	})
	defer func() {
		if d, ok := recover().(*sim.Deadlock); !ok || !caught {
			t.Errorf("the owner heard %v; the thread caught it: %v", d, caught)
		}
	}()
	w.Run()
}

// TestOneOwner: code on a simulated thread cannot run its World.
func TestOneOwner(t *testing.T) {
	w := sim.New(1)
	var said any
	w.UI().Go("run", func() {
		defer func() { said = recover() }()
		w.Run()
	})
	w.Run()
	if s, _ := said.(string); !strings.Contains(s, "runs already") {
		t.Errorf("Run within Run: %v", said)
	}
	w.Close()
	defer func() {
		if s, _ := recover().(string); !strings.Contains(s, "closed") {
			t.Errorf("Run after Close: %v", s)
		}
	}()
	w.Run()
}

// TestTwoGoroutines: a World that runs refuses another goroutine that would run it, and says what that should do.
func TestTwoGoroutines(t *testing.T) {
	w := sim.New(1)
	inside, refused := make(chan bool), make(chan string)
	go func() {
		<-inside
		defer func() { s, _ := recover().(string); refused <- s }()
		w.Run()
	}()
	w.UI().Go("wait", func() {
		inside <- true
		if s := <-refused; !strings.Contains(s, "runs already") || !strings.Contains(s, "Inject") {
			t.Errorf("the second goroutine was told %q", s)
		}
	})
	w.Run()
}

// TestOwnerDeadlock waits for what nobody will ever do.
func TestOwnerDeadlock(t *testing.T) {
	w := sim.New(1)
	source := async.NewSourceFor[int](w.Context())
	func() {
		defer func() {
			if d, ok := recover().(*sim.Deadlock); !ok || !strings.Contains(d.Error(), "the owner waits for an Await in sim_test.TestOwnerDeadlock") {
				t.Fatalf("deadlock says %v", d)
			}
		}()
		source.Task().Await()
	}()
	// The World is in order after it.
	f, _ := open(t, w, "disk", []byte("x"))
	if n, err := f.ReadAsync(w.Context(), make([]byte, 1)).Await(); n != 1 || err != nil {
		t.Fatal(n, err)
	}
}

// TestPanics lets code on simulated threads panic, on the owner's goroutine and on another.
func TestPanics(t *testing.T) {
	for _, block := range []bool{false, true} {
		w := sim.New(1)
		f, _ := open(t, w, "disk", []byte("x"))
		if block { // the owner's goroutine becomes a blocked thread's stack
			w.Go("block", func(ctx context.Context) {
				f.ReadAsync(ctx, make([]byte, 1)).Await()
			})
		}
		w.AfterFunc(time.Microsecond, func() { panic(os.ErrInvalid) })
		func() {
			defer func() {
				r := recover()
				err, _ := r.(error)
				if !errors.Is(err, os.ErrInvalid) {
					t.Fatalf("block %v: recovered %v", block, r)
				}
			}()
			w.Run()
		}()
		ran := false
		w.UI().Go("after", func() { ran = true })
		w.Run()
		if !ran {
			t.Errorf("block %v: the World is wedged", block)
		}
		w.Close()
	}
}

// TestGoexit lets code on simulated threads end its goroutine.
func TestGoexit(t *testing.T) {
	for _, block := range []bool{false, true} {
		var reached, after, woke bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			w := sim.New(1)
			f, _ := open(t, w, "disk", []byte("x"))
			if block {
				w.Go("block", func(ctx context.Context) {
					f.ReadAsync(ctx, make([]byte, 1)).Await()
					woke = true
				})
			}
			w.AfterFunc(time.Microsecond, func() { runtime.Goexit() })
			w.AfterFunc(time.Second, func() { reached = true })
			w.Run()
			after = true
		}()
		<-done
		if !reached || woke != block || after != block {
			t.Errorf("block %v: the World went on: %v, the thread woke: %v, the owner went on: %v", block, reached, woke, after)
		}
	}
}

// TestCancel cancels reads that wait behind another one.
func TestCancel(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", make([]byte, 100))
	first := f.ReadAtAsync(w.Context(), make([]byte, 10), 0)
	ctx, cancel := w.WithCancel(w.Context())
	second := f.ReadAtAsync(ctx, make([]byte, 10), 0)
	timed, stop := w.WithTimeout(w.Context(), 10*time.Microsecond)
	defer stop()
	third := f.ReadAtAsync(timed, make([]byte, 10), 0)
	foreign, cancelForeign := context.WithCancel(w.Context())
	fourth := f.ReadAtAsync(foreign, make([]byte, 10), 0)
	fifth := f.ReadAtAsync(w.Context(), make([]byte, 10), 0)
	cancel()
	cancelForeign()
	if _, err := second.Await(); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled read: %v", err)
	}
	if first.IsCompleted() {
		t.Error("the first read is complete before its time")
	}
	if _, err := third.Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("timed out read: %v", err)
	}
	for runtime.Gosched(); !fourth.IsCompleted(); w.Run() {
	}
	if _, err := fourth.GetResult(); !errors.Is(err, context.Canceled) {
		t.Logf("foreign cancellation came too late: %v", err) // allowed: it is not the World's to say when
	}
	if n, err := first.Await(); n != 10 || err != nil {
		t.Error(n, err)
	}
	if n, err := fifth.Await(); n != 10 || err != nil {
		t.Error(n, err)
	}
	if c := w.Counters(); c.IRPsInFlight != 0 || c.Cancels < 2 {
		t.Errorf("counters %+v", c)
	}
	if _, err := f.ReadAtAsync(ctx, make([]byte, 1), 0).Await(); !errors.Is(err, context.Canceled) {
		t.Errorf("read with a cancelled context: %v", err)
	}
}

// TestMisuse: bad use gets an error that says what is wrong.
func TestMisuse(t *testing.T) {
	w, other := sim.New(1), sim.New(2)
	f, _ := open(t, w, "disk", []byte("abc"))
	if _, err := w.Open("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open of an unknown device: %v", err)
	}
	if _, err := w.NewDisk("disk", device.NewMemory(nil), device.DiskConfig{}); err == nil {
		t.Error("two disks of one name: no error")
	}
	for name, tc := range map[string]struct {
		task async.Task[int]
		want error
	}{
		"nil buffer":      {f.ReadAsync(w.Context(), nil), overlapped.ErrNilBuffer},
		"negative offset": {f.ReadAtAsync(w.Context(), make([]byte, 1), -1), overlapped.ErrNegativeOffset},
		"other World":     {f.ReadAsync(other.Context(), make([]byte, 1)), overlapped.ErrOtherWorld},
	} {
		if _, err := tc.task.Await(); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, err := f.ReadAsync(w.Context(), []byte{}).Await(); n != 0 || err != nil {
		t.Errorf("empty buffer: %d, %v", n, err)
	}
	ro, err := w.NewDisk("ro", device.ReadOnly(strings.NewReader("abc")), device.DiskConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := ro.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.WriteAsync(w.Context(), []byte("x")).Await(); !errors.Is(err, overlapped.ErrReadOnly) {
		t.Errorf("write to a read-only disk: %v", err)
	}
	running := f.ReadAtAsync(w.Context(), make([]byte, 1), 0)
	waiting := f.ReadAtAsync(w.Context(), make([]byte, 1), 0)
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := waiting.Await(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read in flight while the file is closed: %v", err)
	}
	if n, err := running.Await(); n != 1 || err != nil {
		t.Errorf("read on the hardware while the file is closed: %d, %v", n, err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if _, err := f.ReadAsync(w.Context(), make([]byte, 1)).Await(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read of a closed file: %v", err)
	}
	if c := w.Counters(); c.IRPsInFlight != 0 {
		t.Errorf("%d IRPs leaked", c.IRPsInFlight)
	}
}

package sim_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// TestStartThread starts threads from the owner and from the UI thread: StartThread returns when they block or end.
func TestStartThread(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("abc"))
	var log []string
	start := func(name string) {
		w.StartThread(func() { log = append(log, name+" ends") })
		w.StartThread(func() {
			log = append(log, name+" begins")
			n, err := f.ReadAtAsync(w.Context(), make([]byte, 3), 0).Await()
			if n != 3 || err != nil {
				t.Error(n, err)
			}
			log = append(log, name+" unblocked")
		})
		log = append(log, name+" returned")
	}
	start("a")
	if w.Goroutines() != 2 {
		t.Errorf("%d goroutines with one thread blocked", w.Goroutines())
	}
	w.Run()
	w.UI().Go("start", func() { start("b") })
	w.Run()
	want := "a ends, a begins, a returned, a unblocked, b ends, b begins, b returned, b unblocked"
	if got := strings.Join(log, ", "); got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	if w.Goroutines() != 1 {
		t.Errorf("%d goroutines after all", w.Goroutines())
	}
}

// TestThreadOutlivedByItsRequest: a thread ends before what it started does, and the task completes all the same.
func TestThreadOutlivedByItsRequest(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("abc"))
	var task async.Task[int]
	w.StartThread(func() { task = f.ReadAsync(w.Context(), make([]byte, 3)) })
	threads := len(w.Kernel().Threads())
	if n, err := task.Await(); n != 3 || err != nil {
		t.Error(n, err)
	}
	if after := len(w.Kernel().Threads()); after != threads-1 {
		t.Errorf("%d threads, then %d: the one that had ended is still there", threads, after)
	}
}

// TestGoOfAsync is async.Go over StartThread.
func TestGoOfAsync(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte("abcdef"))
	read := func(offset int64) async.Task[string] {
		return async.Go(w.UIContext(), func(ctx context.Context) (string, error) {
			buf := make([]byte, 3)
			n, err := f.ReadAtAsync(ctx, buf, offset).Await()
			return string(buf[:n]), err
		})
	}
	first, second, third := read(0), read(3), read(6)
	if w.Goroutines() != 4 {
		t.Errorf("%d goroutines with three threads blocked", w.Goroutines())
	}
	if s, err := second.Await(); s != "def" || err != nil {
		t.Error(s, err)
	}
	if s, err := first.Await(); s != "abc" || err != nil {
		t.Error(s, err)
	}
	if _, err := third.Await(); err != io.EOF {
		t.Error(err)
	}
}

// TestContexts: order, causes, children, deadlines.
func TestContexts(t *testing.T) {
	w := sim.New(1)
	var log []string
	note := func(s string) func() { return func() { log = append(log, s) } }
	ctx, cancel := w.WithCancelCause(w.Context())
	async.AfterFunc(ctx, note("first"))
	stop := async.AfterFunc(ctx, note("stopped"))
	type key struct{}
	child, cancelChild := context.WithCancel(context.WithValue(ctx, key{}, "value"))
	defer cancelChild()
	grandchild, cancelGrandchild := w.WithCancel(child)
	defer cancelGrandchild()
	own, cancelOwn := w.WithTimeout(context.WithValue(ctx, key{}, "value"), time.Hour)
	defer cancelOwn()
	async.AfterFunc(own, note("own child"))
	async.AfterFunc(ctx, note("last"))
	if !stop() || stop() {
		t.Error("stop says the wrong thing")
	}
	why := errors.New("why")
	cancel(why)
	if got := strings.Join(log, ", "); got != "last, own child, first" {
		t.Errorf("called back: %s", got)
	}
	for name, c := range map[string]context.Context{"ctx": ctx, "child": child, "own child": own} {
		if c.Err() != context.Canceled || context.Cause(c) != why {
			t.Errorf("%s: %v because of %v", name, c.Err(), context.Cause(c))
		}
	}
	for grandchild.Err() == nil { // through a standard context: when is not the World's to say
		time.Sleep(time.Millisecond)
		w.Run()
	}
	async.AfterFunc(ctx, note("late"))
	if log[len(log)-1] != "late" {
		t.Error("a callback registered late is not called")
	}

	before := w.Now()
	timed, cancel2 := w.WithTimeout(w.Context(), time.Minute)
	defer cancel2()
	if err := async.Delay(timed, time.Hour).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if d := w.Now().Sub(before); d < time.Minute || d > time.Minute+time.Millisecond {
		t.Errorf("the minute took %v", d)
	}
	if timed.Err() != context.DeadlineExceeded || context.Cause(timed) != context.DeadlineExceeded {
		t.Error(timed.Err(), context.Cause(timed))
	}
}

// TestTimersInOrder: functions of equal deadline are called in the order in which they were set.
func TestTimersInOrder(t *testing.T) {
	for seed := range uint64(20) {
		w := sim.New(seed)
		var got []int
		for i := range 10 {
			w.AfterFunc(time.Second, func() { got = append(got, i) })
		}
		stop := w.AfterFunc(time.Second, func() { t.Error("a stopped timer is called") })
		if !stop() {
			t.Error("stop says false")
		}
		w.Run()
		for i := range got {
			if got[i] != i {
				t.Fatalf("seed %d: order %v", seed, got)
			}
		}
		if len(got) != 10 {
			t.Fatalf("seed %d: %v", seed, got)
		}
	}
}

// TestTimersStopped: stop says whether it has kept the function from being called, also where the timer has rung already,
// and nobody had the time to call it.
func TestTimersStopped(t *testing.T) {
	for seed := range uint64(20) {
		w := sim.New(seed)
		var second, own func() bool
		calls := 0
		w.AfterFunc(time.Second, func() {
			if !second() || second() {
				t.Error("the second has rung, and is not stopped, or twice")
			}
		})
		second = w.AfterFunc(time.Second, func() { t.Error("the second is called all the same") })
		own = w.AfterFunc(time.Second, func() {
			if calls++; own() {
				t.Error("a function has stopped itself")
			}
		})
		w.Run()
		if calls != 1 || own() || second() {
			t.Errorf("%d calls; after the end: %v, %v", calls, own(), second())
		}
	}
}

// TestTwoWorlds runs two Worlds side by side, one from within the other's observer-free owner code.
func TestTwoWorlds(t *testing.T) {
	a, b := sim.New(5), sim.New(5)
	fa, _ := open(t, a, "disk", []byte("aaaa"))
	fb, _ := open(t, b, "disk", []byte("bbbb"))
	ba, bb := make([]byte, 4), make([]byte, 4)
	ta, tb := fa.ReadAsync(a.Context(), ba), fb.ReadAsync(b.Context(), bb)
	tb.Await()
	if ta.IsCompleted() {
		t.Error("one World ran the other")
	}
	ta.Await()
	if string(ba) != "aaaa" || string(bb) != "bbbb" || a.Now() != b.Now() {
		t.Errorf("%s at %v, %s at %v", ba, a.Now(), bb, b.Now())
	}
}

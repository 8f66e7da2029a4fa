package sim_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// This file is the rules of cancellation for a World's own contexts. Each is derived and cancelled in the World.

// onThread names the simulated thread that runs.
func onThread(w *sim.World) string { return w.Kernel().CPU().Thread().Name() }

// TestC34_CallbacksAreSynchronousLatestFirst: they have run, where cancel was called, when cancel returns.
func TestC34_CallbacksAreSynchronousLatestFirst(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithCancel(w.UIContext())
	var log []string
	for i := range 3 {
		async.AfterFunc(ctx, func() { log = append(log, fmt.Sprint(i, " on ", onThread(w))) })
	}
	w.Workers().Go(func() {
		cancel()
		log = append(log, "cancelled on "+onThread(w))
	})
	w.Run()
	where := log[3][len("cancelled on "):]
	if want := []string{"2 on " + where, "1 on " + where, "0 on " + where, "cancelled on " + where}; !slices.Equal(log, want) || !strings.HasPrefix(where, "worker") {
		t.Errorf("%q", log)
	}
}

// TestC35_AllCallbacksRun: a panic or Goexit in one leaves cancel, and takes no other along.
func TestC35_AllCallbacksRun(t *testing.T) {
	for _, exit := range []bool{false, true} {
		w := sim.New(1)
		ctx, cancel := w.WithCancel(w.Context())
		var log []string
		async.AfterFunc(ctx, func() { log = append(log, "first") })
		async.AfterFunc(ctx, func() {
			if exit {
				runtime.Goexit()
			}
			panic("a callback")
		})
		async.AfterFunc(ctx, func() { log = append(log, "last") })
		ended := make(chan any)
		go func() { // the World is this goroutine's meanwhile
			defer func() { ended <- recover() }()
			cancel()
			t.Error("cancel returned")
		}()
		if v := <-ended; exit != (v == nil) || !exit && v != "a callback" {
			t.Errorf("cancel raised %v", v)
		}
		if !slices.Equal(log, []string{"last", "first"}) {
			t.Errorf("called: %v", log)
		}
	}
}

// TestC35_MapEndsWhateverItsContextCalls: a callback of the context that f was given panics or exits, when an item fails
// or the last has ended: the task completes all the same.
func TestC35_MapEndsWhateverItsContextCalls(t *testing.T) {
	boom := errors.New("boom")
	for _, exit := range []bool{false, true} {
		for _, fails := range []error{nil, boom} {
			for waits := range 3 { // items that have to wait
				w := sim.New(1)
				s := async.NewSourceFor[int](w.Context())
				var mapped async.Task[[]int]
				var ended []string
				w.Go("map", func(ctx context.Context) {
					mapped = async.Map(ctx, 2, []int{0, 1}, func(ctx context.Context, i int) async.Task[int] {
						async.AfterFunc(ctx, func() { ended = append(ended, fmt.Sprint("callback ", i)) })
						async.AfterFunc(ctx, func() {
							if exit {
								runtime.Goexit()
							}
							panic("a callback")
						})
						if i < waits {
							return s.Task()
						}
						return async.Completed(1, fails)
					})
					if !mapped.OnCompleted(async.ContinuationFunc(func(*async.Executor) { ended = append(ended, "map") })) {
						t.Error("it has not waited")
					}
				})
				w.AfterFunc(time.Millisecond, func() { s.Complete(w.Executor(), 1, fails) })
				raised := make(chan any)
				go func() {
					defer func() { raised <- recover() }()
					w.Run()
				}()
				if v := <-raised; exit != (v == nil) || !exit && v != "a callback" {
					t.Errorf("the World raised %v", v)
				}
				w.Run() // what is left
				if waits == 0 || waits == 1 && fails != nil {
					continue // the call of Map has ended so: nobody has its task
				}
				if !slices.Equal(ended, []string{"callback 1", "callback 0", "map"}) || !mapped.IsCompleted() {
					t.Fatalf("exit %v, error %v, %d wait: ended: %q", exit, fails, waits, ended)
				}
				if _, err := mapped.GetResult(); !errors.Is(err, fails) {
					t.Errorf("Map ended with %v, want %v", err, fails)
				}
			}
		}
	}
}

// TestC36_RegisteredTooLateRunsAtOnce: on a context that has ended a callback runs before AfterFunc returns.
func TestC36_RegisteredTooLateRunsAtOnce(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithCancel(w.Context())
	cancel()
	called := 0
	type key struct{}
	if stop := async.AfterFunc(context.WithValue(ctx, key{}, 1), func() { called++ }); called != 1 || stop() {
		t.Errorf("called %d times", called)
	}
}

// TestC37_SecondCancelDoesNothing: the first end of a context counts, whatever comes after.
func TestC37_SecondCancelDoesNothing(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithCancelCause(w.Context())
	first, called := errors.New("first"), 0
	async.AfterFunc(ctx, func() { called++; cancel(errors.New("from a callback")) })
	cancel(first)
	cancel(errors.New("second"))
	if called != 1 || context.Cause(ctx) != first || ctx.Err() != context.Canceled {
		t.Errorf("called %d times, cause %v, error %v", called, context.Cause(ctx), ctx.Err())
	}
	timed, stop := w.WithTimeout(w.Context(), time.Second)
	w.Run()
	stop()
	if timed.Err() != context.DeadlineExceeded {
		t.Errorf("cancelled after its deadline: %v", timed.Err())
	}
	endless, stop := async.ContextWithTimeout(w.Context(), async.Infinite)
	defer stop()
	if w.Run(); endless.Err() != nil || w.Elapsed() > time.Hour {
		t.Errorf("without a deadline: %v at %v", endless.Err(), w.Elapsed())
	}
}

// TestC38_StopDoesNotWait: stop says whether it kept the callback from running; of one that runs, and is blocked, it says
// false at once (Unregister, not Dispose).
func TestC38_StopDoesNotWait(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithCancel(w.Context())
	never := async.AfterFunc(ctx, func() { t.Error("called although stopped") })
	var log []string
	gate := async.NewSource0For(w.Context())
	stop := async.AfterFunc(ctx, func() {
		log = append(log, "runs")
		gate.Task().Await()
		log = append(log, "has run")
	})
	if !never() || never() {
		t.Error("stop before the end of the context does not tell the first call from the second")
	}
	w.Workers().Go(cancel)
	w.AfterFunc(time.Second, func() {
		log = append(log, fmt.Sprint("stopped: ", stop()))
		gate.SetResult()
	})
	w.Run()
	if got := strings.Join(log, ", "); got != "runs, stopped: false, has run" {
		t.Error(got)
	}
}

// TestC39_TimeoutEndsOnce: a context ends by its deadline, on the World's clock, or before; the earlier of two counts, and
// the timer of one that was cancelled is gone.
func TestC39_TimeoutEndsOnce(t *testing.T) {
	w := sim.New(1)
	outer, stopOuter := w.WithTimeout(w.Context(), time.Hour)
	defer stopOuter()
	inner, stopInner := w.WithTimeout(outer, time.Minute)
	defer stopInner()
	longer, stopLonger := w.WithTimeout(inner, 2*time.Hour)
	defer stopLonger()
	cancelled, cancel := w.WithTimeout(w.Context(), 24*time.Hour)
	cancel()
	var ends []string
	for name, ctx := range map[string]context.Context{"inner": inner, "longer": longer, "cancelled": cancelled} {
		async.AfterFunc(ctx, func() {
			ends = append(ends, fmt.Sprint(name, " ", w.Elapsed().Round(time.Second), " ", ctx.Err()))
		})
	}
	w.Run()
	slices.Sort(ends)
	want := []string{"cancelled 0s context canceled", "inner 1m0s context deadline exceeded", "longer 1m0s context deadline exceeded"}
	if !slices.Equal(ends, want) {
		t.Errorf("%q", ends)
	}
	if at := w.Elapsed(); at < time.Hour || at > time.Hour+time.Second || outer.Err() != context.DeadlineExceeded {
		t.Errorf("the World came to rest at %v; the outer context: %v", at, outer.Err())
	}
}

// TestC40_ChildEndsAlone: a context ends with its parent, with the same cause; its own end the parent does not notice, and
// nothing of it stays there.
func TestC40_ChildEndsAlone(t *testing.T) {
	w := sim.New(1)
	parent, cancelParent := w.WithCancelCause(w.Context())
	child, cancelChild := w.WithCancel(parent)
	grandchild, _ := w.WithCancel(child)
	sibling, _ := w.WithCancel(parent)
	cancelChild()
	if child.Err() == nil || grandchild.Err() == nil || parent.Err() != nil || sibling.Err() != nil {
		t.Errorf("child %v, grandchild %v, parent %v, sibling %v", child.Err(), grandchild.Err(), parent.Err(), sibling.Err())
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const n = 20_000
	for range n {
		_, cancel := w.WithCancel(parent)
		cancel()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20*n {
		t.Errorf("%d bytes for each child stay behind", grown/n)
	}
	why := errors.New("why")
	cancelParent(why)
	if context.Cause(sibling) != why || sibling.Err() != context.Canceled || context.Cause(child) != context.Canceled {
		t.Errorf("sibling: %v because of %v; child because of %v", sibling.Err(), context.Cause(sibling), context.Cause(child))
	}
}

// TestC41_EndedContextStaysEnded: a context has no TryReset. Who wants to try again derives another, and the one that has
// ended, by its timer or by cancel, does not come back.
func TestC41_EndedContextStaysEnded(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithTimeout(w.Context(), time.Second)
	done := ctx.Done()
	w.Run()
	cancel()
	select {
	case <-done:
	default:
		t.Error("Done is open")
	}
	child, _ := w.WithTimeout(ctx, time.Hour)
	if ctx.Err() != context.DeadlineExceeded || child.Err() != context.DeadlineExceeded {
		t.Errorf("the context: %v; its child: %v", ctx.Err(), child.Err())
	}
	if again, _ := w.WithTimeout(context.WithoutCancel(ctx), time.Hour); again.Err() != nil || async.HostOf(again) != async.Host(w) {
		t.Errorf("another attempt: %v", again.Err())
	}
}

// TestC42_ForeignCancelEntersTheWorld: of a context of the standard library the error is there at once, and what waits for
// it is called in the World, on a timer thread, not where it was cancelled.
func TestC42_ForeignCancelEntersTheWorld(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := context.WithCancel(w.Context())
	called := make(chan string, 1)
	async.AfterFunc(ctx, func() { called <- onThread(w) })
	left := make(chan bool)
	go func() { cancel(); left <- ctx.Err() != nil }()
	if !<-left {
		t.Error("no error after cancel")
	}
	time.Sleep(time.Millisecond) // the standard library calls back on a goroutine of its own
	if len(called) != 0 {
		t.Error("called outside of the World")
	}
	for len(called) == 0 {
		w.Run()
		runtime.Gosched()
	}
	if on := <-called; !strings.HasPrefix(on, "timer thread") {
		t.Errorf("called on %s", on)
	}
}

// TestContextsOfAFunctionThatKnowsNoWorld: derived by package async they are the World's own, on its clock; without a World
// they are the standard library's.
func TestContextsOfAFunctionThatKnowsNoWorld(t *testing.T) {
	w := sim.New(1)
	timed, stop := async.ContextWithTimeout(w.UIContext(), time.Hour)
	defer stop()
	ctx, cancel := async.ContextWithCancel(timed)
	defer cancel()
	var ends []string
	async.AfterFunc(timed, func() { ends = append(ends, "timed") })
	async.AfterFunc(ctx, func() { ends = append(ends, "derived") })
	w.Run()
	if !slices.Equal(ends, []string{"timed", "derived"}) || w.Elapsed() < time.Hour || async.SyncContextOf(ctx) != async.SyncContext(w.UI()) {
		t.Errorf("%v after %v", ends, w.Elapsed())
	}
	if timed.Err() != context.DeadlineExceeded || ctx.Err() != context.DeadlineExceeded {
		t.Errorf("%v, %v", timed.Err(), ctx.Err())
	}
	timed, stop = async.ContextWithTimeout(context.Background(), time.Millisecond)
	defer stop()
	ctx, cancel = async.ContextWithCancel(context.Background())
	cancel()
	if <-timed.Done(); timed.Err() != context.DeadlineExceeded || ctx.Err() != context.Canceled {
		t.Errorf("without a World: %v, %v", timed.Err(), ctx.Err())
	}
}

// TestContextOfAnotherWorld: of two Worlds that take turns, the end of the one's context comes to the other at its next turn, in
// every run.
func TestContextOfAnotherWorld(t *testing.T) {
	const quantum = 10 * time.Microsecond
	w, v := sim.New(1), sim.New(2)
	ctx, cancel := w.WithCancel(w.Context())
	w.AfterFunc(time.Millisecond, cancel)
	derived, stop := v.WithCancel(ctx)
	defer stop()
	var ended time.Duration
	v.OnDone(derived, func() { ended = v.Elapsed() })
	for i := range 1000 {
		v.AfterFunc(time.Duration(i)*quantum, func() {})
	}
	sim.RunTogether(quantum, w, v)
	if ended < time.Millisecond-quantum || ended > time.Millisecond+2*quantum {
		t.Errorf("ended after %v", ended)
	}
}

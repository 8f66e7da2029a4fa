package sim_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// closed reports whether a channel is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestDoneOfATimeout: the channel is one and the same, whenever it is asked for, and closed once the context has ended.
func TestDoneOfATimeout(t *testing.T) {
	w := sim.New(1)
	asked, _ := w.WithTimeout(w.Context(), time.Millisecond)
	late, _ := w.WithTimeout(w.Context(), time.Millisecond)
	before := asked.Done()
	if closed(before) || before != asked.Done() {
		t.Error("a context that has not ended: its channel is closed, or another one each time")
	}
	w.RunFor(time.Second)
	after := late.Done()
	if !closed(before) || !closed(after) || after != late.Done() {
		t.Errorf("after the end: asked for before %v, after %v", closed(before), closed(after))
	}
}

// TestTimeoutsThatAreOver: one without time to run ends at once, one of a context that has ended as that did.
func TestTimeoutsThatAreOver(t *testing.T) {
	w := sim.New(1)
	for _, d := range []time.Duration{0, -1, -1 << 63} {
		if ctx, _ := w.WithTimeout(w.Context(), d); ctx.Err() != context.DeadlineExceeded || !closed(ctx.Done()) {
			t.Errorf("%d: %v", d, ctx.Err())
		}
	}
	parent, cancel := w.WithCancelCause(w.Context())
	why := errors.New("why")
	cancel(why)
	for _, d := range []time.Duration{0, time.Second, async.Infinite} {
		if ctx, _ := w.WithTimeout(parent, d); ctx.Err() != context.Canceled || context.Cause(ctx) != why || !closed(ctx.Done()) {
			t.Errorf("of one that was cancelled: %v", ctx.Err())
		}
	}
	if endless, _ := w.WithTimeout(w.Context(), async.Infinite); w.Now() == 0 {
		if w.RunFor(time.Hour); endless.Err() != nil {
			t.Errorf("without an end: %v", endless.Err())
		}
	}
}

// TestStandardChildrenOfATimeout end as it does.
func TestStandardChildrenOfATimeout(t *testing.T) {
	w := sim.New(1)
	timeout, _ := w.WithTimeout(w.Context(), time.Millisecond)
	child, cancel := context.WithCancel(timeout)
	defer cancel()
	w.RunFor(time.Second)
	if <-child.Done(); child.Err() != context.DeadlineExceeded || context.Cause(child) != context.DeadlineExceeded {
		t.Errorf("%v, because of %v", child.Err(), context.Cause(child))
	}
}

// TestInjectedOnce: what was injected is called once, whatever is injected later.
func TestInjectedOnce(t *testing.T) {
	w := sim.New(1)
	calls := 0
	for i := range 3 {
		w.Inject(func() { calls++ })
		if w.Run(); calls != i+1 {
			t.Fatalf("%d calls of %d functions", calls, i+1)
		}
	}
}

// TestOnDoneStoppedInTime: of a foreign context that has ended, until the World's next step.
func TestOnDoneStoppedInTime(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := context.WithCancel(context.Background())
	stop := w.OnDone(ctx, func() { t.Error("called all the same") })
	cancel()
	time.Sleep(5 * time.Millisecond) // for what the context does by itself
	if !stop() || stop() {
		t.Error("stopped late, or twice")
	}
	w.Run()
	called := 0
	stop = w.OnDone(ctx, func() { called++ })
	if w.RunFor(time.Millisecond); called == 0 {
		time.Sleep(5 * time.Millisecond)
		w.Run()
	}
	if called != 1 || stop() {
		t.Errorf("of one that has ended: %d calls", called)
	}
}

// TestForeignDeadline: a World that has nothing left to do waits for the deadline of a foreign context that is watched, also
// where nobody is blocked.
func TestForeignDeadline(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Millisecond)
	defer cancel()
	task := async.Delay(ctx, async.Infinite)
	w.Run()
	if !task.IsCompleted() {
		t.Fatal("the World has not waited")
	}
	if err := task.Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestHashOfDecisions: two runs that differ in a decision alone have different hashes.
func TestHashOfDecisions(t *testing.T) {
	hashes := make(map[uint64]uint64)
	for seed := range uint64(50) {
		w := sim.New(seed)
		w.Choose("a choice", 1<<30)
		hash := w.Hash()
		if other, there := hashes[hash]; there {
			t.Errorf("seeds %d and %d have one hash", seed, other)
		}
		hashes[hash] = seed
	}
}

// TestOnDoneOfAnotherWorld: what a World is to do when another's context ends it does at its own next step, not within the
// other's call of cancel.
func TestOnDoneOfAnotherWorld(t *testing.T) {
	w, other := sim.New(1), sim.New(2)
	ctx, cancel := other.WithCancel(other.Context())
	calls := 0
	w.OnDone(ctx, func() { calls++ })
	w.Register(ctx, callback(func() { calls++ }))
	if cancel(); calls != 0 {
		t.Errorf("%d calls within cancel", calls)
	}
	if w.Run(); calls != 2 {
		t.Errorf("%d calls in the World", calls)
	}
}

package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// repeats is a continuation that starts one thing after another and waits for each; then it completes its source.
type repeats struct {
	async.Anywhere
	async.Source0
	start func(c async.Continuation) (pending bool)
	left  int
}

func (r *repeats) MoveNext(*async.Executor) async.Continuation {
	for r.left > 0 {
		r.left--
		if r.start(r) {
			return nil
		}
	}
	r.SetResult()
	return nil
}

type waitKey struct{}

// waits are things to wait for, and how many objects each costs with a context that may end, once there is a timer and
// a registration to be used again.
var waits = map[string]struct {
	objects float64
	start   func(ctx context.Context, c async.Continuation) (pending bool)
}{
	"Delay": {2, func(ctx context.Context, c async.Continuation) bool {
		return async.Delay(ctx, time.Microsecond).OnCompleted(c)
	}},
	"FromContext of a timeout": {8, func(ctx context.Context, c async.Continuation) bool {
		ctx, _ = async.ContextWithTimeout(ctx, time.Microsecond)
		return async.FromContext(ctx).OnCompleted(c)
	}},
	"WithTimeout, late": {8, func(ctx context.Context, c async.Continuation) bool {
		return async.WithTimeout(ctx, time.Microsecond, async.NewSourceFor[int](ctx).Task()).OnCompleted(c)
	}},
	"WithTimeout of a Delay": {9, func(ctx context.Context, c async.Continuation) bool {
		return async.WithTimeout0(ctx, time.Second, async.Delay(ctx, time.Microsecond)).OnCompleted(c)
	}},
	"WhenAll of two Delays": {11, func(ctx context.Context, c async.Continuation) bool {
		a, b := async.Delay(ctx, time.Microsecond), async.Delay(ctx, time.Microsecond)
		return async.WhenAll(ctx, a.Task(), b.Task()).OnCompleted(c)
	}},
	"WhenAll0 of two Delays": {11, func(ctx context.Context, c async.Continuation) bool {
		return async.WhenAll0(ctx, async.Delay(ctx, time.Microsecond), async.Delay(ctx, time.Microsecond)).OnCompleted(c)
	}},
	"WhenAny of two Delays": {10, func(ctx context.Context, c async.Continuation) bool {
		return async.WhenAny(ctx, async.Delay(ctx, time.Microsecond), async.Delay(ctx, time.Microsecond)).OnCompleted(c)
	}},
}

// TestWaitsAllocate: a wait costs no more objects than it did.
func TestWaitsAllocate(t *testing.T) {
	const n = 2000
	contexts := map[string]func(*sim.World) context.Context{
		"cancel":  func(w *sim.World) context.Context { ctx, _ := w.WithCancel(w.Context()); return ctx },
		"timeout": func(w *sim.World) context.Context { ctx, _ := w.WithTimeout(w.Context(), time.Hour); return ctx },
		"value": func(w *sim.World) context.Context {
			ctx, _ := w.WithCancel(w.Context())
			return context.WithValue(ctx, waitKey{}, 1)
		},
	}
	for name, wait := range waits {
		for of, from := range contexts {
			w := sim.New(1)
			ctx := from(w)
			got := testing.AllocsPerRun(1, func() {
				r := &repeats{start: func(c async.Continuation) bool { return wait.start(ctx, c) }, left: n}
				r.Bind(w)
				w.UI().Go("start", func() { r.MoveNext(nil) })
				w.RunUntil(r.Task())
			})
			if got/n > wait.objects+0.05 {
				t.Errorf("%s, by a %s: %v objects, want %v at most", name, of, got/n, wait.objects)
			}
			if ctx.Err() != nil {
				t.Error("the context has ended")
			}
			w.Close()
		}
	}
}

// TestRunAfterAnAwaitThatFailed: what the owner has waited for before a panic ended that ends no later wait.
func TestRunAfterAnAwaitThatFailed(t *testing.T) {
	w := sim.New(1)
	w.UI().Go("message", func() { panic("message") })
	ran := false
	w.AfterFunc(2*time.Millisecond, func() { ran = true })
	func() {
		defer func() {
			if v := recover(); v != "message" {
				t.Errorf("the owner recovered %v", v)
			}
		}()
		async.Delay(w.Context(), time.Millisecond).Await()
	}()
	if w.Run(); !ran {
		t.Errorf("Run ended at %v, and something was left to do", w.Elapsed())
	}
}

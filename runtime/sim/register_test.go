package sim_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// noted is a callback that notes its number.
type noted struct {
	i      int
	called *[]int
}

func (n *noted) ContextDone() { *n.called = append(*n.called, n.i) }

// TestRegistrationsAreUsedAgain: whatever was registered and stopped before, a context that ends calls those callbacks
// that stand, each once, the latest first; functions and what is none keep one order.
func TestRegistrationsAreUsedAgain(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		w := sim.New(seed)
		ctx, cancel := w.WithCancel(w.Context())
		registrar := ctx.(async.Registrar)
		var called, want []int
		stops := make(map[int]async.Stopper)
		for i := range 60 {
			switch n := (&noted{i, &called}); rng.IntN(4) {
			case 0:
				stops[i] = async.StopFunc(ctx.(async.CancelNotifier).AfterFunc(n.ContextDone))
				want = append(want, i)
			case 1, 2:
				stops[i] = registrar.Register(n)
				want = append(want, i)
			case 3:
				if len(want) == 0 {
					continue
				}
				at := rng.IntN(len(want))
				if !stops[want[at]].Stop() {
					t.Fatalf("seed %d: the registration of %d had ended", seed, want[at])
				}
				want = slices.Delete(want, at, at+1)
			}
		}
		cancel()
		slices.Reverse(want)
		if !slices.Equal(called, want) {
			t.Fatalf("seed %d: called %v, want %v", seed, called, want)
		}
		if late := registrar.Register(&noted{-1, &called}); called[len(called)-1] != -1 || late != nil {
			t.Fatalf("seed %d: after the end a callback is called at once: %v", seed, called)
		}
		w.Close()
	}
}

// TestCallbackThatRegisters: one that is called may register another in its own place, which is called at once.
func TestCallbackThatRegisters(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	ctx, cancel := w.WithCancel(w.Context())
	registrar := ctx.(async.Registrar)
	var called []int
	registrar.Register(&noted{1, &called})
	registrar.Register(callback(func() {
		called = append(called, 2)
		registrar.Register(&noted{3, &called})
	}))
	cancel()
	if want := []int{2, 3, 1}; !slices.Equal(called, want) {
		t.Errorf("called %v, want %v", called, want)
	}
}

// TestEndedContextKeepsNoRegistrations: there will be none again.
func TestEndedContextKeepsNoRegistrations(t *testing.T) {
	const n = 50_000
	w := sim.New(1)
	defer w.Close()
	ctx, cancel := w.WithCancel(w.Context())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range n {
		ctx.(async.Registrar).Register(callback(func() {}))
	}
	cancel()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 20*n {
		t.Errorf("%d bytes for each registration stay behind", grown/n)
	}
	runtime.KeepAlive(ctx)
}

type callback func()

func (f callback) ContextDone() { f() }

// TestEndOfAnotherWorldsContext: what belongs to a World ends at its next step, on its own goroutine, where its context is
// that of a World which runs on another.
func TestEndOfAnotherWorldsContext(t *testing.T) {
	a, b := sim.New(1), sim.New(2)
	root, cancel := a.WithCancel(a.Context())
	derived, _ := a.WithCancel(async.WithHost(root, b))
	var ended []string
	for name, ctx := range map[string]context.Context{"wrapped": async.WithHost(root, b), "derived": derived} {
		async.AfterFunc(ctx, func() { ended = append(ended, name) })
		for _, wait := range []async.Pending{async.Delay(ctx, async.Infinite), async.WhenAll0(ctx, async.NewSource0For(ctx).Task())} {
			wait.OnCompleted(async.ContinuationFunc(func(*async.Executor) { ended = append(ended, name) }))
		}
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		a.AfterFunc(time.Millisecond, cancel)
		a.Run()
	}()
	for range 100 { // beside it
		b.AfterFunc(time.Millisecond, func() {})
		b.Run()
	}
	<-over
	b.Run()
	slices.Sort(ended)
	if want := []string{"derived", "derived", "derived", "wrapped", "wrapped", "wrapped"}; !slices.Equal(ended, want) {
		t.Errorf("ended: %v", ended)
	}
}

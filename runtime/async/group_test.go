package async_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// A group waits for what was added before and after it was waited for, by its own
// operations too, and then is over.
func TestGroupWaitsForAllThatWasAdded(t *testing.T) {
	var g async.Group
	s, tasks := threeSources()
	g.Add(async.Completed(1, nil))
	g.Add(tasks[0])
	over := g.WaitAsync()
	g.Add(tasks[1])
	s[0].SetResult(1)
	if over.IsCompleted() {
		t.Fatal("over while one is in flight")
	}
	adds := async.NewSource0()
	adds.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { g.Add(tasks[2]) }))
	g.Add(adds.Task())
	s[1].SetResult(1)
	adds.SetResult()
	if over.IsCompleted() {
		t.Fatal("over while one is in flight that another has added")
	}
	s[2].SetResult(1)
	if !over.IsCompleted() || over.Await() != nil || g.WaitAsync().Await() != nil {
		t.Errorf("over: %v", over.IsCompleted())
	}
	mustPanic(t, "a group that is over", func() { g.Add(async.Completed0(nil)) })
	if err := new(async.Group).WaitAsync().Await(); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

// What fails in the zero group leaves the others alone; its error is the first one's,
// whenever the group is waited for. A cancellation gives way to it, and it to a panic.
func TestGroupKeepsTheFirstOfTheWorst(t *testing.T) {
	exits := func() async.Task[int] {
		return async.Func0(func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })(bg)
	}
	failed := func(err error) async.Operation { return async.Completed0(err) }
	for _, c := range []struct {
		name string
		ops  []async.Operation
		want error
	}{
		{"none", []async.Operation{failed(nil)}, nil},
		{"cancelled", []async.Operation{failed(nil), failed(context.Canceled)}, context.Canceled},
		{"failed", []async.Operation{failed(context.Canceled), failed(errB), failed(errA), failed(nil)}, errB},
	} {
		var g async.Group
		for _, op := range c.ops {
			g.Add(op)
		}
		if err := g.WaitAsync().Await(); err != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var g async.Group
	g.Add(failed(errA))
	g.Add(exits())
	g.Add(panicking())
	g.Add(failed(errB))
	mustPanic(t, "an input", func() { g.WaitAsync().Await() })
	var exit async.Group
	exit.Add(failed(errA))
	exit.Add(exits())
	returned := true
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned = false
		exit.WaitAsync().Await()
		returned = true
	}()
	if <-done; returned {
		t.Error("a Goexit did not rise in who waits for the group")
	}
}

// The first failure ends the context that NewGroup gives, and is its cause; the group
// waits for the others all the same. Else the context ends with the group.
func TestNewGroupEndsItsContext(t *testing.T) {
	g, ctx := async.NewGroup(bg)
	s := async.NewSource[int]()
	g.Add(s.Task())
	g.Add(async.FromContext(ctx))
	if ctx.Err() != nil {
		t.Fatal("the context ended early")
	}
	g.Add(async.Completed0(errA))
	over := g.WaitAsync()
	if context.Cause(ctx) != errA || over.IsCompleted() {
		t.Errorf("cause %v, over %v", context.Cause(ctx), over.IsCompleted())
	}
	g.Add(async.Completed0(errB))
	s.SetResult(1)
	if err := over.Await(); err != errA {
		t.Errorf("gave %v", err)
	}
	calm, ctx := async.NewGroup(bg)
	calm.Add(async.Completed0(nil))
	if ctx.Err() != nil || calm.WaitAsync().Await() != nil || ctx.Err() != context.Canceled {
		t.Errorf("of a group that is over: %v", ctx.Err())
	}
	outer, cancel := context.WithCancelCause(bg)
	alone, inner := async.NewGroup(outer)
	alone.Add(async.FromContext(inner))
	over = alone.WaitAsync()
	cancel(errB)
	if err := over.Await(); !errors.Is(err, errB) || !errors.Is(err, context.Canceled) {
		t.Errorf("its caller's context ended: %v", err)
	}
	mustPanic(t, "the context is nil", func() { async.NewGroup(nil) })
}

// A task that nobody may await any more is its caller's panic; the group stays as it was.
func TestGroupOfATaskThatMayNotBeAwaited(t *testing.T) {
	var sources async.SourcePool[int]
	pooled := sources.New(bg)
	task := pooled.Task()
	async.Forget(bg, task)
	var g async.Group
	func() {
		defer func() {
			if told, _ := recover().(string); !strings.Contains(told, "C14") {
				t.Errorf("told %q", told)
			}
		}()
		g.Add(task)
	}()
	if err := g.WaitAsync().Await(); err != nil {
		t.Error(err)
	}
	pooled.SetResult(1)
}

// Without a host operations are added and end on any goroutines.
func TestGroupOnManyGoroutines(t *testing.T) {
	const goroutines, each = 8, 500
	g, ctx := async.NewGroup(bg)
	gate := async.NewSource0()
	g.Add(gate.Task())
	over := g.WaitAsync()
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for i := range each {
				s := async.NewSource[int]()
				g.Add(s.Task())
				if all.Go(func() { s.SetResult(i) }); over.IsCompleted() {
					t.Error("over while the gate is shut")
				}
			}
		})
	}
	all.Wait()
	if over.IsCompleted() || ctx.Err() != nil {
		t.Error("over before the gate opened")
	}
	gate.SetResult()
	if err := over.Await(); err != nil || ctx.Err() == nil {
		t.Errorf("gave %v, context %v", err, ctx.Err())
	}
}

// Whatever is added, ends and fails in whatever order: the group is over once it was waited
// for and nothing is in flight, with the error that counts, and so is its context, unless
// one has failed before.
func TestGroupDoesWhatItsModelSays(t *testing.T) {
	outcomes := []error{nil, nil, errA, errB, context.Canceled}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 0))
		g, ctx := new(async.Group), bg
		if r.IntN(2) == 0 {
			g, ctx = async.NewGroup(bg)
		}
		var inFlight []*async.Source[int]
		var task async.Task0
		var want, cause error
		waited, over := false, false
		ends := func(err error) {
			if want == nil || want == context.Canceled && err != nil {
				want = err
			}
			if cause == nil {
				cause = err
			}
		}
		for !over {
			switch err := outcomes[r.IntN(len(outcomes))]; r.IntN(5) {
			case 0:
				ends(err)
				g.Add(async.Completed(1, err))
			case 1:
				inFlight = append(inFlight, async.NewSource[int]())
				g.Add(inFlight[len(inFlight)-1].Task())
			case 2, 3:
				if len(inFlight) > 0 {
					i := r.IntN(len(inFlight))
					ends(err)
					s := inFlight[i]
					inFlight = slices.Delete(inFlight, i, i+1)
					s.Complete(nil, 1, err)
				}
			case 4:
				task, waited = g.WaitAsync(), true
			}
			if over = waited && len(inFlight) == 0; over && cause == nil {
				cause = context.Canceled
			}
			if waited && task.IsCompleted() != over || ctx != bg && context.Cause(ctx) != cause {
				t.Fatalf("seed %d: %d in flight, waited for %v: the context ended by %v instead of %v", seed, len(inFlight), waited, context.Cause(ctx), cause)
			}
		}
		if err := task.Await(); err != want {
			t.Fatalf("seed %d: gave %v instead of %v", seed, err, want)
		}
	}
}

// A chain of as many as you like grows no stack, nor does a group keep what has ended.
func TestGroupOfManyInAChain(t *testing.T) {
	var g async.Group
	sources := make([]*async.Source0, 100_000)
	var order []int
	for i := range sources {
		sources[i] = async.NewSource0()
	}
	for i, s := range sources[:len(sources)-1] {
		g.Add(s.Task())
		s.Task().OnCompleted(async.ContinuationFunc(func(ex *async.Executor) {
			order = append(order, i)
			sources[i+1].Complete(ex, struct{}{}, nil)
		}))
	}
	over := g.WaitAsync()
	sources[0].SetResult()
	if err := over.Await(); err != nil || len(order) != len(sources)-1 || !slices.IsSorted(order) {
		t.Errorf("gave %v, %d", err, len(order))
	}
}

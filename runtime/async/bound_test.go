package async_test

import (
	"context"
	"slices"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// slot is a SyncContext with room for one, which allocates nothing.
type slot struct{ posted async.Continuation }

func (s *slot) Post(c async.Continuation) { s.posted = c }

// Waiting for a context costs a machine no allocation either.
func TestC24_PostingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes pools forget")
	}
	s := new(slot)
	ctx, ex := async.WithSyncContext(context.Background(), s), async.NewExecutor(s)
	var sources [10]async.Source[int]
	next := func(i int) async.Task[int] { return sources[i].Task() }
	if n := testing.AllocsPerRun(100, func() {
		clear(sources[:])
		task := sumIn(ctx, len(sources), next)
		for i := range sources {
			sources[i].SetResult(1)
			ex.Run(s.posted)
		}
		mustGive(t, task, len(sources))
	}); n != 1 {
		t.Errorf("ten suspensions allocate %v times, want 1", n)
	}
}

// What several await, some of them for a context, resumes each where it wants to, in
// the order in which they came (C3).
func TestC24_SeveralOnTheirContexts(t *testing.T) {
	p, q := new(queueContext), new(queueContext)
	s := async.NewSource[int]()
	var order []string
	wait := func(name string, ctx context.Context) async.Task[int] {
		return sumIn(ctx, 2, func(i int) async.Task[int] {
			if i == 0 {
				return s.Task()
			}
			order = append(order, name)
			return async.Completed(1, nil)
		})
	}
	tasks := []async.Task[int]{wait("p", p.context()), wait("anywhere", nil), wait("q", q.context()), wait("p again", p.context())}
	if got := len(async.AwaitedBy(s)); got != 4 {
		t.Errorf("%d are seen to wait", got)
	}
	s.SetResult(1)
	if q.run() != 1 || p.run() != 2 {
		t.Error("posted to the wrong contexts")
	}
	for _, task := range tasks {
		mustGive(t, task, 2)
	}
	if want := []string{"anywhere", "q", "p", "p again"}; !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}

// An operation that is used again is its host's alone: without one there is nobody to
// say who may touch it.
func TestReusableBelongsToAHost(t *testing.T) {
	mustPanic(t, "belongs to a host", func() { new(async.Reusable[int]).Start(async.NewSource[int]()) })
}

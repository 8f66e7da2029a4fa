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

// A loop may be given what a completion released, one or several, as it is.
func TestRunOfWhatWasReleased(t *testing.T) {
	for _, several := range []bool{false, true} {
		q := new(queueContext)
		s := async.NewSource[int]()
		tasks := []async.Task[int]{awaitIn(q.context(), s.Task())}
		if several {
			tasks = append(tasks, await(s.Task()), awaitIn(q.context(), s.Task()))
		}
		released, _ := s.Release(1, nil)
		async.NewExecutor(q).Run(released)
		for _, task := range tasks {
			mustGive(t, task, 1)
		}
		if len(q.posted) != 0 {
			t.Error("posted although already there")
		}
	}
}

// fickle has a SyncContext until it is resumed.
type fickle struct {
	async.Anywhere
	sync    async.SyncContext
	resumed bool
}

func (f *fickle) SyncContext() async.SyncContext { return f.sync }

func (f *fickle) MoveNext(*async.Executor) async.Continuation {
	f.resumed = true
	return nil
}

// What counts is where a continuation wants to go on when its turn comes.
func TestContextThatIsGone(t *testing.T) {
	q := new(queueContext)
	s := async.NewSource[int]()
	f := &fickle{sync: q}
	s.Task().OnCompleted(f)
	f.sync = nil
	s.Complete(async.NewExecutor(q), 1, nil)
	if !f.resumed || len(q.posted) != 0 {
		t.Error("not resumed where it was completed")
	}
}

package async_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// panicContext is a SyncContext that cannot take anything.
type panicContext struct{}

func (*panicContext) Post(async.Continuation) { panic("context is broken") }

// A panic in Post is the completer's; it neither fails the machine that ran
// before nor loses what waits behind.
func TestPanicInPostLeavesOthersAlone(t *testing.T) {
	for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
		s, never := async.NewSource[int](), async.NewSource[int]()
		before := sumAsync(2, func(i int) async.Task[int] { return []*async.Source[int]{s, never}[i].Task() })
		posted := awaitIn(async.WithSyncContext(t.Context(), new(panicContext)), s.Task())
		behind := await(s.Task())
		mustPanic(t, "context is broken", func() { s.Complete(ex, 1, nil) })
		mustGive(t, behind, 1)
		if before.IsCompleted() || posted.IsCompleted() {
			t.Error("a machine was completed by a panic that was not its own")
		}
		never.SetResult(1)
		mustGive(t, before, 2)
	}
}

func TestPanicInKickoffBecomesTheTasks(t *testing.T) {
	task := sumAsync(1, func(int) async.Task[int] { panic("kickoff") })
	if !task.IsCompleted() || len(task.PanicStack()) == 0 {
		t.Error("the kickoff's panic is not the task's")
	}
	mustPanic(t, "kickoff", func() { task.Await() })
	mustPanic(t, "kickoff", func() { await(task).Await() })
}

func TestGoexitInKickoffIsTheCallers(t *testing.T) {
	reached, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		sumAsync(1, func(int) async.Task[int] { runtime.Goexit(); return async.Task[int]{} })
		reached = true
	}()
	<-ended
	if reached {
		t.Error("the caller survived")
	}
}

// exitsPanicking panics while the goroutine exits.
func exitsPanicking() {
	defer func() { panic("while it exits") }()
	runtime.Goexit()
}

// No task is handed out that could keep a panic which rises during a Goexit.
func TestPanicDuringGoexitInKickoffIsTheCallers(t *testing.T) {
	var risen any
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		func() {
			defer func() { risen = recover() }()
			sumAsync(1, func(int) async.Task[int] { exitsPanicking(); return async.Task[int]{} })
		}()
		t.Error("the goroutine survived")
	}()
	<-ended
	if risen != "while it exits" {
		t.Errorf("the caller recovers %v", risen)
	}

	// A machine that is started while an exit goes on keeps its own panic.
	var task async.Task[int]
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			task = sumAsync(1, func(int) async.Task[int] { panic("its own") })
		}()
		runtime.Goexit()
	}()
	<-ended
	mustPanic(t, "its own", func() { task.Await() })
}

// A panic takes nothing along that waits for its turn, whether the machine releases
// something or, as here, nobody awaits it.
func TestPanicLeavesTheRestToRun(t *testing.T) {
	for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
		s := async.NewSource[int]()
		panics := sumAsync(2, func(i int) async.Task[int] {
			if i == 1 {
				panic("resumed")
			}
			return s.Task()
		})
		behind := await(s.Task())
		s.Complete(ex, 1, nil)
		mustPanic(t, "resumed", func() { panics.Await() })
		mustGive(t, behind, 1)
	}
}

// The goroutine is lost, but the panic is the task's, and the rest runs.
func TestPanicDuringGoexitLeavesTheExecutorUsable(t *testing.T) {
	t.Run("plain", func(t *testing.T) { exitLeavesTheExecutorUsable(t, exitsPanicking) })
	t.Run("in a method with the name of one of ours", func(t *testing.T) {
		exitLeavesTheExecutorUsable(t, func() { defer unlucky{}.begin(); runtime.Goexit() })
	})
	t.Run("in what a completion resumes", func(t *testing.T) {
		s := async.NewSource[int]()
		s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { panic("while it exits") }))
		exitLeavesTheExecutorUsable(t, func() { defer s.SetResult(1); runtime.Goexit() })
	})
	t.Run("in what nobody awaits", func(t *testing.T) {
		full := async.WithSyncContext(bg, refusingContext{"while it exits"})
		exitLeavesTheExecutorUsable(t, func() {
			defer async.Forget(full, async.Completed0(errors.New("boom")))
			runtime.Goexit()
		})
	})
}

type unlucky struct{}

func (unlucky) begin() { panic("while it exits") }

func exitLeavesTheExecutorUsable(t *testing.T, exit func()) {
	ex := async.NewExecutor(nil)
	s := async.NewSource[int]()
	exits := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			exit()
		}
		return s.Task()
	})
	above, behind := await(exits), await(s.Task())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Complete(ex, 1, nil)
		t.Error("the completer's goroutine survived a Goexit on it")
	}()
	<-ended
	mustGive(t, behind, 1)
	for _, task := range []async.Task[int]{exits, above} {
		mustPanic(t, "while it exits", func() { task.Await() })
	}
	next := async.NewSource[int]()
	again := await(next.Task())
	next.Complete(ex, 2, nil)
	mustGive(t, again, 2)
}

// What a panic has come through is known to who recovers it, also where it has left a continuation that is no machine.
func TestPanicStackFromAPlainContinuation(t *testing.T) {
	s := async.NewSource[int]()
	panics := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("in the machine")
		}
		return s.Task()
	})
	panics.OnCompleted(async.ContinuationFunc(func(*async.Executor) { panics.GetResult() }))
	defer func() {
		if stack := string(async.PanicStack(recover())); !strings.Contains(stack, "TestPanicStackFromAPlainContinuation.func1") {
			t.Errorf("the panic rose first in:\n%s", stack)
		}
	}()
	s.SetResult(1)
}

// awaitableThatPanics is a user's broken awaitable: it has not stored c.
type awaitableThatPanics struct{}

func (awaitableThatPanics) OnCompleted(async.Continuation) bool { panic("OnCompleted") }

// onceMachine awaits an awaitable of any kind after a task.
type onceMachine struct {
	async.Builder[int]
	state int
	first async.Task[int]
	then  interface {
		OnCompleted(async.Continuation) bool
	}
}

func (m *onceMachine) start() async.Task[int] {
	m.Promote(m, nil, nil)
	m.first.OnCompleted(m)
	return m.Task()
}

func (m *onceMachine) MoveNext(*async.Executor) async.Continuation {
	if m.state++; m.state == 1 && m.then.OnCompleted(m) {
		return nil
	}
	return m.SetResult(m.state, nil)
}

func TestPanicInOnCompletedIsTheMachines(t *testing.T) {
	s := async.NewSource[int]()
	task := (&onceMachine{first: s.Task(), then: awaitableThatPanics{}}).start()
	above := await(task)
	s.SetResult(1)
	mustPanic(t, "OnCompleted", func() { above.Await() })
}

func TestStaleTaskAwaitedIsTheMachinesPanic(t *testing.T) {
	s, reused := async.NewSource[int](), async.NewSource[int]()
	stale := reused.Task()
	task := (&onceMachine{first: s.Task(), then: stale}).start()
	reused.Reset()
	s.SetResult(1)
	mustPanic(t, "C13", func() { task.Await() })
}

func TestNestedRunQueuesOnTheExecutorAtHand(t *testing.T) {
	ex := async.NewExecutor(nil)
	inner := async.NewSource[int]()
	var order []string
	inner.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { order = append(order, "inner") }))
	ex.Run(async.ContinuationFunc(func(ex *async.Executor) {
		inner.Complete(ex, 1, nil)
		order = append(order, "outer")
	}))
	if len(order) != 2 || order[0] != "outer" {
		t.Errorf("order = %v", order)
	}
	order = nil
	inner.Reset()
	inner.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { order = append(order, "inner") }))
	(*async.Executor)(nil).Run(async.ContinuationFunc(func(ex *async.Executor) {
		inner.Complete(ex, 1, nil)
		order = append(order, "outer")
	}))
	if len(order) != 2 || order[0] != "inner" {
		t.Errorf("without an executor order = %v", order)
	}
}

// An executor outlives a Goexit in what it runs: the rest ran, in order, and the
// next Run works.
func TestGoexitLeavesTheExecutorUsable(t *testing.T) {
	ex := async.NewExecutor(nil)
	s := async.NewSource[int]()
	exits := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			runtime.Goexit()
		}
		return s.Task()
	})
	above, behind := await(exits), await(s.Task())
	returned, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		s.Complete(ex, 1, nil)
		returned = true
	}()
	<-ended
	if returned {
		t.Error("the completer's goroutine survived a Goexit on it")
	}
	mustGive(t, behind, 1)
	if !exits.IsCompleted() || !above.IsCompleted() {
		t.Error("a machine that exited is still pending")
	}
	again := async.NewSource[int]()
	task := await(again.Task())
	again.Complete(ex, 2, nil)
	mustGive(t, task, 2)
}

func TestMachineResumedTwiceIsReported(t *testing.T) {
	s := async.NewSource[int]()
	m := &onceMachine{first: s.Task(), then: async.NewSource[int]().Task()}
	m.start()
	s.SetResult(1)
	m.MoveNext(nil)
	mustPanic(t, "C15", func() { m.MoveNext(nil) })
	for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
		s.Reset()
		s.Task().OnCompleted(m)
		behind := await(s.Task())
		mustPanic(t, "C15", func() { s.Complete(ex, 1, nil) })
		mustGive(t, behind, 1)
		s.Reset()
		after := await(s.Task())
		s.Complete(ex, 2, nil)
		mustGive(t, after, 2)
	}
}

// deferringMachine panics when it is resumed; a call it has deferred then does
// what the test says.
type deferringMachine struct {
	async.Builder[int]
	deferred func()
}

func (m *deferringMachine) MoveNext(*async.Executor) async.Continuation { panic("in the machine") }
func (m *deferringMachine) Return() async.Continuation                  { return m.SetResult(9, nil) }
func (m *deferringMachine) RunDeferred(p *async.Panic) {
	defer m.deferred()
	p.Raise()
}

func TestDeferredCallsOfAnInterruptedMachine(t *testing.T) {
	for _, test := range []struct {
		name     string
		deferred func()
		want     string // how the machine ends
	}{
		{"recovers", func() { recover() }, "result"},
		{"goes on panicking", func() {}, "in the machine"},
		{"panics anew", func() { panic("deferred") }, "deferred"},
		{"exits", runtime.Goexit, "exit"},
	} {
		s := async.NewSource[int]()
		m := &deferringMachine{deferred: test.deferred}
		m.Promote(m, nil, nil)
		s.Task().OnCompleted(m)
		above, behind := await(m.Task()), await(s.Task())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.SetResult(1)
		}()
		<-ended
		if !above.IsCompleted() || !behind.IsCompleted() {
			t.Errorf("%s: what was to run next was lost", test.name)
			continue
		}
		end := make(chan string, 1)
		go func() {
			how := "exit"
			defer func() {
				if v := recover(); v != nil {
					how = v.(string)
				}
				end <- how
			}()
			above.Await()
			how = "result"
		}()
		if got := <-end; got != test.want {
			t.Errorf("%s: ended by %s, want %s", test.name, got, test.want)
		}
	}
}

// RunAll resumes all that each completion releases before it asks for the next
// one: several continuations of one source, none, one that panics, and one that
// wants another context.
func TestRunAllResumesBeforeItAsksForMore(t *testing.T) {
	var sources [5]async.Source[int]
	var order []string
	note := func(what string) async.Continuation {
		return async.ContinuationFunc(func(*async.Executor) { order = append(order, what) })
	}
	sources[0].Task().OnCompleted(note("first"))
	sources[0].Task().OnCompleted(note("second"))
	panicking := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("in the machine")
		}
		return sources[2].Task()
	})
	elsewhere := new(queueContext)
	posted := awaitIn(elsewhere.context(), sources[3].Task())
	sources[4].Task().OnCompleted(note("last"))
	ex := async.NewExecutor(nil)
	next := 0
	ex.RunAll(func() (async.Continuation, bool) {
		if next == len(sources) {
			return nil, false
		}
		order = append(order, fmt.Sprint(next))
		c, first := sources[next].Release(next, nil)
		if !first {
			t.Errorf("source %d was complete", next)
		}
		next++
		return c, true
	})
	if got, want := strings.Join(order, " "), "0 first second 1 2 3 4 last"; got != want {
		t.Errorf("order %s, want %s", got, want)
	}
	mustPanic(t, "in the machine", func() { panicking.Await() })
	if posted.IsCompleted() || elsewhere.run() != 1 {
		t.Error("a machine was resumed elsewhere than on its context")
	}
	mustGive(t, posted, 3)
	if c, first := sources[0].Release(1, nil); c != nil || first {
		t.Error("a source was completed twice")
	}
}

// RunAll resumes what comes with the last call, too, also without an executor, or where one runs already: there in its turn.
func TestRunAllResumesTheLast(t *testing.T) {
	for name, at := range map[string]func(all func(*async.Executor)){
		"an executor": func(all func(*async.Executor)) { all(async.NewExecutor(nil)) },
		"none":        func(all func(*async.Executor)) { all(nil) },
		"one that runs": func(all func(*async.Executor)) {
			async.NewExecutor(nil).Run(async.ContinuationFunc(all))
		},
	} {
		var order []string
		at(func(ex *async.Executor) {
			n := 0
			ex.RunAll(func() (async.Continuation, bool) {
				if n++; n == 2 {
					return nil, true
				}
				last := fmt.Sprint(n)
				return async.ContinuationFunc(func(*async.Executor) { order = append(order, last) }), n < 3
			})
		})
		if got := strings.Join(order, " "); got != "1 3" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

package async_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

func TestC01_FirstCompletionWins(t *testing.T) {
	for range 200 {
		s := async.NewSource[int]()
		var winner, wins atomic.Int64
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if s.TrySetResult(i) {
					winner.Store(int64(i))
					wins.Add(1)
				}
			})
		}
		v, _ := s.Task().Await()
		all.Wait()
		if wins.Load() != 1 || v != int(winner.Load()) {
			t.Fatalf("%d completions won; %d did, but the task gave %d", wins.Load(), winner.Load(), v)
		}
	}
}

func TestC01_ConcurrentRegistrationLosesNone(t *testing.T) {
	for range 300 {
		s := async.NewSource[int]()
		var resumed, inline atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				c := async.ContinuationFunc(func(*async.Executor) { resumed.Add(1) })
				if !s.Task().OnCompleted(c) {
					if !s.Task().IsCompleted() {
						t.Error("OnCompleted refused on a pending task")
					}
					inline.Add(1)
				}
			})
		}
		all.Go(func() { s.SetResult(1) })
		all.Wait()
		if n := resumed.Load() + inline.Load(); n != 8 {
			t.Fatalf("%d of 8 continuations went on", n)
		}
	}
}

// In the rules C2, C6 and C17 a late continuation is scheduled; here the awaiter
// goes on inline (DESIGN, section 6).
func TestC02_C06_C17_OnCompletedAfterCompletionRefuses(t *testing.T) {
	s := async.NewSource[int]()
	s.SetResult(1)
	ran := false
	if s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { ran = true })) || ran {
		t.Error("a continuation was stored with a complete task, or run")
	}
}

func TestC03_OneBareMoreInAList(t *testing.T) {
	var order []int
	s := async.NewSource[int]()
	for i := range 5 {
		s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { order = append(order, i) }))
	}
	s.SetResult(1)
	if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
		t.Errorf("resumed in the order %v", order)
	}
	one := async.ContinuationFunc(func(*async.Executor) {})
	var bare async.Source[int]
	if n := testing.AllocsPerRun(100, func() {
		bare = async.Source[int]{}
		bare.Task().OnCompleted(one)
		bare.SetResult(1)
	}); n != 0 {
		t.Errorf("storing one continuation allocates %v times", n)
	}
}

func TestC04_ListsRunFirstInFirstOut(t *testing.T) {
	var order []int
	note := func(i int) async.Continuation {
		return async.ContinuationFunc(func(*async.Executor) { order = append(order, i) })
	}
	outer := async.NewSource[int]()
	inner := await(outer.Task()) // resumed first; releases 3 and 4 behind 1 and 2
	inner.OnCompleted(note(3))
	inner.OnCompleted(note(4))
	outer.Task().OnCompleted(note(1))
	outer.Task().OnCompleted(note(2))
	outer.SetResult(0)
	if !slices.Equal(order, []int{1, 2, 3, 4}) {
		t.Errorf("resumed in the order %v", order)
	}
}

func TestC04_WhatIsReleasedWaitsForItsTurn(t *testing.T) {
	var order []int
	note := func(i int) async.Continuation {
		return async.ContinuationFunc(func(*async.Executor) { order = append(order, i) })
	}
	outer := async.NewSource[int]()
	await(outer.Task()).OnCompleted(note(2))
	outer.Task().OnCompleted(note(1))
	outer.SetResult(0)
	if !slices.Equal(order, []int{1, 2}) {
		t.Errorf("resumed in the order %v", order)
	}
}

const million = 1_000_000

func chainLength(t *testing.T) int {
	if testing.Short() || raceEnabled {
		return million / 10
	}
	return million
}

// A chain of a million tasks, each awaiting the one before, completes in
// constant stack.
func TestC05_ChainOfAMillion(t *testing.T) {
	first := async.NewSource[int]()
	task := first.Task()
	for range chainLength(t) {
		task = await(task)
	}
	deep := 0
	task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { deep = depth() }))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	first.SetResult(3)
	runtime.ReadMemStats(&after)
	mustGive(t, task, 3)
	if deep > 20 {
		t.Errorf("the last of the chain ran on a stack of %d calls", deep)
	}
	if d, grown := after.Mallocs-before.Mallocs, int64(after.StackInuse)-int64(before.StackInuse); d > 1000 || grown > 1<<20 {
		t.Errorf("completing the chain allocated %d times, and %d bytes of stack", d, grown)
	}
}

// The same where every task has two continuations.
func TestC05_ChainOfListsDoesNotDive(t *testing.T) {
	first := async.NewSource[int]()
	task := first.Task()
	seen := 0
	count := async.ContinuationFunc(func(*async.Executor) { seen++ })
	n := chainLength(t)
	for range n {
		before := task
		task = await(before)
		before.OnCompleted(count)
	}
	deep := 0
	task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { deep = depth() }))
	first.SetResult(3)
	mustGive(t, task, 3)
	if seen != n || deep > 20 {
		t.Errorf("%d of %d others resumed; stack of %d calls", seen, n, deep)
	}
}

// A machine that rises the Goexit of the one before, and so on.
func TestC05_ChainOfGoexitDoesNotDive(t *testing.T) {
	gate := async.NewSource[int]()
	task := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			runtime.Goexit()
		}
		return gate.Task()
	})
	for range 5000 {
		task = await(task)
	}
	deep := 0
	other := async.NewSource0()
	task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { deep = depth(); other.SetResult() }))
	before := runtime.NumGoroutine()
	go gate.SetResult(1)
	other.Task().Await()
	if deep > 20 || runtime.NumGoroutine() > before+5 {
		t.Errorf("stack of %d calls, %d goroutines", deep, runtime.NumGoroutine())
	}
	ended := make(chan bool)
	go func() {
		defer close(ended)
		task.Await()
		ended <- true
	}()
	if <-ended {
		t.Error("the Goexit did not rise at the end of the chain")
	}
}

// A loop of ten million awaits that complete synchronously: constant stack, no
// memory.
func TestC05_C07_LoopOfTenMillionSynchronousAwaits(t *testing.T) {
	n := 10 * chainLength(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustGive(t, sumAsync(n, func(int) async.Task[int] { return async.Completed(1, nil) }), n)
	runtime.ReadMemStats(&after)
	if d := after.Mallocs - before.Mallocs; d > 1000 {
		t.Errorf("%d allocations", d)
	}
}

// The same where each has to wait: the stack and the heap stay as they are.
func TestC05_C22_LoopOfAMillionSuspensions(t *testing.T) {
	n := chainLength(t)
	var s async.Source[int]
	deep := 0
	task := sumAsync(n, func(int) async.Task[int] {
		deep = max(deep, depth())
		s = async.Source[int]{} // the one before is complete, and read
		return s.Task()
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		s.SetResult(1)
	}
	runtime.ReadMemStats(&after)
	mustGive(t, task, n)
	if d := after.Mallocs - before.Mallocs; d > 1000 || deep > 20 {
		t.Errorf("%d allocations, a stack of %d calls", d, deep)
	}
}

func TestC05_PostContinuationsDoesNotInline(t *testing.T) {
	s := async.NewSource[int](async.PostContinuations)
	released, returned := make(chan bool, 1), make(chan struct{})
	s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) {
		<-returned // deadlocks if resumed by the completer
		released <- true
	}))
	s.SetResult(1)
	close(returned)
	<-released
	mustGive(t, s.Task(), 1)
}

func TestC07_CompletedTaskDoesNotSuspend(t *testing.T) {
	s := async.NewSource[int]()
	s.SetResult(2)
	allocs := testing.AllocsPerRun(100, func() { mustGive(t, await(s.Task()), 2) })
	if allocs > 1 { // the closure of await
		t.Errorf("%v allocations", allocs)
	}
}

func TestC08_C09_AwaitGivesTheError(t *testing.T) {
	boom := errors.New("boom")
	for _, err := range []error{boom, context.Canceled} {
		s := async.NewSource[int]()
		task := await(s.Task())
		s.SetError(err)
		if _, got := task.Await(); got != err {
			t.Errorf("err = %v, want %v as it is", got, err)
		}
	}
}

func TestC11_PanicOfARawContinuationLeavesAfterTheRest(t *testing.T) {
	for _, ex := range []*async.Executor{nil, async.NewExecutor(nil)} {
		s := async.NewSource[int]()
		s.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { panic("raw") }))
		behind := await(s.Task())
		mustPanic(t, "raw", func() { s.Complete(ex, 4, nil) })
		mustGive(t, behind, 4)
		again := async.NewSource[int]()
		task := await(again.Task())
		again.Complete(ex, 5, nil) // the executor is as good as new
		mustGive(t, task, 5)
	}
}

func TestC12_ZeroTaskIsSuccess(t *testing.T) {
	var task async.Task[int]
	var none async.Task0
	mustGive(t, task, 0)
	if !none.IsCompleted() || none.Await() != nil {
		t.Error("the zero Task0 is not a success")
	}
	if n := testing.AllocsPerRun(10, func() { async.Completed(1, nil).Await() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestC13_C18_ResetMakesTasksStale(t *testing.T) {
	s := async.NewSource[int]()
	stale := s.Task()
	s.SetResult(1)
	s.Reset()
	mustPanic(t, "C13", func() { stale.GetResult() })
	mustPanic(t, "C13", func() { stale.OnCompleted(async.ContinuationFunc(nil)) })
	fresh := s.Task()
	if fresh.IsCompleted() {
		t.Error("Reset left a result")
	}
	s.SetResult(2)
	mustGive(t, fresh, 2)
	s.Reset()
	await(s.Task())
	mustPanic(t, "C18", s.Reset)
}

func TestC14_PooledTaskIsAwaitedOnce(t *testing.T) {
	s := async.NewSource[int]()
	task := pooledSumAsync(1, func(int) async.Task[int] { return s.Task() })
	first := await(task)
	mustPanic(t, "C14", func() { await(task).Await() })
	s.SetResult(6)
	mustGive(t, first, 6)
	mustPanic(t, "C13", func() { task.Await() })
}

func TestC15_SecondCompletionPanics(t *testing.T) {
	s := async.NewSource0()
	s.SetResult()
	mustPanic(t, "C15", s.SetResult)
	mustPanic(t, "C15", func() { s.SetError(errors.New("late")) })
	if s.TrySetResult() || s.TrySetError(errors.New("late")) {
		t.Error("a second completion won")
	}
}

func TestC16_ReadBeforeCompletionPanics(t *testing.T) {
	mustPanic(t, "C16", func() { async.NewSource[int]().Task().GetResult() })
}

func TestC19_PooledMachineIsReused(t *testing.T) {
	var s async.Source[int]
	next := func(int) async.Task[int] { return s.Task() }
	once := func() {
		s = async.Source[int]{}
		task := pooledSumAsync(1, next)
		s.SetResult(7)
		mustGive(t, task, 7)
	}
	once()
	if n := testing.AllocsPerRun(1000, once); n > 0.5 && !raceEnabled { // sync.Pool drops some under race
		t.Errorf("a pooled machine in the steady state allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		mustGive(t, pooledSumAsync(1, func(int) async.Task[int] { return async.Completed(1, nil) }), 1)
	}); n != 0 {
		t.Errorf("a pooled machine that never waits allocates %v times", n)
	}
}

// What belongs to a host stays with it: a collection takes none of it, and an error or
// a panic brings it back too. Another host has its own.
func TestC19_PooledMachinesStayWithTheirHost(t *testing.T) {
	var pool async.SourcePool[int]
	boom := errors.New("boom")
	for range 2 {
		ctx := async.WithHost(bg, &testHost{ex: async.NewExecutor(nil)})
		once := func(err error) {
			s := pool.New(ctx)
			inner := pooledSumAsync(1, func(int) async.Task[int] { return s.Task() })
			outer := pooledSumAsync(2, func(i int) async.Task[int] {
				if i == 1 {
					panic("in the machine")
				}
				return inner
			})
			if s.Complete(nil, 1, err); err == nil {
				mustPanic(t, "in the machine", func() { outer.GetResult() })
			} else if _, got := outer.GetResult(); got != err {
				t.Errorf("err = %v", got)
			}
		}
		if n := testing.AllocsPerRun(10, func() {
			runtime.GC()
			runtime.GC() // what a sync.Pool kept is gone
			once(boom)
		}); n > 4 && !raceEnabled { // the closures
			t.Errorf("two machines and a source of one host allocate %v times", n)
		}
		once(nil)
		once(boom)
	}
}

func TestC19_PooledMachineComesBackAfterErrorAndPanic(t *testing.T) {
	boom := errors.New("boom")
	s := async.NewSource[int]()
	failing := pooledSumAsync(1, func(int) async.Task[int] { return s.Task() })
	s.SetError(boom)
	if _, err := failing.Await(); err != boom {
		t.Errorf("err = %v", err)
	}
	s = async.NewSource[int]()
	panics := pooledSumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("in the machine")
		}
		return s.Task()
	})
	s.SetResult(1)
	if len(panics.PanicStack()) == 0 {
		t.Error("the panic's stack is lost")
	}
	mustPanic(t, "in the machine", func() { panics.Await() })
	mustPanic(t, "C13", func() { panics.Await() })
}

func TestC19_PooledSource(t *testing.T) {
	var pool async.SourcePool[int]
	ctx := context.Background()
	once := func() {
		s := pool.New(ctx)
		task := s.Task()
		s.SetResult(1)
		mustGive(t, task, 1)
	}
	once()
	if n := testing.AllocsPerRun(1000, once); n > 0.5 && !raceEnabled {
		t.Errorf("a pooled source in the steady state allocates %v times", n)
	}
	s := pool.New(ctx)
	waiting := await(s.Task())
	mustPanic(t, "C14", func() { s.Task().OnCompleted(async.ContinuationFunc(nil)) })
	s.SetError(context.Canceled)
	if _, err := waiting.GetResult(); err != context.Canceled {
		t.Errorf("err = %v", err)
	}
}

// Whoever uses a pooled source or machine wrongly hears which rule that breaks,
// also when its cell is in use again.
func TestC13_C14_C15_C16_MisuseOfPooledCells(t *testing.T) {
	var pool async.SourcePool[int]
	s := pool.New(bg)
	task := s.Task()
	mustPanic(t, "C16", func() { task.GetResult() })
	s.SetResult(1)
	mustPanic(t, "C15", func() { s.SetResult(2) })
	mustPanic(t, "C15", func() { s.SetError(errA) })
	mustGive(t, task, 1)
	again := pool.New(bg) // as a rule the same cell
	mustPanic(t, "C15", func() { s.SetResult(3) })
	mustPanic(t, "C13", func() { task.GetResult() })
	mustPanic(t, "C13", func() { task.OnCompleted(async.ContinuationFunc(nil)) })
	mustPanic(t, "C13", func() { s.Task().GetResult() })
	if again.Task().IsCompleted() || s.Complete(nil, 4, nil) {
		t.Error("a source that came back completed somebody else's operation")
	}
	again.SetResult(5)
	mustGive(t, again.Task(), 5)

	gate := async.NewSource[int]()
	machine := pooledSumAsync(1, func(int) async.Task[int] { return gate.Task() })
	mustPanic(t, "C16", func() { machine.GetResult() })
	first := await(machine)
	mustPanic(t, "C14", func() { machine.OnCompleted(async.ContinuationFunc(nil)) })
	gate.SetResult(6)
	mustGive(t, first, 6)
	mustPanic(t, "C13", func() { machine.GetResult() })
}

func TestC20_BodyRunsToItsFirstAwait(t *testing.T) {
	s := async.NewSource[int]()
	steps := 0
	task := sumAsync(3, func(i int) async.Task[int] {
		steps++
		if i == 1 {
			return s.Task()
		}
		return async.Completed(1, nil)
	})
	if steps != 2 || task.IsCompleted() {
		t.Errorf("%d steps before the kickoff returned", steps)
	}
	s.SetResult(1)
	mustGive(t, task, 3)
}

func TestC22_OneBoxForAllSuspensions(t *testing.T) {
	var sources [10]async.Source[int]
	next := func(i int) async.Task[int] { return sources[i].Task() }
	if n := testing.AllocsPerRun(100, func() {
		clear(sources[:])
		task := sumAsync(len(sources), next)
		for i := range sources {
			sources[i].SetResult(1)
		}
		mustGive(t, task, len(sources))
	}); n != 1 {
		t.Errorf("ten suspensions allocate %v times, want 1", n)
	}
}

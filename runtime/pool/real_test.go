package pool_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/pool"
)

// machine awaits a task and calls f where it resumes.
type machine struct {
	async.Builder[int]
	task async.Task[int]
	f    func()
}

func start(ctx context.Context, task async.Task[int], f func()) async.Task[int] {
	m := &machine{task: task, f: f}
	m.Promote(m, ctx, nil)
	if !task.OnCompleted(m) {
		m.MoveNext(nil)
	}
	return m.Task()
}

func (m *machine) MoveNext(*async.Executor) async.Continuation {
	if m.f != nil {
		m.f()
	}
	return m.SetResult(m.task.GetResult())
}

// What would wait or crash later, where nobody knows who did it, is refused at once.
func TestRealMisuse(t *testing.T) {
	for want, do := range map[string]func(){
		"nil was posted":                            func() { pool.NewLoop().Do(nil) },
		"nil was posted to a pool or a loop":        func() { pool.NewWorkers(1).Post(nil) },
		"nil was posted to a pool":                  func() { pool.NewSerial().Do(nil) },
		"use NewWorkers":                            func() { new(pool.Workers).Do(func() {}) },
		"NewLoop":                                   func() { new(pool.Loop).Do(func() {}) },
		"OperationCompleted without OperationStart": func() { pool.NewLoop().OperationCompleted() },
	} {
		func() {
			defer func() {
				if told, ok := recover().(string); !ok || !strings.Contains(told, want) {
					t.Errorf("want %q, got %q", want, told)
				}
			}()
			do()
		}()
	}
}

func TestRealLoopRunsEverythingOnItsGoroutineInOrder(t *testing.T) {
	l := pool.NewLoop()
	ctx := l.Context(context.Background())
	var order []int // the loop's alone: -race watches
	var all sync.WaitGroup
	for i := range 100 {
		s := async.NewSource[int]()
		start(ctx, s.Task(), func() { order = append(order, i) })
		all.Go(func() { s.SetResult(i) })
	}
	go func() {
		all.Wait()
		l.Do(func() { order = append(order, -1) })
		l.Close()
	}()
	l.Run()
	if len(order) != 101 || order[100] != -1 {
		t.Errorf("%d ran; the last is %d", len(order), order[len(order)-1])
	}
}

// A machine that is on the loop already resumes inline, and Close waits for
// operations that nobody awaits.
func TestRealLoopTracksForgottenOperations(t *testing.T) {
	l := pool.NewLoop()
	ctx := l.Context(context.Background())
	boom := errors.New("boom")
	var heard []error
	l.HandleErrors(func(err *async.OperationError) { heard = append(heard, err) })
	l.Do(func() {
		async.Forget(ctx, async.Run(ctx, func(context.Context) (int, error) {
			time.Sleep(5 * time.Millisecond)
			return 0, boom
		}))
		l.Close()
	})
	l.Run()
	if len(heard) != 1 || !errors.Is(heard[0], boom) {
		t.Errorf("heard %v", heard)
	}
}

func TestRealLoopAfterItsEndLosesNothing(t *testing.T) {
	l := pool.NewLoop()
	l.Close()
	l.Run()
	s := async.NewSource[int]()
	var at atomic.Int64
	task := start(l.Context(context.Background()), s.Task(), func() { at.Add(1) })
	s.SetResult(3)
	if v, err := task.Await(); v != 3 || err != nil || at.Load() != 1 {
		t.Errorf("gave %d, %v", v, err)
	}
	l.Run() // returns at once
}

func TestRealLoopSurvivesPanicAndGoexit(t *testing.T) {
	l := pool.NewLoop()
	var order []string
	l.Do(func() { panic("message") })
	l.Do(func() { order = append(order, "after the panic") })
	l.Do(runtime.Goexit)
	l.Do(runtime.Goexit)
	l.Do(func() { order = append(order, "after the exits"); l.Close() })
	func() {
		defer func() {
			if recover() != "message" {
				t.Error("the panic did not leave Run")
			}
		}()
		l.Run()
	}()
	returned, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		l.Run()
		returned = true
	}()
	<-ended
	if returned || !slices.Equal(order, []string{"after the panic", "after the exits"}) {
		t.Errorf("returned %v, order %v", returned, order)
	}
}

// A panic leaves Run also where a Goexit has cost it its goroutine: nobody could recover it on another.
func TestRealLoopSurvivesPanicAfterGoexit(t *testing.T) {
	l := pool.NewLoop()
	l.Do(runtime.Goexit)
	l.Do(func() { panic("message") })
	var order []string
	l.Do(func() { order = append(order, "after it"); l.Close() })
	raised := make(chan any)
	go func() {
		defer func() { raised <- recover() }()
		l.Run()
	}()
	if v := <-raised; v != "message" || len(order) > 0 {
		t.Errorf("Run raised %v, order %v", v, order)
	}
	l.Run()
	if !slices.Equal(order, []string{"after it"}) {
		t.Errorf("order %v", order)
	}
}

// An operation that nobody may await any more, or whose failure cannot be posted, is not under way for ever.
func TestRealLoopEndsAfterWhatCannotBeForgotten(t *testing.T) {
	mustPanic := func(want string, f func()) {
		defer func() {
			if v := recover(); !strings.Contains(fmt.Sprint(v), want) {
				t.Errorf("recovered %v, want %s", v, want)
			}
		}()
		f()
	}
	l := pool.NewLoop()
	var sources async.SourcePool[int]
	s := sources.New(t.Context())
	stale := s.Task()
	s.SetResult(1)
	stale.Await()
	mustPanic("C13", func() { async.Forget(l.Context(t.Context()), stale) })
	full := async.WithSyncContext(t.Context(), &refusing{l})
	mustPanic("full", func() { async.Forget(full, async.Completed0(errors.New("boom"))) })
	l.Close()
	ended := make(chan bool)
	go func() { l.Run(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the loop waits for ever")
	}
}

// refusing is a user's context that fails.
type refusing struct{ *pool.Loop }

func (*refusing) Post(async.Continuation) { panic("full") }

func TestRealLoopRunsOnce(t *testing.T) {
	l := pool.NewLoop()
	l.Do(func() {
		defer l.Close()
		defer func() {
			if recover() == nil {
				t.Error("Run in Run did not panic")
			}
		}()
		l.Run()
	})
	l.Run()
}

func TestRealSerialRunsOneAtATimeInOrder(t *testing.T) {
	s := pool.NewSerial()
	var order []int // no lock: the context is serial
	var posted sync.WaitGroup
	for g := range 4 {
		posted.Go(func() {
			for i := range 500 {
				s.Do(func() { order = append(order, g*1000+i) })
			}
		})
	}
	posted.Wait()
	s.Do(runtime.Goexit)
	s.Do(func() { order = append(order, -1) })
	s.Close()
	last := map[int]int{0: -1, 1: -1, 2: -1, 3: -1}
	for _, x := range order[:len(order)-1] {
		if x%1000 != last[x/1000]+1 {
			t.Fatalf("%d after %d", x, last[x/1000])
		}
		last[x/1000] = x % 1000
	}
	if len(order) != 2001 || order[2000] != -1 {
		t.Errorf("%d ran", len(order))
	}
}

func TestRealWorkersKeepToTheirLimitAndLeaveNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	w := pool.NewWorkers(3)
	ctx := w.Context(context.Background())
	var running, most atomic.Int64
	var tasks []async.Task[int]
	for i := range 50 {
		tasks = append(tasks, async.Run(ctx, func(context.Context) (int, error) {
			n := running.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(100 * time.Microsecond)
			running.Add(-1)
			return i, nil
		}))
	}
	values, err := async.WhenAll(ctx, tasks...).Await()
	if err != nil || len(values) != 50 || values[49] != 49 {
		t.Errorf("gave %v, %v", values, err)
	}
	if m := most.Load(); m > 3 || m < 2 {
		t.Errorf("%d worked at once, want up to 3", m)
	}
	w.Close()
	if v, err := async.Run(ctx, func(context.Context) (int, error) { return 50, nil }).Await(); v != 50 || err != nil {
		t.Errorf("after Close: %d, %v", v, err)
	}
	w.Close()
	for i := 0; runtime.NumGoroutine() > before && i < 1000; i++ {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines are left of an idle pool", n-before)
	}
}

func TestRealWorkersResumeMachinesAndReportFailures(t *testing.T) {
	w := pool.NewWorkers(2)
	ctx := w.Context(context.Background())
	s := async.NewSource[int]()
	task := start(ctx, s.Task(), nil)
	s.SetResult(8)
	if v, err := task.Await(); v != 8 || err != nil {
		t.Errorf("gave %d, %v", v, err)
	}
	heard := make(chan *async.OperationError, 1)
	w.HandleErrors(func(err *async.OperationError) { heard <- err })
	async.Forget(ctx, async.Go0(ctx, func(context.Context) error { panic("forgotten") }))
	err := <-heard
	if err.Panic != "forgotten" || len(err.Stack) == 0 {
		t.Errorf("heard %v", err)
	}
	func() {
		defer func() {
			if v := recover(); !strings.Contains(fmt.Sprint(v), "forgotten") {
				t.Errorf("a pool without a handler: %v", v)
			}
		}()
		pool.NewWorkers(1).UnhandledError(err)
	}()
	w.Close()
	defer func() {
		if recover() == nil {
			t.Error("a pool of no workers")
		}
	}()
	pool.NewWorkers(0)
}

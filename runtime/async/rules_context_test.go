package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

func TestC23_ContextIsCapturedFromTheFirstParameter(t *testing.T) {
	q := new(queueContext)
	s := async.NewSource[int]()
	task := awaitIn(q.context(), s.Task())
	s.SetResult(1)
	if task.IsCompleted() || len(q.posted) != 1 {
		t.Fatal("the machine was not posted to its context")
	}
	q.run()
	mustGive(t, task, 1)
	if async.SyncContextOf(q.context()) != q || async.SyncContextOf(async.WithSyncContext(q.context(), nil)) != nil {
		t.Error("the context carries another SyncContext")
	}
}

func TestC24_InlineOnlyOnTheCapturedContext(t *testing.T) {
	q := new(queueContext)
	s := async.NewSource[int]()
	task := awaitIn(q.context(), s.Task())
	ex := async.NewExecutor(q)
	s.Complete(ex, 1, nil)
	mustGive(t, task, 1)
	if len(q.posted) != 0 {
		t.Error("posted although already there")
	}
	other := async.NewSource[int]()
	task = awaitIn(q.context(), other.Task())
	other.Complete(async.NewExecutor(new(queueContext)), 1, nil)
	if len(q.posted) != 1 || task.IsCompleted() {
		t.Error("resumed on another context")
	}
}

// configuredMachine awaits t.ConfigureAwait(false).
type configuredMachine struct {
	async.Builder[int]
	task async.ConfiguredTask[int]
	fail bool
}

func (m *configuredMachine) MoveNext(*async.Executor) async.Continuation {
	if m.fail {
		panic("in the machine")
	}
	return m.SetResult(m.task.GetResult())
}

// Here C25's completer on a custom context resumes inline too: wherever the
// completion runs (DESIGN, section 6).
func TestC25_ConfigureAwaitFalseResumesAnywhere(t *testing.T) {
	q := new(queueContext)
	for _, fail := range []bool{false, true} {
		s := async.NewSource[int]()
		m := &configuredMachine{task: s.Task().ConfigureAwait(false), fail: fail}
		m.Promote(m, q.context(), nil)
		m.task.OnCompleted(m)
		s.SetResult(3)
		if len(q.posted) != 0 || !m.IsCompleted() {
			t.Error("resumed on the context all the same")
		}
		if fail {
			mustPanic(t, "in the machine", func() { m.Task().Await() })
		} else {
			mustGive(t, m.Task(), 3)
		}
	}
	s := async.NewSource[int]()
	m := &configuredMachine{task: s.Task().ConfigureAwait(true)}
	m.Promote(m, q.context(), nil)
	m.task.OnCompleted(m)
	s.SetResult(3)
	if q.run() != 1 || !m.IsCompleted() {
		t.Error("ConfigureAwait(true) lost the context")
	}
}

type valueKey struct{}

// Ambient values are context.Context's: a machine resumed elsewhere has its own,
// and what a callee adds its caller does not see.
func TestC21_C27_C28_AmbientValuesFlow(t *testing.T) {
	ctx := context.WithValue(context.Background(), valueKey{}, "caller")
	s := async.NewSource[int]()
	var seen, callee string
	task := async.Go(ctx, func(ctx context.Context) (int, error) {
		func(ctx context.Context) { callee = ctx.Value(valueKey{}).(string) }(context.WithValue(ctx, valueKey{}, "callee"))
		v, err := s.Task().Await()
		seen = ctx.Value(valueKey{}).(string)
		return v, err
	})
	s.SetResult(1)
	if v, err := task.Await(); v != 1 || err != nil {
		t.Errorf("gave %d, %v", v, err)
	}
	q, other := new(queueContext), new(queueContext)
	outer := q.context()
	inner := async.WithWorkers(async.WithSyncContext(outer, other), other)
	if async.SyncContextOf(outer) != q || async.WorkersOf(outer) != nil || async.SyncContextOf(inner) != other {
		t.Error("what was derived from a context shows in it")
	}
	if seen != "caller" || callee != "callee" || ctx.Value(valueKey{}) != "caller" {
		t.Errorf("after the await the value is %q", seen)
	}
}

// SuppressFlow is passing another context: what a function is not given it does
// not see. WithoutCancel lets values through alone.
func TestC29_OnlyWhatIsPassedFlows(t *testing.T) {
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), valueKey{}, "caller"))
	q := new(queueContext)
	ctx = async.WithWorkers(async.WithSyncContext(ctx, q), q)
	cancel()
	for _, test := range []struct {
		ctx         context.Context
		value       any
		sync, ended bool
	}{
		{ctx, "caller", true, true},
		{context.WithoutCancel(ctx), "caller", true, false},
		{context.Background(), nil, false, false},
	} {
		var seen context.Context
		async.Go0(test.ctx, func(ctx context.Context) error { seen = ctx; return nil }).Await()
		sync, workers := async.SyncContextOf(seen) != nil, async.WorkersOf(seen) != nil
		if seen.Value(valueKey{}) != test.value || sync != test.sync || workers != test.sync || (seen.Err() != nil) != test.ended {
			t.Errorf("flows: %v, a SyncContext: %v, workers: %v, ended: %v", seen.Value(valueKey{}), sync, workers, seen.Err())
		}
	}
}

// Nobody need hear that a machine has changed threads: the values are the
// machine's own and the same wherever it is.
func TestC30_ValuesAreTheSameOnEveryThread(t *testing.T) {
	values := []any{}
	ctx := context.WithValue(bg, valueKey{}, "the machine's")
	gates := []*async.Source[int]{async.NewSource[int](), async.NewSource[int](), async.NewSource[int]()}
	task := sumIn(ctx, len(gates), func(i int) async.Task[int] {
		values = append(values, ctx.Value(valueKey{}))
		return gates[i].Task()
	})
	for _, s := range gates { // each on a goroutine of its own, which has other values at hand
		done := make(chan struct{})
		go func() {
			defer close(done)
			other := context.WithValue(bg, valueKey{}, "the completer's")
			async.Go0(other, func(context.Context) error { s.SetResult(1); return nil })
		}()
		<-done
	}
	mustGive(t, task, 3)
	if !slices.Equal(values, []any{"the machine's", "the machine's", "the machine's"}) {
		t.Errorf("%v", values)
	}
}

// trackingContext notes what happens to it, in order.
type trackingContext struct {
	queueContext
	log []string
}

func (c *trackingContext) OperationStarted()   { c.log = append(c.log, "started") }
func (c *trackingContext) OperationCompleted() { c.log = append(c.log, "completed") }
func (c *trackingContext) Post(k async.Continuation) {
	c.log = append(c.log, "posted")
	c.posted = append(c.posted, k)
}

func (c *trackingContext) UnhandledError(err *async.OperationError) {
	c.log = append(c.log, fmt.Sprint(err.Err, err.Panic))
}

func (c *trackingContext) run() {
	ex := async.NewExecutor(c)
	for _, k := range slices.Clone(c.posted) {
		ex.Run(k)
	}
}

func TestC43_ForgetTellsTheContext(t *testing.T) {
	boom := errors.New("boom")
	for _, test := range []struct {
		name string
		task func(s *async.Source[int]) async.Task[int]
		want string
	}{
		{"success", func(s *async.Source[int]) async.Task[int] { return s.Task() }, "started completed"},
		{"error", func(s *async.Source[int]) async.Task[int] {
			s.SetError(boom)
			return s.Task()
		}, "started posted completed boom <nil>"},
		{"panic", func(s *async.Source[int]) async.Task[int] {
			return sumAsync(2, func(i int) async.Task[int] {
				if i == 1 {
					panic("later")
				}
				return s.Task()
			})
		}, "started posted completed <nil>later"},
	} {
		c := new(trackingContext)
		s := async.NewSource[int]()
		async.Forget(async.WithSyncContext(context.Background(), c), test.task(s))
		if len(c.log) == 0 || c.log[0] != "started" {
			t.Errorf("%s: %v before the end", test.name, c.log)
		}
		s.TrySetResult(1)
		c.run()
		if got := strings.Join(c.log, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestC43_FailureWithoutHandlerPanicsOnTheContext(t *testing.T) {
	q := new(queueContext)
	boom := errors.New("boom")
	async.Forget(q.context(), async.Completed0(boom))
	if len(q.posted) != 1 {
		t.Fatal("the failure was not posted")
	}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, boom) {
			t.Errorf("recovered %v", err)
		}
	}()
	q.run()
}

// unobserved returns what the hook reports of the operations that f has dropped,
// once all of it was collected: one more is dropped at the end, and waited for.
func unobserved(t *testing.T, f func()) []string {
	reports := make(chan string, 100)
	defer async.OnUnobserved(async.OnUnobserved(func(err *async.OperationError) {
		reports <- fmt.Sprint(err.Err, err.Panic)
	}))
	f()
	var seen []string
	for round := range 3 {
		last := fmt.Sprintf("the last of round %d", round)
		failing(errors.New(last))
		deadline := time.After(20 * time.Second)
		for r := ""; r != last+" <nil>"; {
			runtime.GC()
			select {
			case r = <-reports:
				seen = append(seen, r)
			case <-time.After(time.Millisecond):
			case <-deadline:
				t.Fatalf("reported only %v", seen)
			}
		}
		seen = slices.DeleteFunc(seen, func(r string) bool { return r == last+" <nil>" })
	}
	slices.Sort(seen)
	return seen
}

// failing is a task with a cell that holds err.
func failing(err error) async.Task[int] {
	s := async.NewSource[int]()
	s.SetError(err)
	return s.Task()
}

func TestC44_UnobservedErrorsAreReported(t *testing.T) {
	got := unobserved(t, func() {
		failing(errors.New("dropped"))
		failing(context.Canceled)
		failing(fmt.Errorf("wrapped: %w", context.Canceled))
		s := async.NewSource[int]()
		sumAsync(2, func(i int) async.Task[int] {
			if i == 1 {
				panic("dropped panic")
			}
			return s.Task()
		})
		s.SetResult(1)
	})
	if !slices.Equal(got, []string{"<nil>dropped panic", "dropped <nil>"}) {
		t.Errorf("reported %q", got)
	}
}

// SuppressThrowing is ignoring the error: it was read, so somebody saw it. So it
// is for a combinator, a machine that awaits, and Forget. (ForceYielding is
// Yield: C45.)
func TestC26_IgnoredErrorCountsAsSeen(t *testing.T) {
	got := unobserved(t, func() {
		failing(errors.New("awaited")).Await()
		failing(errors.New("read")).GetResult()
		async.WhenAll(bg, failing(errors.New("of WhenAll"))).Await()
		await(failing(errors.New("of a machine"))).Await()
		async.FirstSuccess(bg, failing(errors.New("of FirstSuccess")), async.Completed(1, nil)).Await()
		c := new(trackingContext)
		async.Forget(async.WithSyncContext(bg, c), failing(errors.New("forgotten")))
		c.run()
	})
	if len(got) != 0 {
		t.Errorf("reported %q", got)
	}
}

func TestC45_YieldAlwaysSuspendsAndPosts(t *testing.T) {
	q := new(queueContext)
	y := async.Yield(q.context())
	if y.IsCompleted() {
		t.Error("Yield is complete")
	}
	s := async.NewSource[int]()
	m := &onceMachine{first: s.Task(), then: y}
	m.Promote(m, q.context(), nil)
	m.first.OnCompleted(m)
	s.Complete(async.NewExecutor(q), 1, nil)
	if m.IsCompleted() || len(q.posted) != 1 {
		t.Error("Yield did not post the machine")
	}
	q.run()
	mustGive(t, m.Task(), 2)
	// Without a context: a short-lived goroutine.
	nowhere := make(chan struct{})
	if !async.Yield(context.Background()).OnCompleted(async.ContinuationFunc(func(*async.Executor) { close(nowhere) })) {
		t.Error("Yield did not take the continuation")
	}
	<-nowhere
	async.Yield(context.Background()).Await()
}

func TestC46_Delay(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	if d := async.Delay(ctx, 0); !d.IsCompleted() || d.Await() != nil {
		t.Error("Delay(0) is not complete")
	}
	start := time.Now()
	if err := async.Delay(ctx, 20*time.Millisecond).Await(); err != nil || time.Since(start) < 20*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
	long, forever := async.Delay(ctx, time.Hour), async.Delay(ctx, async.Infinite)
	why := errors.New("why")
	cancel(why)
	for _, d := range []async.Task0{long, forever, async.Delay(ctx, 0), async.Delay(ctx, time.Hour)} {
		if err := d.Await(); !errors.Is(err, why) || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

// testHost is a host with a clock that a test moves, and a queue.
type testHost struct {
	queueContext
	now    time.Duration
	timers map[time.Duration]func()
	ex     *async.Executor
}

func (h *testHost) Executor() *async.Executor { return h.ex }
func (h *testHost) Block(p async.Pending) {
	for !p.IsCompleted() {
		if !h.step() {
			panic("deadlock")
		}
	}
}

func (h *testHost) step() bool {
	if len(h.posted) > 0 {
		c := h.posted[0]
		h.posted = h.posted[1:]
		h.ex.Run(c)
		return true
	}
	for at := range h.timers {
		f := h.timers[at]
		delete(h.timers, at)
		h.now = at
		f()
		return true
	}
	return false
}

func (h *testHost) AfterFunc(d time.Duration, f func()) func() bool {
	if h.timers == nil {
		h.timers = map[time.Duration]func(){}
	}
	at := h.now + d
	h.timers[at] = f
	return func() bool { _, set := h.timers[at]; delete(h.timers, at); return set }
}

// Without a host what time it is is the wall clock's business.
func TestNow(t *testing.T) {
	before := time.Now()
	if now := async.Now(bg); now.Before(before) || time.Now().Before(now) {
		t.Errorf("%v, which was after %v", now, before)
	}
}

func TestC46_DelayOnTheHostsClock(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	ctx := async.WithHost(context.Background(), h)
	start := time.Now()
	if err := async.Delay(ctx, time.Hour).Await(); err != nil || h.now != time.Hour {
		t.Errorf("%v at %v", err, h.now)
	}
	s := async.NewSourceFor[int](ctx)
	_, err := async.WithTimeout(ctx, time.Hour, s.Task()).Await()
	if !errors.Is(err, context.DeadlineExceeded) || h.now != 2*time.Hour {
		t.Errorf("%v at %v", err, h.now)
	}
	resumed := false
	async.Delay(ctx, time.Hour).OnCompleted(async.ContinuationFunc(func(*async.Executor) { resumed = true }))
	if h.step(); !resumed || len(h.posted) != 0 {
		t.Error("the timer has posted what it should resume")
	}
	if async.Delay(ctx, async.Infinite); len(h.timers) != 0 {
		t.Error("a delay that never ends has a timer")
	}
	async.Yield(ctx).Await()
	if time.Since(start) > time.Minute {
		t.Error("the wall clock was used")
	}
}

// A blocking Await inside a continuation first runs what the executor still
// holds: it may be what completes the task.
func TestBlockingAwaitDrainsItsExecutor(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	ctx := async.WithHost(context.Background(), h)
	a, b := async.NewSourceFor[int](ctx), async.NewSourceFor[int](ctx)
	a.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { b.SetResult(2) }))
	got := 0
	h.ex.Run(async.ContinuationFunc(func(*async.Executor) {
		a.SetResult(1)
		got, _ = b.Task().Await()
	}))
	if got != 2 {
		t.Errorf("got %d", got)
	}
}

// cancelContext is a host's context: it calls back where it is cancelled.
type cancelContext struct {
	context.Context
	callbacks []func()
}

func (c *cancelContext) AfterFunc(f func()) func() bool {
	if c.Err() != nil {
		f()
		return func() bool { return false }
	}
	i := len(c.callbacks)
	c.callbacks = append(c.callbacks, f)
	return func() bool { set := c.callbacks[i] != nil; c.callbacks[i] = nil; return set }
}

func (c *cancelContext) Value(key any) any {
	if key == (async.CancelKey{}) {
		return c
	}
	return c.Context.Value(key)
}

func TestC36_AfterFuncOnACancelledContext(t *testing.T) {
	inner, cancel := context.WithCancel(context.Background())
	ctx := &cancelContext{Context: inner}
	wrapped := async.WithSyncContext(ctx, nil)
	called := 0
	async.AfterFunc(wrapped, func() { called++ })
	stop := async.AfterFunc(wrapped, func() { called += 10 })
	if !stop() || stop() {
		t.Error("stop does not tell whether it was in time")
	}
	derived, cancelDerived := context.WithCancel(wrapped)
	defer cancelDerived()
	foreign := make(chan struct{})
	async.AfterFunc(derived, func() { close(foreign) })
	cancel()
	for _, f := range ctx.callbacks {
		if f != nil {
			f()
		}
	}
	if called != 1 {
		t.Errorf("called %d", called)
	}
	async.AfterFunc(wrapped, func() { called++ })
	if called != 2 {
		t.Error("on a cancelled context the callback did not run at once")
	}
	<-foreign
	if stop := async.AfterFunc(context.Background(), func() {}); !stop() {
		t.Error("a context that never ends has nothing to stop")
	}
}

func TestFromContextCompletesOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	task := async.FromContext(ctx)
	var resumed atomic.Int64
	woken := make(chan struct{}, 8)
	for range 3 {
		task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { resumed.Add(1); woken <- struct{}{} }))
	}
	if task.IsCompleted() {
		t.Error("complete before the context")
	}
	defer cancel()
	for range 4 {
		go cancel()
	}
	for range 3 {
		<-woken
	}
	if err := task.Await(); err != context.Canceled || resumed.Load() != 3 {
		t.Errorf("err = %v, %d resumed", err, resumed.Load())
	}
	if done := async.FromContext(ctx); !done.IsCompleted() || done.Await() != context.Canceled {
		t.Error("FromContext of a cancelled context is pending")
	}
}

func TestC10_Run(t *testing.T) {
	q := new(queueContext)
	ctx := async.WithWorkers(context.Background(), q)
	task := async.Run(ctx, func(context.Context) (int, error) { return 5, context.Canceled })
	if task.IsCompleted() || q.run() != 1 {
		t.Error("the work did not go to the workers")
	}
	if v, err := task.Await(); v != 5 || err != context.Canceled {
		t.Errorf("gave %d, %v", v, err)
	}
	mustPanic(t, "at work", func() {
		async.Run(context.Background(), func(context.Context) (int, error) { panic("at work") }).Await()
	})
	without := async.Run0(ctx, func(got context.Context) error {
		if got != ctx {
			t.Error("it has another context")
		}
		return io.ErrNoProgress
	})
	if without.IsCompleted() || q.run() != 1 || without.Await() != io.ErrNoProgress {
		t.Error("work without a value did not go to the workers, or its error is lost")
	}
	canceled, cancel := context.WithCancel(ctx)
	defer cancel()
	waiting := async.Run(canceled, func(context.Context) (int, error) { t.Error("called"); return 0, nil })
	cancel()
	q.run()
	for _, task := range []async.Task[int]{waiting, async.Run(canceled, func(context.Context) (int, error) { return 1, nil })} {
		if _, err := task.Await(); err != context.Canceled {
			t.Errorf("err = %v", err)
		}
	}
}

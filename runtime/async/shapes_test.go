package async_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// Each number of results has the same face; one machine of each, on the stack
// and on the heap, pooled or not.

type pooled0 struct{ async.PooledBuilder0 }
type pooled2 struct {
	async.PooledBuilder2[int, string]
}
type pooled3 struct {
	async.PooledBuilder3[int, string, bool]
}

func (m *pooled0) Recycle() {
	past := m.Retire()
	*m = pooled0{}
	m.Restore(past)
	async.PoolOf[pooled0]().Put(m, past)
}
func (m *pooled2) Recycle() {
	past := m.Retire()
	*m = pooled2{}
	m.Restore(past)
	async.PoolOf[pooled2]().Put(m, past)
}
func (m *pooled3) Recycle() {
	past := m.Retire()
	*m = pooled3{}
	m.Restore(past)
	async.PoolOf[pooled3]().Put(m, past)
}

func TestShapesOfResults(t *testing.T) {
	boom := errors.New("boom")
	check := func(name string, ok bool) {
		t.Helper()
		if !ok {
			t.Errorf("%s: wrong result", name)
		}
	}
	check0 := func(name string, task async.Task0) {
		t.Helper()
		check(name, task.IsCompleted() && task.Await() == boom)
	}
	check2 := func(name string, task async.Task2[int, string]) {
		t.Helper()
		a, b, err := task.Await()
		check(name, a == 1 && b == "b" && err == boom)
	}
	check3 := func(name string, task async.Task3[int, string, bool]) {
		t.Helper()
		a, b, c, err := task.Await()
		check(name, a == 1 && b == "b" && c && err == boom)
	}
	var b0 async.Builder0
	b0.SetResult(boom)
	check0("stack", b0.Result())
	var b2 async.Builder2[int, string]
	b2.SetResult(1, "b", boom)
	check2("stack", b2.Result())
	var b3 async.Builder3[int, string, bool]
	b3.SetResult(1, "b", true, boom)
	check3("stack", b3.Result())

	p0, _ := async.PoolOf[pooled0]().Get(nil, nil)
	p0.PromotePooled(p0, nil)
	t0 := p0.Task()
	p0.SetResult(boom)
	check0("pooled", t0)
	mustPanic(t, "C13", func() { t0.GetResult() })
	p2, _ := async.PoolOf[pooled2]().Get(nil, nil)
	p2.PromotePooled(p2, nil)
	t2 := p2.Task()
	p2.SetResult(1, "b", boom)
	check2("pooled", t2)
	p3, _ := async.PoolOf[pooled3]().Get(nil, nil)
	p3.PromotePooled(p3, nil)
	t3 := p3.Task()
	p3.SetResult(1, "b", true, boom)
	check3("pooled", t3)

	check2("completed", async.Completed2(1, "b", boom))
	check3("completed", async.Completed3(1, "b", true, boom))
	check3("of a task", async.Task3Of(async.Completed3(1, "b", true, boom).Task()))
	s2, s3 := async.NewSource2[int, string](), async.NewSource3[int, string, bool]()
	var h2, h3 async.Header
	var a2 async.Awaiter2[int, string]
	var a3 async.Awaiter3[int, string, bool]
	resumed := 0
	resume := async.ContinuationFunc(func(*async.Executor) { resumed++ })
	check("suspended", a2.OnCompleted(s2.Task(), &h2, resume) && a3.OnCompleted(s3.Task(), &h3, resume))
	s2.SetResult(1, "b")
	s3.SetResult(1, "b", true)
	check("resumed", resumed == 2)
	a, b, err := a2.Task(h2.Awaited).ConfigureAwait(false).Await()
	check("source", a == 1 && b == "b" && err == nil)
	a, b, c, err := a3.Task(h3.Awaited).ConfigureAwait(false).Await()
	check("source", a == 1 && b == "b" && c && err == nil)
	if _, err := async.Race(bg, async.Completed0(boom).Task()).Await(); err != boom {
		t.Errorf("Task0 as a Task: %v", err)
	}
}

func TestCatchOfEachShape(t *testing.T) {
	task0 := func() (task async.Task0) {
		var b async.PooledBuilder0
		defer b.Catch(&task)
		panic("kickoff")
	}()
	task2 := func() (task async.Task2[int, string]) {
		var b async.PooledBuilder2[int, string]
		defer b.Catch(&task)
		panic("kickoff")
	}()
	task3 := func() (task async.Task3[int, string, bool]) {
		var b async.PooledBuilder3[int, string, bool]
		defer b.Catch(&task)
		panic("kickoff")
	}()
	mustPanic(t, "kickoff", func() { task0.Await() })
	mustPanic(t, "kickoff", func() { task2.Await() })
	mustPanic(t, "kickoff", func() { task3.Await() })
}

// A machine without a context belongs to the host of what it awaits, so that a
// blocking Await on it runs the host.
func TestMachineAdoptsTheHostOfWhatItAwaits(t *testing.T) {
	h := &testHost{ex: async.NewExecutor(nil)}
	ctx := async.WithHost(bg, h)
	for _, anywhere := range []bool{false, true} {
		s := async.NewSourceFor[int](ctx)
		h.AfterFunc(1, func() { s.SetResult(6) })
		var task async.Task[int]
		if anywhere {
			m := &configuredMachine{task: s.Task().ConfigureAwait(false)}
			m.Promote(m, nil, nil)
			m.task.OnCompleted(m)
			task = m.Task()
		} else {
			task = await(s.Task())
		}
		if v, err := task.Await(); v != 6 || err != nil { // parking the goroutine would deadlock
			t.Errorf("gave %d, %v", v, err)
		}
	}
}

// watchingHost hears of foreign contexts, and says when that enters it.
type watchingHost struct {
	testHost
	ended chan func()
}

func (h *watchingHost) OnDone(ctx context.Context, f func()) func() bool {
	return context.AfterFunc(ctx, func() { h.ended <- f })
}

// A cancellation of the standard library's enters a host where the host says, and
// posts what it releases.
func TestC42_C46_ForeignCancellationEntersWhereTheHostSays(t *testing.T) {
	h := &watchingHost{testHost: testHost{ex: async.NewExecutor(nil)}, ended: make(chan func())}
	ctx, cancel := context.WithCancel(async.WithHost(bg, h))
	d := async.Delay(ctx, 1000)
	resumed := false
	d.OnCompleted(async.ContinuationFunc(func(*async.Executor) { resumed = true }))
	cancel()
	f := <-h.ended
	if d.IsCompleted() {
		t.Error("the host was entered from outside")
	}
	f()
	if !d.IsCompleted() || resumed {
		t.Errorf("after it: complete %v, resumed inside %v", d.IsCompleted(), resumed)
	}
	h.step()
	if !resumed || d.Await() != context.Canceled || len(h.timers) != 0 {
		t.Errorf("resumed %v, %d timers left", resumed, len(h.timers))
	}
}

// What the end of one of WhenEach's tasks resumes may exit, and what it is posted to may panic: the others end all the same.
func TestWhenEachEndsAllWithItsContext(t *testing.T) {
	h := &watchingHost{testHost: testHost{ex: async.NewExecutor(nil)}, ended: make(chan func())}
	for name, parent := range map[string]context.Context{"no host": bg, "a host": async.WithHost(bg, h)} {
		ctx, cancel := context.WithCancel(parent)
		s := async.NewSource[int]()
		var last async.Task[int]
		for task := range async.WhenEach(ctx, s.Task(), s.Task(), s.Task()) {
			if last = task; parent == bg {
				task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { runtime.Goexit() }))
			} else {
				awaitIn(async.WithSyncContext(bg, refusingContext{"refused"}), task)
			}
		}
		if cancel(); parent != bg {
			mustPanic(t, "refused", <-h.ended)
		}
		for n := 0; n < 1000 && !last.IsCompleted(); n++ {
			time.Sleep(time.Millisecond)
		}
		if !last.IsCompleted() {
			t.Errorf("%s: a task is pending", name)
		}
	}
}

// refusingContext takes nothing.
type refusingContext struct{ saying string }

func (c refusingContext) Post(async.Continuation) { panic(c.saying) }

func TestMapKeepsAGoexit(t *testing.T) {
	t.Run("Goexit", func(t *testing.T) { mapEndedBy(t, runtime.Goexit) })
	t.Run("panic during one", func(t *testing.T) { mapEndedBy(t, exitsPanicking) })
}

func mapEndedBy(t *testing.T, exit func()) {
	task := make(chan async.Task[[]int], 1)
	s := async.NewSource[int]()
	go func() {
		task <- async.Map(bg, 1, []int{0, 1}, func(_ context.Context, i int) async.Task[int] {
			if i == 1 {
				exit()
			}
			return s.Task()
		})
	}()
	mapped, completed := <-task, make(chan struct{})
	mapped.OnCompleted(async.ContinuationFunc(func(*async.Executor) { close(completed) }))
	go s.SetResult(1) // this goroutine starts the next item, and is lost
	<-completed
	ended := make(chan bool)
	go func() {
		defer close(ended)
		defer func() { recover() }()
		mapped.Await()
		ended <- true
	}()
	if <-ended {
		t.Error("what ended the item did not rise")
	}
}

// An operation that nobody awaits and no context hears of crashes the program.
func TestC43_FailureWithoutContextCrashes(t *testing.T) {
	if os.Getenv("NOTHREAD_CRASH") != "" {
		async.Forget(bg, async.Completed0(errors.New("nobody hears")))
		select {}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestC43_FailureWithoutContextCrashes$")
	cmd.Env = append(os.Environ(), "NOTHREAD_CRASH=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nobody hears") {
		t.Errorf("%v: %s", err, out)
	}
}

// Nothing resumes them.
func (*pooled0) MoveNext(*async.Executor) async.Continuation { return nil }
func (*pooled2) MoveNext(*async.Executor) async.Continuation { return nil }
func (*pooled3) MoveNext(*async.Executor) async.Continuation { return nil }

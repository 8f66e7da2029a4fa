package async_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// sumMachine is written by hand in the shape of a generated machine: it awaits
// tasks n times and adds up what they give.
type sumMachine struct {
	async.Builder[int]
	ctx     context.Context
	next    func(int) async.Task[int]
	n, i    int
	sum     int
	awaiter async.Awaiter[int]
}

func sumAsync(n int, next func(int) async.Task[int]) (task async.Task[int]) {
	return sumIn(nil, n, next)
}

func sumIn(ctx context.Context, n int, next func(int) async.Task[int]) (task async.Task[int]) {
	m := sumMachine{ctx: ctx, n: n, next: next}
	defer m.Catch(&task)
	m.MoveNext(nil)
	if m.IsCompleted() {
		return m.Result()
	}
	return m.Task()
}

func (m *sumMachine) onHeap(awaited *async.Header) *sumMachine {
	if m.OnStack() {
		return m.leaveStack(awaited)
	}
	return m
}

//go:noinline
func (m *sumMachine) leaveStack(awaited *async.Header) *sumMachine {
	h := &sumMachine{ctx: m.ctx, next: m.next, n: m.n, i: m.i, sum: m.sum}
	m.Promote(h, m.ctx, awaited)
	return h
}

func (m *sumMachine) MoveNext(*async.Executor) async.Continuation {
	var (
		v    int
		err  error
		task async.Task[int]
	)
	switch m.State {
	case 1:
		task = m.awaiter.Task(m.Awaited)
		goto resume1
	}
loop:
	if !(m.i < m.n) {
		return m.SetResult(m.sum, nil)
	}
	task = m.next(m.i)
	if !task.IsCompleted() {
		h := async.Self(m.onHeap(task.Header()))
		h.State = 1
		if h.awaiter.OnCompleted(task, &h.Header, h) {
			return nil
		}
	}
resume1:
	v, err = task.GetResult()
	if err != nil {
		return m.SetResult(0, err)
	}
	m.sum += v
	m.i++
	goto loop
}

// pooledSum is sumMachine as //nothread:async pool makes it.
type pooledSum struct {
	async.PooledBuilder[int]
	next    func(int) async.Task[int]
	n, i    int
	sum     int
	awaiter async.Awaiter[int]
}

var pooledSums async.Pool[pooledSum]

func pooledSumAsync(n int, next func(int) async.Task[int]) (task async.Task[int]) {
	m := pooledSum{n: n, next: next}
	defer m.Catch(&task)
	m.MoveNext(nil)
	if m.IsCompleted() {
		return m.Result()
	}
	return m.Task()
}

func (m *pooledSum) onHeap(awaited *async.Header) *pooledSum {
	if m.OnStack() {
		return m.leaveStack(awaited)
	}
	return m
}

//go:noinline
func (m *pooledSum) leaveStack(awaited *async.Header) *pooledSum {
	h, env := pooledSums.Get(awaited, nil)
	h.next, h.n, h.i, h.sum = m.next, m.n, m.i, m.sum
	m.PromotePooled(h, env)
	return h
}

func (m *pooledSum) Recycle() {
	past := m.Retire()
	*m = pooledSum{}
	m.Restore(past)
	pooledSums.Put(m, past)
}

func (m *pooledSum) MoveNext(*async.Executor) async.Continuation {
	var (
		v    int
		err  error
		task async.Task[int]
	)
	switch m.State {
	case 1:
		task = m.awaiter.Task(m.Awaited)
		goto resume1
	}
loop:
	if !(m.i < m.n) {
		return m.SetResult(m.sum, nil)
	}
	task = m.next(m.i)
	if !task.IsCompleted() {
		h := async.Self(m.onHeap(task.Header()))
		h.State = 1
		if h.awaiter.OnCompleted(task, &h.Header, h) {
			return nil
		}
	}
resume1:
	v, err = task.GetResult()
	if err != nil {
		return m.SetResult(0, err)
	}
	m.sum += v
	m.i++
	goto loop
}

// await returns a machine's task that awaits the one given.
func await(task async.Task[int]) async.Task[int] {
	return sumAsync(1, func(int) async.Task[int] { return task })
}

func awaitIn(ctx context.Context, task async.Task[int]) async.Task[int] {
	return sumIn(ctx, 1, func(int) async.Task[int] { return task })
}

// mustPanic checks that f panics with a message that has want in it.
func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), want) {
			t.Errorf("recovered %v, want something with %q", v, want)
		}
	}()
	f()
}

// mustGive checks the result of a task that must be complete.
func mustGive(t *testing.T, task async.Task[int], want int) {
	t.Helper()
	if !task.IsCompleted() {
		t.Errorf("the task is pending, want %d", want)
		return
	}
	if v, err := task.GetResult(); v != want || err != nil {
		t.Errorf("the task gave %d, %v; want %d", v, err, want)
	}
}

// depth returns how many calls stand below, up to a hundred.
func depth() int {
	var pcs [100]uintptr
	return runtime.Callers(0, pcs[:])
}

// queueContext is a SyncContext whose loop a test runs by hand.
type queueContext struct {
	posted []async.Continuation
	ex     *async.Executor
}

func (q *queueContext) Post(c async.Continuation) { q.posted = append(q.posted, c) }

func (q *queueContext) run() (n int) {
	if q.ex == nil {
		q.ex = async.NewExecutor(q)
	}
	for ; len(q.posted) > 0; n++ {
		c := q.posted[0]
		q.posted = q.posted[1:]
		q.ex.Run(c)
	}
	return n
}

func (q *queueContext) context() context.Context {
	return async.WithSyncContext(context.Background(), q)
}

// What a panic that has come through many awaits tells costs in proportion to them.
func TestPanicStackOfALongChain(t *testing.T) {
	const length = 10_000
	source := async.NewSource[int]()
	chain := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("at the bottom")
		}
		return source.Task()
	})
	for range length {
		below := chain
		chain = sumAsync(1, func(int) async.Task[int] { return below })
	}
	source.SetResult(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stack := string(chain.PanicStack())
	runtime.ReadMemStats(&after)
	if !strings.Contains(stack, "TestPanicStackOfALongChain.func1") {
		t.Error(stack)
	}
	if bytes := (after.TotalAlloc - before.TotalAlloc) / length; bytes > 16<<10 {
		t.Errorf("%d bytes for each await", bytes)
	}
}

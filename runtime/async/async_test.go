package async_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// sumMachine is written by hand in the shape of a generated machine: it awaits
// tasks n times and adds up what they give.
type sumMachine struct {
	async.Builder[int]
	heap    *sumMachine
	state   int
	next    func(int) async.Task[int]
	n, i    int
	sum     int
	awaiter async.Awaiter[int]
}

func sumAsync(n int, next func(int) async.Task[int]) (task async.Task[int]) {
	m := sumMachine{n: n, next: next}
	defer m.Catch(&task)
	m.MoveNext(nil)
	if m.IsCompleted() {
		return m.Result()
	}
	return m.heap.Task()
}

func (m *sumMachine) suspend(state int) *sumMachine {
	m.state = state
	if m.heap != m {
		h := new(sumMachine)
		*h = *m
		h.heap, m.heap = h, h
		h.Promote(nil)
	}
	return m.heap
}

func (m *sumMachine) MoveNext(*async.Executor) async.Continuation {
	var (
		v    int
		err  error
		task async.Task[int]
	)
	switch m.state {
	case 1:
		task = m.awaiter.Task()
		goto resume1
	}
loop:
	if !(m.i < m.n) {
		return m.SetResult(m.sum, nil)
	}
	task = m.next(m.i)
	if !task.IsCompleted() {
		m.awaiter = task.Awaiter()
		if task.OnCompleted(m.suspend(1)) {
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

func TestSynchronousCompletionAllocatesNothing(t *testing.T) {
	next := func(i int) async.Task[int] { return async.Completed(i, nil) }
	got := testing.AllocsPerRun(100, func() {
		if v, _ := sumAsync(10, next).Await(); v != 45 {
			t.Fatalf("sum = %d, want 45", v)
		}
	})
	if got != 0 {
		t.Errorf("a machine that never waits allocates %v times, want 0", got)
	}
}

func TestOneAllocationForTheMachine(t *testing.T) {
	var s async.Source[int]
	next := func(i int) async.Task[int] { return s.Task() }
	got := testing.AllocsPerRun(100, func() {
		s = async.Source[int]{}
		task := sumAsync(1, next)
		s.SetResult(7)
		if v, _ := task.Await(); v != 7 {
			t.Fatalf("sum = %d, want 7", v)
		}
	})
	if got != 1 {
		t.Errorf("a machine that suspends allocates %v times, want 1", got)
	}
}

// A chain of a million tasks, each awaiting the one before, completes in
// constant stack.
func TestChainOfAMillion(t *testing.T) {
	first := async.NewSource[int]()
	task := first.Task()
	for range 1_000_000 {
		before := task
		task = sumAsync(1, func(int) async.Task[int] { return before })
	}
	first.SetResult(3)
	if v, err := task.Await(); v != 3 || err != nil {
		t.Errorf("got %d, %v; want 3", v, err)
	}
}

func TestErrorAndPanicReachTheAwait(t *testing.T) {
	boom := errors.New("boom")
	s := async.NewSource[int]()
	failed := sumAsync(2, func(int) async.Task[int] { return s.Task() })
	s.SetError(boom)
	if _, err := failed.Await(); err != boom {
		t.Errorf("err = %v, want %v", err, boom)
	}
	s = async.NewSource[int]()
	panics := sumAsync(2, func(i int) async.Task[int] {
		if i == 1 {
			panic("in the machine")
		}
		return s.Task()
	})
	above := sumAsync(1, func(int) async.Task[int] { return panics })
	s.SetResult(1)
	defer func() {
		if v := recover(); v != "in the machine" {
			t.Errorf("recovered %v", v)
		}
		if len(panics.PanicStack()) == 0 {
			t.Error("the panic's stack is lost")
		}
	}()
	above.Await()
	t.Error("the panic did not rise again")
}

type queueContext struct{ posted []async.Continuation }

func (q *queueContext) Post(c async.Continuation) { q.posted = append(q.posted, c) }

func TestContextFromCtx(t *testing.T) {
	q := new(queueContext)
	ctx := async.WithSyncContext(context.Background(), q)
	if async.SyncContextOf(ctx) != q {
		t.Fatal("the context does not carry its SyncContext")
	}
	var b async.Builder[int]
	b.Promote(ctx)
	if b.SyncContext() != q {
		t.Error("the machine did not capture its SyncContext")
	}
}

func TestSourceCompletesOnce(t *testing.T) {
	s := async.NewSource[int]()
	s.SetResult(1)
	if s.TrySetResult(2) || s.TrySetError(errors.New("late")) {
		t.Error("a second completion won")
	}
	if v, _ := s.Task().Await(); v != 1 {
		t.Errorf("result = %d, want 1", v)
	}
	defer func() {
		if recover() == nil {
			t.Error("completing twice did not panic")
		}
	}()
	s.SetResult(3)
}

func TestStaleTokenPanics(t *testing.T) {
	s := async.NewSource[int]()
	stale := s.Task()
	s.SetResult(1)
	s.Reset()
	defer func() {
		if recover() == nil {
			t.Error("a stale task was read")
		}
	}()
	stale.GetResult()
}

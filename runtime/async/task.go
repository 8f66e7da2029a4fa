package async

import (
	"context"
	"sync/atomic"
)

// An Operation is any of this package's tasks, whatever its results.
type Operation interface {
	Pending
	remove(a *arm) bool // takes an arm back
	outcome() error     // reads the result's error; a panic is wrapped in it
	host() Host
}

// A Task is the result of an operation that may still be in flight: either the
// finished value and error themselves, or a reference to the cell that will
// hold them. It is a value; copies stand for the same operation. The zero Task
// is finished with the zero value and no error.
//
// A Task is an awaitable: in a function marked //nothread:async, t.Await() is a
// suspension point; elsewhere it blocks.
type Task[T any] struct {
	err   error // a handle[T] if token says so
	value T
	token uint32 // 0: finished, with the result above
}

// handle is a cell's head where a task keeps its error, so that a task of one
// word's value is four words: what the compiler keeps in registers.
type handle head

// Error is never called: no handle leaves its task.
func (*handle) Error() string { return "async: a pending task" }

// taskOf returns a task on c.
func taskOf[T any](c *cell[T], token uint32) Task[T] {
	return Task[T]{err: (*handle)(&c.head), token: token}
}

// headOf returns what a task with a token refers to, whose err this is.
func headOf(err error) *head { return (*head)(err.(*handle)) }

// Completed returns a task that is finished with v and err. It allocates nothing.
func Completed[T any](v T, err error) Task[T] { return Task[T]{value: v, err: err} }

// IsCompleted reports whether the result is there to be read.
func (t Task[T]) IsCompleted() bool { return t.token == 0 || headOf(t.err).isCompleted() }

// OnCompleted stores c, to be resumed once when the task completes, and returns
// true; or returns false because it has completed already.
func (t Task[T]) OnCompleted(c Continuation) bool {
	if t.token == 0 {
		return false
	}
	return headOf(t.err).onCompleted(t.token, c)
}

// GetResult returns the result of a completed task. It raises again the panic
// or runtime.Goexit that ended the operation, and panics if the task is still
// pending.
func (t Task[T]) GetResult() (v T, err error) {
	v, err = t.value, t.err
	if err != nil {
		v, err = read(t)
	}
	return
}

// read is GetResult of what is not inline, or failed.
func read[T any](t Task[T]) (v T, err error) {
	if t.token == 0 {
		v, err = t.value, t.err
	} else {
		v, err = cellOf[T](headOf(t.err)).take(t.token)
	}
	if err != nil {
		err = raise(err)
	}
	return v, err
}

// take is GetResult with a panic or Goexit still wrapped in the error.
func take[T any](t Task[T]) (T, error) {
	if t.token != 0 {
		return cellOf[T](headOf(t.err)).take(t.token)
	}
	return t.value, t.err
}

// look is take for a combinator, whose tasks the caller may read too.
func look[T any](t Task[T]) (T, error) {
	if t.token != 0 {
		return cellOf[T](headOf(t.err)).look(t.token)
	}
	return t.value, t.err
}

// peek is the error that take would return; it takes nothing.
func peek[T any](t Task[T]) error {
	if t.token != 0 {
		return cellOf[T](headOf(t.err)).peek(t.token)
	}
	return t.err
}

func (t Task[T]) outcome() error {
	_, err := look(t)
	return err
}

func (t Task[T]) remove(a *arm) bool { return t.token != 0 && headOf(t.err).remove(a) }

func (t Task[T]) host() Host {
	if t.token == 0 {
		return nil
	}
	if env := headOf(t.err).environment(); env != nil {
		return env.host
	}
	return nil
}

// Await returns the result. In a function marked //nothread:async it is a
// suspension point of the generated machine; called anywhere else it blocks:
// the simulated thread if the task belongs to a World, else the goroutine.
func (t Task[T]) Await() (v T, err error) {
	v, err = t.value, t.err
	if err != nil {
		v, err = await(t)
	}
	return
}

// await is Await of what is not inline, or failed.
func await[T any](t Task[T]) (v T, err error) {
	if t.token == 0 {
		v, err = t.value, t.err
	} else {
		if !headOf(t.err).isCompleted() {
			blockOn(t.host(), t)
		}
		v, err = cellOf[T](headOf(t.err)).take(t.token)
	}
	if err != nil {
		err = raiseOutside(err)
	}
	return v, err
}

// ConfigureAwait returns an awaitable for the same operation; awaited with
// false, the machine resumes wherever the completion runs instead of on its
// SyncContext.
func (t Task[T]) ConfigureAwait(continueOnContext bool) ConfiguredTask[T] {
	return ConfiguredTask[T]{task: t, anywhere: !continueOnContext}
}

// PanicStack returns the stack of the panic that ended the task, nil if none
// did. Of a task from a pool it must be asked before the result is read.
func (t Task[T]) PanicStack() []byte {
	if !t.IsCompleted() {
		return nil
	}
	if f, ok := peek(t).(*fault); ok {
		return f.stack()
	}
	return nil
}

// Header returns what a pending task refers to. Only generated code uses it.
func (t Task[T]) Header() *Header { return (*Header)(headOf(t.err)) }

// An Awaiter is a pending task without the room for an inline result: what a
// generated machine keeps while it is suspended.
type Awaiter[T any] struct{ head *head }

// OnCompleted is Task.OnCompleted for a machine that is suspended and keeps the
// awaiter; m is the machine's own header, which notes the task's version. A machine
// that belongs to no host belongs to the task's from now on.
func (a *Awaiter[T]) OnCompleted(t Task[T], m *Header, machine Continuation) bool {
	a.head = headOf(t.err)
	return a.head.suspend((*head)(m), t.token, machine)
}

// HandsOn reports whether a pooled machine with header m, which has nothing left to do
// but to return what it awaits, may hand the task on to its caller instead, and if so
// keeps it: where it has never left the stack. ctx is the function's context, nil if
// it has none.
func (a *Awaiter[T]) HandsOn(t Task[T], ctx context.Context, m *Header) bool {
	h := headOf(t.err)
	if !m.OnStack() || *(*head)(m).promotedTo() != nil || stale(atomic.LoadUint32(&h.status), t.token) || !h.handsOn(environmentOf(ctx)) {
		return false
	}
	a.head, m.Awaited = h, uint16(t.token>>versionShift)
	return true
}

// Task returns the task of that version again, with the result inline if it has
// succeeded by now. It clears the awaiter, so that the machine does not hold on to
// what it no longer awaits.
func (a *Awaiter[T]) Task(version uint16) (t Task[T]) {
	h := a.head
	a.head = nil
	token := uint32(version)<<versionShift | done
	if atomic.LoadUint32(&h.status)&(versions|phases|failed|single|reusable) == token {
		t.value = cellOf[T](h).value
	} else {
		t.err, t.token = (*handle)(h), token
	}
	return
}

// A ConfiguredTask is a Task awaited as ConfigureAwait said.
type ConfiguredTask[T any] struct {
	task     Task[T]
	anywhere bool
}

// IsCompleted reports whether the result is there to be read.
func (t ConfiguredTask[T]) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted, resuming c as configured.
func (t ConfiguredTask[T]) OnCompleted(c Continuation) bool {
	return t.task.OnCompleted(configured(c, t.anywhere))
}

// GetResult is Task.GetResult.
func (t ConfiguredTask[T]) GetResult() (T, error) { return t.task.GetResult() }

// Await is Task.Await.
func (t ConfiguredTask[T]) Await() (T, error) { return t.task.Await() }

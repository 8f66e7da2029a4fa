package async

import (
	"context"
	"sync/atomic"
	"unsafe"
)

// A Builder is embedded in every generated machine: it is the task that the
// machine's function returns. Only generated code uses it.
type Builder[T any] struct { // a cell
	value T
	Header
}

// cellOfMachine returns the cell that the builder of a machine is.
func cellOfMachine[T any](b *Builder[T]) *cell[T] { return (*cell[T])(unsafe.Pointer(b)) }

// Promote is called when the machine, on the stack, has made m, its copy on the heap:
// all but the builder (C22). ctx is the function's context as its caller passed it;
// what it carries is where the machine resumes (C23) and whom a blocking Await parks.
// A machine with a context that carries nothing, or without one, belongs to the host
// of awaited, what it waits for. Each may be nil.
func (b *Builder[T]) Promote(m Continuation, ctx context.Context, awaited *Header) {
	c, h := cellOfMachine(b), (*cell[T])(addressOf(m))
	c.forsake()
	env := environmentOf(ctx)
	if env == nil {
		env = (*head)(awaited).lends()
	}
	h.head.promote(promoted, env)
	*c.head.promotedTo() = unsafe.Pointer(h)
	if h.head.followed() {
		h.head.began(m)
	}
}

// Self returns m, a pointer to a machine that is on the heap, but the compiler does not
// see that it is m: it would put each machine there from its beginning, because those
// that are resumed give themselves to what they await. Only generated code uses it. (Of
// pointers all instantiations are one.)
//
//go:nocheckptr
func Self[M any](m M) M {
	self := unsafe.Add(nil, *(*uintptr)(unsafe.Pointer(&m)))
	return *(*M)(unsafe.Pointer(&self))
}

// forsake is called where a machine that had left the stack ends on it, or leaves it
// once more: what it was about to wait for was there after all. Its copy is nobody's.
func (c *cell[T]) forsake() {
	if *c.head.promotedTo() != nil {
		c.forget()
	}
}

func (c *cell[T]) forget() {
	h := (*cell[T])(*c.head.promotedTo())
	*c.head.promotedTo() = nil
	if h.head.followed() {
		h.head.ended(unsafe.Pointer(h))
	}
}

// SyncContext returns where the machine resumes, nil if anywhere.
func (b *Builder[T]) SyncContext() SyncContext {
	if env := b.env; env != nil {
		return env.sync
	}
	return nil
}

// SetResult completes the machine. On the heap, it returns the continuation
// that this releases, for MoveNext to return.
func (b *Builder[T]) SetResult(v T, err error) Continuation {
	s := atomic.LoadUint32(&b.status)
	switch {
	case err != nil:
	case s&promoted == 0: // on the stack, as most that wait for nothing are
		cellOfMachine(b).forsake()
		b.value, b.status = v, done
		return nil
	case s&(solo|single|tracked) == solo && s&phases != done:
		return cellOfMachine(b).completeSolo(s, v)
	}
	return cellOfMachine(b).settle(v, err)
}

// settle is SetResult of a machine that has failed, or is on the heap.
func (c *cell[T]) settle(v T, err error) Continuation {
	if !c.head.has(promoted) {
		c.forsake()
		c.value, c.head.status = v, done|failed
		*c.head.failure() = err
		return nil
	}
	if c.head.followed() {
		c.head.ended(unsafe.Pointer(c))
	}
	released, ok := c.finish(v, err)
	if !ok {
		panic("async: C15: a machine was completed twice: what it awaited resumed it more than once, or panicked after storing it")
	}
	return released
}

// IsCompleted reports whether the machine has finished.
func (b *Builder[T]) IsCompleted() bool { return cellOfMachine(b).head.isCompleted() }

// Result returns the task of a machine that has finished when its kickoff
// returns, the result inline: most never left the stack, and this must not make
// them.
func (b *Builder[T]) Result() (task Task[T]) {
	task.value = b.value
	if b.status&failed != 0 {
		task.err = *cellOfMachine(b).head.failure()
	}
	return task
}

// Task returns the machine's task: where it has left the stack, its copy's.
func (b *Builder[T]) Task() Task[T] {
	c := Self(cellOfMachine(b))
	if b.OnStack() {
		c = (*cell[T])(*c.head.promotedTo())
	}
	if c.head.followed() {
		c.head.begun(unsafe.Pointer(c))
	}
	return taskOf(c, c.head.token())
}

// Catch is deferred by a kickoff function: a panic before the first suspension
// becomes the task's. A runtime.Goexit there, and what panics during it, is the
// caller's: no task was handed out yet.
func (b *Builder[T]) Catch(task *Task[T]) {
	if nothingToCatch(b, *task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// nothingToCatch reports whether the kickoff whose task this is has returned it, so that
// nothing panicked, or a runtime.Goexit goes through it.
func nothingToCatch[T any](b *Builder[T], task Task[T]) bool {
	return b.status&phases == done || task.token != 0 || exiting()
}

// fail completes the machine with a panic or a Goexit.
func (b *Builder[T]) fail(f *fault) Continuation {
	var zero T
	return b.SetResult(zero, f)
}

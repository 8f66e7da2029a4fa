package async

import (
	"context"
	"unsafe"
)

// A Builder is embedded in every generated machine: it is the task that the
// machine's function returns. Only generated code uses it.
type Builder[T any] struct {
	cell[T]
}

// Promote is called on the copy that a machine makes of itself on the heap, at
// its first suspension (C22). ctx is the function's context as its caller passed
// it, nil if it has none; what it carries is where the machine resumes (C23) and
// whom a blocking Await parks. m is the copy itself.
func (b *Builder[T]) Promote(ctx context.Context, m Continuation) {
	b.status |= promoted
	env := environmentOf(ctx)
	if env != nil {
		b.env = env
		b.status |= env.flags()
	}
	if l := env.tracker(); l != nil {
		l.began(m)
	}
}

// PromoteAnywhere is Promote for a function that has no context.Context: its
// machine resumes wherever what it awaits is completed.
func (b *Builder[T]) PromoteAnywhere(m Continuation) {
	b.status |= promoted
	if l := process.Load(); l != nil {
		l.began(m)
	}
}

// SyncContext returns where the machine resumes, nil if anywhere.
func (b *Builder[T]) SyncContext() SyncContext {
	if b.env == nil {
		return nil
	}
	return b.env.sync
}

// SetResult completes the machine. On the heap, it returns the continuation
// that this releases, for MoveNext to return.
func (b *Builder[T]) SetResult(v T, err error) Continuation {
	if b.has(promoted) {
		return b.settle(v, err)
	}
	b.value, b.status = v, done
	if err != nil {
		*b.failure(), b.status = err, done|failed
	}
	return nil
}

// settle is SetResult on the heap.
func (b *Builder[T]) settle(v T, err error) Continuation {
	if l := b.env.tracker(); l != nil {
		l.ended(unsafe.Pointer(b))
	}
	released, ok := b.finish(v, err)
	if !ok {
		panic("async: C15: a machine was completed twice: what it awaited resumed it more than once, or panicked after storing it")
	}
	return released
}

// IsCompleted reports whether the machine has finished.
func (b *Builder[T]) IsCompleted() bool { return b.isCompleted() }

// Result returns the task of a machine that has finished when its kickoff
// returns, the result inline: most never left the stack, and this must not make
// them. A pooled machine is its pool's again.
func (b *Builder[T]) Result() Task[T] {
	if b.has(failed) {
		return b.failed()
	}
	return Task[T]{value: b.value}
}

func (b *Builder[T]) failed() Task[T] {
	v, err := b.value, *b.failure()
	if b.has(promoted) {
		err = opened(err)
	}
	return Task[T]{value: v, err: err}
}

// Task returns the task of a machine on the heap.
func (b *Builder[T]) Task() Task[T] {
	if l := b.env.tracker(); l != nil {
		l.begun(unsafe.Pointer(b))
	}
	return taskOf(&b.cell, b.token())
}

// Catch is deferred by a kickoff function: a panic before the first suspension
// becomes the task's. A runtime.Goexit there is the caller's: no task was handed
// out yet.
func (b *Builder[T]) Catch(task *Task[T]) {
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// fail completes the machine with a panic or a Goexit.
func (b *Builder[T]) fail(f *fault) Continuation {
	var zero T
	return b.SetResult(zero, f)
}

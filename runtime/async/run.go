package async

import "context"

// Run calls f on a worker of the pool that ctx carries (see [WithWorkers]), else
// on a goroutine, and returns the task that f completes by returning. It is for
// work that keeps a processor busy: there is a thread, for as long as f runs. f
// gets ctx. If ctx is done already, f is not called and the error is ctx's as in
// [FromContext]; once f runs, only f can heed a cancellation (C10: an error that
// f returns is the task's error, whatever it is). A panic or runtime.Goexit in f
// becomes the task's.
func Run[T any](ctx context.Context, f func(context.Context) (T, error)) Task[T] {
	if over(ctx) {
		var zero T
		return Completed(zero, causeOf(ctx))
	}
	w := &work[T]{ctx: ctx, f: f, workers: WorkersOf(ctx)}
	w.bindTo(ctx)
	if w.workers != nil {
		w.workers.Post(w)
	} else {
		go (*Executor)(nil).Run(w)
	}
	return w.Task()
}

// Run0 is [Run] for an f without a value.
func Run0(ctx context.Context, f func(context.Context) error) Task0 {
	return Task0{Run(ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx) })}
}

// work is a call of f that waits for its turn.
type work[T any] struct {
	Anywhere
	Source[T]
	ctx     context.Context
	f       func(context.Context) (T, error)
	workers SyncContext
}

// SyncContext returns the pool: nobody else runs the work.
func (w *work[T]) SyncContext() SyncContext { return w.workers }

// MoveNext does the work, or nothing if it was cancelled while it waited.
func (w *work[T]) MoveNext(*Executor) Continuation {
	var zero T
	ctx, f := w.ctx, w.f
	w.ctx, w.f = nil, nil
	if over(ctx) {
		released, _ := w.cell.finish(zero, causeOf(ctx))
		return released
	}
	v, err := f(ctx)
	released, _ := w.cell.finish(v, err)
	return released
}

// IsCompleted reports whether the work is done.
func (w *work[T]) IsCompleted() bool { return w.cell.head.isCompleted() }

// fail completes the work that panicked or exited.
func (w *work[T]) fail(f *fault) Continuation {
	var zero T
	released, _ := w.cell.finish(zero, f)
	return released
}

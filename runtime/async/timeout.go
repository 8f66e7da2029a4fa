package async

import (
	"context"
	"fmt"
	"time"
)

// timeoutError is how [WithTimeout] fails.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("async: the operation did not finish within %v", e.after)
}

// Timeout is net.Error's.
func (e *timeoutError) Timeout() bool { return true }

// Is makes it a context.DeadlineExceeded.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// WithTimeout returns a task with t's result, or, if t has not completed once d
// has passed, with an error that is context.DeadlineExceeded to errors.Is; if ctx
// is done first it ends as in [FromContext]. t itself goes on and keeps the
// buffers it was given: to stop it, start it with a [ContextWithTimeout]. The clock
// is that of the host that ctx carries, else of t's, else the wall clock; [Infinite]
// sets no timer.
func WithTimeout[T any](ctx context.Context, d time.Duration, t Task[T]) Task[T] {
	var zero T
	switch late := error(&timeoutError{d}); {
	case t.IsCompleted():
		return t
	case over(ctx):
		return Completed(zero, causeOf(ctx))
	case d <= 0:
		return Completed(zero, late)
	default:
		inputs := []Task[T]{t}
		j := jointOf(ctx, zero, inputs)
		j.timeout(d, late)
		attach(j, inputs, func(int) Continuation {
			if !j.claim() {
				return nil
			}
			return j.settle(look(t))
		})
		return j.source.Task()
	}
}

// WithTimeout0 is WithTimeout for a Task0.
func WithTimeout0(ctx context.Context, d time.Duration, t Task0) Task0 {
	return Task0{WithTimeout(ctx, d, t.task)}
}

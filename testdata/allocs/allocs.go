// Package allocs measures what a call of an async function allocates: nothing
// where every await finds its task complete, and the machine, once, where one
// does not.
package allocs

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
)

// sum awaits each of the tasks.
//
//nothread:async
func sum(ctx context.Context, tasks []async.Task[int]) (int, error) {
	total := 0
	for _, task := range tasks {
		n, err := task.Await()
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// deep awaits itself, depth calls down to the task.
//
//nothread:async
func deep(ctx context.Context, depth int, task async.Task[int]) (int, error) {
	if depth == 0 {
		return task.Await()
	}
	n, err := deepAsync(ctx, depth-1, task).Await()
	return n + 1, err
}

// A list has a method that is async.
type list[T any] struct{ items []async.Task[T] }

// each calls f with what the items give.
//
//nothread:async
func (l *list[T]) each(ctx context.Context, f func(T)) (n int, err error) {
	for n < len(l.items) {
		v, err := l.items[n].Await()
		if err != nil {
			return n, err
		}
		f(v)
		n++
	}
	return
}

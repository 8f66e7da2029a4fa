package async

import (
	"context"
	"iter"
)

// This file is the combinators for operations that have no value besides the
// error. Those with two or three are handed to the others as [Task2.Task] and
// [Task3.Task].

// Race0 is [Race] for tasks without a value.
func Race0(ctx context.Context, tasks ...Task0) Task0 {
	return Task0{Race(ctx, plain(tasks)...)}
}

// FirstSuccess0 is [FirstSuccess] for tasks without a value.
func FirstSuccess0(ctx context.Context, tasks ...Task0) Task0 {
	return Task0{FirstSuccess(ctx, plain(tasks)...)}
}

// WhenEach0 is [WhenEach] for tasks without a value.
func WhenEach0(ctx context.Context, tasks ...Task0) iter.Seq[Task0] {
	each := WhenEach(ctx, plain(tasks)...)
	return func(yield func(Task0) bool) {
		each(func(t Task[struct{}]) bool { return yield(Task0{t}) })
	}
}

// Map0 is [Map] for an f without a value.
func Map0[A any](ctx context.Context, limit int, items []A, f func(context.Context, A) Task0) Task0 {
	all := Map(ctx, limit, items, func(ctx context.Context, item A) Task[struct{}] { return f(ctx, item).task })
	return errorOf(all)
}

func plain(tasks []Task0) []Task[struct{}] {
	all := make([]Task[struct{}], len(tasks))
	for i, t := range tasks {
		all[i] = t.task
	}
	return all
}

// errorOf returns a task that completes with t and has its error alone.
func errorOf[T any](t Task[T]) Task0 {
	v := &valueless[T]{task: t}
	if h := t.host(); h != nil {
		v.Bind(h)
	}
	if !t.OnCompleted(v) {
		v.MoveNext(nil) // releases nothing: nobody has the task yet
	}
	return v.Task()
}

// valueless is the continuation of a task whose value nobody wants.
type valueless[T any] struct {
	Anywhere
	Source0
	task Task[T]
}

func (v *valueless[T]) mustResume() bool { return true } // it waits for nothing else

func (v *valueless[T]) MoveNext(*Executor) Continuation {
	released, _ := v.cell.complete(struct{}{}, v.task.outcome())
	return released
}

// Package play runs the golden cases. A case is a program around one job, an
// annotated function. It asks for values as it goes along, and it may be played
// in any of these forms, named by the program's first argument:
//
//	source   the function as its author wrote it; awaits block
//	later    the generated machine; every answer comes later (the default)
//	now      the generated machine; every answer is there at once
//	mixed    the generated machine; every second answer comes later
//
// Whatever the form, the program must print the same.
package play

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// Main plays a job in the form that the program's first argument names.
func Main(source func(context.Context), generated func(context.Context) async.Task0) {
	form := "later"
	if len(os.Args) > 1 {
		form = os.Args[1]
	}
	ctx := context.WithValue(sim.New(1).Context(), formKey{}, &casting{form: form})
	switch form {
	case "source":
		source(ctx)
	case "later", "now", "mixed":
		if err := generated(ctx).Await(); err != nil {
			fmt.Println("the job failed:", err)
		}
	default:
		fmt.Fprintf(os.Stderr, "no form %q: source, later, now or mixed\n", form)
		os.Exit(2)
	}
}

type formKey struct{}

// casting decides which answers come later.
type casting struct {
	form  string
	asked int
}

func (c *casting) later() bool {
	c.asked++
	return c.form == "source" || c.form == "later" || c.form == "mixed" && c.asked%2 == 0
}

// Value returns a task that completes with v and no error.
func Value[T any](ctx context.Context, v T) async.Task[T] { return task(ctx, v, nil) }

// Failure returns a task that completes with err.
func Failure[T any](ctx context.Context, err error) async.Task[T] {
	var zero T
	return task(ctx, zero, err)
}

// task completes at once, or a millisecond from now on the World's clock.
func task[T any](ctx context.Context, v T, err error) async.Task[T] {
	if !ctx.Value(formKey{}).(*casting).later() {
		return async.Completed(v, err)
	}
	world := async.HostOf(ctx).(*sim.World)
	s := async.NewSourceFor[T](ctx)
	world.AfterFunc(time.Millisecond, func() { s.Complete(world.Executor(), v, err) })
	return s.Task()
}

// Ask says what it is asked for and returns what will answer v.
func Ask[T any](ctx context.Context, v T) Answer[T] {
	fmt.Println("asked for", v)
	return Answer[T]{Value(ctx, v)}
}

// An Answer is an awaitable with one result, so that an await of it may stand
// wherever an expression may.
type Answer[T any] struct{ task async.Task[T] }

// IsCompleted reports whether the answer is there.
func (a Answer[T]) IsCompleted() bool { return a.task.IsCompleted() }

// OnCompleted stores c to be resumed with the answer; false if it is there.
func (a Answer[T]) OnCompleted(c async.Continuation) bool { return a.task.OnCompleted(c) }

// GetResult returns the answer.
func (a Answer[T]) GetResult() T { return must(a.task.GetResult()) }

// Await returns the answer once it is there.
func (a Answer[T]) Await() T { return must(a.task.Await()) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

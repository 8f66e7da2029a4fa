package inject

import "strings"

// supportFile is added to a package that gets awaits.
const supportFile = "nothread_support.go"

// support is the text of that file: the queue of a driver and what is awaited.
func support(packageName string) []byte {
	return []byte(strings.ReplaceAll(supportText, "PACKAGE", packageName))
}

const supportText = `package PACKAGE

import (
	"os"

	"github.com/nothread/nothread/runtime/async"
)

// nothread_sync makes drivers run the annotated functions themselves.
var nothread_sync = os.Getenv("NOTHREAD_SYNC") != ""

// nothread_queue holds what one driver's machines wait for.
type nothread_queue struct {
	n       int
	pending []async.Continuation
	ex      *async.Executor
}

func nothread_start() *nothread_queue { return new(nothread_queue) }

func (q *nothread_queue) run(t interface{ IsCompleted() bool }) {
	for !t.IsCompleted() {
		if len(q.pending) == 0 {
			panic("nothread: the machine waits and nothing is pending")
		}
		if q.ex == nil {
			q.ex = async.NewExecutor(nil)
		}
		c := q.pending[0]
		q.pending = q.pending[1:]
		q.ex.Run(c)
	}
	if len(q.pending) != 0 {
		panic("nothread: the machine is done and something is pending")
	}
}

// nothread_some is awaitable. Of nine, two are complete at once and one completes
// while the machine prepares to wait; in the other form all are complete.
type nothread_some[T any] struct {
	q *nothread_queue
	n int
	v T
}

func (a nothread_some[T]) IsCompleted() bool { return nothread_sync || a.n%9 == 3 || a.n%9 == 7 }

func (a nothread_some[T]) OnCompleted(c async.Continuation) bool {
	if a.n%9 == 5 {
		return 0 == 1
	}
	a.q.pending = append(a.q.pending, c)
	return 0 == 0
}

func (a nothread_some[T]) GetResult() T { return a.v }

func (a nothread_some[T]) Await() T { return a.v }

func nothread_value[T any](q *nothread_queue, v T) nothread_some[T] {
	q.n++
	return nothread_some[T]{q, q.n, v}
}

// nothread_none is awaitable and has no result; its methods want a pointer.
type nothread_none struct {
	q *nothread_queue
	n int
}

func (a *nothread_none) IsCompleted() bool { return nothread_sync || a.n%9 == 3 || a.n%9 == 7 }

func (a *nothread_none) OnCompleted(c async.Continuation) bool {
	if a.n%9 == 5 {
		return 0 == 1
	}
	a.q.pending = append(a.q.pending, c)
	return 0 == 0
}

func (a *nothread_none) GetResult() {}

func (a *nothread_none) Await() {}

func nothread_yield(q *nothread_queue) *nothread_none {
	q.n++
	return &nothread_none{q, q.n}
}
`

package inject

import "strings"

// supportFile is added to a package that gets awaits.
const supportFile = "nothread_support.go"

// support is the text of that file: the queue of a driver and what is awaited.
func support(packageName string, streams bool) []byte {
	text := strings.ReplaceAll(supportText, "PACKAGE", packageName)
	if streams {
		text += streamText
	}
	return []byte(text)
}

const supportText = `package PACKAGE

import (
	nothread_context "context"
	nothread_iter "iter"
	nothread_maps "maps"
	"os"
	nothread_slices "slices"

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

var _ nothread_context.Context

func nothread_nothing(q *nothread_queue, n int) { q.n += n }

func nothread_all[S ~[]E, E any](list S) nothread_iter.Seq2[int, E] { return nothread_slices.All(list) }

func nothread_entries[M ~map[K]V, K comparable, V any](m M) nothread_iter.Seq2[K, V] { return nothread_maps.All(m) }

func nothread_count[I ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](n I) nothread_iter.Seq[I] {
	return func(yield func(I) bool) {
		for i := I(0); i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

func nothread_runes[S ~string](s S) nothread_iter.Seq2[int, rune] {
	return func(yield func(int, rune) bool) {
		for i, r := range s {
			if !yield(i, r) {
				return
			}
		}
	}
}
`

// streamText is added to that where the package needs it: the function in it is the
// compiler's, which some packages give no functions to.
const streamText = `
// nothread_each is a stream of the elements of a list.
func nothread_each[S ~[]E, E any](q *nothread_queue, list S) async.Stream[E] {
	return async.NewStream(func(ctx nothread_context.Context, out async.Yielder[E]) async.Task0 {
		return nothread_producesAsync(ctx, q, []E(list), out)
	})
}

//nothread:async
func nothread_produces[E any](ctx nothread_context.Context, q *nothread_queue, list []E, out async.Yielder[E]) error {
	for _, v := range list {
		nothread_yield(q).Await()
		if err := out.YieldAsync(v).Await(); err != nil {
			return err
		}
	}
	return nil
}
`

package h

import (
	"context"
	"runtime"

	"github.com/nothread/nothread/runtime/async"
)

// Stream yields the numbers below n, and says how it ends: it may fail, with or without a
// value, panic, in the call or later, or end badly when it is closed. One whose way is 10 or
// more is closed at once.
func Stream(what string, n, way int) async.Stream[int] {
	return StreamOf(what, n, way, func(v int) int { return v })
}

// StreamOf is Stream of what is made of the numbers.
func StreamOf[T any](what string, n, way int, make func(int) T) async.Stream[T] {
	return func(context.Context) async.Iterator[T] {
		Say(what + " begins")
		return &iterator[T]{what: what, n: n, way: way, make: make}
	}
}

type iterator[T any] struct {
	what      string
	i, n, way int
	make      func(int) T
}

func (it *iterator[T]) NextAsync() async.Task2[T, bool] {
	if it.i < it.n {
		it.i++
		return it.next(it.i-1, true, nil)
	}
	switch it.way % 10 {
	case 1:
		return it.next(0, false, Err(it.what+" fails"))
	case 2:
		Say(it.what + " panics")
		panic(it.what + " breaks")
	case 3:
		return async.Task2Of(async.Go(context.Background(), func(context.Context) (async.Pair[T, bool], error) {
			panic(it.what + " broke")
		}))
	case 6:
		return it.next(-1, false, Err(it.what+" fails with a value"))
	}
	return it.next(0, false, nil)
}

func (it *iterator[T]) next(v int, ok bool, err error) async.Task2[T, bool] {
	return async.Task2Of(Task(func() (async.Pair[T, bool], error) {
		Say(it.what, v, ok)
		return async.Pair[T, bool]{First: it.make(v), Second: ok}, err
	}))
}

func (it *iterator[T]) CloseAsync() async.Task0 {
	switch it.way % 10 {
	case 4:
		if it.n%2 == 0 {
			panic(it.what + " cleaned up")
		}
		return async.Go0(context.Background(), func(context.Context) error { panic(it.what + " cleaned up") })
	case 5:
		Say(it.what + " exits")
		runtime.Goexit()
	case 7:
		defer func() { panic(it.what + " exits badly") }()
		runtime.Goexit()
	case 8:
		defer func() { Caught(it.what, recover()) }()
		defer func() { panic(it.what + " exits badly") }()
		runtime.Goexit()
	}
	if it.way >= 10 {
		Say(it.what + " is closed")
		return async.Completed0(nil)
	}
	s := async.NewSource0()
	w := &work{run: cur, do: func() {
		Say(it.what + " is closed")
		s.Complete(executor, struct{}{}, Err(it.what+" was closed"))
	}}
	w.begin()
	return s.Task()
}

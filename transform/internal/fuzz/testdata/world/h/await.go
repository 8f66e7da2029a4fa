package h

import (
	"errors"
	"runtime"

	"github.com/nothread/nothread/runtime/async"
)

// A Mode says how awaits complete.
type Mode int

const (
	Inline Mode = iota // the work is done by Await itself: the program as it was written
	Mixed              // at once, on storing the continuation, or later
	Later              // every await suspends
	AtOnce             // none does
)

// work is what is done while it is awaited.
type work struct {
	do       func()
	run      *run
	started  bool
	finished bool
	failed   bool // panicked with cause
	cause    any
	next     async.Continuation
	loop     *loop // where next was posted, nil if it was not
}

// perform does the work once and keeps its panic.
func (w *work) perform() {
	if w.started {
		panic("h: work is done twice")
	}
	w.started = true
	defer func() {
		w.finished = true
		if w.failed {
			w.cause = recover()
		}
	}()
	w.failed = true
	w.do()
	w.failed = false
}

func (w *work) raise() {
	if !w.finished {
		panic("h: a result is read before the work is done")
	}
	if w.failed {
		panic(w.cause)
	}
}

// isNow performs the work unless it was awaited before.
func (w *work) isNow() {
	if !w.finished {
		w.perform()
	}
}

// isCompleted is the first moment at which the work may be done.
func (w *work) isCompleted() bool {
	if w.finished {
		return true
	}
	if w.run.turn(3) == 0 {
		w.perform()
		return true
	}
	return false
}

// onCompleted is the second; the third is the driver's.
func (w *work) onCompleted(c async.Continuation) bool {
	if w.finished {
		return false
	}
	if w.run.turn(4) == 0 {
		w.perform()
		return false
	}
	w.next = c
	pending = append(pending, w)
	return true
}

// turn draws a number below n; zero means now.
func (r *run) turn(n uint64) uint64 {
	switch r.mode {
	case Later:
		return 1
	case AtOnce, Inline:
		return 0
	}
	r.turns = r.turns*6364136223846793005 + 1442695040888963407
	return r.turns >> 33 % n
}

// An Op is an operation with one result.
type Op[T any] struct {
	w *work
	v *T
}

// Do returns an operation that calls f while it is awaited.
func Do[T any](f func() T) Op[T] {
	v := new(T)
	return Op[T]{&work{run: cur, do: func() { *v = f() }}, v}
}

// IsCompleted is the first of an awaitable's four methods.
func (o Op[T]) IsCompleted() bool { return o.w.isCompleted() }

// OnCompleted stores a continuation.
func (o Op[T]) OnCompleted(c async.Continuation) bool { return o.w.onCompleted(c) }

// GetResult returns what f returned, or panics as f did.
func (o Op[T]) GetResult() T {
	o.w.raise()
	return *o.v
}

// Await calls f.
//
//go:noinline
func (o Op[T]) Await() T {
	o.w.isNow()
	return o.GetResult()
}

// An Op0 is an operation without a result.
type Op0 struct{ w *work }

// Do0 returns an operation that calls f while it is awaited.
func Do0(f func()) Op0 { return Op0{&work{run: cur, do: f}} }

// IsCompleted is the first of an awaitable's four methods.
func (o Op0) IsCompleted() bool { return o.w.isCompleted() }

// OnCompleted stores a continuation.
func (o Op0) OnCompleted(c async.Continuation) bool { return o.w.onCompleted(c) }

// GetResult panics if f did.
func (o Op0) GetResult() { o.w.raise() }

// Await calls f.
//
//go:noinline
func (o Op0) Await() {
	o.w.isNow()
	o.w.raise()
}

// An Op2 is an operation with two results.
type Op2[A, B any] struct {
	w *work
	a *A
	b *B
}

// Do2 returns an operation that calls f while it is awaited.
func Do2[A, B any](f func() (A, B)) Op2[A, B] {
	a, b := new(A), new(B)
	return Op2[A, B]{&work{run: cur, do: func() { *a, *b = f() }}, a, b}
}

// IsCompleted is the first of an awaitable's four methods.
func (o Op2[A, B]) IsCompleted() bool { return o.w.isCompleted() }

// OnCompleted stores a continuation.
func (o Op2[A, B]) OnCompleted(c async.Continuation) bool { return o.w.onCompleted(c) }

// GetResult returns what f returned, or panics as f did.
func (o Op2[A, B]) GetResult() (A, B) {
	o.w.raise()
	return *o.a, *o.b
}

// Await calls f.
//
//go:noinline
func (o Op2[A, B]) Await() (A, B) {
	o.w.isNow()
	return o.GetResult()
}

// Task is Do with a task of the runtime, completed by its source. f runs when
// the task is made or when the driver comes to it; its panic becomes an error.
func Task[T any](f func() (T, error)) async.Task[T] {
	w := &work{run: cur}
	s := async.NewSource[T]()
	w.do = func() {
		defer func() {
			if v := recover(); v != nil {
				s.Complete(executor, *new(T), errors.New(panicText(v)))
			}
		}()
		v, err := f()
		s.Complete(executor, v, err)
	}
	w.begin()
	return s.Task()
}

// begin performs the work of a task at once, or leaves it to the driver.
func (w *work) begin() {
	if w.run.turn(3) == 0 {
		w.perform()
	} else {
		pending = append(pending, w)
	}
}

// Nine is what an operation can do whatever else the names of the universe mean.
func Nine() int { return 9 }

// Quiet is a task whose completion nobody can see.
func Quiet(v int) async.Task[int] {
	w := &work{run: cur}
	s := async.NewSource[int]()
	w.do = func() { s.Complete(executor, v, nil) }
	if cur.mode == Inline || cur.mode == AtOnce {
		w.perform()
	} else {
		pending = append(pending, w)
	}
	return s.Task()
}

// A Waiter is an awaitable behind an interface.
type Waiter[T any] interface {
	IsCompleted() bool
	OnCompleted(async.Continuation) bool
	GetResult() T
	Await() T
}

// Done is a task that was finished when it was made, if not every await is to
// suspend.
func Done[T any](v T, err error) async.Task[T] {
	if cur.mode == Later {
		return Task(func() (T, error) { return v, err })
	}
	return async.Completed(v, err)
}

// Err is an error of the programs.
func Err(text string) error { return errors.New(text) }

// V is the value of a pair of a value and an error.
func V[T any](v T, err error) T {
	if err != nil {
		Say("V", err.Error())
	}
	return v
}

type secret struct {
	V  int
	In inner
	On *inner
}

type inner struct{ V int }

// Secret returns a value of a type that programs cannot name, nor that of its
// inner one.
func Secret(v int) secret { return secret{V: v, In: inner{v}} }

// Get subtracts.
func (s *inner) Get(x int) int { s.V -= x; return s.V }

// Get adds.
func (s *secret) Get(x int) int { s.V += x; return s.V }

// Completed is IsCompleted of what is awaited; in the mode that makes every await
// suspend it is not asked. But a task of the runtime is, for a machine keeps only
// what refers to a pending one.
func Completed(t interface{ IsCompleted() bool }) bool {
	_, task := t.(interface{ PanicStack() []byte })
	return (cur.mode != Later || task) && t.IsCompleted()
}

// Stored is what OnCompleted of what is awaited has returned; in the mode that makes
// every await suspend, the driver resumes c where that was complete.
func Stored(stored bool, c async.Continuation) bool {
	if !stored && cur.mode == Later {
		pending = append(pending, &work{run: cur, do: func() {}, next: c})
		return true
	}
	return stored
}

// Pair is a call with two results.
func Pair[A, B any](what string, a A, b B) (A, B) {
	Say(what, a, b)
	return a, b
}

// Seq yields the numbers below n, and says how it ends.
func Seq(what string, n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		defer func() { Say(what + " ends") }()
		for i := range n {
			if !yield(i) {
				Say(what + " stops")
				return
			}
		}
	}
}

// SeqEnding is Seq that has its own way of ending: it may look at what panics and panic
// again with that or with something else, recover, panic, exit, yield once more, or panic
// while it exits.
func SeqEnding(what string, n, way int) func(func(int) bool) {
	return func(yield func(int) bool) {
		defer func() {
			switch way {
			case 1:
				if v := recover(); v != nil {
					Caught(what, v)
					panic(v)
				}
			case 2:
				if v := recover(); v != nil {
					Caught(what, v)
					panic(what + " went on")
				}
			case 3:
				Caught(what, recover())
			case 4:
				panic(what + " cleaned up")
			case 5:
				Say(what + " exits")
				runtime.Goexit()
			case 6:
				Caught(what, recover())
				yield(-1)
			case 7:
				defer func() { panic(what + " exits badly") }()
				runtime.Goexit()
			case 8:
				defer func() { Caught(what, recover()) }()
				defer func() { panic(what + " exits badly") }()
				runtime.Goexit()
			}
		}()
		Seq(what, n)(yield)
	}
}

// Seq0 yields nothing, n times.
func Seq0(what string, n int) func(func() bool) {
	return func(yield func() bool) {
		defer func() { Say(what + " ends") }()
		for range n {
			if !yield() {
				return
			}
		}
	}
}

// Seq2 yields the letters of a text, and no more than two.
func Seq2(what, text string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		defer func() { Say(what + " ends") }()
		for i, r := range text {
			if i == 2 || !yield(i, string(r)) {
				return
			}
		}
	}
}

package h

import (
	"runtime"
	"strings"
)

// A twin is how the source form of a function that another awaits ended: what
// its generated form's task would be. It stands in for that task beside the
// sources, so that a fault in the callee's generated form cannot hide.
type twin struct {
	cause    any
	panicked bool
}

func (t *twin) end(f func()) {
	returned := false
	defer func() {
		if !returned && !exiting() {
			t.cause = recover()
			t.panicked = true
		}
	}()
	f()
	returned = true
}

// exiting reports whether a runtime.Goexit ends what the innermost twin calls: it goes
// on, and what panics meanwhile is the caller's, who gets no task.
func exiting() bool {
	var pcs [256]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.Goexit":
			return true
		case strings.HasSuffix(f.Function, ".(*twin).end"):
			return false
		case !more:
			panic("h: no twin on the stack")
		}
	}
}

func (t *twin) raise() {
	if t.panicked {
		panic(t.cause)
	}
}

// Twin0 stands in for async.Task0.
type Twin0 struct {
	twin
	err error
}

// Await returns what the function returned.
//
//go:noinline
func (t Twin0) Await() error { t.raise(); return t.err }

// Run0 calls f.
func Run0(f func() error) (t Twin0) {
	t.end(func() { t.err = f() })
	return
}

// Twin1 stands in for async.Task.
type Twin1[A any] struct {
	twin
	a   A
	err error
}

// Await returns what the function returned.
//
//go:noinline
func (t Twin1[A]) Await() (A, error) { t.raise(); return t.a, t.err }

// Run1 calls f.
func Run1[A any](f func() (A, error)) (t Twin1[A]) {
	t.end(func() { t.a, t.err = f() })
	return
}

// Twin2 stands in for async.Task2.
type Twin2[A, B any] struct {
	twin
	a   A
	b   B
	err error
}

// Await returns what the function returned.
//
//go:noinline
func (t Twin2[A, B]) Await() (A, B, error) { t.raise(); return t.a, t.b, t.err }

// Run2 calls f.
func Run2[A, B any](f func() (A, B, error)) (t Twin2[A, B]) {
	t.end(func() { t.a, t.b, t.err = f() })
	return
}

// Twin3 stands in for async.Task3.
type Twin3[A, B, C any] struct {
	twin
	a   A
	b   B
	c   C
	err error
}

// Await returns what the function returned.
//
//go:noinline
func (t Twin3[A, B, C]) Await() (A, B, C, error) { t.raise(); return t.a, t.b, t.c, t.err }

// Run3 calls f.
func Run3[A, B, C any](f func() (A, B, C, error)) (t Twin3[A, B, C]) {
	t.end(func() { t.a, t.b, t.c, t.err = f() })
	return
}

// Exit ends the goroutine.
func Exit() { runtime.Goexit() }

package async

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"runtime"
	"sync/atomic"
)

// An OperationError is an operation's failure that nobody awaited: what
// [Forget] and [OnUnobserved] report. It is an error that wraps Err.
type OperationError struct {
	Err   error  // what the operation returned, nil if it panicked
	Panic any    // what it panicked with, nil if it did not
	Stack []byte // where it panicked
	At    string // the async function that returned Err, or set it, and its line: "main.fetch fetch.go:31"; "" if not known

	crashing bool
}

// Crash panics with e, and says that nobody takes it: what an [UnhandledHandler]
// does that has no handler (C43).
func (e *OperationError) Crash() {
	crash := *e
	crash.crashing = true
	panic(&crash)
}

// Error says how the operation ended.
func (e *OperationError) Error() string {
	what := "async: an operation that nobody awaits"
	if e.crashing {
		what = "async: C43: an operation that nobody awaits, whose context has no handler (see HandleErrors),"
	}
	switch {
	case e.Err == nil:
		return fmt.Sprintf("%s panicked: %v\n\n%s", what, e.Panic, e.Stack)
	case e.At != "":
		return fmt.Sprintf("%s failed: %v (at %s)", what, e.Err, e.At)
	}
	return what + " failed: " + e.Err.Error()
}

// Unwrap returns the operation's error, or the panic's value if it is one.
func (e *OperationError) Unwrap() error {
	if e.Err != nil {
		return e.Err
	}
	err, _ := e.Panic.(error)
	return err
}

// operationError returns err as an OperationError; nil for no error and for a
// Goexit, which is no failure.
func operationError(err error) *OperationError {
	f, ok := err.(*fault)
	switch {
	case err == nil, ok && f.exit:
		return nil
	case ok:
		return &OperationError{Panic: f.value, Stack: f.stack()}
	}
	return &OperationError{Err: err}
}

var unobserved atomic.Pointer[func(*OperationError)]

// OnUnobserved makes report hear of every task that failed or panicked, was
// collected as garbage, and whose result nobody ever read (C44). Cancellations
// and [ErrLeft] are not reported, nor tasks finished without a cell or taken from a pool.
// report is called on a goroutine of the runtime's, some time after a garbage
// collection; it must not block. The hook is the process's, for a collected task
// has no context left; nil takes it away. It returns the hook that stood before.
//
// While a hook stands, a failing task costs two allocations more. Set it in
// tests and while developing.
func OnUnobserved(report func(*OperationError)) (before func(*OperationError)) {
	var p *func(*OperationError)
	if report != nil {
		p = &report
	}
	if old := unobserved.Swap(p); old != nil {
		before = *old
	}
	return before
}

// watched is the error of a cell that tells if nobody reads it: it is reachable
// from the cell alone and dies with it.
type watched struct{ state *watchState }

type watchState struct {
	err  error
	from [12]uintptr // the frames in which it was given to the cell: the machine is among them, if it is one's
	seen atomic.Bool
}

// Error is the error's own.
func (w *watched) Error() string { return w.state.err.Error() }

// see returns the error, which is now somebody's.
func (w *watched) see() error {
	w.state.seen.Store(true)
	return w.state.err
}

// watch returns what a cell on the heap keeps for err.
func watch(err error) error {
	if unobserved.Load() == nil || operationError(err) == nil || isCancellation(err) {
		return err
	}
	w := &watched{state: &watchState{err: err}}
	runtime.Callers(2, w.state.from[:])
	runtime.AddCleanup(w, reportUnobserved, w.state)
	return w
}

// isCancellation reports whether err says that nobody wanted the operation any more.
func isCancellation(err error) bool {
	defer func() { recover() }()
	return isCancelled(err) || saysLeft(err)
}

// isCancelled reports whether err is context.Canceled's. An error that panics when it is
// asked says nothing: a task is about to complete with it.
func isCancelled(err error) bool {
	defer func() { recover() }()
	return errors.Is(err, context.Canceled)
}

func reportUnobserved(s *watchState) {
	if report := unobserved.Load(); report != nil && !s.seen.Load() {
		e := operationError(s.err)
		if e.Err != nil {
			e.At = whereGiven(s.from[:])
		}
		(*report)(e)
	}
}

// whereGiven is OperationError.At of an error that was given to a cell in these frames.
func whereGiven(frames []uintptr) string {
	if p, ok := innermost(places(frames)); ok {
		return fmt.Sprintf("%s %s:%d", path.Base(p.function), filepath.Base(p.file), p.line)
	}
	return ""
}

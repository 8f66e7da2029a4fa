package async

import (
	"fmt"
	"runtime"
)

// fault is how a cell keeps a panic or a Goexit: as its error, never shown to
// users; reading the result raises it again.
type fault struct {
	value any
	trace []uintptr // where it rose, innermost frame first
	exit  bool
}

// exited is the fault of a machine that ended by runtime.Goexit.
var exited = &fault{exit: true}

// newPanic is called while the panic's stack still stands below. It keeps the
// innermost frames: a panic on its way through a thousand awaits is taken up a
// thousand times.
func newPanic(v any) *fault {
	trace := make([]uintptr, 64)
	return &fault{value: v, trace: trace[:runtime.Callers(2, trace)]}
}

// stack writes the trace as a crash would.
func (f *fault) stack() []byte {
	if len(f.trace) == 0 {
		return nil
	}
	var b []byte
	frames := runtime.CallersFrames(f.trace)
	for {
		frame, more := frames.Next()
		b = fmt.Appendf(b, "%s\n\t%s:%d\n", frame.Function, frame.File, frame.Line)
		if !more {
			return b
		}
	}
}

// Error is there so that a fault fits where an error is kept.
func (f *fault) Error() string {
	if f.exit {
		return "async: ended by runtime.Goexit"
	}
	return "async: panicked"
}

// raise panics with the kept value, or exits the goroutine, if err is a fault;
// else it returns err.
func raise(err error) error {
	if err == nil {
		return nil
	}
	f, ok := err.(*fault)
	if !ok {
		return err
	}
	if f.exit {
		runtime.Goexit()
	}
	panic(f.value)
}

// opened takes err out of what a cell wraps it in: a pooled machine goes back
// to its pool, a watched error counts as seen.
func opened(err error) error {
	switch e := err.(type) {
	case *envelope:
		inner := e.err
		e.owner.Recycle()
		return inner
	case *watched:
		return e.see()
	case Reused:
		e.Recycle()
		return nil
	}
	return err
}

// guard calls f and keeps its panic or Goexit for the caller as an error. The
// caller's goroutine ends with a Goexit all the same, after done was called.
func guard(f func() error, done func(error)) {
	err := error(exited)
	defer func() {
		if err == error(exited) {
			if v := recover(); v != nil {
				err = newPanic(v)
			}
		}
		done(err)
	}()
	err = f()
}

package async

import (
	"runtime"
	"runtime/debug"
)

// fault is how a cell keeps a panic or a Goexit: as its error, never shown to
// users; reading the result raises it again.
type fault struct {
	value any
	stack []byte
	exit  bool
}

// exited is the fault of a machine that ended by runtime.Goexit.
var exited = &fault{exit: true}

// newPanic is called while the panic's stack still stands below.
func newPanic(v any) *fault { return &fault{value: v, stack: debug.Stack()} }

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

// stackOf returns the stack of the panic that err keeps, nil if it keeps none.
func stackOf(err error) []byte {
	if f, ok := err.(*fault); ok {
		return f.stack
	}
	return nil
}

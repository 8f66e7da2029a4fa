package async

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"
)

// fault is how a cell keeps a panic or a Goexit: as its error, never shown to
// users; reading the result raises it again.
type fault struct {
	value any
	trace []uintptr // where it rose, innermost frame first
	cause *fault    // the one that rose again here, nil if the panic is new
	exit  bool
}

// exited is the fault of a machine that ended by runtime.Goexit.
var exited = &fault{exit: true}

// newPanic is called while the panic's stack still stands below. It keeps the
// innermost frames, and of a panic that rises again only enough to say where that
// is: it may be on its way through a thousand awaits.
func newPanic(v any) *fault {
	var pcs [64]uintptr
	trace := pcs[:runtime.Callers(2, pcs[:])]
	cause := raisedAgain(v, trace)
	if cause != nil {
		trace = trace[:min(len(trace), 16)]
	}
	return &fault{value: v, trace: slices.Clone(trace), cause: cause}
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
	if w, ok := err.(*watched); ok {
		err = w.see()
	}
	if f, ok := err.(*fault); ok {
		rise(f)
	}
	return err
}

// raiseOutside is raise where no machine is about to keep the panic: if nobody
// recovers it, the crash tells of the awaits that it came through. What recover
// returns is the value alone: the panic with it ends the one that tells.
func raiseOutside(err error) error {
	if f, ok := err.(*fault); ok && !f.exit {
		defer rise(f)
		panic(&passed{f})
	}
	return raise(err)
}

// passed is what a crash prints before the panic's own value.
type passed struct{ fault *fault }

func (p *passed) Error() string {
	return "async: the panic below came through these awaits:\n" + string(p.fault.awaits())
}

// riseHere is rise of a panic that rose on another goroutine: if nobody recovers it, the
// crash tells where.
func riseHere(f *fault) {
	defer rise(f)
	panic(&elsewhereRisen{f})
}

// elsewhereRisen is what a crash prints before the panic's own value.
type elsewhereRisen struct{ fault *fault }

func (e *elsewhereRisen) Error() string {
	return "async: the panic below rose in what ran for this goroutine once it was lost:\n" + string(e.fault.stack())
}

// rise panics with the value of f, and leaves f for newPanic to find.
//
//go:noinline
func rise(f *fault) {
	if f.exit {
		runtime.Goexit()
	}
	risen[risings.Add(1)%uint32(len(risen))].Store(f)
	panic(f.value)
}

// risen are the faults that rose last and were not kept again: a panic's value
// has no room to say where it comes from. Each stays until it is found, or until
// as many others have risen.
var (
	risen   [16]atomic.Pointer[fault]
	risings atomic.Uint32
)

// PanicStack returns where the panic whose value v is rose first, and the awaits
// that it came through since, as Task.PanicStack does; nil if it came through none.
// Whoever has recovered v asks once, before the deferred function that recovered it
// returns: for a report, since the panic's own stack ends where it was read.
func PanicStack(v any) []byte {
	if f := newPanic(v); f.cause != nil {
		return f.stack()
	}
	return nil
}

// raisedAgain returns the fault whose rising the panic with value v is, whose
// stack is trace; nil if it is a new one.
func raisedAgain(v any, trace []uintptr) *fault {
	const near = 8 // rise is among the innermost frames, beneath the runtime's
	entry := reflect.ValueOf(rise).Pointer()
	rises := func(pc uintptr) bool {
		f := runtime.FuncForPC(pc - 1)
		return f != nil && f.Entry() == entry
	}
	if !slices.ContainsFunc(trace[:min(len(trace), near)], rises) {
		return nil
	}
	last := risings.Load()
	for i := range uint32(len(risen)) {
		slot := &risen[(last-i)%uint32(len(risen))]
		if f := slot.Load(); f != nil && sameValue(f.value, v) && slot.CompareAndSwap(f, nil) {
			return f
		}
	}
	return nil
}

// exiting is called where a deferred function sees a panic. It reports whether that rose
// in what a runtime.Goexit calls: then the goroutine ends, whoever recovers the panic.
// Only the stack tells.
func exiting() bool {
	for size := 64; ; size *= 2 {
		pcs := make([]uintptr, size)
		pcs = pcs[:runtime.Callers(2, pcs)]
		frames := runtime.CallersFrames(pcs)
		passed := 0 // rounds that the panic has left, of which we see the inside
		for more := len(pcs) > 0; more; {
			var f runtime.Frame
			f, more = frames.Next()
			switch {
			case f.Function == "runtime.Goexit":
				return true
			case f.Function == thisPackage+".(*round).unwind":
				passed++
			case f.Function == thisPackage+".(*round).untilPanic":
				passed--
			case passed == 0 && keepsPanics(f.Function): // a Goexit further down is not this machine's
				return false
			}
		}
		if len(pcs) < size {
			return false
		}
	}
}

const thisPackage = "github.com/nothread/nothread/runtime/async"

// keepsPanics reports whether the function of that name calls a machine's code for one
// that recovers all panics. So there is none on the stack between such a one and a panic
// that it sees, unless a Goexit is on its way through it, too.
func keepsPanics(function string) bool {
	name := function[strings.LastIndexByte(function, '.')+1:]
	if packageOf(function) != thisPackage {
		return name == "MoveNext" || name == "settle" && strings.Contains(function, "Machine")
	}
	return name == "unwound" || name == "begin" || name == "MoveNext" && strings.Contains(function, "(*work[")
}

// sameValue reports whether two interface values are one and the same, without
// comparing what is in them.
func sameValue(a, b any) bool {
	return *(*[2]unsafe.Pointer)(unsafe.Pointer(&a)) == *(*[2]unsafe.Pointer)(unsafe.Pointer(&b))
}

// opened takes err out of what a cell wraps it in: a watched error counts as seen.
func opened(err error) error {
	if e, ok := err.(*watched); ok {
		return e.see()
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

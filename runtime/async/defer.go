package async

import (
	"runtime"
	"slices"
)

// This file is for machines whose functions defer calls. Those are evaluated
// where they are deferred, kept in the machine, and made real defers of one frame
// when the function ends: so recover, panics in deferred calls and their order
// are Go's own.

// A Panic is what unwinds a machine that has deferred calls: a panic, a
// runtime.Goexit, or a panic while that goes on.
type Panic struct {
	fault *fault // nil where nothing panics, or what did was recovered
	exit  bool
}

// NewPanic returns what ended a function that did not return, of which recover
// has just returned v: the panic with that value, or a runtime.Goexit if it is
// nil. Only generated code calls it.
func NewPanic(v any) *Panic {
	if v == nil {
		return &Panic{exit: true}
	}
	return &Panic{fault: newPanic(v)}
}

// Raise panics again with the value of p, for the defers of its caller to see.
// Where nothing panics it does nothing: recover finds nothing during a Goexit.
func (p *Panic) Raise() {
	if p != nil && p.fault != nil {
		rise(p.fault)
	}
}

// Exit is what is left of p once its panic has been recovered: the Goexit, nil if
// there is none.
func (p *Panic) Exit() *Panic {
	if p == nil || !p.exit {
		return nil
	}
	return &Panic{exit: true}
}

// End goes on unwinding after the last deferred call. It returns if the function
// is to return.
func (p *Panic) End() {
	p.Raise()
	if p.Exit() != nil {
		runtime.Goexit()
	}
}

// Deferred is f as a machine keeps it until it calls it: a nil function panics in a
// frame of its own, for where a deferred call of one panics, the Go runtime loses its
// way if that is recovered and another panic follows. Only generated code calls it.
func Deferred(f func()) func() {
	if f == nil {
		return func() { f() }
	}
	return f
}

// deferring is a machine that may have deferred calls.
type deferring interface {
	// RunDeferred runs them, last first, while panicking with p if it is not
	// nil. It returns if the function is to return.
	RunDeferred(p *Panic)
	// Return completes the task with the results as they are now.
	Return() Continuation
}

// unwinding is a machine that may have deferred awaits too: it may have to wait
// before it knows how it ends.
type unwinding interface {
	// Unwind is RunDeferred and Return, with suspensions between the calls.
	Unwind(p *Panic) Continuation
}

// Recovered is deferred by generated code: it stores the panic that ends its
// caller, if one does, in after. A Goexit that goes on there goes on.
func Recovered(after **Panic) {
	if v := recover(); v != nil {
		*after = &Panic{fault: newPanic(v), exit: (*after).Exit() != nil}
	}
}

// interrupted completes a machine that panicked or exited, and stores what that
// releases in next. The calls it has deferred run first: one of them may recover,
// and then the function returns; or exit, and then interrupted does not return.
func interrupted(m failing, f *fault, next *Continuation) {
	d, ok := m.(deferring)
	if !ok {
		*next = m.fail(f)
		return
	}
	finished := false
	defer func() {
		if finished {
			return
		}
		if v := recover(); v != nil {
			if !sameValue(v, f.value) {
				f = &fault{value: v, trace: append(slices.Clip(f.trace), newPanic(v).trace...)}
			}
			*next = m.fail(f)
		} else {
			*next = m.fail(exited)
		}
	}()
	u, waits := m.(unwinding)
	switch {
	case waits && f.exit: // an exiting goroutine cannot wait: the machine goes on elsewhere
		*next = u.Unwind(&Panic{exit: true})
	case waits:
		*next = u.Unwind(&Panic{fault: f})
	case f.exit:
		d.RunDeferred(&Panic{exit: true})
		*next = m.fail(f)
	default:
		d.RunDeferred(&Panic{fault: f})
		*next = d.Return()
	}
	finished = true
}

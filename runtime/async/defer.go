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
	ended *bool // of an exit: set when the last deferred call was made; nil: nobody asks
}

// NewPanic returns what ended a function that did not return, of which recover
// has just returned v: the panic with that value, or a runtime.Goexit if it is
// nil, or both. Only generated code calls it.
func NewPanic(v any) *Panic {
	if v == nil {
		return &Panic{exit: true}
	}
	return &Panic{fault: newPanic(v), exit: exiting()}
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
	return &Panic{exit: true, ended: p.ended}
}

// replaced is what goes on where v panics in a call that was deferred while p did: p's
// own panic, if that is v, for it knows where it comes from. A Goexit that goes on
// there goes on.
func (p *Panic) replaced(v any) *Panic {
	q := p.Exit()
	if q == nil {
		q = new(Panic)
	}
	q.fault = p.faultOf(v)
	return q
}

// faultOf is the panic with value v: p's own, or a new one.
func (p *Panic) faultOf(v any) *fault {
	if p != nil && p.fault != nil && sameValue(v, p.fault.value) {
		return p.fault
	}
	return newPanic(v)
}

// rise unwinds its caller like that: a panic, a Goexit, or a panic during one, which
// goes on if the panic is recovered.
func (p *Panic) rise() {
	if p.Exit() != nil {
		defer p.Raise()
		runtime.Goexit()
	}
	p.Raise()
}

// End goes on unwinding after the last deferred call. It returns if the function
// is to return.
func (p *Panic) End() {
	if p != nil && p.ended != nil {
		*p.ended = true
	}
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
// caller, if one does, in after. One that rose while a deferred call exits goes on:
// the caller does not return.
func Recovered(after **Panic) {
	v := recover()
	switch {
	case v == nil:
	case exiting():
		rise(newPanic(v))
	default:
		*after = (*after).replaced(v)
	}
}

// interrupted completes a machine that was ended by p, and stores what that
// releases in next. The calls it has deferred run first: one of them may recover,
// and then the function returns; or exit, and then interrupted does not return.
func interrupted(m failing, p *Panic, next *Continuation) {
	switch d, ok := m.(deferring); {
	case ok:
		unwound(m, d, p, next)
	case p.fault != nil:
		*next = m.fail(p.fault)
	default:
		*next = m.fail(exited)
	}
}

// unwound makes the calls that m has deferred, while p goes on, and completes it.
func unwound(m failing, d deferring, p *Panic, next *Continuation) {
	u, waits := d.(unwinding)
	finished, ended := false, false
	p.ended = &ended
	defer func() {
		if finished {
			return
		}
		switch v := recover(); {
		case waits && !ended && (v == nil || exiting()): // a deferred call exits; those deferred before it are made all the same
			unwound(m, d, NewPanic(v), next)
		case v != nil:
			*next = m.fail(p.followed(v))
		default:
			*next = m.fail(exited)
		}
	}()
	switch {
	case waits: // an exiting goroutine cannot wait: the machine goes on elsewhere
		*next = u.Unwind(p)
	case p.exit:
		d.RunDeferred(p)
		*next = m.fail(exited)
	default:
		d.RunDeferred(p)
		*next = d.Return()
	}
	finished = true
}

// followed is the panic with value v that ends the calls which were deferred while p
// went on: p's own, or another one, which tells of both.
func (p *Panic) followed(v any) *fault {
	f := p.faultOf(v)
	if p.fault == nil || f == p.fault {
		return f
	}
	return &fault{value: v, trace: append(slices.Clip(p.fault.trace), f.trace...)}
}

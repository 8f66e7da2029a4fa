package async

import "sync"

// A Continuation is what remains to be done once an awaitable completes. A
// generated machine's pointer is one; so is whatever embeds [Anywhere] and has
// a MoveNext, and perhaps a SyncContext of its own. Its dynamic type must be
// comparable; a pointer is.
type Continuation interface {
	// MoveNext goes on. ex is who runs it, nil if no executor is at hand. It
	// returns the continuation that it released by completing something, nil if
	// none; the caller runs that one next. (What it comes by in another way is
	// resumed right there, whatever its SyncContext says.)
	MoveNext(ex *Executor) Continuation
	// SyncContext returns where the continuation must be resumed, nil if it may
	// be wherever the completion runs.
	SyncContext() SyncContext
	// adopt is called before the continuation is stored in what belongs to a host.
	adopt(env *environment, itself Continuation)
}

// Anywhere is embedded by continuations that are no machines. They may be resumed
// by whoever completes what they wait for, unless they say otherwise.
type Anywhere struct{}

// SyncContext returns nil.
func (Anywhere) SyncContext() SyncContext { return nil }

func (Anywhere) adopt(*environment, Continuation) {}

// ContinuationFunc returns a continuation that calls f, anywhere. A panic in f
// is the completer's: it leaves the call that completed what f waited for (C11).
func ContinuationFunc(f func(ex *Executor)) Continuation { return &continuationFunc{f: f} }

type continuationFunc struct {
	Anywhere
	f func(*Executor)
}

func (c *continuationFunc) MoveNext(ex *Executor) Continuation {
	c.f(ex)
	return nil
}

// continuations is what a cell with several continuations releases: they run
// in the order in which they were stored (C3).
type continuations struct {
	Anywhere
	list []Continuation // nil where one was taken back
	gone int            // how many were
}

// add appends k, and tells an arm where it is.
func (l *continuations) add(k Continuation) {
	if a, ok := k.(*arm); ok {
		a.place = int32(len(l.list))
	}
	l.list = append(l.list, k)
}

// without returns what a cell keeps, next, without an arm, and whether that was there. Of
// a list it takes the arm's place, however long it is, and from time to time all that
// were taken back.
func without(next Continuation, a *arm) (found bool, rest Continuation) {
	l := listOf(next)
	switch {
	case l == nil && next == Continuation(a):
		return true, nil
	case l == nil || int(a.place) >= len(l.list) || l.list[a.place] != Continuation(a):
		return false, next
	}
	l.list[a.place] = nil
	if l.gone++; 2*l.gone < len(l.list) {
		return true, next
	}
	all := l.list
	l.list, l.gone = all[:0], 0
	for _, k := range all {
		if k != nil {
			l.add(k)
		}
	}
	clear(all[len(l.list):])
	switch len(l.list) {
	case 0:
		return true, nil
	case 1:
		return true, l.list[0]
	}
	return true, next
}

// MoveNext exists so that a list can be handed on as one continuation; the
// loop that resumes takes it apart and never calls it.
func (*continuations) MoveNext(*Executor) Continuation {
	panic("async: a list of continuations was resumed as one")
}

// listOf is the list that a cell keeps as c, nil if it is one continuation.
func listOf(c Continuation) *continuations {
	if b, ok := c.(*bound); ok {
		l, _ := b.Continuation.(*continuations)
		return l
	}
	return nil
}

// bound is what cells keep that a loop does not just resume: a list, or a continuation
// that has a SyncContext. The loop asks no others for one.
type bound struct{ Continuation }

var bounds = sync.Pool{New: func() any { return new(bound) }}

// bind is c as cells keep it.
func bind(c Continuation) Continuation {
	if c.SyncContext() == nil {
		return c
	}
	b := bounds.Get().(*bound)
	b.Continuation = c
	return b
}

// free is what was bound. b is used again.
func (b *bound) free() Continuation {
	c := b.Continuation
	b.Continuation = nil
	bounds.Put(b)
	return c
}

// freed is c as its author knows it; a list stays as it is.
func freed(c Continuation) Continuation {
	if b, ok := c.(*bound); ok && listOf(c) == nil {
		return b.free()
	}
	return c
}

// unbound resumes a continuation anywhere: what ConfigureAwait(false) stores.
type unbound struct{ Continuation }

// bare is c without what says where it resumes.
func bare(c Continuation) Continuation {
	switch c := c.(type) {
	case *bound:
		return bare(c.Continuation)
	case *unbound:
		return c.Continuation
	}
	return c
}

// configured returns c, freed of its SyncContext if it has one and anywhere is
// set.
func configured(c Continuation, anywhere bool) Continuation {
	if !anywhere || c.SyncContext() == nil {
		return c
	}
	return &unbound{Continuation: c}
}

func (*unbound) SyncContext() SyncContext { return nil }

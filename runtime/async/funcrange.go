package async

import "iter"

// A FuncRange is a range over a function whose body an await may interrupt. The
// function needs a stack of its own while it is in the middle of a yield: so this
// is the one place where a machine has a coroutine (iter.Pull), which lives from
// the first iteration until the loop is left. Only generated code uses it. The
// methods may be called on a nil FuncRange: that loop has not begun.
type FuncRange[K, V any] struct {
	next     func() (K, V, bool)
	stop     func()
	key      K
	value    V
	raise    *Panic // how the body ends in the next return from yield
	finished bool
}

// RangeFunc0 starts a range over a function that yields nothing. The type of yield
// may have a name.
func RangeFunc0[F ~func(Y), Y ~func() bool](f F) *FuncRange[struct{}, struct{}] {
	return RangeFunc2(func(yield func(struct{}, struct{}) bool) {
		f(func() bool { return yield(struct{}{}, struct{}{}) })
	})
}

// RangeFunc1 starts a range over a function that yields one value.
func RangeFunc1[F ~func(Y), Y ~func(K) bool, K any](f F) *FuncRange[K, struct{}] {
	return RangeFunc2(func(yield func(K, struct{}) bool) {
		f(func(k K) bool { return yield(k, struct{}{}) })
	})
}

// RangeFunc2 starts a range over a function that yields two values.
func RangeFunc2[F ~func(Y), Y ~func(K, V) bool, K, V any](f F) *FuncRange[K, V] {
	r := new(FuncRange[K, V])
	r.next, r.stop = iter.Pull2(func(yield func(K, V) bool) {
		for k, v := range f { // Go's own loop, for it watches what f does
			if !yield(k, v) {
				break
			}
			r.raise.rise() // where the body was called
		}
	})
	return r
}

// Next goes on to the next iteration and reports whether there is one.
func (r *FuncRange[K, V]) Next() bool {
	r.finished = true // should the function panic
	k, v, ok := r.next()
	r.key, r.value, r.finished = k, v, !ok
	return ok
}

// Key returns the first value that was yielded.
func (r *FuncRange[K, V]) Key() K { return r.key }

// Value returns the second.
func (r *FuncRange[K, V]) Value() V { return r.value }

// Leave ends the loop if it has not ended: the function sees its yield return
// false, and cleans up before Leave returns or panics in turn.
func (r *FuncRange[K, V]) Leave() {
	if r.Open() {
		r.finished = true
		r.stop()
	}
}

// Unwind is deferred, for the outer loops first, where the machine's function ends
// while p is so: a return if that is nil. The function that is ranged over sees its
// yield end like that, and then p is what came of it, for the next loop.
func (r *FuncRange[K, V]) Unwind(p **Panic) {
	if r.Open() {
		r.unwind(recover(), p)
	}
}

// Open reports whether the loop has begun, and was not left.
func (r *FuncRange[K, V]) Open() bool { return r != nil && !r.finished }

// After is Unwind where more is to be left than ranges over functions, and what came of
// it is returned.
func (r *FuncRange[K, V]) After(p *Panic) (after *Panic) {
	if r.Open() {
		r.leave(&p)
	}
	return p
}

// unwind is Unwind where v is what panics.
func (r *FuncRange[K, V]) unwind(v any, p **Panic) {
	if v != nil {
		*p = (*p).replaced(v)
	}
	r.leave(p)
	(*p).Raise()
}

// leave ends the function's yield like p.
func (r *FuncRange[K, V]) leave(p **Panic) {
	r.finished = true
	r.raise = *p
	switch {
	case *p == nil:
		endedBy(p, r.stop)
	case (*p).exit:
		*p = r.exit((*p).Exit())
	default:
		endedBy(p, func() { r.next() })
	}
}

// endedBy calls f and stores what ends it in p, unless it returns. A Goexit goes on.
func endedBy(p **Panic, f func()) {
	returned := false
	defer func() {
		if v := recover(); v != nil {
			*p = (*p).replaced(v)
		} else if !returned {
			*p = &Panic{exit: true}
		}
	}()
	f()
	returned = true
}

// exit goes on with a Goexit in the function, which next would raise here too, on a
// goroutine that is exiting already; and returns what comes of it.
func (r *FuncRange[K, V]) exit(p *Panic) *Panic {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer Recovered(&p)
		r.next()
	}()
	<-ended
	return p
}

package async

import "context"

// A StreamRange is a range over a stream in a machine. It is an awaitable: of the next
// value, and once the loop was left, of the end of the pass. Only generated code uses it.
// Its methods may be called on a nil StreamRange: that loop has not begun.
type StreamRange[T any] struct {
	iterator Iterator[T]
	next     Task2[T, bool]
	closing  Task0
	key      T
	value    error

	asked, left, closes, closed bool
}

// Range begins a pass: what [Stream.Await] is for a machine.
func (s Stream[T]) Range(ctx context.Context) *StreamRange[T] {
	return &StreamRange[T]{iterator: s(ctx)}
}

// ask asks for what is awaited, unless it has.
func (r *StreamRange[T]) ask() {
	switch {
	case r.left && !r.closes:
		r.closes = true
		r.close()
	case !r.left && !r.asked && r.value == nil: // else the last pair was a failure
		var none T
		r.asked, r.key = true, none // which nobody has taken
		r.next = r.iterator.NextAsync()
	}
}

// close asks for the end of the pass. A panic of that is the pass's: where the function
// ends, more is to be left, and deferred calls are to be made.
func (r *StreamRange[T]) close() {
	returned := false
	defer func() {
		if !returned && !exiting() {
			r.closing = Completed0(newPanic(recover()))
		}
	}()
	r.closing = r.iterator.CloseAsync()
	returned = true
}

// IsCompleted reports whether what is awaited is there.
func (r *StreamRange[T]) IsCompleted() bool {
	r.ask()
	if r.left {
		return r.closing.IsCompleted()
	}
	return r.next.IsCompleted()
}

// OnCompleted is Task.OnCompleted.
func (r *StreamRange[T]) OnCompleted(c Continuation) bool {
	r.ask()
	if r.left {
		return r.closing.OnCompleted(c)
	}
	return r.next.OnCompleted(c)
}

// GetResult reports whether there is an iteration. Of a loop that was left it ends the
// pass.
func (r *StreamRange[T]) GetResult() (more bool) {
	switch {
	case r.left:
		closing := r.closing
		*r = StreamRange[T]{left: true, closed: true} // the machine keeps it to its end
		closing.GetResult()
		return false
	case r.value != nil:
		return false
	}
	next := r.next
	r.next, r.asked = Task2[T, bool]{}, false
	r.key, more, r.value = next.GetResult()
	return more || r.value != nil
}

// Key returns the value that came, which is the loop's alone from then on.
func (r *StreamRange[T]) Key() T {
	key := r.key
	var none T
	r.key = none
	return key
}

// Value returns the error that came with it.
func (r *StreamRange[T]) Value() error { return r.value }

// Leave says that the loop was left: what is awaited next is the end of the pass.
func (r *StreamRange[T]) Leave() { r.left = true }

// Open reports whether the pass is to be closed, and says that the loop was left, however
// that was.
func (r *StreamRange[T]) Open() bool {
	if r == nil || r.closed {
		return false
	}
	r.left = true
	return true
}

// Awaits is Awaiter.Awaits.
func (r *StreamRange[T]) Awaits() (pending, known bool) {
	switch {
	case r == nil:
	case r.closes:
		return !r.closing.IsCompleted(), true
	case r.asked:
		return !r.next.IsCompleted(), true
	}
	return false, false
}

// After reads the result of closing the pass, for its panic takes the place of p.
func (r *StreamRange[T]) After(p *Panic) (after *Panic) {
	after = p
	defer Recovered(&after)
	r.GetResult()
	return p
}

package async

import (
	"sync/atomic"
	"unsafe"
)

// cell is the state cell that tasks refer to.
type cell[T any] struct {
	value T // not last: there, one of no size would take a word
	head  head
}

// finish stores the result of a cell that only its owner completes, and takes
// the continuations; ok is false if there is a result already.
func (c *cell[T]) finish(v T, err error) (released Continuation, ok bool) {
	s := atomic.LoadUint32(&c.head.status)
	if err != nil || s&(solo|single) != 0 {
		return c.complete(v, err)
	}
	if s&phases == done {
		return nil, false
	}
	c.value = v
	for ; ; s = atomic.LoadUint32(&c.head.status) {
		switch s & phases {
		case pending:
			if c.head.move(s, done) {
				return nil, true
			}
		case stored:
			if c.head.move(s, done) {
				released, c.head.next = c.head.next, nil
				return released, true
			}
		case storing, appending:
			yieldProcessor()
		default:
			return nil, false
		}
	}
}

// complete stores the result and takes the continuations; ok is false if
// somebody else was first (C1).
func (c *cell[T]) complete(v T, err error) (released Continuation, ok bool) {
	s := atomic.LoadUint32(&c.head.status)
	if s&solo == 0 || s&phases == done {
		return c.completeAny(s, v, err)
	}
	released = c.completeSolo(s, v)
	if s&single != 0 {
		c.pooled().err = err
	} else if err != nil {
		c.head.fail(err)
	}
	return released, true
}

// completeSolo stores the value of a host's cell, which had status s, and takes the
// continuations. It is what those inline that know how the cell stands.
func (c *cell[T]) completeSolo(s uint32, v T) (released Continuation) {
	released, c.head.next = c.head.next, nil
	c.value, c.head.status = v, s&^phases|done
	return released
}

// completeAny is complete of a cell that is no host's, or has a result already; it had
// status s.
func (c *cell[T]) completeAny(s uint32, v T, err error) (released Continuation, ok bool) {
	switch s & phases {
	case done, completing:
		return nil, false
	case storing, appending:
		return c.completeLater(v, err)
	}
	if !atomic.CompareAndSwapUint32(&c.head.status, s, s&^phases|completing) {
		return c.completeLater(v, err)
	}
	released, c.head.next = c.head.next, nil
	c.value = v
	to := done
	if s&single != 0 {
		c.pooled().err = err
	} else if err != nil {
		*c.head.failure(), to = watch(err), done|failed
	}
	c.head.leave(s, to)
	return released, true
}

// completeLater is completeAny once nobody is in the middle of something else.
func (c *cell[T]) completeLater(v T, err error) (released Continuation, ok bool) {
	for {
		s := atomic.LoadUint32(&c.head.status)
		if phase := s & phases; phase != storing && phase != appending {
			return c.completeAny(s, v, err)
		}
		yieldProcessor()
	}
}

// take returns what the cell was completed with; a panic or Goexit is still
// wrapped in the error. It is the one read that a task from a pool grants.
func (c *cell[T]) take(token uint32) (T, error) {
	s := atomic.LoadUint32(&c.head.status)
	if (s^token)&(versions|phases) != 0 {
		unreadable(s, token)
	}
	switch {
	case s&single != 0:
		return c.pooled().give()
	case s&reusable != 0:
		v := c.value
		(*c.head.operation()).Recycle()
		return v, nil
	case s&failed == 0:
		return c.value, nil
	}
	v, err := c.value, *c.head.failure()
	return v, opened(err)
}

// peek is the error that take would return; it takes nothing.
func (c *cell[T]) peek(token uint32) error {
	s := atomic.LoadUint32(&c.head.status)
	if (s^token)&(versions|phases) != 0 {
		unreadable(s, token)
	}
	switch {
	case s&single != 0:
		return c.pooled().err
	case s&failed == 0:
		return nil
	}
	return opened(*c.head.failure())
}

// look is take for who is not the task's only reader: an operation that could be
// used again is not.
func (c *cell[T]) look(token uint32) (T, error) {
	if c.head.has(reusable) && c.peek(token) == nil {
		return c.value, nil
	}
	return c.take(token)
}

// cellOf returns the cell of a value of type T that has the head.
func cellOf[T any](h *head) *cell[T] {
	var c cell[T]
	return (*cell[T])(unsafe.Add(unsafe.Pointer(h), -int(unsafe.Offsetof(c.head))))
}

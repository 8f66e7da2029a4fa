package async

import "context"

// This file is for machines whose functions are marked class: as in C#'s debug builds they
// are on the heap from their beginning, and a call is its first resumption.

// Start runs m, whose builder b is, until it has to wait for the first time. ctx is the
// function's context as its caller passed it, which may be nil. A panic becomes the task's;
// a runtime.Goexit, and what panics during it, is the caller's, too: no task was handed out
// yet (see Catch). Only generated code uses it.
func (b *Builder[T]) Start(m Continuation, ctx context.Context) {
	c := cellOfMachine(b)
	c.head.promote(promoted, environmentOf(ctx))
	if c.head.followed() {
		c.head.began(m)
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if k := machineOf(m); k != nil {
			c.interrupted(k, recover())
		}
	}()
	m.MoveNext(nil)
	returned = true
}

// interrupted completes the machine m, of which this is the cell, that a panic with value v
// or a runtime.Goexit has ended.
func (c *cell[T]) interrupted(m failing, v any) {
	p := NewPanic(v)
	exits := true // until proven otherwise: a deferred call may
	defer func() {
		if exits && c.head.isCompleted() {
			c.riseAgain()
		}
	}()
	var released Continuation // nothing: nobody knows the task
	interrupted(m, p, &released)
	exits = p.exit
}

// riseAgain panics as the machine did, if it did.
func (c *cell[T]) riseAgain() {
	if f, ok := c.peek(c.head.token()).(*fault); ok && !f.exit {
		rise(f)
	}
}

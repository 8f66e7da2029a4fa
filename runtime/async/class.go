package async

import (
	"context"
	"sync/atomic"
)

// This file is for machines whose functions are marked class: as in C#'s debug builds they
// are on the heap from their beginning, and a call is its first resumption.

// Start runs m, which has the header h, until it has to wait for the first time. ctx is the
// function's context as its caller passed it, which may be nil. A panic becomes the task's;
// a runtime.Goexit, and what panics during it, is the caller's, too: no task was handed out
// yet (see Catch). Only generated code uses it. It is no method, of which each machine would
// have a wrapper.
func Start(m Continuation, h *Header, ctx context.Context) {
	own := (*head)(h)
	own.promote(promoted, environmentOf(ctx))
	if own.followed() {
		own.began(m)
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if k := machineOf(m); k != nil {
			own.interrupted(k, recover())
		}
	}()
	m.MoveNext(nil)
	returned = true
}

// interrupted completes the machine m, whose head this is, that a panic with value v or a
// runtime.Goexit has ended.
func (h *head) interrupted(m failing, v any) {
	p := NewPanic(v)
	exits := true // until proven otherwise: a deferred call may
	defer func() {
		if exits {
			h.riseAgain()
		}
	}()
	var released Continuation // nothing: nobody knows the task
	interrupted(m, p, &released)
	exits = p.exit
}

// riseAgain panics as the machine did, if it has ended so.
func (h *head) riseAgain() {
	if s := atomic.LoadUint32(&h.status); s&phases != done || s&failed == 0 {
		return
	}
	if f, ok := opened(*h.failure()).(*fault); ok && !f.exit {
		rise(f)
	}
}

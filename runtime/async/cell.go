package async

import "sync/atomic"

// cell is the state cell that tasks refer to. status is a plain word used
// through sync/atomic's functions, because cells are part of machines and those
// are copied once, to the heap, before anybody else knows them.
type cell[T any] struct {
	status   uint32
	version  uint16 // bumped at each reuse; tasks carry the one they were made for
	promoted bool   // a machine's cell: on the heap, so others may refer to it
	posts    bool   // continuations are posted, not resumed by the completer

	// next is written by whoever moved status to registering or completing.
	next Continuation // nil, the only one, or *continuations
	env  *environment // valid once status has hosted

	// Written by whoever moved status to completing; read after done.
	err   error
	value T
}

// The phases of a cell, the low bits of its status.
const (
	pending     = iota
	registering // a continuation is being stored
	completing  // the result is being stored
	done
	phases = 3

	hosted = 4 // flag: env is set
)

func (c *cell[T]) isCompleted() bool {
	return atomic.LoadUint32(&c.status)&phases == done
}

// enter moves the status from pending to phase and returns true, or returns
// false if the cell is complete, or being completed and phase is completing.
func (c *cell[T]) enter(phase uint32) bool {
	for {
		s := atomic.LoadUint32(&c.status)
		switch s & phases {
		case pending:
			if atomic.CompareAndSwapUint32(&c.status, s, s|phase) {
				return true
			}
		case done:
			return false
		case completing:
			if phase == completing {
				return false
			}
			yieldProcessor()
		default:
			yieldProcessor()
		}
	}
}

// leave ends what enter began.
func (c *cell[T]) leave(phase uint32) {
	s := atomic.LoadUint32(&c.status)
	atomic.StoreUint32(&c.status, s&^phases|phase)
}

// onCompleted stores k, to be resumed when the cell completes; false if it has
// completed already.
func (c *cell[T]) onCompleted(token uint16, k Continuation) bool {
	c.check(token, "awaited")
	if c.isCompleted() {
		return false
	}
	if env := c.environment(); env != nil && env.host != nil {
		if a, ok := k.(adopting); ok {
			a.adopt(env.bare)
		}
	}
	if !c.enter(registering) {
		return false
	}
	switch next := c.next.(type) {
	case nil:
		c.next = k
	case *continuations:
		next.list = append(next.list, k)
	default:
		c.next = &continuations{list: []Continuation{next, k}}
	}
	c.leave(pending)
	return true
}

// complete stores the result and takes the continuations; ok is false if there
// is a result already.
func (c *cell[T]) complete(v T, err error) (released Continuation, ok bool) {
	if !c.enter(completing) {
		return nil, false
	}
	c.value, c.err = v, err
	released, c.next = c.next, nil
	c.leave(done)
	return released, true
}

// result returns what the cell was completed with.
func (c *cell[T]) result(token uint16) (T, error) {
	c.check(token, "read")
	if !c.isCompleted() {
		panic("async: the result of a task was read before the task completed; await it, or ask IsCompleted first")
	}
	return c.value, raise(c.err)
}

// check panics if the cell has been used again since the task was handed out.
func (c *cell[T]) check(token uint16, what string) {
	if c.version != token {
		panic("async: a task was " + what + " after its source had been reused; a task from a pool may be awaited once, and not kept")
	}
}

// adopting is a machine that had no context of its own: it belongs to the host
// of what it awaits, so that a blocking Await on it knows whom to park.
type adopting interface{ adopt(*environment) }

func (c *cell[T]) adopt(env *environment) {
	if atomic.LoadUint32(&c.status)&hosted != 0 {
		return
	}
	c.env = env
	atomic.OrUint32(&c.status, hosted)
}

func (c *cell[T]) environment() *environment {
	if atomic.LoadUint32(&c.status)&hosted == 0 {
		return nil
	}
	return c.env
}

// block returns once the cell is complete. Where a host is known it goes on
// with the host's other work meanwhile; else it parks the goroutine.
func (c *cell[T]) block(p Pending) {
	if env := c.environment(); env != nil && env.host != nil {
		env.host.Block(p)
		return
	}
	Park(p)
}

// Park blocks the calling goroutine until p completes.
func Park(p Pending) {
	w := &parked{wake: make(chan struct{})}
	if p.OnCompleted(w) {
		<-w.wake
	}
}

// parked is the continuation of a blocked goroutine.
type parked struct {
	Anywhere
	wake chan struct{}
}

func (p *parked) MoveNext(*Executor) Continuation {
	close(p.wake)
	return nil
}

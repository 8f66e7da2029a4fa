package async

import (
	"runtime"
	"sync/atomic"
)

// cell is the state cell that tasks refer to. status is a plain word used
// through sync/atomic's functions, because cells are part of machines and those
// are copied once, to the heap, before anybody else knows them.
//
// The phases of a status:
//
//	pending ─▶ storing ─▶ stored ◀─▶ appending      continuations
//	   └──────────┴──────────┴──▶ (completing ─▶) done
//
// Who moved it to storing or appending owns next until moving on; who moved it
// to completing or done owns next, err and value, and after done err and value
// only change at reuse. A machine completes itself and so needs no completing
// phase, unless it is pooled; nor does a first continuation keep a completer
// waiting.
type cell[T any] struct {
	status  uint32
	version uint16 // bumped at each reuse; tasks carry the one they were made for
	flags   uint8  // set before anybody else knows the cell

	next Continuation // nil, the only one, or *continuations
	env  *environment // valid once status has hosted

	err   error
	value T
}

const (
	pending    uint32 = iota
	storing           // the first continuation is being stored
	stored            // there are continuations
	appending         // the list of continuations is being changed
	completing        // one of several possible completers stores the result
	done
	phases uint32 = 7

	hosted uint32 = 8  // flag: env is set
	solo   uint32 = 16 // flag: env has a host, so that one goroutine at a time knows the cell
)

const (
	promoted uint8 = 1 << iota // a machine's cell: on the heap, so others may refer to it
	posts                      // continuations are posted, not resumed by the completer
	single                     // from a pool: awaited once, read once
)

func (c *cell[T]) isCompleted() bool {
	return atomic.LoadUint32(&c.status)&phases == done
}

// move changes the phase if the status is still s. A host's cells need no
// interlocked instruction, which would cost as much as all the rest.
func (c *cell[T]) move(s, phase uint32) bool {
	if s&solo != 0 {
		c.status = s&^phases | phase
		return true
	}
	return atomic.CompareAndSwapUint32(&c.status, s, s&^phases|phase)
}

// leave ends a phase that only its owner can end.
func (c *cell[T]) leave(phase uint32) {
	for !c.move(atomic.LoadUint32(&c.status), phase) {
	}
}

// onCompleted stores k, to be resumed when the cell completes; false if it has
// completed already.
func (c *cell[T]) onCompleted(token uint32, k Continuation) bool {
	c.check(token, "awaited")
	if env := c.environment(); env != nil && env.host != nil {
		if m, ok := k.(adopting); ok {
			m.adopt(env.bare)
		}
	}
	for {
		s := atomic.LoadUint32(&c.status)
		switch s & phases {
		case done:
			return false
		case pending:
			if c.flags&single != 0 || s&solo != 0 {
				c.next = k
				if c.move(s, stored) {
					return true
				}
			} else if c.move(s, storing) {
				return c.storeFirst(k)
			}
		case stored:
			if c.flags&single != 0 {
				panic("async: C14: a task from a pool was awaited twice; await it once, or do not pool it")
			}
			if c.move(s, appending) {
				c.append(k)
				c.leave(stored)
				return true
			}
		default:
			yieldProcessor()
		}
	}
}

// storeFirst is called in the phase storing. A completer does not wait for it.
func (c *cell[T]) storeFirst(k Continuation) bool {
	c.next = k
	for {
		s := atomic.LoadUint32(&c.status)
		if s&phases != storing {
			break
		}
		if c.move(s, stored) {
			return true
		}
	}
	c.next = nil
	for !c.isCompleted() {
		yieldProcessor()
	}
	return false
}

func (c *cell[T]) append(k Continuation) {
	if l, ok := c.next.(*continuations); ok {
		l.list = append(l.list, k)
		return
	}
	c.next = &continuations{list: []Continuation{c.next, k}}
}

// remove takes k back; false if it was released already or never stored.
func (c *cell[T]) remove(k Continuation) bool {
	for {
		s := atomic.LoadUint32(&c.status)
		switch s & phases {
		case stored:
			if !c.move(s, appending) {
				continue
			}
			found, rest := without(c.next, k)
			if c.next = rest; rest == nil {
				c.leave(pending)
			} else {
				c.leave(stored)
			}
			return found
		case appending:
			yieldProcessor()
		default:
			return false
		}
	}
}

// without returns next without k, and whether k was there.
func without(next, k Continuation) (found bool, rest Continuation) {
	l, ok := next.(*continuations)
	if !ok {
		if next == k {
			return true, nil
		}
		return false, next
	}
	for i, c := range l.list {
		if c == k {
			copy(l.list[i:], l.list[i+1:])
			l.list[len(l.list)-1] = nil
			l.list = l.list[:len(l.list)-1]
			found = true
			break
		}
	}
	if len(l.list) == 1 {
		return found, l.list[0]
	}
	return found, l
}

// finish stores the result of a cell that only its owner completes, and takes
// the continuations; ok is false if there is a result already.
func (c *cell[T]) finish(v T, err error) (released Continuation, ok bool) {
	if c.isCompleted() {
		return nil, false
	}
	if err != nil && c.flags&single == 0 {
		err = watch(err)
	}
	c.value, c.err = v, err
	for {
		s := atomic.LoadUint32(&c.status)
		switch s & phases {
		case pending, storing:
			if c.move(s, done) {
				return nil, true
			}
		case stored:
			if c.flags&single != 0 {
				// After done whoever awaits may have it reused at once.
				if !c.move(s, completing) {
					continue
				}
				released, c.next = c.next, nil
				c.leave(done)
				return released, true
			}
			if c.move(s, done) {
				released, c.next = c.next, nil
				return released, true
			}
		case appending:
			yieldProcessor()
		default:
			return nil, false
		}
	}
}

// complete stores the result and takes the continuations; ok is false if
// somebody else was first (C1).
func (c *cell[T]) complete(v T, err error) (released Continuation, ok bool) {
	for {
		s := atomic.LoadUint32(&c.status)
		switch s & phases {
		case done, completing:
			return nil, false
		case appending:
			yieldProcessor()
			continue
		}
		if s&solo == 0 && !c.move(s, completing) {
			continue
		}
		if err != nil && c.flags&single == 0 {
			err = watch(err)
		}
		c.value, c.err = v, err
		if s&phases == stored {
			released, c.next = c.next, nil
		}
		c.leave(done)
		return released, true
	}
}

// take returns what the cell was completed with; a panic or Goexit is still
// wrapped in the error. It is the one read that a task from a pool grants.
func (c *cell[T]) take(token uint32) (T, error) {
	c.check(token, "read")
	if !c.isCompleted() {
		panic("async: C16: the result of a task was read before the task completed; await it, or ask IsCompleted first")
	}
	v, err := c.value, c.err
	if err != nil {
		err = opened(err)
	}
	return v, err
}

// failure is the error that take would return; it takes nothing.
func (c *cell[T]) failure(token uint32) error {
	c.check(token, "read")
	switch e := c.err.(type) {
	case *envelope:
		return e.err
	case *watched:
		return e.see()
	}
	return c.err
}

// check panics if the cell has been used again since the task was handed out.
func (c *cell[T]) check(token uint32, what string) {
	if c.token() != token {
		staleToken(what)
	}
}

// token is the version as tasks carry it; never 0.
func (c *cell[T]) token() uint32 { return uint32(c.version) + 1 }

func staleToken(what string) {
	panic("async: C13: a task was " + what + " after its source had been reused; a task from a pool may be awaited and read once, and not kept")
}

// adopting is a machine that had no context of its own: it belongs to the host
// of what it awaits, so that a blocking Await on it knows whom to park.
type adopting interface{ adopt(*environment) }

func (c *cell[T]) adopt(env *environment) {
	if atomic.LoadUint32(&c.status)&hosted != 0 {
		return
	}
	c.env = env
	atomic.OrUint32(&c.status, env.flags())
}

func (c *cell[T]) environment() *environment {
	if atomic.LoadUint32(&c.status)&hosted == 0 {
		return nil
	}
	return c.env
}

// reset makes the cell pending again for its next use.
func (c *cell[T]) reset() {
	*c = cell[T]{version: c.version + 1, flags: c.flags, env: c.env, status: c.status & (hosted | solo)}
}

// yieldProcessor gives way to a goroutine that is in the middle of a few
// instructions on the same cell.
func yieldProcessor() { runtime.Gosched() }

package async

import (
	"runtime"
	"sync/atomic"
	"unsafe"
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
// to completing or done owns next and value, and after done the result only
// changes at reuse. A machine that succeeds needs no completing phase, unless it is
// pooled; nor does a first continuation keep it waiting.
//
// A cell is as small as it can be, for there may be a million: what a machine would
// need two words for stands in the header, and an error where the continuations
// stood.
type cell[T any] struct {
	status uint32 // phase, flags and version

	// State is where MoveNext goes on, and Awaited the version of what the machine
	// awaits. Only generated code uses them.
	State, Awaited uint16

	value T            // not last: there, one of no size would take a word
	env   *environment // valid once status has hosted

	// next is nil, the only continuation, or *continuations; and once status has
	// failed, the error, by way of failure.
	next Continuation
}

const (
	pending    uint32 = iota
	storing           // the first continuation is being stored
	stored            // there are continuations
	appending         // the list of continuations is being changed
	completing        // one of several possible completers stores the result
	done
	phases uint32 = 7
)

// The flags of a status. All but hosted, solo and failed are set before anybody
// else knows the cell.
const (
	hosted   uint32 = 8 << iota // env is set
	solo                        // env has a host, so that one goroutine at a time knows the cell
	promoted                    // a machine's cell: on the heap, so others may refer to it
	posting                     // continuations are posted, not resumed by the completer
	single                      // from a pool: awaited once, read once
	failed                      // there is an error
	reusable uint32 = 1 << 25   // its operation is used again once the result was read, unless several await it
	flags           = hosted | solo | promoted | posting | single
)

// versions is the part of a status that is bumped at each reuse; tasks carry the
// one they were made for.
const (
	versionShift        = 9
	versions     uint32 = 0xffff << versionShift
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

// leave ends a phase that only its owner can end. s is a status that the cell had
// before, for its flags.
func (c *cell[T]) leave(s, from, to uint32) {
	if s&solo != 0 {
		c.status += to - from
	} else {
		atomic.AddUint32(&c.status, to-from)
	}
}

// onCompleted stores k, to be resumed when the cell completes; false if it has
// completed already.
func (c *cell[T]) onCompleted(token uint32, k Continuation) bool {
	s := atomic.LoadUint32(&c.status)
	if stale(s, token) {
		staleToken("awaited")
	}
	if s&solo != 0 {
		k.adopt(c.env.bare, k)
	}
	for ; ; s = atomic.LoadUint32(&c.status) {
		switch s & phases {
		case done:
			return false
		case pending:
			if s&solo != 0 {
				c.next = k
				c.status = s | stored
				return true
			}
			if c.move(s, storing) {
				return c.storeFirst(k)
			}
		case stored:
			if s&single != 0 {
				panic("async: C14: a task from a pool was awaited twice; await it once, or do not pool it")
			}
			if c.move(s, appending) {
				if s&reusable != 0 { // a host's, so nobody looks
					c.status &^= reusable
				}
				c.append(k)
				c.leave(s, appending, stored)
				return true
			}
		default:
			yieldProcessor()
		}
	}
}

// storeFirst is called in the phase storing. A machine that succeeds does not wait
// for it.
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
				c.leave(s, appending, pending)
			} else {
				c.leave(s, appending, stored)
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
	s := atomic.LoadUint32(&c.status)
	if err != nil || s&(solo|single) != 0 {
		return c.complete(v, err)
	}
	if s&phases == done {
		return nil, false
	}
	c.value = v
	for ; ; s = atomic.LoadUint32(&c.status) {
		switch s & phases {
		case pending, storing:
			if c.move(s, done) {
				return nil, true
			}
		case stored:
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
	s := atomic.LoadUint32(&c.status)
	if s&(phases|solo) == stored|solo && err == nil {
		released, c.next = c.next, nil
		c.value, c.status = v, s&^phases|done
		return released, true
	}
	return c.completeAny(s, v, err)
}

func (c *cell[T]) completeAny(s uint32, v T, err error) (released Continuation, ok bool) {
	for ; ; s = atomic.LoadUint32(&c.status) {
		switch s & phases {
		case done, completing:
			return nil, false
		case storing, appending:
			yieldProcessor()
			continue
		}
		if !c.move(s, completing) {
			continue
		}
		released, c.next = c.next, nil
		c.value = v
		to := done
		if err != nil {
			if s&(single|reusable) == 0 {
				err = watch(err)
			}
			*c.failure(), to = err, done|failed
		}
		c.leave(s, completing, to)
		return released, true
	}
}

// failure is where the error is, once status has failed: two interfaces are alike
// in memory, and no cell needs both at a time.
func (c *cell[T]) failure() *error { return (*error)(unsafe.Pointer(&c.next)) }

// take returns what the cell was completed with; a panic or Goexit is still
// wrapped in the error. It is the one read that a task from a pool grants.
func (c *cell[T]) take(token uint32) (T, error) {
	s := atomic.LoadUint32(&c.status)
	if (s^token)&(versions|phases) != 0 {
		unreadable(s, token)
	}
	if s&failed == 0 {
		return c.value, nil
	}
	v, err := c.value, *c.failure()
	return v, opened(err)
}

// look is take for who is not the task's only reader: an operation that could be
// used again is not.
func (c *cell[T]) look(token uint32) (T, error) {
	if c.peek(token) == nil && c.has(reusable) {
		return c.value, nil
	}
	return c.take(token)
}

func unreadable(s, token uint32) {
	if stale(s, token) {
		staleToken("read")
	}
	panic("async: C16: the result of a task was read before the task completed; await it, or ask IsCompleted first")
}

// peek is the error that take would return; it takes nothing.
func (c *cell[T]) peek(token uint32) error {
	s := atomic.LoadUint32(&c.status)
	if (s^token)&(versions|phases) != 0 {
		unreadable(s, token)
	}
	if s&failed == 0 {
		return nil
	}
	switch e := (*c.failure()).(type) {
	case *envelope:
		return e.err
	case *watched:
		return e.see()
	case Reused:
		return nil
	}
	return *c.failure()
}

// token is the version as tasks carry it: the status, without flags, that the
// cell has when there is a result for them; never 0.
func (c *cell[T]) token() uint32 { return tokenOf(atomic.LoadUint32(&c.status)) }

func tokenOf(s uint32) uint32 { return s&versions | done }

// stale reports whether a cell with status s has been used again since the task
// that has token was handed out.
func stale(s, token uint32) bool { return (s^token)&versions != 0 }

func staleToken(what string) {
	panic("async: C13: a task was " + what + " after its source had been reused; a task from a pool may be awaited and read once, and not kept")
}

// adopt makes a machine that had no context of its own belong to the host of what
// it awaits, so that a blocking Await on it knows whom to park.
func (c *cell[T]) adopt(env *environment, k Continuation) {
	if atomic.LoadUint32(&c.status)&hosted != 0 {
		return
	}
	c.env = env
	atomic.OrUint32(&c.status, env.flags())
	if env.machines != nil {
		env.machines.began(k)
	}
}

// has reports whether a flag is set.
func (c *cell[T]) has(flag uint32) bool { return atomic.LoadUint32(&c.status)&flag != 0 }

func (c *cell[T]) environment() *environment {
	if atomic.LoadUint32(&c.status)&hosted == 0 {
		return nil
	}
	return c.env
}

// reset makes the cell pending again for its next use.
func (c *cell[T]) reset() {
	*c = cell[T]{status: nextUse(c.status), env: c.env}
}

// nextUse returns the status that a cell with status s has when it is pending
// again.
func nextUse(s uint32) uint32 { return s&flags | (s+1<<versionShift)&versions }

// yieldProcessor gives way to a goroutine that is in the middle of a few
// instructions on the same cell.
func yieldProcessor() { runtime.Gosched() }

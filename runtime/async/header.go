package async

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// A head is what every cell has, whatever its result: all of it but the value. A
// machine knows it as its [Header]. status is a plain word, not an atomic.Uint32: a
// host's cells are written without interlocked instructions, and sources that nobody
// knows yet are copied.
//
// The phases of a status:
//
//	pending ─▶ storing ─▶ stored ◀─▶ appending      continuations
//	   └──────────┴──────────┴──▶ (completing ─▶) done
//
// Who moved it to storing or appending owns next until moving on; who moved it
// to completing or done owns next and the value, and after done the result only
// changes at reuse. A machine that succeeds needs no completing phase, unless it is
// pooled. Whoever else comes while a phase has an owner waits for the few instructions
// until it ends; so that is a plain store, and each change costs one interlocked
// instruction.
//
// It is as small as it can be, for there may be a million: an error stands where
// the continuations stood.
type head struct {
	_ [0]func() // cells are not compared: the compiler need not write how

	status uint32 // phase, flags and version

	// State is where MoveNext goes on, and Awaited the version of what the machine
	// awaits. Only generated code uses them.
	State, Awaited uint16

	env *environment // valid once status has hosted

	// next is nil, the only continuation, or a list of them; and once status has
	// failed, the error, by way of failure; on the stack, what promotedTo says.
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

// The flags of a status. All but hosted, solo, tracked and failed are set before anybody
// else knows the cell.
const (
	hosted    uint32 = 8 << iota // env is set
	solo                         // env has a host, so that one goroutine at a time knows the cell
	promoted                     // a machine's cell: on the heap, so others may refer to it
	posting                      // continuations are posted, not resumed by the completer
	single                       // from a pool: awaited once, read once
	failed                       // there is an error
	reusable  uint32 = 1 << 25   // its operation is used again once the result was read, unless several await it
	tracked   uint32 = 1 << 26   // env's host keeps track of its machines
	elsewhere uint32 = 1 << 27   // env has a SyncContext
	flags            = hosted | solo | promoted | posting | single | tracked
)

// versions is the part of a status that is bumped at each reuse; tasks carry the
// one they were made for.
const (
	versionShift        = 9
	versions     uint32 = 0xffff << versionShift
)

// A Header is the head of a machine, embedded in its builder: the machine hands it to
// what it awaits. Only generated code uses it. It has no method but what generated
// code calls and interfaces ask for, and no builder embeds a cell: the compiler makes
// a wrapper of each method for each machine, and again for each type of result.
type Header head

// OnStack reports whether the machine is on its kickoff's stack. Only generated code
// uses it.
func (h *Header) OnStack() bool { return atomic.LoadUint32(&h.status)&promoted == 0 }

// adopt is belong for a machine that is stored as k.
func (h *Header) adopt(env *environment, k Continuation) {
	(*head)(h).belong(env)
	if env.machines != nil {
		env.machines.began(k)
	}
}

func (h *Header) awaitedBy() []Continuation { return (*head)(h).awaitedBy() }

func (h *head) isCompleted() bool {
	return atomic.LoadUint32(&h.status)&phases == done
}

// move changes the phase if the status is still s. A host's cells need no
// interlocked instruction, which would cost as much as all the rest.
func (h *head) move(s, phase uint32) bool {
	if s&solo != 0 {
		h.status = s&^phases | phase
		return true
	}
	return atomic.CompareAndSwapUint32(&h.status, s, s&^phases|phase)
}

// leave ends a phase that only its owner can end: the status was s when it took that,
// and nobody else changes it meanwhile.
func (h *head) leave(s, phase uint32) { publish(&h.status, s&^phases|phase) }

// suspend stores the machine k, which has head m, to be resumed when the task of
// that token completes; false if it has.
func (h *head) suspend(m *head, token uint32, k Continuation) bool {
	s := atomic.LoadUint32(&h.status)
	m.Awaited = uint16(token >> versionShift)
	switch {
	case (s^token)&(versions|phases|solo|tracked) == done|solo && atomic.LoadUint32(&m.status)&(hosted|elsewhere) == hosted:
		h.next, h.status = k, s|stored // a host's, and pending: nobody sees it before we return
		return true
	case (s^token)&(versions|phases|solo) == done && !m.has(elsewhere) && atomic.CompareAndSwapUint32(&h.status, s, s|storing):
		h.next = k
		h.leave(s, stored)
		return true
	}
	return h.onCompleted(token, k)
}

// handsOn reports whether a machine that has not left the stack, was called with own,
// and would return what it awaits on h as it is, may give its caller that task: it
// would resume where that completes, and whoever blocks on it parks the same host.
func (h *head) handsOn(own *environment) bool {
	theirs := h.environment()
	switch {
	case own == nil, own == theirs:
		return true
	case own.sync != nil:
		return false
	case theirs == nil:
		return own.host == nil
	}
	return own.host == theirs.host
}

// onCompleted stores k, to be resumed when the cell completes; false if it has
// completed already.
func (h *head) onCompleted(token uint32, k Continuation) bool {
	s := atomic.LoadUint32(&h.status)
	if stale(s, token) {
		staleToken("awaited")
	}
	if s&solo != 0 {
		k.adopt(h.env.bare, k)
	}
	k = bind(k)
	for ; ; s = atomic.LoadUint32(&h.status) {
		switch s & phases {
		case done:
			return false
		case pending:
			if s&solo != 0 {
				h.next = k
				h.status = s | stored
				return true
			}
			if h.move(s, storing) {
				h.next = k
				h.leave(s, stored)
				return true
			}
		case stored:
			if s&single != 0 {
				panic("async: C14: a task from a pool was awaited twice; await it once, or do not pool it")
			}
			if h.move(s, appending) {
				h.append(k)
				h.leave(s&^reusable, stored)
				return true
			}
		default:
			yieldProcessor()
		}
	}
}

func (h *head) append(k Continuation) {
	l := listOf(h.next)
	if l == nil {
		l = new(continuations)
		l.add(h.next)
		h.next = &bound{l}
	}
	l.add(k)
}

// remove takes an arm back; false if it was released already or never stored.
func (h *head) remove(a *arm) bool {
	for {
		s := atomic.LoadUint32(&h.status)
		switch s & phases {
		case stored:
			if !h.move(s, appending) {
				continue
			}
			found, rest := without(h.next, a)
			if h.next = rest; rest == nil {
				h.leave(s, pending)
			} else {
				h.leave(s, stored)
			}
			return found
		case appending:
			yieldProcessor()
		default:
			return false
		}
	}
}

// failure is where the error is, once status has failed: two interfaces are alike
// in memory, and no cell needs both at a time.
func (h *head) failure() *error { return (*error)(unsafe.Pointer(&h.next)) }

// operation is where the operation is that is used again once its result was read: in
// a cell that is done and still reusable.
func (h *head) operation() *Recyclable { return (*Recyclable)(unsafe.Pointer(&h.next)) }

// fail stores the error of a host's cell that is done.
func (h *head) fail(err error) {
	*h.failure() = watch(err)
	h.status |= failed
}

func unreadable(s, token uint32) {
	if stale(s, token) {
		staleToken("read")
	}
	panic("async: C16: the result of a task was read before the task completed; await it, or ask IsCompleted first")
}

// token is the version as tasks carry it: the status, without flags, that the
// cell has when there is a result for them; never 0.
func (h *head) token() uint32 { return tokenOf(atomic.LoadUint32(&h.status)) }

func tokenOf(s uint32) uint32 { return s&versions | done }

// stale reports whether a cell with status s has been used again since the task
// that has token was handed out.
func stale(s, token uint32) bool { return (s^token)&versions != 0 }

func staleToken(what string) {
	panic("async: C13: a task was " + what + " after its source had been reused; a task from a pool may be awaited and read once, and not kept")
}

// bindIn binds a cell that nobody knows yet to the host of env, if there is any.
func (h *head) bindIn(env *environment) {
	if env != nil && env.host != nil {
		h.env = env.bare
		h.status |= env.bare.flags
	}
}

// promote is called on the head of a machine that has been copied to the heap and
// belongs to env, which may be nil: nobody else knows it yet.
func (h *head) promote(flags uint32, env *environment) {
	if env != nil {
		h.env = env
		flags |= env.flags
	}
	h.status |= flags
}

// promotedTo is where a machine on the stack, which nobody awaits, keeps the address
// of its copy on the heap: the latter word of next.
func (h *head) promotedTo() *unsafe.Pointer {
	return &(*[2]unsafe.Pointer)(unsafe.Pointer(&h.next))[1]
}

// lends is what a machine belongs to that has to wait for what has head h, nil
// for nothing we know, and whose function's context carries nothing: the host alone.
func (h *head) lends() *environment {
	if h == nil || !h.has(solo) {
		return nil
	}
	return h.env.bare
}

// belong makes a machine that had no context of its own belong to the host of what
// it awaits, so that a blocking Await on it knows whom to park.
func (h *head) belong(env *environment) {
	if atomic.LoadUint32(&h.status)&hosted != 0 {
		return
	}
	h.env = env
	for {
		s := atomic.LoadUint32(&h.status)
		if phase := s & phases; phase == storing || phase == appending {
			yieldProcessor()
		} else if atomic.CompareAndSwapUint32(&h.status, s, s|env.flags) {
			return
		}
	}
}

// has reports whether a flag is set.
func (h *head) has(flag uint32) bool { return atomic.LoadUint32(&h.status)&flag != 0 }

func (h *head) environment() *environment {
	if atomic.LoadUint32(&h.status)&hosted == 0 {
		return nil
	}
	return h.env
}

// clear is called before a cell with status s is used again that has not succeeded.
func (h *head) clear(s uint32) {
	switch s & phases {
	case storing, stored, appending:
		panic("async: C18: a source was reset while its task is awaited; complete it first")
	}
	if s&failed != 0 {
		h.next = nil
	}
}

// nextUse returns the status that a cell with status s has when it is pending
// again.
func nextUse(s uint32) uint32 { return s&flags | (s+1<<versionShift)&versions }

// yieldProcessor gives way to a goroutine that is in the middle of a few
// instructions on the same cell.
func yieldProcessor() { runtime.Gosched() }

package async

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// This file is who keeps track of machines in flight, where somebody has asked
// for that: a World for its own, a program without one for all of its own. Else
// it costs a comparison at each suspension. A machine is known from when it
// leaves the stack until it completes, so that those are found too that nothing
// refers to any more, and that nobody will ever resume.

// Machines keeps track of machines in flight. Its methods may be called from any
// goroutine.
type Machines struct {
	now  func() time.Duration
	hear func(MachineEvent, *InFlight)

	mu    sync.Mutex
	known map[unsafe.Pointer]*InFlight
	free  []*InFlight // made, and used by no machine
	count uint64
}

// InFlight is a machine that has left the stack and not completed. It is the
// list's, and stands for another machine when this one has ended.
type InFlight struct {
	Machine Machine
	Number  uint64        // in the order in which they left the stack, from 1
	Began   time.Duration // when that was
	Since   time.Duration // when it was last suspended

	begins  bool // its kickoff has not returned
	told    bool // that it began
	running int  // calls of its MoveNext: a second may begin before the first has returned
}

// Running reports whether the machine's code may be running now: then nobody
// else may look into it.
func (f *InFlight) Running() bool { return f.begins || f.running > 0 }

// A MachineEvent is what can be heard of a machine.
type MachineEvent int

const (
	MachineBegan     MachineEvent = iota // it has left the stack, and waits for the first time
	MachineResumed                       // it goes on
	MachineSuspended                     // it waits again
	MachineEnded                         // its task is complete
)

// NewMachines returns a list that knows no machine. now tells the time; hear, if
// it is not nil, is called with each event, on whoever caused it, and must
// neither block nor call anything of the list.
func NewMachines(now func() time.Duration, hear func(MachineEvent, *InFlight)) *Machines {
	return &Machines{now: now, hear: hear, known: make(map[unsafe.Pointer]*InFlight)}
}

// process is who keeps track of the machines that belong to no host.
var process atomic.Pointer[Machines]

// Track makes machines keep track of all that belong to no host, from those on
// that leave the stack from now on; nil ends it. It is the process's, for such
// machines may have nothing else in common. It returns who did before.
func Track(machines *Machines) (before *Machines) { return process.Swap(machines) }

// MachineTracker is a host that keeps track of its machines.
type MachineTracker interface {
	// Machines returns the list, nil if there is none after all. It is asked
	// when a context gets to carry the host.
	Machines() *Machines
}

func machinesOf(h Host) *Machines {
	if t, ok := h.(MachineTracker); ok {
		return t.Machines()
	}
	return nil
}

// Track makes machines hear of what ex resumes.
func (ex *Executor) Track(machines *Machines) { ex.machines = machines }

// tracker returns who is to hear of what ex resumes, nil if nobody.
func (ex *Executor) tracker() *Machines {
	if ex != nil && ex.machines != nil {
		return ex.machines
	}
	return process.Load()
}

// followed reports whether somebody may keep track of the machine with head h.
func (h *head) followed() bool { return h.has(tracked) || process.Load() != nil }

// tracker returns who keeps track of it, nil if nobody does.
func (h *head) tracker() *Machines {
	if env := h.environment(); env != nil && env.host != nil {
		return env.machines
	}
	return process.Load()
}

func (h *head) began(m Continuation) {
	if l := h.tracker(); l != nil {
		l.began(m)
	}
}

func (h *head) begun(at unsafe.Pointer) {
	if l := h.tracker(); l != nil {
		l.begun(at)
	}
}

func (h *head) ended(at unsafe.Pointer) {
	if l := h.tracker(); l != nil {
		l.ended(at)
	}
}

// addressOf is how a machine is known: the builder that it begins with lies at
// the same address. M is an interface with methods.
func addressOf[M any](m M) unsafe.Pointer {
	return (*struct{ _, data unsafe.Pointer })(unsafe.Pointer(&m)).data
}

// MachineIn returns the machine that c resumes, nil if it is something else, or a
// machine written by hand that does not say where it is.
func MachineIn(c Continuation) Machine {
	m, _ := bare(c).(Machine)
	return m
}

// IsMachine reports whether c resumes a machine: what has a builder, be it
// generated or not.
func IsMachine(c Continuation) bool {
	_, ok := bare(c).(failing)
	return ok
}

// MustResume reports whether what awaits c (AwaitedBy) cannot go on before c was
// resumed: c resumes a machine, which awaits one thing at a time, or is of what a Map,
// a Group, or a WhenAll whose context never ends waits for.
func MustResume(c Continuation) bool {
	k, ok := bare(c).(interface{ mustResume() bool })
	return ok && k.mustResume() || IsMachine(c)
}

// began makes the machine that c resumes known. It has left the stack, in its
// kickoff, and does not say yet where it waits.
func (l *Machines) began(c Continuation) {
	m := MachineIn(c)
	if m == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := addressOf(m)
	if l.known[at] != nil {
		return
	}
	if len(l.free) == 0 {
		block := make([]InFlight, 64)
		for i := range block {
			l.free = append(l.free, &block[i])
		}
	}
	last := len(l.free) - 1
	f := l.free[last]
	l.free = l.free[:last]
	l.count++
	now := l.now()
	*f = InFlight{Machine: m, Number: l.count, Began: now, Since: now, begins: true}
	l.known[at] = f
}

// begun is called when the kickoff of a machine returns.
func (l *Machines) begun(at unsafe.Pointer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.known[at]; f != nil {
		f.begins = false
		l.tellBegan(f)
	}
}

// tellBegan says that f began, once: not before it is known where it waits, and only
// of a machine that does wait.
func (l *Machines) tellBegan(f *InFlight) {
	if !f.told {
		f.told = true
		l.tell(MachineBegan, f)
	}
}

// ended forgets a machine.
func (l *Machines) ended(at unsafe.Pointer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.known[at]; f != nil {
		delete(l.known, at)
		if f.told {
			l.tell(MachineEnded, f)
		}
		*f = InFlight{}
		l.free = append(l.free, f)
	}
}

// resume is c.MoveNext(ex).
func (l *Machines) resume(c Continuation, ex *Executor) Continuation {
	if f, number := l.resumed(c); f != nil {
		defer l.suspended(f, number)
	}
	return c.MoveNext(ex)
}

func (l *Machines) resumed(c Continuation) (f *InFlight, number uint64) {
	m := MachineIn(c)
	if m == nil {
		return nil, 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if f = l.known[addressOf(m)]; f == nil {
		return nil, 0
	}
	l.tellBegan(f) // its kickoff may not have returned
	f.running++
	l.tell(MachineResumed, f)
	return f, f.Number
}

// suspended is called when a MoveNext of f is over. The machine may have ended,
// or be running elsewhere already.
func (l *Machines) suspended(f *InFlight, number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.Number != number {
		return
	}
	if f.running--; f.running > 0 {
		return
	}
	f.Since = l.now()
	l.tell(MachineSuspended, f)
}

func (l *Machines) tell(e MachineEvent, f *InFlight) {
	if l.hear != nil {
		l.hear(e, f)
	}
}

// Visit calls f with all machines in flight, in the order of their numbers. None
// of them is resumed meanwhile, so that f may look into those that do not run; it
// must not block on anything that another goroutine does.
func (l *Machines) Visit(f func([]*InFlight)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*InFlight, 0, len(l.known))
	for _, m := range l.known {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *InFlight) int { return cmp.Compare(a.Number, b.Number) })
	f(all)
}

// Len returns the number of machines in flight.
func (l *Machines) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.known)
}

// AwaitedBy returns what resumes when x completes, in the order in which it will:
// x is a machine or a source, or whatever else embeds a Source, or was returned
// by a function of this package for it. It returns nil if that is not to be known.
func AwaitedBy(x any) []Continuation {
	c, ok := x.(interface{ awaitedBy() []Continuation })
	if !ok {
		return nil
	}
	return c.awaitedBy()
}

func (h *head) awaitedBy() []Continuation {
	for {
		s := atomic.LoadUint32(&h.status)
		switch s & phases {
		case appending, storing:
			yieldProcessor()
			continue
		case stored:
		default:
			return nil
		}
		if !h.move(s, appending) {
			continue
		}
		var list []Continuation
		if l := listOf(h.next); l != nil {
			list = slices.DeleteFunc(slices.Clone(l.list), func(k Continuation) bool { return k == nil })
		} else {
			list = []Continuation{h.next}
		}
		for i, k := range list {
			list[i] = bare(k)
		}
		h.leave(s, stored)
		return list
	}
}

func (u *unbound) awaitedBy() []Continuation        { return AwaitedBy(u.Continuation) }
func (s *Source[T]) awaitedBy() []Continuation      { return s.cell.head.awaitedBy() }
func (r *Reusable[T]) awaitedBy() []Continuation    { return r.cell.head.awaitedBy() }
func (s PooledSource[T]) awaitedBy() []Continuation { return s.cell().head.awaitedBy() }

func (j *joint[T]) awaitedBy() []Continuation {
	if j.readers != nil {
		return j.readers()
	}
	return j.source.cell.head.awaitedBy()
}

// Awaits reports whether the machine that keeps the awaiter is waiting for its
// task, and whether that is known: it is not where the machine waits for
// something else.
func (a *Awaiter[T]) Awaits() (pending, known bool) {
	if a.head == nil {
		return false, false
	}
	return !a.head.isCompleted(), true
}

// Awaits is Awaiter.Awaits.
func (a *Awaiter0) Awaits() (pending, known bool) { return a.awaiter.Awaits() }

// Awaits is Awaiter.Awaits.
func (a *Awaiter2[A, B]) Awaits() (pending, known bool) { return a.awaiter.Awaits() }

// Awaits is Awaiter.Awaits.
func (a *Awaiter3[A, B, C]) Awaits() (pending, known bool) { return a.awaiter.Awaits() }

package kernel

import (
	"slices"
	"time"
)

// This file is threads, dispatcher objects and the scheduler.
//
// A simulated thread is no goroutine. It has a Body that does one piece of work each time the thread is scheduled and
// then returns: to wait for the next. Only code that blocks in the middle of a piece of work (a synchronous request, a
// blocking Await) has a stack to keep, and that is the Parker's affair.

// ThreadState is what a thread does.
type ThreadState uint8

// The states of a thread.
const (
	Waiting    ThreadState = iota // for a packet, a message, an event
	Ready                         // would run if a CPU took it
	Running                       // on a CPU
	Terminated                    // no more
)

func (s ThreadState) String() string {
	return [...]string{"waiting", "ready", "running", "terminated"}[s]
}

// Body is what a thread does when it runs: one piece of work. When Run returns the thread must have been made to wait
// (Remove of a port with no packet, Wait), or be terminated, or it is ready again.
type Body interface {
	Run(t *Thread)
}

// Parker keeps the stacks of threads that block in the middle of a piece of work. It belongs to whoever runs the
// kernel's loop.
type Parker interface {
	// Park is called on the stack of thread t, which waits. It lets others run, and returns when the scheduler has
	// chosen t again.
	Park(t *Thread)
}

// Thread is a simulated thread.
type Thread struct {
	// Fixed.
	kernel *Kernel
	number int // from 1, in the order in which they were made
	name   string
	body   Body
	Local  any // its maker's own

	// The Parker's.
	Stack any // what keeps its stack while it is parked, nil if it is not

	// The scheduler's.
	state    ThreadState
	queued   bool // stands in the ready queue: to run, or for its kernel APCs only
	cpu      *CPU // where it runs or last ran
	status   Status
	waitsFor string // for the dump

	// apc.go
	kernelAPCs    apcQueue
	userAPCs      apcList
	alertable     bool
	normalRunning bool
	critical      int
	guarded       int

	// port.go
	port       *CompletionPort
	active     bool   // counted as running for the port
	handed     bool   // it was handed a packet while it waited
	packet     Packet // that it has
	nextWaiter *Thread

	frames []*frame // verify.go

	inFlight int  // IRPs that it issued
	exiting  bool // ends when those are back
}

// NewThread makes a thread that waits. Wake lets it run.
func (k *Kernel) NewThread(name string, body Body) *Thread {
	k.threadsMade++
	t := &Thread{kernel: k, number: k.threadsMade, name: name, body: body, cpu: k.cpus[0], waitsFor: "its first wake"}
	k.threads = append(k.threads, t)
	return t
}

// Name returns the thread's name.
func (t *Thread) Name() string { return t.name }

// State returns what the thread does.
func (t *Thread) State() ThreadState { return t.state }

// CPU returns the CPU that the thread runs on, or last ran on.
func (t *Thread) CPU() *CPU { return t.cpu }

// Body returns the thread's body.
func (t *Thread) Body() Body { return t.body }

// WaitsFor says in words what a waiting thread waits for.
func (t *Thread) WaitsFor() string { return t.waitsFor }

// Wake makes a waiting thread ready; any other it leaves as it is.
func (k *Kernel) Wake(t *Thread) {
	if t.state == Waiting {
		k.wake(t, StatusSuccess)
	}
}

func (k *Kernel) wake(t *Thread, status Status) {
	t.state, t.status = Ready, status
	k.enqueue(t)
}

func (k *Kernel) enqueue(t *Thread) {
	if !t.queued {
		t.queued = true
		k.ready = append(k.ready, t)
	}
}

// WaitIdle makes the thread that runs wait until Wake; its body must return then.
func (t *Thread) WaitIdle(what string) {
	t.state, t.waitsFor = Waiting, what
}

// Terminate ends the thread; its body must return then. Requests that it issued complete with nobody to tell (A11).
func (t *Thread) Terminate() {
	if l := t.kernel.order.heldBy(t); l != nil {
		t.kernel.violate(vLockThread, nil, "%s ends while it holds %s", t.name, l.Name)
	}
	t.state = Terminated
	if t.active {
		t.active = false
		t.port.leave()
	}
	k := t.kernel
	if i := slices.Index(k.threads, t); i >= 0 {
		k.threads = slices.Delete(k.threads, i, i+1)
	}
}

// Exit ends the thread once the requests that it issued are complete: their APCs still run in its context. Its body must
// return then.
func (t *Thread) Exit() {
	t.exiting = true
	t.WaitIdle("its requests in flight, to end")
	if t.inFlight == 0 {
		t.Terminate()
	}
}

// Done says that a piece of a thread's work has ended, as it does when its body's Run returns: like any routine it leaves the
// CPU at the level at which it found it, and keeps no lock (A23). Who runs the kernel's loop calls it.
func (t *Thread) Done() {
	if t.cpu.irql != PassiveLevel || t.kernel.locks > 0 {
		t.checkDone()
	}
}

// checkDone says what a thread has not put back. Who did that has returned: nobody knows which routine it was.
func (t *Thread) checkDone() {
	k := t.kernel
	if l := k.order.heldBy(t); l != nil {
		k.bugCheckIn(nil, vWorkLocked, 0, "what ran on %s has kept %s", t.name, l.Name)
	}
	if level := t.cpu.irql; level != PassiveLevel {
		k.bugCheckIn(nil, vWorkIRQL, 0, "what ran on %s has left its CPU at %v", t.name, level)
	}
}

// Block parks the thread that runs until Wake, from the middle of its work: its stack stays. what says what it waits
// for. It returns how the wait ended.
func (t *Thread) Block(what string) Status {
	t.mustBe()
	k := t.kernel
	c := t.cpu
	if c.irql >= DispatchLevel {
		v := vWaitAbove
		if c.irql == DispatchLevel {
			v = vWaitDispatch
		}
		k.violate(v, nil, "%s would wait at %v", t.name, c.irql)
	}
	if c.thread != t || c.nesting > 0 {
		k.bugCheck("ATTEMPTED_SWITCH_FROM_DPC", "A23", nil, "%s would wait, but is not what CPU %d runs", t.name, c.number)
	}
	t.state, t.waitsFor = Waiting, what
	if t.active {
		t.port.leave()
	}
	k.counts.Blocks++
	c.Trace(HopThreadBlocked, nil, t.name, 0, 0)
	delivering := k.delivering
	k.delivering = false // others run
	if c.irql == PassiveLevel {
		k.parker.Park(t)
	} else {
		t.parkAtAPC()
	}
	k.delivering = delivering
	if t.active {
		t.port.resume()
	}
	t.cpu.Trace(HopThreadUnblocked, nil, t.name, 0, 0)
	return t.status
}

// parkAtAPC parks a thread that waits at APCLevel: the others run at their own, and its APCs stay held back (A34).
func (t *Thread) parkAtAPC() {
	t.cpu.irql = PassiveLevel
	t.guarded++
	t.kernel.parker.Park(t)
	t.guarded--
	t.cpu.irql = APCLevel
	if !t.kernelAPCs.empty() {
		t.cpu.attention |= attendAPC // when it comes down
	}
}

// mustBe refuses the wait of no thread, which is what CPU.Thread returns to an ISR or a DPC that has interrupted nobody. It
// knows of no kernel, and so of no time.
func (t *Thread) mustBe() {
	if t == nil {
		const text = "there is no thread that could wait: a DPC, or an ISR, runs on a CPU that has idled"
		panic(&BugCheck{Code: vWaitDispatch.Code, Rule: vWaitDispatch.Rule, Text: text, Must: vWaitDispatch.Text, Where: culprit(), Time: -1})
	}
}

// Event is a dispatcher object that is signalled or not (KEVENT, notification type).
type Event struct {
	Name string

	signaled bool
	waiters  []*Thread
}

// SetEvent signals an event and readies all that wait for it, at up to DispatchLevel.
func (k *Kernel) SetEvent(e *Event) {
	k.cpu.requireAtMost(DispatchLevel, "SetEvent")
	e.signaled = true
	for i, t := range e.waiters {
		e.waiters[i] = nil
		k.Wake(t)
	}
	e.waiters = e.waiters[:0]
}

// ResetEvent takes the signal back.
func (k *Kernel) ResetEvent(e *Event) { e.signaled = false }

// Wait blocks the thread until the event is signalled, or, if alertable, until user APCs have run: then it returns
// StatusUserAPC. Kernel APCs run during the wait and are not seen (A35). At PassiveLevel or APCLevel only (A23).
func (t *Thread) Wait(e *Event, alertable bool) Status {
	for !e.signaled {
		t.mustBe()
		if alertable && t.cpu.deliverUserAPCs(t) {
			return StatusUserAPC
		}
		e.waiters = append(e.waiters, t)
		t.alertable = alertable
		status := t.Block("event " + e.Name)
		t.alertable = false
		if status != StatusSuccess {
			e.drop(t)
		}
		if status == StatusTimeout {
			return status
		}
	}
	return StatusSuccess
}

// WaitFor is Wait for no longer than d: then it returns StatusTimeout. With a d of 0 it does not wait, but only looks, and
// may be called at up to DispatchLevel.
func (t *Thread) WaitFor(e *Event, alertable bool, d time.Duration) Status {
	switch {
	case e.signaled:
		return StatusSuccess
	case t == nil && d <= 0:
		return StatusTimeout
	case d <= 0:
		t.cpu.requireAtMost(DispatchLevel, "WaitFor with a timeout of 0")
		return StatusTimeout
	}
	t.mustBe()
	k := t.kernel
	if t.cpu.irql == DispatchLevel {
		k.violate(vWaitTimed, nil, "%s would wait for %v at %v", t.name, d, t.cpu.irql)
	}
	timeout := &Timer{DPC: &DPC{Name: "the timeout of " + t.name, Routine: func(*CPU, *DPC, any) {
		if t.state == Waiting {
			k.wake(t, StatusTimeout)
		}
	}}}
	k.SetTimer(timeout, k.clock.Now().Add(d))
	status := t.Wait(e, alertable)
	if !k.CancelTimer(timeout) {
		timeout.DPC.Routine = func(*CPU, *DPC, any) {} // it has expired: its DPC may still come
	}
	return status
}

func (e *Event) drop(t *Thread) {
	if i := slices.Index(e.waiters, t); i >= 0 {
		e.waiters = slices.Delete(e.waiters, i, i+1)
	}
}

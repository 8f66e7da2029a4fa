package kernel

// This file is asynchronous procedure calls: code that must run in the context of one particular thread, because only
// there the thread's memory can be reached. Rules A34 and A35.

// APC is an asynchronous procedure call. One without a Normal routine is special: it runs at APCLevel as soon as its
// thread runs below that, ahead of all normal ones.
type APC struct {
	Name   string
	Kernel func(c *CPU, a *APC) // runs at APCLevel, in the thread's context
	Normal func(c *CPU, a *APC) // then, at PassiveLevel; nil: a special APC
	User   bool                 // Normal is the application's: runs only in an alertable wait
	Owner  any                  // for the routines

	// The queue's.
	queued bool
	next   *APC
}

// apcQueue is first in, first out, but that special APCs stand before normal ones.
type apcQueue struct {
	head, tail  *APC
	lastSpecial *APC
}

func (q *apcQueue) push(a *APC) {
	a.queued = true
	if a.Normal != nil { // at the end
		if q.tail == nil {
			q.head = a
		} else {
			q.tail.next = a
		}
		q.tail = a
		return
	}
	if q.lastSpecial == nil { // before all normal ones
		a.next = q.head
		q.head = a
	} else {
		a.next = q.lastSpecial.next
		q.lastSpecial.next = a
	}
	if a.next == nil {
		q.tail = a
	}
	q.lastSpecial = a
}

func (q *apcQueue) pop() *APC {
	a := q.head
	q.head = a.next
	if q.head == nil {
		q.tail = nil
	}
	if q.lastSpecial == a {
		q.lastSpecial = nil
	}
	a.next, a.queued = nil, false
	return a
}

// QueueAPC queues an APC to a thread, at up to DispatchLevel. It returns false if the APC is queued already or the
// thread has ended. A thread that waits wakes, runs its kernel APCs and waits again, without its caller noticing (A35).
func (c *CPU) QueueAPC(t *Thread, a *APC) bool {
	c.requireAtMost(DispatchLevel, "QueueAPC")
	if a.queued || t.state == Terminated {
		return false
	}
	if a.User && a.Normal != nil {
		t.userAPCs.push(a)
		if t.state == Waiting && t.alertable {
			c.kernel.wake(t, StatusUserAPC)
		}
		return true
	}
	t.kernelAPCs.push(a)
	if t.state == Waiting && t.apcDeliverable() {
		c.kernel.enqueue(t)
	}
	if t.cpu.thread == t {
		t.cpu.attention |= attendAPC
		if t.cpu == c {
			c.deliver() // at once, if the level lets it
		}
	}
	return true
}

// apcDeliverable reports whether the head of the thread's kernel APCs could run, were the thread below APCLevel: a
// guarded region blocks all, a critical region normal ones, as does a normal one that runs (A34).
func (t *Thread) apcDeliverable() bool {
	a := t.kernelAPCs.head
	if a == nil || t.guarded > 0 {
		return false
	}
	return a.Normal == nil || t.critical == 0 && !t.normalRunning
}

// deliverAPCs runs the current thread's kernel APCs: special ones at APCLevel, then normal ones.
func (c *CPU) deliverAPCs() {
	t := c.thread
	c.attention &^= attendAPC
	for t.apcDeliverable() {
		a := t.kernelAPCs.pop()
		old := c.irql
		c.irql = APCLevel
		c.kernel.counts.APCs++
		c.Spend(costAPC)
		if a.Kernel != nil {
			a.Kernel(c, a)
		}
		c.requireRestored(APCLevel, "APC", a.Name)
		c.LowerIRQL(old)
		if a.Normal != nil {
			t.normalRunning = true
			a.Normal(c, a)
			t.normalRunning = false
		}
	}
}

// deliverUserAPCs runs the thread's user APCs at PassiveLevel; only an alertable wait does that (A35). It reports
// whether there were any.
func (c *CPU) deliverUserAPCs(t *Thread) bool {
	ran := false
	for t.userAPCs.head != nil {
		a := t.userAPCs.pop()
		c.kernel.counts.APCs++
		if a.Kernel != nil {
			old := c.RaiseIRQL(APCLevel)
			a.Kernel(c, a)
			c.LowerIRQL(old)
		}
		a.Normal(c, a)
		ran = true
	}
	return ran
}

// EnterCriticalRegion holds back normal kernel APCs and user APCs of the current thread until LeaveCriticalRegion.
func (c *CPU) EnterCriticalRegion() { c.thread.critical++ }

// LeaveCriticalRegion ends what EnterCriticalRegion began.
func (c *CPU) LeaveCriticalRegion() { c.leaveRegion(&c.thread.critical, "LeaveCriticalRegion") }

// EnterGuardedRegion holds back all APCs of the current thread until LeaveGuardedRegion.
func (c *CPU) EnterGuardedRegion() { c.thread.guarded++ }

// LeaveGuardedRegion ends what EnterGuardedRegion began.
func (c *CPU) LeaveGuardedRegion() { c.leaveRegion(&c.thread.guarded, "LeaveGuardedRegion") }

func (c *CPU) leaveRegion(count *int, routine string) {
	if *count == 0 {
		c.kernel.bugCheck("APC_INDEX_MISMATCH", "A34", nil, "%s without the matching enter", routine)
	}
	*count--
	if c.thread.apcDeliverable() {
		c.attention |= attendAPC
		c.deliver()
	}
}

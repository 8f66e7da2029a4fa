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
	after  uint64 // how many completed requests stand before it, of all that ever did
	next   *APC
}

// apcList is first in, first out.
type apcList struct{ head, tail *APC }

func (l *apcList) push(a *APC) {
	a.queued = true
	if l.head == nil {
		l.head = a
	} else {
		l.tail.next = a
	}
	l.tail = a
}

func (l *apcList) pop() *APC {
	a := l.head
	l.head = a.next
	a.next, a.queued = nil, false
	return a
}

// apcQueue is a thread's kernel APCs: the special ones, first in first out, then the normal ones. A completed request is a
// special APC without an APC: the IRP itself stands in the queue.
type apcQueue struct {
	requests irpList
	special  apcList
	normal   apcList
}

func (q *apcQueue) push(a *APC) {
	if a.Normal != nil {
		q.normal.push(a)
		return
	}
	a.after = q.requests.in
	q.special.push(a)
}

func (q *apcQueue) empty() bool {
	return q.requests.head == nil && q.special.head == nil && q.normal.head == nil
}

// popRequest takes out the completed request that is next; nil: an APC is.
func (q *apcQueue) popRequest() *IRP {
	if q.requests.head == nil || q.special.head != nil && q.special.head.after == q.requests.out {
		return nil
	}
	return q.requests.pop()
}

// pop takes out the APC that is next.
func (q *apcQueue) pop() *APC {
	if q.special.head != nil {
		return q.special.pop()
	}
	return q.normal.pop()
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
	c.attendAPC(t)
	return true
}

// queueCompletion queues the special kernel APC of a completed request to the thread that issued it (A11).
func (c *CPU) queueCompletion(irp *IRP) {
	irp.stage = stageAPC
	irp.thread.kernelAPCs.requests.push(irp)
	c.attendAPC(irp.thread)
}

// attendAPC lets a thread's kernel APCs run as soon as they can.
func (c *CPU) attendAPC(t *Thread) {
	if t.state == Waiting && t.apcDeliverable() {
		c.kernel.enqueue(t)
	}
	if t.cpu.thread == t {
		t.cpu.attention |= attendAPC
		if t.cpu == c && c.due() {
			c.deliver() // at once, if the level lets it
		}
	}
}

// apcDeliverable reports whether the head of the thread's kernel APCs could run, were the thread below APCLevel: a
// guarded region blocks all, a critical region normal ones, as does a normal one that runs (A34).
func (t *Thread) apcDeliverable() bool {
	q := &t.kernelAPCs
	if t.guarded > 0 {
		return false
	}
	return q.requests.head != nil || q.special.head != nil || q.normal.head != nil && t.critical == 0 && !t.normalRunning
}

// deliverAPCs runs the current thread's kernel APCs: special ones at APCLevel, then normal ones.
func (c *CPU) deliverAPCs() {
	t := c.thread
	c.attention &^= attendAPC
	for t.apcDeliverable() {
		old := c.irql
		c.irql = APCLevel
		c.kernel.counts.APCs++
		if irp := t.kernelAPCs.popRequest(); irp != nil {
			if !c.pass(costAPC) {
				c.spend(costAPC)
			}
			if c.kernel.watched {
				c.trace(HopAPC, irp, t.name, 0, 0)
			}
			c.deliverStatus(irp)
			c.LowerIRQL(old)
			continue
		}
		a := t.kernelAPCs.pop()
		c.Spend(costAPC)
		if a.Kernel != nil {
			a.Kernel(c, a)
		}
		if c.irql != APCLevel {
			c.notRestored(a.Kernel, APCLevel, "APC "+a.Name)
		}
		c.LowerIRQL(old)
		if a.Normal != nil {
			k, delivering := c.kernel, c.kernel.delivering
			t.normalRunning, k.delivering = true, false
			a.Normal(c, a)
			t.normalRunning, k.delivering = false, delivering
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

package kernel

// This file is deferred procedure calls: what an ISR has no business doing, done a moment later at DispatchLevel, still
// beneath all threads. Rules A30 to A33.

// Importance is where in the queue a DPC goes and whether it is worth draining the queue for at once.
type Importance uint8

// The importances.
const (
	MediumImportance     Importance = iota // at the end; drained at once on the queueing CPU
	LowImportance                          // at the end; may wait until enough are queued, or the CPU idles
	MediumHighImportance                   // at the end; drained at once on another CPU too
	HighImportance                         // at the head; drained at once on another CPU too
)

// maxQueueDepth is how many DPCs may be queued before even those of low importance are drained (A32).
const maxQueueDepth = 4

// DeferredRoutine is what a DPC calls, at DispatchLevel. The argument is the one of the QueueDPC that queued it.
type DeferredRoutine func(c *CPU, d *DPC, argument any)

// DPC is a deferred procedure call: usually a field of a driver's device extension, queued again and again.
type DPC struct {
	Name       string
	Routine    DeferredRoutine
	Importance Importance
	Target     *CPU // where it runs; nil: where it was queued

	// The queue's.
	queued   bool
	argument any
	next     *DPC
}

// dpcQueue is a CPU's queue.
type dpcQueue struct {
	head, tail *DPC
	depth      int
}

// QueueDPC queues d with an argument, at any IRQL. It returns false, and changes nothing, if d is queued already: so
// several interrupts may find one DPC, which must therefore look for all that there is to do (A30).
func (c *CPU) QueueDPC(d *DPC, argument any) bool {
	if d.queued {
		return false
	}
	if d.Routine == nil {
		panic("kernel: QueueDPC of DPC " + d.Name + ", which has no Routine")
	}
	d.queued = true
	d.argument = argument
	on := c
	if d.Target != nil {
		on = d.Target
	}
	q := &on.dpcs
	switch {
	case q.head == nil:
		d.next = nil
		q.head, q.tail = d, d
	case d.Importance == HighImportance:
		d.next = q.head
		q.head = d
	default:
		d.next = nil
		q.tail.next = d
		q.tail = d
	}
	q.depth++
	if c.kernel.watched {
		c.trace(HopDPCQueued, nil, d.Name, int64(on.number), 0)
	}
	if on.drainNow(d, on == c) {
		on.attention |= attendDPC
		if on == c && c.irql < DispatchLevel {
			c.deliver() // nothing holds it back
		}
	}
	return true
}

// drainNow decides whether a CPU is asked to drain its queue as soon as its IRQL allows (A32).
func (c *CPU) drainNow(d *DPC, own bool) bool {
	switch {
	case c.dpcs.depth >= maxQueueDepth:
		return true
	case own:
		return d.Importance != LowImportance
	}
	return d.Importance == MediumHighImportance || d.Importance == HighImportance
}

// drainDPCs empties the CPU's queue; thread code resumes only after that (A33).
func (c *CPU) drainDPCs() {
	k := c.kernel
	old := c.irql // below DispatchLevel: who calls has seen to that
	c.irql = DispatchLevel
	c.nesting++
	q := &c.dpcs
	for q.head != nil {
		d := q.head
		q.head = d.next
		if q.head == nil {
			q.tail = nil
		}
		q.depth--
		d.next = nil
		argument := d.argument
		d.argument = nil
		d.queued = false // before the call: it may be queued again while it runs (A30)
		k.counts.DPCs++
		k.mix(hashDPC|uint64(c.number)<<8, 0)
		began := k.clock.Now()
		if !c.pass(costDPC) {
			c.spend(costDPC)
		}
		if c.kernel.watched {
			c.trace(HopDPC, nil, d.Name, 0, 0)
		}
		d.Routine(c, d, argument)
		if c.irql != DispatchLevel {
			c.notRestored(d.Routine, DispatchLevel, "DPC "+d.Name)
		}
		if k.verify && k.clock.Now().Sub(began) > dpcBudget {
			k.bugCheckIn(d.Routine, vDPCBudget, 0, "DPC %s took %v, more than %v", d.Name, k.clock.Now().Sub(began), dpcBudget)
		}
	}
	c.attention &^= attendDPC
	c.nesting--
	c.irql = old // deliver, which called, looks for what else there is
}

// RemoveDPC takes a DPC out of the queue that it stands in; false if it is in none.
func (c *CPU) RemoveDPC(d *DPC) bool {
	if !d.queued {
		return false
	}
	for _, on := range c.kernel.cpus {
		var before *DPC
		for e := on.dpcs.head; e != nil; before, e = e, e.next {
			if e != d {
				continue
			}
			if before == nil {
				on.dpcs.head = e.next
			} else {
				before.next = e.next
			}
			if on.dpcs.tail == e {
				on.dpcs.tail = before
			}
			on.dpcs.depth--
			d.next, d.argument, d.queued = nil, nil, false
			return true
		}
	}
	return false
}

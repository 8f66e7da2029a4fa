package kernel

import "strconv"

// This file is cancellation: a request to complete a request early, which may come at any moment of its life. Rules A16
// to A21. The one idea: the cancel routine is a token. Whoever swaps it out of the IRP owns its completion.

// CancelRoutine completes an IRP that its driver has not begun to work on. It is called at DispatchLevel with the cancel
// lock held, and must: release the lock with ReleaseCancelLock(irp.CancelIRQL); take the IRP out of where it is queued;
// set its Status to StatusCancelled and Information to 0; complete it, holding no lock (A17).
type CancelRoutine func(c *CPU, dev *DeviceObject, irp *IRP)

// AcquireCancelLock takes the one lock that guards all cancel routines.
func (c *CPU) AcquireCancelLock() { c.kernel.cancelLock.Acquire(c) }

// ReleaseCancelLock releases it; in a cancel routine, to irp.CancelIRQL.
func (c *CPU) ReleaseCancelLock(level IRQL) { c.kernel.cancelLock.releaseTo(c, level) }

// CancelLockIRQL is the level from which the lock was taken: where to release it to, outside a cancel routine.
func (c *CPU) CancelLockIRQL() IRQL { return c.kernel.cancelLock.old }

// SetCancelRoutine sets a new cancel routine, or nil, and returns the one that was set. A driver that takes an IRP out of
// its queue calls it with nil: if it gets nil back, CancelIRP was first and owns the completion (A18). After setting one,
// look at irp.Cancel again.
func (irp *IRP) SetCancelRoutine(r CancelRoutine) (old CancelRoutine) {
	if r != nil && irp.kernel().verify {
		irp.foreignCancel()
	}
	old = irp.cancelRoutine
	irp.cancelRoutine = r
	return old
}

// TakeCancelRoutine is SetCancelRoutine with nil, and the cancel lock held meanwhile: what a driver calls that takes an IRP
// to work on, at DispatchLevel.
func (c *CPU) TakeCancelRoutine(irp *IRP) (old CancelRoutine) {
	if c.kernel.cancelLock.held || c.kernel.careful {
		return c.takeLocked(irp)
	}
	old = irp.cancelRoutine
	irp.cancelRoutine = nil
	return old
}

// takeLocked is TakeCancelRoutine where somebody sees the lock.
func (c *CPU) takeLocked(irp *IRP) (old CancelRoutine) {
	c.kernel.cancelLock.Acquire(c)
	old = irp.SetCancelRoutine(nil)
	c.kernel.cancelLock.Release(c)
	return old
}

// foreignCancel refuses the cancel routine of a driver that does not have the IRP.
func (irp *IRP) foreignCancel() {
	if irp.kernel().cpu.passedDown(irp) {
		irp.kernel().violate(vCancelBelow, irp, "a cancel routine is set for an IRP that the driver below has")
	}
}

// CancelIRP asks for an IRP to be completed early. It always sets irp.Cancel; if a cancel routine is set it calls that
// one, and returns true. False means that the driver works on the IRP and will see irp.Cancel or not (A16).
func (c *CPU) CancelIRP(irp *IRP) bool {
	c.AcquireCancelLock()
	if !irp.Cancel {
		irp.since = c.Now()
	}
	irp.Cancel = true
	if c.kernel.verify && !irp.annex.cancelled {
		a := irp.rest()
		a.cancelled, a.cancelTime = true, c.Now()
	}
	c.kernel.reachRace(irp)
	routine := irp.SetCancelRoutine(nil)
	c.kernel.mix(hashCancel|irp.id<<8, uint64(boolArg(routine != nil)))
	c.Trace(HopCancel, irp, "", boolArg(routine != nil), 0)
	if routine == nil {
		c.ReleaseCancelLock(c.CancelLockIRQL())
		return false
	}
	irp.CancelIRQL = c.CancelLockIRQL()
	id, level := irp.id, irp.CancelIRQL
	c.kernel.counts.Cancels++
	outer := c.kernel.cancelling
	c.kernel.cancelling = id
	routine(c, irp.CurrentStackLocation().Device, irp)
	c.kernel.cancelling = outer
	if c.kernel.cancelLock.held {
		c.kernel.bugCheckIn(routine, vCancelSpinLock, id, "a cancel routine returned holding the cancel lock")
	}
	if c.irql != level {
		c.notRestored(routine, level, "the cancel routine of irp#"+strconv.FormatUint(id, 10))
	}
	return true
}

func boolArg(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

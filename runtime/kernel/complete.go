package kernel

// This file is the way up: from CompleteRequest through the completion routines and the special kernel APC to whoever
// waits. Rules A8 to A13.

// CompleteRequest says that a driver is done with an IRP whose Status and Information are set. It walks up the stack and
// then has the result delivered to the requester. At up to DispatchLevel, holding no lock. The caller must not touch the
// IRP after it (A2).
func (c *CPU) CompleteRequest(irp *IRP) {
	k := c.kernel
	c.checkCompletable(irp)
	if !c.pass(costComplete) {
		c.spend(costComplete)
	}
	if k.watched {
		c.trace(HopIRPComplete, irp, "", int64(irp.Status), int64(irp.Information))
		irp.noteCompleted() // walkUp does, where it is called
	}
	if sl := &irp.lowest; irp.depth == 1 && irp.current == 1 && sl.home == 0 { // one driver, and nobody asked to be told
		irp.PendingReturned = sl.control&controlPending != 0
		sl.control = 0
	} else if !c.walkUp(irp) {
		return
	}
	irp.current, irp.since = irp.depth+2, c.Now()
	k.counts.Completions++
	k.mix(hashComplete|irp.id<<8, uint64(irp.Status)<<32^uint64(irp.Information))
	switch {
	case !irp.PendingReturned && irp.deferred:
		// The dispatch routine is still on the stack and will return this status: whoever built the IRP delivers it.
		irp.deferred = false
	case irp.thread == nil:
		k.bugCheck("DRIVER_FAULT", "A10", irp, "a driver's own IRP went all the way up: its completion routine must return StatusMoreProcessingRequired")
	case irp.thread.state == Terminated:
		c.finish(irp) // nobody to tell (A11)
	case k.modern && irp.context != nil && irp.file.port != nil:
		c.deliverStatus(irp)
	default:
		if k.watched {
			c.trace(HopAPCQueued, irp, irp.thread.name, 0, 0)
		}
		c.queueCompletion(irp)
	}
}

// checkCompletable checks that an IRP is its caller's to complete, and fit for it.
func (c *CPU) checkCompletable(irp *IRP) {
	k := c.kernel
	switch {
	case c.irql > DispatchLevel:
		k.violate(vCompleteIRQL, irp, "CompleteRequest called at %v", c.irql)
	case irp.id == 0 || irp.completed():
		k.violate(vDoubleCompletion, irp, "the IRP is complete already")
	case irp.cancelRoutine != nil:
		k.violate(vCancelSet, irp, "the IRP is completed with its cancel routine set")
	case irp.Status == StatusPending:
		k.violate(vStatusPending, irp, "the IRP is completed with %v", irp.Status)
	case irp.Status == statusMinusOne:
		k.violate(vStatusMinusOne, irp, "the IRP is completed with status -1")
	case irp.queue != 0:
		k.violate(vCompleteQueued, irp, "the IRP is completed while it stands in a device queue")
	case k.cancelLock.held:
		k.violate(vCancelSpinLock, irp, "the IRP is completed while the cancel lock is held")
	case !k.verify:
	case k.locks > 0:
		k.violate(vCompleteLocked, irp, "the IRP is completed while %s is held", k.order.last())
	case c.passedDown(irp):
		k.violate(vCompleteQueued, irp, "the IRP is completed while the driver below has it")
	case irp.file != nil && irp.overrun():
		k.violate(vOverrun, irp, "the IRP is completed with %d bytes transferred of a buffer of %d", irp.Information, len(irp.UserBuffer))
	case irp.id == k.cancelling && irp.Status == StatusCancelled && irp.Information != 0:
		k.violate(vCancelOutcome, irp, "a cancel routine completes its IRP with %v and %d bytes", irp.Status, irp.Information)
	case irp.Cancel != irp.annex.cancelled:
		k.violate(vCancelField, irp, "somebody wrote to irp.Cancel")
	case irp.Cancel && k.clock.Now().Sub(irp.annex.cancelTime) > cancelBudget:
		k.violate(vCancelSlow, irp, "the IRP is completed %v after it was cancelled", k.clock.Now().Sub(irp.annex.cancelTime))
	}
}

// overrun reports whether Information counts bytes that the request's buffer does not have. Without a buffer, or with an error,
// it may count anything, but not backwards.
func (irp *IRP) overrun() bool {
	n := len(irp.UserBuffer)
	return irp.Information < 0 || irp.Information > n && n > 0 && !irp.Status.IsError()
}

// walkUp calls the completion routines from the current location upward (A9). False: one of them has kept the IRP
// (A10); the next CompleteRequest goes on above it.
func (c *CPU) walkUp(irp *IRP) bool {
	irp.annex.kept = false
	for irp.current <= irp.depth {
		irp.noteCompleted()
		sl := irp.location(irp.current)
		flags, asked := sl.control, completion{}
		if sl.home != 0 {
			asked = irp.takeRoutine(sl.home)
		}
		irp.PendingReturned = flags&controlPending != 0
		sl.control, sl.home = 0, 0
		irp.current++
		var above *StackLocation // of the driver that has asked; nil: it is who built the IRP, and has none
		if irp.current <= irp.depth {
			above = irp.location(irp.current)
		}
		invoke := irp.Status.IsSuccess() && flags&controlOnSuccess != 0 ||
			!irp.Status.IsSuccess() && flags&controlOnError != 0 ||
			irp.Cancel && flags&controlOnCancel != 0
		if asked.routine != nil && invoke {
			if !c.callRoutine(asked, irp, above) {
				return false
			}
		} else if irp.PendingReturned && above != nil {
			above.control |= controlPending
		}
	}
	return true
}

// callRoutine calls the completion routine of the driver whose location is above, and holds it to its contract (A7). False:
// it has kept the IRP.
func (c *CPU) callRoutine(asked completion, irp *IRP, above *StackLocation) bool {
	k := c.kernel
	level, id, at, pended := c.irql, irp.id, irp.current, irp.PendingReturned
	var dev *DeviceObject
	if above != nil {
		dev = above.Device
	}
	c.Trace(HopCompletionRoutine, irp, "", int64(irp.Status), 0)
	irp.annex.rising = true // it has an annex of its own: there is a completion routine
	status := asked.routine(c, dev, irp, asked.context)
	kept := status == StatusMoreProcessingRequired
	if irp.id == id { // else it has been freed
		irp.annex.rising, irp.annex.kept = false, kept
	}
	switch {
	case c.irql != level:
		k.bugCheckIn(asked.routine, vCompletionIRQL, 0, "a completion routine was entered at %v and left at %v", level, c.irql)
	case kept:
	case irp.id != id || irp.current != at:
		k.bugCheckIn(asked.routine, vDoubleCompletion, id, "a completion routine completed the IRP, passed it down or freed it, and did not return StatusMoreProcessingRequired")
	case pended && above != nil && above.control&controlPending == 0:
		k.bugCheckIn(asked.routine, vNotPropagated, id, "a completion routine of %s saw PendingReturned and did not call MarkPending", dev.Driver.Name)
	}
	return !kept
}

// deliverStatus gives a completed IRP's results to the requester (A12): copies buffered data back, writes the I/O status
// block, and says so by packet, APC or event.
func (c *CPU) deliverStatus(irp *IRP) {
	k := c.kernel
	if k.verify {
		c.releaseBuffer(irp)
	}
	file, status := irp.file, irp.Status
	ov, _ := irp.context.(*Overlapped)
	if uint(irp.Information) > uint(len(irp.UserBuffer)) && irp.overrun() {
		k.bugCheckIn(nil, vOverrun, irp.id, "a driver of %s says that it transferred %d bytes of a buffer of %d", file.device.Name, irp.Information, len(irp.UserBuffer))
	}
	if system := irp.SystemBuffer(); system != nil && irp.top().Major == MajorRead && !status.IsError() {
		copy(irp.UserBuffer, system[:irp.Information])
	}
	tell := !status.IsError() || irp.PendingReturned && !file.synchronous
	if ov != nil {
		ov.Status, ov.Information = status, irp.Information
		ov.irp = nil
	}
	if file.synchronous && irp.PendingReturned {
		file.finalStatus, file.finalInformation = status, irp.Information
		k.SetEvent(&file.done)
	}
	if !tell || irp.context == nil || file.synchronous {
		c.finish(irp)
		return
	}
	var routine func(*Overlapped)
	if ov != nil && ov.Notify != nil {
		routine = ov.Notify.Routine
		if ov.Notify.Event != nil {
			k.SetEvent(ov.Notify.Event)
		}
	}
	switch {
	case file.port != nil && !(file.skipOnSuccess && !irp.PendingReturned && status.IsSuccess()):
		c.detach(irp)
		file.port.insertIRP(c, file, irp)
	case routine != nil:
		thread := irp.thread
		c.finish(irp)
		c.QueueAPC(thread, &APC{Name: "I/O routine", User: true, Owner: ov, Normal: overlappedRoutine})
	default:
		c.finish(irp)
	}
}

func overlappedRoutine(_ *CPU, a *APC) {
	ov := a.Owner.(*Overlapped)
	ov.Notify.Routine(ov)
}

// finish ends an IRP of which nobody needs to know more.
func (c *CPU) finish(irp *IRP) {
	c.detach(irp)
	c.kernel.free(irp)
}

// detach takes an IRP off the accounts of its thread and file object.
func (c *CPU) detach(irp *IRP) {
	if !irp.inFlight {
		return
	}
	t, file := irp.thread, irp.file
	irp.inFlight = false
	t.inFlight--
	file.inFlight--
	if t.exiting || file.closing {
		c.endLast(t, file)
	}
}

// endLast ends a thread or a file object that has waited for its last IRP.
func (c *CPU) endLast(t *Thread, file *FileObject) {
	if t.exiting && t.inFlight == 0 {
		t.Terminate()
	}
	if file.closing && file.inFlight == 0 {
		c.kernel.closing = append(c.kernel.closing, file)
	}
}

package driver

import "github.com/nothread/nothread/runtime/kernel"

// irpQueue holds IRPs that wait for something of which no hardware has been told: data to arrive, a caller, a moment in
// time. While an IRP stands in it, it can be cancelled at any time: the queue's cancel routine takes it out. It is what
// Windows calls a cancel-safe queue, and does A16 to A18 in one place for both transports.
//
// All methods but cancelAll are called holding the adapter's lock, which guards what the IRPs wait for; they take the cancel
// lock for a moment, in that order.
type irpQueue struct {
	list      kernel.DeviceQueue // of capacity 0: it never lets a request through, so it is a plain list
	cancel    kernel.CancelRoutine
	cancelled func(c *kernel.CPU, irp *kernel.IRP)
}

// init says what becomes of an IRP that is cancelled: cancelled gets it out of the queue, with n's lock held, and must see
// to its completion.
func (q *irpQueue) init(n *Net, cancelled func(c *kernel.CPU, irp *kernel.IRP)) {
	q.cancelled = cancelled
	q.cancel = func(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) {
		q.list.RemoveEntry(irp)
		c.ReleaseCancelLock(irp.CancelIRQL)
		n.enter(c)
		cancelled(c, irp)
		n.leave(c)
	}
}

// pend marks an IRP pending and puts it at the end, in that order (A4). It returns StatusPending, for the dispatch routine to
// return.
func (q *irpQueue) pend(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	irp.MarkPending()
	c.AcquireCancelLock()
	q.list.Insert(c, irp)
	c.Trace(kernel.HopQueued, irp, dev.Name, int64(q.list.Len()), 0)
	q.expose(c, irp)
	return kernel.StatusPending
}

// expose lets an IRP that stands in the queue be cancelled from now on, and releases the cancel lock. One that somebody has
// asked to cancel before is taken out (A18).
func (q *irpQueue) expose(c *kernel.CPU, irp *kernel.IRP) {
	irp.SetCancelRoutine(q.cancel)
	late := irp.Cancel && irp.SetCancelRoutine(nil) != nil && q.list.RemoveEntry(irp)
	c.ReleaseCancelLock(kernel.DispatchLevel)
	if late {
		q.cancelled(c, irp)
	}
}

// next takes out the IRP that has waited longest of those that came through a file object: it is the caller's, to
// complete it. nil: there is none, or CancelIRP was first and owns it (A18).
func (q *irpQueue) next(c *kernel.CPU, file *kernel.FileObject) *kernel.IRP {
	irp := q.claim(c, file)
	if irp != nil {
		q.list.RemoveEntry(irp)
	}
	return irp
}

// claim is next, but leaves the IRP where it stands: until unclaim or remove nobody can cancel it.
func (q *irpQueue) claim(c *kernel.CPU, file *kernel.FileObject) *kernel.IRP {
	c.AcquireCancelLock()
	irp := q.list.Find(file)
	if irp != nil && irp.SetCancelRoutine(nil) == nil {
		irp = nil
	}
	c.ReleaseCancelLock(kernel.DispatchLevel)
	return irp
}

// remove takes out an IRP that was claimed.
func (q *irpQueue) remove(irp *kernel.IRP) { q.list.RemoveEntry(irp) }

// unclaim lets an IRP wait on that was claimed. If somebody has cancelled it meanwhile it is taken out.
func (q *irpQueue) unclaim(c *kernel.CPU, irp *kernel.IRP) {
	c.AcquireCancelLock()
	q.expose(c, irp)
}

// len returns the number of IRPs that wait.
func (q *irpQueue) len() int { return q.list.Len() }

// cancelAll cancels all IRPs that came through a file object. The adapter's lock is not held.
func (q *irpQueue) cancelAll(c *kernel.CPU, dev *kernel.DeviceObject, file *kernel.FileObject) {
	cancelQueue(c, dev, &q.list, file)
}

// cancelQueue cancels all IRPs of a queue that came through a file object, holding no lock: what a driver does in
// cleanup. Each is found and its cancel routine called under the cancel lock, as CancelIRP does: one that was found before
// might be somebody else's by then. (irp.Cancel stays: nobody asked for that.)
func cancelQueue(c *kernel.CPU, dev *kernel.DeviceObject, q *kernel.DeviceQueue, file *kernel.FileObject) {
	for {
		c.AcquireCancelLock()
		irp := q.Find(file)
		if irp == nil {
			c.ReleaseCancelLock(c.CancelLockIRQL())
			return
		}
		irp.CancelIRQL = c.CancelLockIRQL()
		routine := irp.SetCancelRoutine(nil)
		if routine == nil { // somebody has it already, and will take it out
			c.ReleaseCancelLock(irp.CancelIRQL)
			return
		}
		routine(c, dev, irp)
	}
}

// complete completes an IRP with a status and a number of bytes.
func complete(c *kernel.CPU, irp *kernel.IRP, status kernel.Status, n int) kernel.Status {
	irp.Status, irp.Information = status, n
	c.CompleteRequest(irp)
	return status
}

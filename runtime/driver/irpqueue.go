package driver

import "github.com/nothread/nothread/runtime/kernel"

// irpQueue holds IRPs that wait for something of which no hardware has been told: data to arrive, a caller, a moment in
// time. While an IRP stands in it, it can be cancelled at any time: the queue's cancel routine takes it out. It is what
// Windows calls a cancel-safe queue, and does A16 to A18 in one place for the drivers here.
//
// All methods are called at DispatchLevel. An IRP must be marked pending before it goes in (A4).
type irpQueue struct {
	list   kernel.DeviceQueue // of capacity 0: it never lets a request through, so it is a plain list
	cancel kernel.CancelRoutine
}

// init says what completes an IRP that is cancelled: done gets it at DispatchLevel, out of the queue, holding no lock,
// and must complete it.
func (q *irpQueue) init(done func(c *kernel.CPU, irp *kernel.IRP)) {
	q.cancel = func(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) {
		q.list.RemoveEntry(irp)
		c.ReleaseCancelLock(irp.CancelIRQL)
		old := c.RaiseIRQL(kernel.DispatchLevel)
		done(c, irp)
		c.LowerIRQL(old)
	}
}

// insert puts an IRP at the end. If it was cancelled before it had a cancel routine, that runs now (A18), and the IRP is
// gone when insert returns.
func (q *irpQueue) insert(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	c.AcquireCancelLock()
	irp.SetCancelRoutine(q.cancel)
	q.list.Insert(c, irp)
	c.Trace(kernel.HopQueued, irp, dev.Name, int64(q.list.Len()), 0)
	if irp.Cancel && irp.SetCancelRoutine(nil) != nil {
		irp.CancelIRQL = c.CancelLockIRQL()
		q.cancel(c, dev, irp)
		return
	}
	c.ReleaseCancelLock(kernel.DispatchLevel)
}

// take makes an IRP of the queue the caller's, to complete it. False: CancelIRP was first and owns it (A18).
func (q *irpQueue) take(c *kernel.CPU, irp *kernel.IRP) bool {
	c.AcquireCancelLock()
	mine := irp.SetCancelRoutine(nil) != nil && q.list.RemoveEntry(irp)
	c.ReleaseCancelLock(kernel.DispatchLevel)
	return mine
}

// len returns the number of IRPs that wait.
func (q *irpQueue) len() int { return q.list.Len() }

// first returns the IRP that has waited longest of those that came through a file object, nil if there is none. It
// stays in the queue and can be cancelled: only one who is at DispatchLevel until take may look into it.
func (q *irpQueue) first(file *kernel.FileObject) *kernel.IRP { return q.list.Find(file) }

// cancelQueue cancels all IRPs of a queue that came through a file object: what a driver does in cleanup.
func cancelQueue(c *kernel.CPU, q *kernel.DeviceQueue, file *kernel.FileObject) {
	for {
		old := c.RaiseIRQL(kernel.DispatchLevel)
		irp := q.Find(file)
		c.LowerIRQL(old)
		if irp == nil {
			return
		}
		c.CancelIRP(irp)
	}
}

// complete completes an IRP with a status and a number of bytes.
func complete(c *kernel.CPU, irp *kernel.IRP, status kernel.Status, n int) kernel.Status {
	irp.Status, irp.Information = status, n
	c.CompleteRequest(irp)
	return status
}

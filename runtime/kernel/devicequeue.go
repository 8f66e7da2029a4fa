package kernel

// This file is the device queue, which lets as many requests through to a device as it takes at a time, and StartIo, the
// routine through which they reach it. Rules A14 and A15.

// DeviceQueue holds IRPs that wait for a device. Windows' lets one request through at a time; this one has a capacity,
// because a disk that takes several commands at a time is the same thing with a larger number. With a capacity of 1
// A14 reads literally.
type DeviceQueue struct {
	number   uint32 // what its IRPs know it by; 0: it has never had one
	capacity int
	busy     int // how many requests the device has
	head     *IRP
	tail     *IRP
	length   int
}

// Busy reports whether the device has as many requests as it takes.
func (q *DeviceQueue) Busy() bool { return q.busy >= q.capacity }

// Len returns the number of IRPs that wait.
func (q *DeviceQueue) Len() int { return q.length }

// Insert puts an IRP at the end and returns true; or returns false if the device is free: it counts as busy then, and
// the caller starts the request (A14).
func (q *DeviceQueue) Insert(c *CPU, irp *IRP) bool {
	if c.irql != DispatchLevel {
		c.wrongLevel(DispatchLevel, "DeviceQueue.Insert")
	}
	if q.take() {
		return false
	}
	q.link(irp, q.tail)
	return true
}

// InsertByKey is Insert, but puts the IRP behind those whose key is not greater (A14).
func (q *DeviceQueue) InsertByKey(c *CPU, irp *IRP, key uint64) bool {
	if c.irql != DispatchLevel {
		c.wrongLevel(DispatchLevel, "DeviceQueue.InsertByKey")
	}
	if q.take() {
		return false
	}
	irp.rest().key = key
	after := q.tail
	for after != nil && after.annex.key > key {
		after = after.prev
	}
	q.link(irp, after)
	return true
}

func (q *DeviceQueue) take() bool {
	if q.busy < q.capacity {
		q.busy++
		return true
	}
	return false
}

// link puts irp behind after, nil for the head.
func (q *DeviceQueue) link(irp *IRP, after *IRP) {
	if irp.kernel().verify {
		irp.mustBeMarked()
	}
	if q.number == 0 {
		k := irp.kernel()
		k.queues++
		q.number = k.queues
	}
	irp.queue = q.number
	irp.prev = after
	if after == nil {
		irp.next = q.head
		q.head = irp
	} else {
		irp.next = after.next
		after.next = irp
	}
	if irp.next == nil {
		q.tail = irp
	} else {
		irp.next.prev = irp
	}
	q.length++
}

// Remove says that the device is done with a request and takes the next one out. If none waits it returns nil, and the
// device is less busy by one (A14).
func (q *DeviceQueue) Remove(c *CPU) *IRP {
	if c.irql != DispatchLevel {
		c.wrongLevel(DispatchLevel, "DeviceQueue.Remove")
	}
	return q.next()
}

// next is Remove at the right level.
func (q *DeviceQueue) next() *IRP {
	irp := q.head
	if irp != nil {
		q.unlink(irp)
	} else if q.busy > 0 {
		q.busy--
	}
	return irp
}

// RemoveEntry takes an IRP out of the middle of the queue; false if it does not stand in it.
func (q *DeviceQueue) RemoveEntry(irp *IRP) bool {
	if irp.queue == 0 || irp.queue != q.number {
		return false
	}
	q.unlink(irp)
	return true
}

func (q *DeviceQueue) unlink(irp *IRP) {
	if irp.prev == nil {
		q.head = irp.next
	} else {
		irp.prev.next = irp.next
	}
	if irp.next == nil {
		q.tail = irp.prev
	} else {
		irp.next.prev = irp.prev
	}
	irp.next, irp.prev, irp.queue = nil, nil, 0
	q.length--
}

// Find returns the first queued IRP that came through a file object, nil if none.
func (q *DeviceQueue) Find(file *FileObject) *IRP {
	for irp := q.head; irp != nil; irp = irp.next {
		if irp.file == file {
			return irp
		}
	}
	return nil
}

// StartPacket sends an IRP, marked pending, to its device's StartIo: at once if the device is free, else when
// StartNextPacket comes to it. While it is queued, cancel can complete it; nil: it cannot be cancelled.
func (c *CPU) StartPacket(dev *DeviceObject, irp *IRP, cancel CancelRoutine) {
	old := c.RaiseIRQL(DispatchLevel)
	if !c.kernel.careful && dev.Queue.take() {
		irp.cancelRoutine = cancel // it goes straight to StartIo: nobody is there whom the lock would keep off
		c.startIo(dev, irp)
		c.LowerIRQL(old)
		return
	}
	cancelled := c.startOrQueue(dev, irp, cancel)
	c.LowerIRQL(old)
	if !cancelled {
		c.stall()
	}
}

// startOrQueue is StartPacket where somebody may come between, or the device is busy. It reports whether the request was
// cancelled before it had a cancel routine, and so is complete (A18).
func (c *CPU) startOrQueue(dev *DeviceObject, irp *IRP, cancel CancelRoutine) (cancelled bool) {
	if c.kernel.verify {
		irp.mustBeMarked()
	}
	if cancel != nil {
		c.AcquireCancelLock()
		irp.SetCancelRoutine(cancel)
	}
	queued := dev.Queue.Insert(c, irp)
	if queued {
		c.Trace(HopQueued, irp, dev.Name, int64(dev.Queue.length), 0)
	}
	if cancel != nil {
		if queued && irp.Cancel && irp.SetCancelRoutine(nil) != nil {
			irp.CancelIRQL = c.CancelLockIRQL()
			cancel(c, dev, irp)
			return true
		}
		c.ReleaseCancelLock(DispatchLevel)
	}
	if !queued {
		c.startIo(dev, irp)
	}
	return false
}

// StartNextPacket says that the device is done with a request and starts the next one that waits. A driver's DPC calls
// it just before it completes the request (A15), at DispatchLevel.
func (c *CPU) StartNextPacket(dev *DeviceObject) {
	if c.irql != DispatchLevel {
		c.wrongLevel(DispatchLevel, "StartNextPacket")
	}
	if dev.DeferredStartIo && dev.starting > 0 {
		dev.owed++ // the loop in startIo below us goes on with it
		return
	}
	if dev.starting > 0 && c.kernel.verify && !c.kernel.straying { // a stray cancel is another CPU's
		c.recurses(dev)
	}
	if irp := dev.Queue.next(); irp != nil {
		c.startIo(dev, irp)
	} else {
		dev.Current = nil
	}
}

// recurses ends the World because StartIo would call itself for as many requests as wait (A15).
func (c *CPU) recurses(dev *DeviceObject) {
	c.kernel.violate(vStartIoRecursion, dev.Current, "StartIo of %s calls StartNextPacket without DeferredStartIo", dev.Driver.Name)
}

// maxStartIoDepth is how deep StartIo may call itself through StartNextPacket before that counts as A15's recursion; with
// the verifier it may not at all.
const maxStartIoDepth = 100

// startIo calls StartIo, and again for what its calls of StartNextPacket let through.
func (c *CPU) startIo(dev *DeviceObject, irp *IRP) {
	dev.starting++
	if dev.starting > maxStartIoDepth {
		c.recurses(dev)
	}
	for irp != nil {
		dev.Current = irp
		if c.pass(costStartIo) || c.spendTaken(irp) {
			irp.reach(stageStarted)
			if c.kernel.watched {
				c.trace(HopStartIo, irp, dev.Driver.Name, 0, 0)
			}
			start := dev.Driver.StartIo
			if start == nil {
				panic("kernel: a request is to be started by " + dev.Driver.Name + ", which has no StartIo")
			}
			start(c, dev, irp)
			if c.irql != DispatchLevel {
				c.notRestored(dev.Driver.StartIo, DispatchLevel, "StartIo of "+dev.Driver.Name)
			}
		}
		irp = nil
		for dev.owed > 0 && irp == nil {
			dev.owed--
			if irp = dev.Queue.next(); irp == nil {
				dev.Current = nil
			}
		}
	}
	dev.starting--
}

// spendTaken spends what a call of StartIo costs, where something happens meanwhile. It reports whether the request is still to
// be started: if it is cancelled on the way there, whoever did that owns it, it may be freed already, and its cancel routine
// starts the next one (A18, A2).
func (c *CPU) spendTaken(irp *IRP) bool {
	irp.reach(stageTaken)
	id, cancellable := irp.id, irp.cancelRoutine != nil
	c.spend(costStartIo)
	return !cancellable || irp.id == id && irp.cancelRoutine != nil
}

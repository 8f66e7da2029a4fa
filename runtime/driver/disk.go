package driver

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// Disk is the driver of a device.Disk: direct I/O (the device reaches into the requester's memory), as many requests at
// the device as its queue has slots, the rest in the kernel's device queue. It is both driver and device extension: one
// Disk a disk.
//
// It does not believe that hardware keeps its word. What fails for a passing reason is given to the disk again, what was
// transferred in part is gone on with, and a watchdog (disk_watch.go) looks after requests whose interrupt does not come.
// What cannot be had ends in an error; every request ends.
type Disk struct {
	// Fixed by NewDisk.
	kernel *kernel.Kernel
	driver kernel.DriverObject
	device kernel.DeviceObject
	disk   *device.Disk
	isr    kernel.Interrupt
	dpc    kernel.DPC
	cancel kernel.CancelRoutine // cancelQueued, bound once

	// At DispatchLevel.
	requests []*kernel.IRP // by slot, as far as slots were ever used; nil: it is free. Information is what came of it so far
	tries    []uint8       // by slot: commands that brought nothing
	free     []int32       // the slots that are free
	commands uint64        // that the disk has finished

	watch diskWatch
}

const (
	diskBatch = 32 // requests that one DPC completes: it has a budget (A33)
	diskTries = 8  // commands that may bring nothing before a request fails
)

// The marks of this driver.
const (
	markRetried = "disk: a command given again after a passing error"
	markGoneOn  = "disk: a short transfer gone on with"
	markPolled  = "disk: a completion found by polling"
	markRemoved = "disk: requests failed because the disk is gone"
)

// NewDisk makes the driver of a disk, connects it to the line that the disk asserts, and makes the disk known to the
// kernel by its name. It returns the first status that is no success, and no driver then.
func NewDisk(k *kernel.Kernel, disk *device.Disk, line *kernel.Line) (*Disk, kernel.Status) {
	d := &Disk{kernel: k, disk: disk}
	d.driver.Name = "disk.sys"
	d.driver.Major[kernel.MajorRead] = d.dispatch
	d.driver.Major[kernel.MajorWrite] = d.dispatch
	d.driver.Major[kernel.MajorFlush] = d.dispatch
	d.driver.Major[kernel.MajorCleanup] = d.cleanup
	d.driver.StartIo = d.startIo
	d.device = kernel.DeviceObject{Name: disk.Name(), Driver: &d.driver, Type: kernel.DeviceDisk, DeferredStartIo: true}
	d.isr = kernel.Interrupt{Name: disk.Name(), Service: d.service, Mode: line.Mode(), Shared: true}
	d.dpc = kernel.DPC{Name: "the DPC of " + disk.Name(), Routine: d.deferred}
	d.cancel = d.cancelQueued
	d.watch.init(d)
	k.Expect(markRetried, markGoneOn, markPolled, markRemoved)
	if status := line.Connect(&d.isr); !status.IsSuccess() {
		return nil, status
	}
	if status := k.AddDevice(&d.device, disk.Depth()); !status.IsSuccess() {
		return nil, status
	}
	return d, kernel.StatusSuccess
}

// dispatch takes a request, in the requester's thread: it checks it, marks it pending and sends it to startIo, which it
// reaches now if the disk is free.
func (d *Disk) dispatch(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	sl := irp.CurrentStackLocation()
	switch {
	case sl.Parameters.ByteOffset < 0 || sl.Parameters.Length != len(irp.UserBuffer):
		return complete(c, irp, kernel.StatusInvalidParameter, 0)
	case d.watch.gone:
		return complete(c, irp, kernel.StatusDeviceRemoved, 0)
	}
	irp.MarkPending() // before anybody else can see it (A4)
	c.StartPacket(dev, irp, d.cancel)
	return kernel.StatusPending // even if it is complete by now (A4)
}

// startIo starts a request on a free slot of the disk. From here on it cannot be cancelled: the hardware has it (A19).
func (d *Disk) startIo(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	c.TakeCancelRoutine(irp) // ours: the kernel calls StartIo for no other (A18)
	switch {
	case d.watch.gone:
		d.watch.doom(c, irp)
	case irp.Cancel: // cancelled before it had a routine
		c.StartNextPacket(dev)
		complete(c, irp, kernel.StatusCancelled, 0)
	default:
		irp.Information = 0
		d.start(c, irp, d.slotFor(irp))
		d.watch.arm(c)
	}
}

// slotFor gives a request a free slot. There is one: the device queue lets no more requests through than there are.
func (d *Disk) slotFor(irp *kernel.IRP) int {
	n := len(d.free)
	if n == 0 {
		d.requests, d.tries = append(d.requests, irp), append(d.tries, 0)
		return len(d.requests) - 1
	}
	slot := int(d.free[n-1])
	d.free = d.free[:n-1]
	d.requests[slot], d.tries[slot] = irp, 0
	return slot
}

// start gives what is left of a request to the disk, in its slot.
func (d *Disk) start(c *kernel.CPU, irp *kernel.IRP, slot int) {
	sl := irp.CurrentStackLocation()
	reg := d.disk.Registers(slot)
	reg.Op = operation(sl.Major)
	reg.DMA = irp.UserBuffer[irp.Information:]
	reg.Offset = sl.Parameters.ByteOffset + int64(irp.Information)
	d.disk.Doorbell(slot)
	if d.kernel.Traced() {
		c.Trace(kernel.HopDMAStart, irp, d.device.Name, int64(len(reg.DMA)), reg.Offset)
	}
}

func operation(m kernel.MajorFunction) device.Op {
	switch m {
	case kernel.MajorRead:
		return device.Read
	case kernel.MajorWrite:
		return device.Write
	}
	return device.Flush
}

// service is the ISR: it says thank you for the interrupt and queues the DPC (A25). What has finished stays in the
// disk's completion queue, which the disk does not overwrite.
func (d *Disk) service(c *kernel.CPU, _ *kernel.Interrupt) bool {
	if !d.disk.InterruptPending() {
		return false // not mine
	}
	d.disk.Acknowledge()
	c.QueueDPC(&d.dpc, nil)
	return true
}

// deferred is the DPC: it takes all that has finished since it ran last, for several interrupts may have found one DPC
// (A30). If that is much, it queues itself again.
func (d *Disk) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	for range diskBatch {
		done, ok := d.disk.NextCompletion()
		if !ok {
			return
		}
		d.finished(c, done)
	}
	c.QueueDPC(&d.dpc, nil)
}

// finished ends a request, or goes on with it. The disk gets its next request before the requester hears of the last
// (A15).
func (d *Disk) finished(c *kernel.CPU, done device.Completion) {
	d.commands++
	irp := d.requests[done.Slot]
	irp.Information += done.Transferred
	if (done.Status != device.OK || irp.Information < len(irp.UserBuffer)) && d.goesOn(irp, done) {
		d.start(c, irp, done.Slot)
		return
	}
	status, n := outcome(irp, done)
	d.requests[done.Slot] = nil
	d.free = append(d.free, int32(done.Slot))
	c.StartNextPacket(&d.device)
	if len(d.free) == len(d.requests) {
		d.watch.disarm()
	}
	complete(c, irp, status, n)
}

// goesOn reports whether there is more to do for a request, and worth another command.
func (d *Disk) goesOn(irp *kernel.IRP, done device.Completion) bool {
	if irp.Cancel {
		return false
	}
	switch {
	case done.Status == device.TryAgain:
		d.kernel.Reach(markRetried)
	case done.Status == device.OK && !done.End && irp.Information < len(irp.UserBuffer):
		d.kernel.Reach(markGoneOn)
	default:
		return false
	}
	if done.Transferred == 0 {
		d.tries[done.Slot]++
	}
	return d.tries[done.Slot] < diskTries
}

// outcome translates what the disk says of a request's last command.
func outcome(irp *kernel.IRP, done device.Completion) (kernel.Status, int) {
	n := irp.Information
	whole := n == len(irp.UserBuffer)
	switch done.Status {
	case device.OK:
		switch {
		case whole || done.End && n > 0:
			return kernel.StatusSuccess, n
		case done.End:
			return kernel.StatusEndOfFile, 0
		case irp.Cancel:
			return kernel.StatusCancelled, 0
		}
	case device.TryAgain:
		if irp.Cancel {
			return kernel.StatusCancelled, 0
		}
	case device.WriteProtected:
		return kernel.StatusMediaWriteProtected, 0
	case device.BadCommand:
		return kernel.StatusInvalidParameter, 0
	}
	return kernel.StatusIoDeviceError, n
}

// cancelQueued is the cancel routine of a request that waits for the disk: called with the cancel lock held, it takes the
// request out of the queue and completes it (A17).
func (d *Disk) cancelQueued(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	queued := dev.Queue.RemoveEntry(irp)
	c.ReleaseCancelLock(irp.CancelIRQL)
	if !queued {
		// It was on its way to startIo, which will not see it: the disk is free for the next one.
		old := c.RaiseIRQL(kernel.DispatchLevel)
		c.StartNextPacket(dev)
		c.LowerIRQL(old)
	}
	complete(c, irp, kernel.StatusCancelled, 0)
}

// cleanup cancels what is queued through a file object whose handle is closed. What the disk works on completes.
func (d *Disk) cleanup(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	cancelQueue(c, dev, &dev.Queue, irp.File())
	return complete(c, irp, kernel.StatusSuccess, 0)
}

package driver

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// Disk is the driver of a device.Disk: direct I/O (the device reaches into the requester's memory), as many requests at
// the device as its queue has slots, the rest in the kernel's device queue. It is both driver and device extension: one
// Disk a disk.
type Disk struct {
	// Fixed by NewDisk.
	driver kernel.DriverObject
	device kernel.DeviceObject
	disk   *device.Disk
	isr    kernel.Interrupt
	dpc    kernel.DPC
	cancel kernel.CancelRoutine // cancelQueued, bound once

	// At DispatchLevel.
	requests []*kernel.IRP // by slot: what the disk works on, nil for a free slot
	free     []int         // free slots
}

// NewDisk makes the driver of a disk, connects it to the line that the disk asserts, and makes the disk known to the
// kernel by its name.
func NewDisk(k *kernel.Kernel, disk *device.Disk, line *kernel.Line) (*Disk, kernel.Status) {
	d := &Disk{disk: disk}
	d.driver.Name = "disk.sys"
	d.driver.Major[kernel.MajorRead] = d.dispatch
	d.driver.Major[kernel.MajorWrite] = d.dispatch
	d.driver.Major[kernel.MajorFlush] = d.dispatch
	d.driver.Major[kernel.MajorCleanup] = d.cleanup
	d.driver.StartIo = d.startIo
	d.device = kernel.DeviceObject{Name: disk.Name(), Driver: &d.driver, DeferredStartIo: true}
	d.isr = kernel.Interrupt{Name: disk.Name(), Service: d.service, Mode: kernel.LevelSensitive, Shared: true}
	d.dpc = kernel.DPC{Name: "the DPC of " + disk.Name(), Routine: d.deferred}
	d.cancel = d.cancelQueued
	d.requests = make([]*kernel.IRP, disk.Depth())
	for slot := disk.Depth() - 1; slot >= 0; slot-- {
		d.free = append(d.free, slot)
	}
	if status := line.Connect(&d.isr); !status.IsSuccess() {
		return nil, status
	}
	return d, k.AddDevice(&d.device, disk.Depth())
}

// dispatch takes a request, in the requester's thread: it checks it, marks it pending and sends it to startIo, which it
// reaches now if the disk is free.
func (d *Disk) dispatch(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	sl := irp.CurrentStackLocation()
	if sl.Parameters.ByteOffset < 0 || sl.Parameters.Length != len(irp.UserBuffer) {
		irp.Status, irp.Information = kernel.StatusInvalidParameter, 0
		c.CompleteRequest(irp)
		return kernel.StatusInvalidParameter
	}
	irp.MarkPending() // before anybody else can see it (A4)
	c.StartPacket(dev, irp, d.cancel)
	return kernel.StatusPending // even if it is complete by now (A4)
}

// startIo starts a request on a free slot of the disk. From here on it cannot be cancelled: the hardware has it (A19).
func (d *Disk) startIo(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	c.AcquireCancelLock()
	routine := irp.SetCancelRoutine(nil)
	c.ReleaseCancelLock(kernel.DispatchLevel)
	if routine == nil {
		return // CancelIRP was first: the cancel routine completes it, and starts the next one (A18)
	}
	if irp.Cancel { // cancelled before it had a routine
		irp.Status, irp.Information = kernel.StatusCancelled, 0
		c.StartNextPacket(dev)
		c.CompleteRequest(irp)
		return
	}
	slot := d.free[len(d.free)-1]
	d.free = d.free[:len(d.free)-1]
	d.requests[slot] = irp
	sl := irp.CurrentStackLocation()
	reg := d.disk.Registers(slot)
	reg.Op = operation(sl.Major)
	reg.DMA = irp.UserBuffer
	reg.Offset = sl.Parameters.ByteOffset
	d.disk.Doorbell(slot)
	c.Trace(kernel.HopDMAStart, irp, dev.Name, int64(len(reg.DMA)), reg.Offset)
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

// deferred is the DPC: it completes all requests that have finished since it ran last, for several interrupts may have
// found one DPC (A30). The disk gets its next request before the requester hears of the last (A15).
func (d *Disk) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	for {
		done, ok := d.disk.NextCompletion()
		if !ok {
			return
		}
		irp := d.requests[done.Slot]
		d.requests[done.Slot] = nil
		d.free = append(d.free, done.Slot)
		irp.Status, irp.Information = outcome(irp, done)
		c.StartNextPacket(&d.device)
		c.CompleteRequest(irp)
	}
}

// outcome translates what the disk says.
func outcome(irp *kernel.IRP, done device.Completion) (kernel.Status, int) {
	switch done.Status {
	case device.OK:
		if irp.CurrentStackLocation().Major == kernel.MajorRead && done.Transferred == 0 && len(irp.UserBuffer) > 0 {
			return kernel.StatusEndOfFile, 0
		}
		return kernel.StatusSuccess, done.Transferred
	case device.WriteProtected:
		return kernel.StatusMediaWriteProtected, 0
	case device.BadCommand:
		return kernel.StatusInvalidParameter, 0
	}
	return kernel.StatusIoDeviceError, done.Transferred
}

// cancelQueued is the cancel routine of a request that waits for the disk: called with the cancel lock held, it takes the
// request out of the queue and completes it (A17).
func (d *Disk) cancelQueued(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	queued := dev.Queue.RemoveEntry(irp)
	c.ReleaseCancelLock(irp.CancelIRQL)
	if !queued {
		// startIo got it and left it to us: the disk is free for the next one.
		old := c.RaiseIRQL(kernel.DispatchLevel)
		c.StartNextPacket(dev)
		c.LowerIRQL(old)
	}
	irp.Status, irp.Information = kernel.StatusCancelled, 0
	c.CompleteRequest(irp)
}

// cleanup cancels what is queued through a file object whose handle is closed. What the disk works on completes.
func (d *Disk) cleanup(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	file := irp.File()
	for {
		old := c.RaiseIRQL(kernel.DispatchLevel)
		queued := dev.Queue.Find(file)
		c.LowerIRQL(old)
		if queued == nil {
			break
		}
		c.CancelIRP(queued)
	}
	irp.Status = kernel.StatusSuccess
	c.CompleteRequest(irp)
	return kernel.StatusSuccess
}

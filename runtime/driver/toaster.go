package driver

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// Toaster is the driver of a device.Toaster, and the smallest complete one: every routine that a driver has is here, each
// on half a screen. runtime/README.md walks through it. It is both driver and device extension: one Toaster a toaster.
//
// A write is a number of loads: StartIo puts in the first, each pop's DPC the next, the last one completes the IRP. The
// toaster is programmed and does no DMA, so the driver itself reads the requester's buffer, at DispatchLevel, as it may:
// the buffer is the request's until it completes (A21).
type Toaster struct {
	// Fixed by NewToaster.
	driver  kernel.DriverObject
	device  kernel.DeviceObject
	toaster *device.Toaster
	line    *kernel.Line
	isr     kernel.Interrupt
	dpc     kernel.DPC
	cancel  kernel.CancelRoutine // cancelQueued, bound once

	// At DispatchLevel.
	current  *kernel.IRP // what is being toasted, nil if nothing is
	done     int         // slices of it that have popped up
	watchdog kernel.Timer
	overdue  kernel.DPC // the watchdog's
}

// NewToaster makes the driver of a toaster, connects it to the line that the toaster asserts, and makes the toaster
// known to the kernel by its name. It returns the first status that is no success, and no driver then.
func NewToaster(k *kernel.Kernel, toaster *device.Toaster, line *kernel.Line) (*Toaster, kernel.Status) {
	t := &Toaster{toaster: toaster, line: line}
	t.driver.Name = "toaster.sys"
	t.driver.Major[kernel.MajorWrite] = t.dispatch
	t.driver.Major[kernel.MajorCleanup] = t.cleanup
	t.driver.StartIo = t.startIo
	t.device = kernel.DeviceObject{Name: toaster.Name(), Driver: &t.driver, Type: kernel.DeviceToaster, DeferredStartIo: true}
	t.isr = kernel.Interrupt{Name: toaster.Name(), Service: t.service, Mode: line.Mode(), Shared: true}
	t.dpc = kernel.DPC{Name: "the DPC of " + toaster.Name(), Routine: t.deferred}
	t.overdue = kernel.DPC{Name: "the watchdog of " + toaster.Name(), Routine: t.watch}
	t.watchdog.DPC = &t.overdue
	t.cancel = t.cancelQueued
	if status := line.Connect(&t.isr); !status.IsSuccess() {
		return nil, status
	}
	if status := k.AddDevice(&t.device, 1); !status.IsSuccess() {
		return nil, status
	}
	return t, kernel.StatusSuccess
}

// dispatch takes a request, in the requester's thread: it checks it, marks it pending and sends it to startIo, which it
// reaches now if the toaster is cold.
func (t *Toaster) dispatch(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	if len(irp.UserBuffer) == 0 {
		irp.Status, irp.Information = kernel.StatusSuccess, 0
		c.CompleteRequest(irp)
		return kernel.StatusSuccess // what it was completed with (A5)
	}
	irp.MarkPending() // before anybody else can see it (A4)
	c.StartPacket(dev, irp, t.cancel)
	return kernel.StatusPending // even if it is complete by now (A4)
}

// startIo begins with a request. It takes the cancel routine out: whoever does that owns the completion (A18).
func (t *Toaster) startIo(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	c.AcquireCancelLock()
	routine := irp.SetCancelRoutine(nil)
	c.ReleaseCancelLock(kernel.DispatchLevel)
	if routine == nil {
		return // CancelIRP was first: cancelQueued completes it, and starts the next one
	}
	t.current, t.done = irp, 0
	if irp.Cancel { // cancelled before it had a routine
		t.finish(c, kernel.StatusCancelled)
		return
	}
	t.feed(c)
}

// feed puts in the next slices and pulls the lever. From here on nobody can stop them (A19).
func (t *Toaster) feed(c *kernel.CPU) {
	n := t.toaster.Load(t.current.UserBuffer[t.done:])
	t.toaster.PullLever()
	c.Trace(kernel.HopDMAStart, t.current, t.device.Name, int64(n), int64(t.done))
	c.Kernel().SetTimer(&t.watchdog, c.Now().Add(t.toaster.Patience()))
}

// service is the ISR: is it mine? Then thank you for the interrupt, and a DPC (A25). The result stays in the toaster's
// register, which the toaster does not overwrite before somebody pulls the lever again.
func (t *Toaster) service(c *kernel.CPU, _ *kernel.Interrupt) bool {
	if !t.toaster.InterruptPending() {
		return false
	}
	t.toaster.Acknowledge()
	c.QueueDPC(&t.dpc, nil)
	return true
}

// deferred is the DPC: more slices, or the end. It believes the toaster's register and not that it was called: an
// interrupt may come twice, or for nothing.
func (t *Toaster) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	popped, ok := t.toaster.TakePopped()
	if !ok {
		return
	}
	c.Kernel().CancelTimer(&t.watchdog)
	t.done += popped.Slices
	switch {
	case popped.Status != device.OK:
		t.finish(c, kernel.StatusIoDeviceError)
	case t.done == len(t.current.UserBuffer):
		t.finish(c, kernel.StatusSuccess)
	case t.current.Cancel: // no slice more; what is toast stays toast
		t.finish(c, kernel.StatusSuccess)
	default:
		t.feed(c)
	}
}

// finish completes the current request with what has been toasted of it. The toaster gets its next request before the
// requester hears of the last (A15).
func (t *Toaster) finish(c *kernel.CPU, status kernel.Status) {
	irp := t.current
	irp.Status, irp.Information = status, t.done
	t.current = nil
	c.StartNextPacket(&t.device)
	c.CompleteRequest(irp)
}

// watch is the watchdog's DPC: the toaster should have popped up long ago. The interrupt may be lost, so it asks as the
// interrupt would have done, and asks again later.
func (t *Toaster) watch(c *kernel.CPU, _ *kernel.DPC, _ any) {
	if t.current == nil {
		return // it came while the timer's DPC was on its way
	}
	c.Kernel().SetTimer(&t.watchdog, c.Now().Add(t.toaster.Patience()))
	t.line.Poll(c)
}

// cancelQueued is the cancel routine of a request that waits for the toaster: called with the cancel lock held, it takes
// the request out of the queue and completes it (A17).
func (t *Toaster) cancelQueued(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) {
	queued := dev.Queue.RemoveEntry(irp)
	c.ReleaseCancelLock(irp.CancelIRQL)
	if !queued { // startIo got it and left it to us: the toaster is free for the next one
		old := c.RaiseIRQL(kernel.DispatchLevel)
		c.StartNextPacket(dev)
		c.LowerIRQL(old)
	}
	irp.Status, irp.Information = kernel.StatusCancelled, 0
	c.CompleteRequest(irp)
}

// cleanup cancels what is queued through a file object whose handle is closed. What is being toasted completes.
func (t *Toaster) cleanup(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	cancelQueue(c, dev, &dev.Queue, irp.File())
	irp.Status = kernel.StatusSuccess
	c.CompleteRequest(irp)
	return kernel.StatusSuccess
}

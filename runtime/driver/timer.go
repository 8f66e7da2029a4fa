package driver

import (
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// ControlWait is the timer's one request: a device control of that code in ByteOffset, whose buffer is a WaitBlock. It
// pends until the time in the block has come, and is complete at once if it has.
const ControlWait = 1

// WaitBlock is the size of its buffer: the time, little-endian, in nanoseconds of the World's clock.
const WaitBlock = 8

// Timer is the driver of a device.Timer. The chip has one comparator, and any number of requests wait: they stand in a
// heap, and the comparator holds the earliest. It is both driver and device extension: one Timer a timer.
type Timer struct {
	// Fixed by NewTimer.
	driver kernel.DriverObject
	device kernel.DeviceObject
	timer  *device.Timer
	line   *kernel.Line
	isr    kernel.Interrupt
	dpc    kernel.DPC
	cancel kernel.CancelRoutine

	// At DispatchLevel.
	waits    []*wait // a heap: the earliest first, and of equal ones the one that came first
	byIRP    map[*kernel.IRP]*wait
	free     *wait
	arrivals uint64
	set      clock.Time // what the comparator holds, Never for nothing
	watchdog kernel.Timer
	overdue  kernel.DPC // the watchdog's
}

// wait is a request that waits for its time.
type wait struct {
	irp   *kernel.IRP
	at    clock.Time
	order uint64
	index int   // in the heap
	next  *wait // in the free list
}

// lateness is how long after the comparator's time the watchdog looks whether its interrupt was lost.
const lateness = time.Millisecond

// NewTimer makes the driver of a timer, connects it to the line that the timer asserts, and makes the timer known to the
// kernel by its name. It returns the first status that is no success, and no driver then.
func NewTimer(k *kernel.Kernel, timer *device.Timer, line *kernel.Line) (*Timer, kernel.Status) {
	t := &Timer{timer: timer, line: line, byIRP: make(map[*kernel.IRP]*wait), set: clock.Never}
	t.driver.Name = "timer.sys"
	t.driver.Major[kernel.MajorDeviceControl] = t.dispatch
	t.driver.Major[kernel.MajorCleanup] = t.cleanup
	t.device = kernel.DeviceObject{Name: timer.Name(), Driver: &t.driver, Type: kernel.DeviceTimer}
	t.isr = kernel.Interrupt{Name: timer.Name(), Service: t.service, Mode: line.Mode(), Shared: true}
	t.dpc = kernel.DPC{Name: "the DPC of " + timer.Name(), Routine: t.deferred}
	t.overdue = kernel.DPC{Name: "the watchdog of " + timer.Name(), Routine: t.watch}
	t.watchdog.DPC = &t.overdue
	t.cancel = t.cancelWait
	if status := line.Connect(&t.isr); !status.IsSuccess() {
		return nil, status
	}
	if status := k.AddDevice(&t.device, 1); !status.IsSuccess() {
		return nil, status
	}
	return t, kernel.StatusSuccess
}

// dispatch takes a request: it is due, or it goes into the heap.
func (t *Timer) dispatch(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	if irp.CurrentStackLocation().Parameters.ByteOffset != ControlWait || len(irp.UserBuffer) != WaitBlock {
		return complete(c, irp, kernel.StatusInvalidParameter, 0)
	}
	at := clock.Time(le.Uint64(irp.UserBuffer))
	if at <= t.timer.Counter() {
		return complete(c, irp, kernel.StatusSuccess, 0)
	}
	irp.MarkPending() // before anybody else can see it (A4)
	old := c.RaiseIRQL(kernel.DispatchLevel)
	c.AcquireCancelLock()
	irp.SetCancelRoutine(t.cancel)
	t.push(irp, at)
	if irp.Cancel && irp.SetCancelRoutine(nil) != nil { // cancelled before it had a routine (A18)
		irp.CancelIRQL = c.CancelLockIRQL()
		t.cancel(c, dev, irp)
	} else {
		c.ReleaseCancelLock(kernel.DispatchLevel)
	}
	t.program(c)
	c.LowerIRQL(old)
	return kernel.StatusPending
}

// program sets the comparator for the earliest request, if that is another one than it holds.
func (t *Timer) program(c *kernel.CPU) {
	at := clock.Never
	if len(t.waits) > 0 {
		at = t.waits[0].at
	}
	if at == t.set {
		return
	}
	t.set = at
	t.timer.Compare(at)
	if at == clock.Never {
		c.Kernel().CancelTimer(&t.watchdog)
	} else {
		c.Kernel().SetTimer(&t.watchdog, at.Add(lateness))
	}
}

// service is the ISR (A25).
func (t *Timer) service(c *kernel.CPU, _ *kernel.Interrupt) bool {
	if !t.timer.InterruptPending() {
		return false
	}
	t.timer.Acknowledge()
	c.QueueDPC(&t.dpc, nil)
	return true
}

// deferred is the DPC: it completes all requests whose time has come, in the order of their times, and asks for the
// next. It looks at the clock and not at what called it.
func (t *Timer) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	for budget := dpcBatch; len(t.waits) > 0 && t.waits[0].at <= t.timer.Counter(); budget-- {
		if budget == 0 {
			c.QueueDPC(&t.dpc, nil) // budgets are for all (A33)
			return
		}
		irp := t.waits[0].irp
		c.AcquireCancelLock()
		mine := irp.SetCancelRoutine(nil) != nil // else CancelIRP was first (A18)
		t.remove(t.waits[0])
		c.ReleaseCancelLock(kernel.DispatchLevel)
		if mine {
			complete(c, irp, kernel.StatusSuccess, 0)
		}
	}
	t.set = clock.Never // what it held has passed
	t.program(c)
}

// watch is the watchdog's DPC: the comparator's time has long passed and nobody has said so.
func (t *Timer) watch(c *kernel.CPU, _ *kernel.DPC, _ any) {
	if t.set != clock.Never && t.set < c.Now() {
		t.line.Poll(c)
		c.QueueDPC(&t.dpc, nil)
	}
}

// cancelWait is the cancel routine of all requests that wait (A17).
func (t *Timer) cancelWait(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) {
	if w := t.byIRP[irp]; w != nil {
		t.remove(w)
	}
	c.ReleaseCancelLock(irp.CancelIRQL)
	old := c.RaiseIRQL(kernel.DispatchLevel)
	t.program(c)
	c.LowerIRQL(old)
	complete(c, irp, kernel.StatusCancelled, 0)
}

// cleanup cancels what waits through a file object whose handle is closed.
func (t *Timer) cleanup(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	var mine []*kernel.IRP
	old := c.RaiseIRQL(kernel.DispatchLevel)
	for _, w := range t.waits {
		if w.irp.File() == irp.File() {
			mine = append(mine, w.irp)
		}
	}
	for _, waiting := range mine {
		c.CancelIRP(waiting)
	}
	c.LowerIRQL(old)
	return complete(c, irp, kernel.StatusSuccess, 0)
}

// push puts a request into the heap.
func (t *Timer) push(irp *kernel.IRP, at clock.Time) {
	w := t.free
	if w == nil {
		w = new(wait)
	} else {
		t.free = w.next
	}
	t.arrivals++
	*w = wait{irp: irp, at: at, order: t.arrivals, index: len(t.waits)}
	t.waits = append(t.waits, w)
	t.byIRP[irp] = w
	t.up(w)
}

// remove takes one out of it, wherever it stands.
func (t *Timer) remove(w *wait) {
	delete(t.byIRP, w.irp)
	last := t.waits[len(t.waits)-1]
	t.waits[len(t.waits)-1] = nil
	t.waits = t.waits[:len(t.waits)-1]
	if last != w {
		t.place(last, w.index)
		t.up(last)
		t.down(last)
	}
	w.irp, w.next = nil, t.free
	t.free = w
}

func (w *wait) before(x *wait) bool {
	return w.at < x.at || w.at == x.at && w.order < x.order
}

func (t *Timer) place(w *wait, i int) {
	t.waits[i] = w
	w.index = i
}

func (t *Timer) up(w *wait) {
	for w.index > 0 {
		parent := t.waits[(w.index-1)/2]
		if !w.before(parent) {
			return
		}
		i := parent.index
		t.place(parent, w.index)
		t.place(w, i)
	}
}

func (t *Timer) down(w *wait) {
	for 2*w.index+1 < len(t.waits) {
		child := t.waits[2*w.index+1]
		if i := 2*w.index + 2; i < len(t.waits) && t.waits[i].before(child) {
			child = t.waits[i]
		}
		if !child.before(w) {
			return
		}
		i := child.index
		t.place(child, w.index)
		t.place(w, i)
	}
}

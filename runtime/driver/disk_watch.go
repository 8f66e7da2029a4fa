package driver

import (
	"time"

	"github.com/nothread/nothread/runtime/kernel"
)

// diskPatience is how long the watchdog waits before it looks.
const diskPatience = 20 * time.Millisecond

// diskWatch is the disk driver's watchdog: a timer that runs while the disk has work. An interrupt may be lost (A27), or
// come before what it tells of can be seen; then the completion lies in the disk's queue and nobody looks. A disk may
// also be pulled out, and never answer. The watchdog polls for the one and asks for the other.
type diskWatch struct {
	disk  *Disk
	timer kernel.Timer
	dpc   kernel.DPC
	armed bool

	gone   bool          // the disk was pulled out
	doomed []*kernel.IRP // requests that will fail for that; each counts as one that the disk has
}

func (w *diskWatch) init(d *Disk) {
	w.disk = d
	w.dpc = kernel.DPC{Name: "the watchdog of " + d.disk.Name(), Routine: w.look}
	w.timer.DPC = &w.dpc
}

// arm lets the watchdog look in a while; if it will anyway, nothing.
func (w *diskWatch) arm(c *kernel.CPU) {
	if !w.armed {
		w.armed = true
		w.disk.kernel.SetTimer(&w.timer, c.Now().Add(diskPatience))
	}
}

// disarm lets it sleep: the disk has nothing to do.
func (w *diskWatch) disarm() {
	if w.armed && w.disk.kernel.CancelTimer(&w.timer) {
		w.armed = false
	}
}

// look is the watchdog's DPC.
func (w *diskWatch) look(c *kernel.CPU, _ *kernel.DPC, _ any) {
	d := w.disk
	w.armed = false
	switch {
	case w.gone:
		w.failDoomed(c)
	case !d.disk.Present():
		w.gone = true
		d.kernel.Reach(markRemoved)
		for slot := range d.requests {
			if irp := d.requests[slot]; irp != nil {
				d.requests[slot] = nil
				d.free = append(d.free, int32(slot))
				w.doomed = append(w.doomed, irp)
			}
		}
		w.failDoomed(c)
	case len(d.free) < len(d.requests):
		before := d.commands
		d.deferred(c, nil, nil)
		if d.commands > before {
			d.kernel.Reach(markPolled)
		}
		if len(d.free) < len(d.requests) {
			w.arm(c)
		}
	}
}

// doom lets a request fail soon: not at once, for StartIo would call StartIo for all that are queued (A15), and a DPC has a
// budget (A33).
func (w *diskWatch) doom(c *kernel.CPU, irp *kernel.IRP) {
	w.doomed = append(w.doomed, irp)
	c.QueueDPC(&w.dpc, nil)
}

// failDoomed fails some requests of a disk that is gone, each of which lets the next one through to startIo and to doom.
func (w *diskWatch) failDoomed(c *kernel.CPU) {
	n := min(len(w.doomed), diskBatch)
	for i := range n {
		irp := w.doomed[i] // the slice may grow meanwhile
		c.StartNextPacket(&w.disk.device)
		complete(c, irp, kernel.StatusDeviceRemoved, 0)
	}
	w.doomed = append(w.doomed[:0], w.doomed[n:]...)
	if len(w.doomed) > 0 {
		c.QueueDPC(&w.dpc, nil)
	}
}

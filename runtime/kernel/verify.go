package kernel

import "slices"

// This file is what the driver verifier keeps so that it can tell a contract broken by one driver from the work of
// another: for each dispatch routine on the stack, what it has done with its IRP; for each lock, what was taken within
// it; for each request, what its buffer looked like. It is on if Config.Verify is. What costs next to nothing is checked
// always, where it happens. violation.go has the list of all.

// frame is a dispatch routine that has not returned.
type frame struct {
	irp      *IRP
	id       uint64
	location int8
	passed   bool // it has called CallDriver with the IRP
	below    bool // and the driver below has returned StatusPending
	level    IRQL // at which it was called
	locks    int  // spin locks held then

	// How the IRP went up past its location: when the routine returns, the IRP may be somebody else's.
	completed bool
	pending   bool // the location was marked
	status    Status

	above *frame // the IRP's next frame, of a driver above; of a free one, the next that is free
}

// frames is where the frames of the code that the CPU runs are: in its thread, which may move to another CPU while it
// waits, or, beneath all threads, in the CPU.
func (c *CPU) frames() *[]*frame {
	if c.nesting == 0 && c.thread != nil {
		return &c.thread.frames
	}
	return &c.dpcFrames
}

// innermost returns the frame of the dispatch routine whose code the CPU runs, nil if it runs none.
func (c *CPU) innermost() *frame {
	fs := *c.frames()
	if len(fs) == 0 {
		return nil
	}
	return fs[len(fs)-1]
}

// enterDispatch notes that a dispatch routine begins with an IRP, and that the one above has passed it down.
func (c *CPU) enterDispatch(irp *IRP) {
	k, a := c.kernel, irp.rest()
	if f := c.innermost(); f != nil && f.has(irp) {
		f.passed = true
	}
	a.kept = false
	f := k.freeFrame
	if f == nil {
		f = new(frame)
	} else {
		k.freeFrame = f.above
	}
	*f = frame{irp: irp, id: irp.id, location: irp.current, level: c.irql, locks: k.locks, above: a.frame}
	a.frame = f
	fs := c.frames()
	*fs = append(*fs, f)
}

// leaveDispatch notes that it has returned, and holds it to its word.
func (c *CPU) leaveDispatch(fs *[]*frame, dev *DeviceObject, dispatch DispatchRoutine, status Status) {
	k := c.kernel
	f := (*fs)[len(*fs)-1]
	*fs = (*fs)[:len(*fs)-1]
	if k.locks > f.locks {
		k.bugCheckIn(dispatch, vSpinLockSafe, f.id, "the dispatch routine of %s returned holding a spin lock", dev.Driver.Name)
	}
	if c.irql != f.level {
		k.bugCheckIn(dispatch, vDispatchIRQL, f.id, "the dispatch routine of %s was entered at %v and left at %v", dev.Driver.Name, f.level, c.irql)
	}
	if f.passed && f.below && f.irp.isBelow(f) && status != StatusPending {
		k.bugCheckIn(dispatch, vEventChecking, f.id, "%s returned %v while the driver below, which had returned StatusPending, still has the IRP: it did not wait", dev.Driver.Name, status)
	}
	if f.completed {
		k.checkCompleted(dispatch, dev, f, status)
	} else {
		k.checkReturned(dispatch, dev, f.irp, f.id, f.location, status)
	}
	if n := len(*fs); n > 0 && (*fs)[n-1].irp == f.irp && status == StatusPending {
		(*fs)[n-1].below = true
	}
	if f.has(f.irp) {
		f.irp.annex.drop(f)
	}
	f.above, k.freeFrame = k.freeFrame, f
}

// drop takes a frame off the IRP's. They need not end in order: a driver above may let another thread pass the IRP down.
func (a *annex) drop(f *frame) {
	for at := &a.frame; *at != nil; at = &(*at).above {
		if *at == f {
			*at = f.above
			return
		}
	}
}

// noteCompleted notes that an IRP goes up past its current location, in the frames of the routines that were called with
// that one. (There are two if a driver lets the one below use its own.)
func (irp *IRP) noteCompleted() {
	for f := irp.annex.frame; f != nil; f = f.above {
		if f.location == irp.current && !f.completed {
			f.completed, f.status = true, irp.Status
			f.pending = irp.location(irp.current).control&controlPending != 0
		}
	}
}

// checkCompleted holds a dispatch routine to what it returned of an IRP that was complete by then (A4, A5).
func (k *Kernel) checkCompleted(dispatch DispatchRoutine, dev *DeviceObject, f *frame, status Status) {
	switch {
	case status == StatusPending && !f.pending:
		k.bugCheckIn(dispatch, vUnmarked, f.id, "%s completed the IRP without MarkPending and returned StatusPending", dev.Driver.Name)
	case status != StatusPending && f.pending:
		k.bugCheckIn(dispatch, vMarked, f.id, "%s called MarkPending, and returned %v of an IRP that was completed meanwhile", dev.Driver.Name, status)
	case status != StatusPending && status != f.status:
		k.bugCheckIn(dispatch, vStatusDiffers, f.id, "%s returned %v of an IRP that was completed with %v", dev.Driver.Name, status, f.status)
	}
}

// has reports whether the frame's routine was called with this IRP, and the IRP has not come to an end since.
func (f *frame) has(irp *IRP) bool { return f.irp == irp && f.id == irp.id }

// isBelow reports whether an IRP that a frame's routine has passed down has not come back to it.
func (irp *IRP) isBelow(f *frame) bool {
	return f.has(irp) && irp.current <= f.location && !irp.annex.kept
}

// passedDown reports whether the code that the CPU runs is a dispatch routine that has passed this IRP down and not got
// it back: it must not touch it (A2).
func (c *CPU) passedDown(irp *IRP) bool {
	if !c.kernel.verify {
		return false
	}
	f := c.innermost()
	return f != nil && f.passed && irp.isBelow(f)
}

// completedBefore reports whether the dispatch routine that the CPU runs has completed this IRP, which it goes on with.
func (c *CPU) completedBefore(irp *IRP) bool {
	f := c.innermost()
	return f != nil && f.irp == irp && (f.id != irp.id || irp.current > f.location) && !irp.annex.rising && !irp.annex.kept
}

// mustBeMarked refuses an IRP that is put where somebody else could complete it and is not marked pending.
func (irp *IRP) mustBeMarked() {
	if irp.CurrentStackLocation().control&controlPending == 0 {
		irp.kernel().violate(vMarkedLate, irp, "an IRP is queued or started that is not marked pending yet")
	}
}

// lockOrder is which locks were ever taken while another was held.
type lockOrder struct {
	held   []*SpinLock
	within map[*SpinLock][]*SpinLock // the locks taken while this one was held
}

// acquire notes that a lock is taken, and refuses one that was once held while one of those held now was taken.
func (o *lockOrder) acquire(c *CPU, l *SpinLock) {
	if l.Name == "" {
		c.kernel.violate(vLockUnmade, nil, "a lock is taken that has no name")
	}
	for _, h := range o.held {
		if o.leads(l, h, nil) {
			c.kernel.violate(vLockOrder, nil, "%s is taken while %s is held; elsewhere it was the other way round", l.Name, h.Name)
		}
		if !slices.Contains(o.within[h], l) {
			if o.within == nil {
				o.within = make(map[*SpinLock][]*SpinLock)
			}
			o.within[h] = append(o.within[h], l)
		}
	}
	o.held = append(o.held, l)
	l.cpu, l.thread = c, c.running()
}

// last names the lock that was taken last.
func (o *lockOrder) last() string { return o.held[len(o.held)-1].Name }

// running returns the thread whose code the CPU runs; nil: it runs an ISR or a DPC.
func (c *CPU) running() *Thread {
	if c.nesting > 0 {
		return nil
	}
	return c.thread
}

// heldBy returns the first of the locks that a thread holds, nil if it holds none.
func (o *lockOrder) heldBy(t *Thread) *SpinLock {
	for _, l := range o.held {
		if l.thread == t {
			return l
		}
	}
	return nil
}

// leads reports whether to was taken while from was held, or while one was that was taken while from was held, and so on.
func (o *lockOrder) leads(from, to *SpinLock, seen []*SpinLock) bool {
	for _, next := range o.within[from] {
		if next == to || !slices.Contains(seen, next) && o.leads(next, to, append(seen, next)) {
			return true
		}
	}
	return false
}

// release notes that a lock is let go, which must be the one that was taken last.
func (o *lockOrder) release(c *CPU, l *SpinLock) {
	last := len(o.held) - 1
	if l.cpu != c || l.thread != c.running() {
		c.kernel.violate(vLockStranger, nil, "%s is released by somebody else than took it", l.Name)
	}
	if last >= 0 && o.held[last] != l && slices.Contains(o.held, l) {
		c.kernel.violate(vLockRelease, nil, "%s is released before %s, which was taken later", l.Name, o.held[last].Name)
	}
	if i := slices.Index(o.held, l); i >= 0 {
		o.held = slices.Delete(o.held, i, i+1)
	}
}

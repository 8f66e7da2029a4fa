package kernel

import (
	"fmt"

	"github.com/nothread/nothread/runtime/clock"
)

// This file is the IRP: the object that stands for one request while nobody else does, its stack of locations, and how
// it goes down from driver to driver. How it comes up again is in complete.go. Rules A1 to A7.

// MajorFunction says what a request asks for.
type MajorFunction uint8

// The major functions.
const (
	MajorCreate MajorFunction = iota
	MajorClose
	MajorRead
	MajorWrite
	MajorFlush
	MajorDeviceControl
	MajorCleanup // the last handle is closed: cancel what is in flight through it
	majorFunctions
)

func (m MajorFunction) String() string {
	names := [...]string{"create", "close", "read", "write", "flush", "device control", "cleanup"}
	if int(m) < len(names) {
		return names[m]
	}
	return "unknown function"
}

// IRP is an I/O request packet. IRPs are pooled: whoever holds one after it is freed holds somebody else's.
//
// A million may be in flight at a time, so an IRP has no room for what few need (annex.go), and one link for whatever it
// stands in: a device queue, then a thread's APCs.
type IRP struct {
	// Fixed from AllocateIRP to FreeIRP.
	annex *annex // never nil: the kernel's empty one, if it has never needed one of its own
	id    uint64 // 0: it is free

	// The request's, set by who built it.
	UserBuffer []byte // the requester's memory; a direct driver lets its device reach into it
	thread     *Thread
	file       *FileObject
	context    any // what hears of the completion: an *Overlapped, or what Submit was given; nil: nobody

	// The holder's: the driver that the IRP is with.
	Information     int    // the I/O status block: bytes transferred, by convention,
	Status          Status // and the outcome
	PendingReturned bool   // in a completion routine: the driver below had marked it pending

	// Held under the cancel lock; Cancel may be read without.
	Cancel        bool // somebody called CancelIRP
	CancelIRQL    IRQL // the level to release the cancel lock to, in a cancel routine
	deferred      bool // the I/O manager's: its dispatch routine has not returned, and would return its status
	cancelRoutine CancelRoutine

	// The I/O manager's.
	since    clock.Time
	stage    stage  // how far it is
	inFlight bool   // counted in thread and file
	current  int8   // 1-based: depth+1 before the first CallDriver, +2 after completion (A1, A8)
	depth    int8   // how many locations it has
	queue    uint32 // the number of the device queue that it stands in; 0: none
	next     *IRP   // of the queue that it stands in
	prev     *IRP   // of a device queue

	lowest StackLocation // of the lowest driver: most requests pass only one
}

// stage is how far an IRP has come.
type stage uint8

const (
	stageBuilt   stage = iota // nobody has it yet
	stageDriver               // a driver has it
	stageTaken                // taken out of a device queue, or let through by it
	stageStarted              // StartIo has got it
	stageAPC                  // complete: its APC is queued to a thread
)

// reach notes that the IRP has come to a stage.
func (irp *IRP) reach(s stage) { irp.stage, irp.since = s, irp.kernel().clock.Now() }

// completed reports whether the IRP has gone all the way up.
func (irp *IRP) completed() bool { return irp.current > irp.depth+1 }

// StackLocation is one driver's part of an IRP.
type StackLocation struct {
	Device     *DeviceObject
	Parameters Parameters
	Major      MajorFunction

	// Set by the driver above (A3): the lowest one has nobody below to set it for.
	control control
	home    int8 // the location that a completion routine was set for: this one, unless somebody copied it; 0: none
}

// Parameters are a request's arguments.
type Parameters struct {
	Length     int   // bytes of the buffer
	ByteOffset int64 // where on the device, or what a MajorDeviceControl asks for
}

type control uint8

const (
	controlPending control = 1 << iota // MarkPending
	controlOnSuccess
	controlOnError
	controlOnCancel
)

// maxStackSize is how many drivers an IRP can pass. (Two more is the largest number of a location: it must fit.)
const maxStackSize = 100

// CompletionRoutine is called on the way up, at the completer's IRQL, up to DispatchLevel. It returns
// StatusMoreProcessingRequired to keep the IRP, anything else to let it go on. One that lets it go on must call
// MarkPending if irp.PendingReturned (A7), unless it has no location of its own: then dev is nil.
type CompletionRoutine func(c *CPU, dev *DeviceObject, irp *IRP, context any) Status

// AllocateIRP takes an IRP with a stack of so many locations from the pool. It belongs to the caller, who must see to it
// that it comes back to FreeIRP. nil: there is no memory for one.
func (k *Kernel) AllocateIRP(stackSize int) *IRP {
	if stackSize < 1 || stackSize > maxStackSize {
		panic(fmt.Sprintf("kernel: AllocateIRP of %d stack locations: one for each driver that the IRP will pass, up to %d", stackSize, maxStackSize))
	}
	if k.strike(NoIRPMemory) {
		return nil
	}
	return k.newIRP(stackSize)
}

// newIRP is AllocateIRP where there is always memory: for requests that must not fail.
func (k *Kernel) newIRP(stackSize int) *IRP {
	irp := k.freeIRP
	if irp == nil {
		irp = k.irps.add(k)
	} else {
		k.freeIRP = irp.next
		irp.next = nil
	}
	irp.depth = int8(stackSize)
	irp.current = int8(stackSize) + 1
	if stackSize != 1 {
		irp.makeUpper(stackSize)
	}
	k.counts.IRPs++
	irp.id = k.counts.IRPs
	k.counts.IRPsInFlight++
	irp.since = k.clock.Now()
	k.mix(hashIRP, irp.id)
	return irp
}

// FreeIRP gives an IRP back to the pool. IRPs that the I/O manager built it frees itself.
func (k *Kernel) FreeIRP(irp *IRP) {
	if irp.id == 0 || irp.queue != 0 || irp.stage == stageAPC || irp.cancelRoutine != nil || irp.inFlight || irp.current <= irp.depth {
		k.refuseToFree(irp)
	}
	k.free(irp)
}

// refuseToFree says why an IRP cannot be freed.
func (k *Kernel) refuseToFree(irp *IRP) {
	switch {
	case irp.id == 0:
		k.violate(vFreedTwice, irp, "an IRP is freed twice")
	case irp.queue != 0 || irp.stage == stageAPC:
		k.violate(vFreeQueued, irp, "an IRP is freed that stands in a queue")
	case irp.cancelRoutine != nil:
		k.violate(vCancelSet, irp, "an IRP is freed whose cancel routine is set")
	case irp.inFlight:
		k.violate(vFreeInThread, irp, "an IRP is freed that %s has in flight", irp.thread.name)
	default:
		k.violate(vFreeInUse, irp, "an IRP is freed that a driver has")
	}
}

// free is FreeIRP for an IRP that nobody has any more.
func (k *Kernel) free(irp *IRP) {
	irp.id = 0
	irp.UserBuffer = nil
	irp.thread, irp.file, irp.context = nil, nil, nil
	irp.Information = 0
	irp.Status, irp.PendingReturned, irp.Cancel, irp.CancelIRQL = StatusSuccess, false, false, PassiveLevel
	irp.inFlight, irp.deferred, irp.stage = false, false, stageBuilt
	irp.lowest = StackLocation{}
	if irp.annex != &k.noAnnex {
		irp.annex.reset()
	}
	k.counts.IRPsInFlight--
	irp.next = k.freeIRP
	k.freeIRP = irp
}

// ID returns the IRP's number: IRPs are numbered from 1 in each World, and the number is new at each use.
func (irp *IRP) ID() uint64 { return irp.id }

// File returns the file object that the request came through.
func (irp *IRP) File() *FileObject { return irp.file }

// CurrentStackLocation returns the location of the driver that has the IRP.
func (irp *IRP) CurrentStackLocation() *StackLocation {
	if irp.current == 1 {
		return &irp.lowest
	}
	return irp.upperLocation()
}

func (irp *IRP) upperLocation() *StackLocation {
	if irp.current < 1 || irp.current > irp.depth {
		irp.kernel().violate(vNoLocations, irp, "there is no current stack location %d of %d", irp.current, irp.depth)
	}
	return irp.location(irp.current)
}

// NextStackLocation returns the location of the driver below, to be filled in before CallDriver.
func (irp *IRP) NextStackLocation() *StackLocation {
	if irp.current < 2 {
		irp.kernel().violate(vNoLocations, irp, "there is no stack location below %d", irp.current)
	}
	return irp.location(irp.current - 1)
}

// CopyToNext copies the current location's parameters to the next (A3). The completion routine, which lives in the
// lower location, and the control flags are not copied.
func (irp *IRP) CopyToNext() {
	next := irp.NextStackLocation()
	*next = *irp.CurrentStackLocation()
	next.control, next.home = 0, 0
}

// SkipCurrent lets the driver below use this driver's own location (A3): no completion routine, no MarkPending.
func (irp *IRP) SkipCurrent() {
	sl := irp.CurrentStackLocation()
	if sl.control&controlPending != 0 {
		irp.kernel().violate(vCopiedPending, irp, "a driver marked its location pending and skips it")
	}
	irp.current++
}

// SetCompletionRoutine asks for a call on the way up, for the outcomes named. It writes to the next location, so the
// lowest driver, which has none, cannot (A3).
func (irp *IRP) SetCompletionRoutine(r CompletionRoutine, context any, onSuccess, onError, onCancel bool) {
	next := irp.NextStackLocation()
	next.home = irp.current - 1
	irp.setRoutine(next.home, completion{r, context})
	next.control &^= controlOnSuccess | controlOnError | controlOnCancel
	if onSuccess {
		next.control |= controlOnSuccess
	}
	if onError {
		next.control |= controlOnError
	}
	if onCancel {
		next.control |= controlOnCancel
	}
}

// MarkPending says that the IRP will not be complete when the dispatch routine returns, which must then return
// StatusPending. It comes before the IRP is put where somebody else could complete it (A4).
func (irp *IRP) MarkPending() {
	if irp.current != 1 || irp.annex.kernel.watched {
		irp.markPending()
	} else {
		irp.lowest.control |= controlPending
	}
}

// markPending is MarkPending where somebody watches, or of a driver that is not the lowest.
func (irp *IRP) markPending() {
	k := irp.kernel()
	if k.verify && k.cpu.completedBefore(irp) {
		k.violate(vPendedCompleted, irp, "an IRP is marked pending that was completed")
	}
	if k.cpu.passedDown(irp) {
		k.violate(vMarkedLate, irp, "an IRP is marked pending that the driver below has: the mark would be in its location")
	}
	if dev := irp.CurrentStackLocation().Device; dev != nil {
		k.cpu.Trace(HopMarkPending, irp, dev.Driver.Name, 0, 0)
	}
	irp.CurrentStackLocation().control |= controlPending
}

// CallDriver hands an IRP down to a device's driver and returns what its dispatch routine returns. The caller must not
// touch the IRP after that, unless a completion routine of its own stops it on its way up (A2).
func (c *CPU) CallDriver(dev *DeviceObject, irp *IRP) Status {
	k := c.kernel
	if c.irql > DispatchLevel || irp.cancelRoutine != nil || irp.queue != 0 || k.verify {
		c.checkPassable(irp)
	}
	irp.current--
	if irp.current <= 0 {
		k.violate(vNoLocations, irp, "the IRP was passed down %d drivers and has %d locations", irp.depth+1, irp.depth)
	}
	sl := irp.location(irp.current)
	if sl.home != 0 || sl.control != 0 {
		irp.checkLocation(sl, dev)
	}
	sl.Device = dev
	id, location := irp.id, irp.current
	var dispatch DispatchRoutine
	if sl.Major < majorFunctions {
		dispatch = dev.Driver.Major[sl.Major]
	}
	if k.watched {
		c.trace(HopCallDriver, irp, dev.Driver.Name, int64(sl.Parameters.Length), sl.Parameters.ByteOffset)
	}
	if !c.pass(costDispatch) {
		c.spend(costDispatch)
	}
	irp.reach(stageDriver)
	if dispatch == nil {
		dispatch = missing
	}
	if !k.verify {
		level := c.irql
		status := dispatch(c, dev, irp)
		if c.irql != level {
			k.bugCheckIn(dispatch, vDispatchIRQL, 0, "the dispatch routine of %s was entered at %v and left at %v", dev.Driver.Name, level, c.irql)
		}
		if status != StatusPending || sl.control&controlPending == 0 { // else it has kept its word
			k.checkReturned(dispatch, dev, irp, id, location, status)
		}
		return status
	}
	return c.callVerified(dispatch, dev, irp)
}

// checkLocation checks that a location was filled in for the driver that is called.
func (irp *IRP) checkLocation(sl *StackLocation, dev *DeviceObject) {
	switch {
	case sl.home != 0 && sl.home != irp.current:
		irp.kernel().violate(vCopied, irp, "the location for %s was copied with its completion routine", dev.Driver.Name)
	case sl.control&controlPending != 0:
		irp.kernel().violate(vCopiedPending, irp, "the location for %s was copied with its pending mark", dev.Driver.Name)
	}
}

// checkPassable checks that an IRP is its caller's to pass down.
func (c *CPU) checkPassable(irp *IRP) {
	k := c.kernel
	switch {
	case c.irql > DispatchLevel:
		k.violate(vCallIRQL, irp, "CallDriver called at %v", c.irql)
	case irp.cancelRoutine != nil:
		k.violate(vCancelPassed, irp, "the IRP is passed down with a cancel routine set")
	case irp.queue != 0:
		k.violate(vForwardQueued, irp, "the IRP is passed down while it stands in a device queue")
	case c.passedDown(irp):
		k.violate(vForwardQueued, irp, "the IRP is passed down again while the driver below has it")
	}
}

// callVerified calls a dispatch routine and watches what it does.
func (c *CPU) callVerified(dispatch DispatchRoutine, dev *DeviceObject, irp *IRP) Status {
	k := c.kernel
	fs := c.frames()
	c.enterDispatch(irp)
	status := dispatch(c, dev, irp)
	k.cpu.leaveDispatch(fs, dev, dispatch, status) // the thread may have waited, and gone on elsewhere
	return status
}

// checkReturned holds a dispatch routine to what it returned, as far as the IRP still shows it (A4).
func (k *Kernel) checkReturned(dispatch DispatchRoutine, dev *DeviceObject, irp *IRP, id uint64, location int8, status Status) {
	if irp.id == id && irp.completed() && location == irp.depth && status == StatusPending && !irp.PendingReturned {
		// Nobody would ever tell the requester. (The verifier knows of the drivers below too: checkCompleted.)
		k.bugCheckIn(dispatch, vUnmarked, id, "%s completed the IRP without MarkPending and returned StatusPending", dev.Driver.Name)
	}
	if irp.id != id || irp.current != location {
		return // complete, or on its way, or passed down by skipping: its state says nothing about this driver
	}
	pending := irp.location(location).control&controlPending != 0
	switch {
	case status == StatusPending && !pending:
		k.bugCheckIn(dispatch, vUnmarked, id, "%s returned StatusPending without MarkPending", dev.Driver.Name)
	case status != StatusPending && pending:
		k.bugCheckIn(dispatch, vMarked, id, "%s called MarkPending and returned %v", dev.Driver.Name, status)
	case status != StatusPending:
		k.bugCheckIn(dispatch, vNothingDone, id, "%s returned %v and neither completed, passed down nor pended the IRP", dev.Driver.Name, status)
	}
}

// missing is the dispatch routine of functions that a driver does not have. What is to be opened, cleaned up or closed it
// does not care for, also if a driver above passes that on to it.
func missing(c *CPU, _ *DeviceObject, irp *IRP) Status {
	status := StatusInvalidDeviceRequest
	switch irp.CurrentStackLocation().Major {
	case MajorCreate, MajorCleanup, MajorClose:
		status = StatusSuccess
	}
	irp.Status = status
	c.CompleteRequest(irp)
	return status
}

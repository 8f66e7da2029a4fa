package kernel

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
type IRP struct {
	// Fixed from AllocateIRP to FreeIRP.
	kernel *Kernel
	id     uint64

	// The request's, set by who built it.
	UserBuffer   []byte // the requester's memory; a direct driver lets its device reach into it
	SystemBuffer []byte // the system's copy, if the device asks for buffered I/O
	thread       *Thread
	file         *FileObject
	overlapped   *Overlapped

	// The holder's: the driver that the IRP is with.
	Status          Status // the I/O status block
	Information     int    // bytes transferred, by convention
	PendingReturned bool   // in a completion routine: the driver below had marked it pending

	// Held under the cancel lock; Cancel may be read without.
	Cancel        bool // somebody called CancelIRP
	CancelIRQL    IRQL // the level to release the cancel lock to, in a cancel routine
	cancelRoutine CancelRoutine

	// The I/O manager's.
	stack      []StackLocation
	current    int // 1-based: len(stack)+1 before the first CallDriver, +2 after completion (A1, A8)
	deferred   bool
	packet     Packet // it becomes the packet of a completion port when it is complete
	apc        APC    // and before that the special kernel APC
	inFlight   bool   // counted in thread and file
	stage      stage  // how far down it is
	nextQueued *IRP   // devicequeue.go
	prevQueued *IRP
	queue      *DeviceQueue
	key        uint64
}

// stage is how far down an IRP has come.
type stage uint8

const (
	stageBuilt   stage = iota // nobody has it yet
	stageDriver               // a driver has it
	stageTaken                // taken out of a device queue, or let through by it
	stageStarted              // StartIo has got it
)

// StackLocation is one driver's part of an IRP.
type StackLocation struct {
	Major      MajorFunction
	Minor      uint8
	Device     *DeviceObject
	File       *FileObject
	Parameters Parameters

	// Set by the driver above (A3): the lowest one has nobody below to set it for.
	routine CompletionRoutine
	context any
	control control
}

// Parameters are a request's arguments.
type Parameters struct {
	Length      int    // bytes of the buffer
	ByteOffset  int64  // where on the device
	Key         uint64 // how a sorted device queue orders requests
	ControlCode uint32 // MajorDeviceControl
}

type control uint8

const (
	controlPending control = 1 << iota // MarkPending
	controlOnSuccess
	controlOnError
	controlOnCancel
)

// CompletionRoutine is called on the way up, at the completer's IRQL, up to DispatchLevel. It returns
// StatusMoreProcessingRequired to keep the IRP, anything else to let it go on. One that lets it go on must call
// MarkPending if irp.PendingReturned (A7), unless it has no location of its own: then dev is nil.
type CompletionRoutine func(c *CPU, dev *DeviceObject, irp *IRP, context any) Status

// AllocateIRP takes an IRP with a stack of so many locations from the pool. It belongs to the caller, who must see to it
// that it comes back to FreeIRP. nil: there is no memory for one.
func (k *Kernel) AllocateIRP(stackSize int) *IRP {
	if k.strike(NoIRPMemory) {
		return nil
	}
	return k.newIRP(stackSize)
}

// newIRP is AllocateIRP where there is always memory: for requests that must not fail.
func (k *Kernel) newIRP(stackSize int) *IRP {
	var irp *IRP
	if n := len(k.freeIRPs); n > 0 {
		irp = k.freeIRPs[n-1]
		k.freeIRPs = k.freeIRPs[:n-1]
	} else {
		irp = &IRP{kernel: k}
		irp.apc = APC{Name: "I/O completion", Kernel: completionAPC, Owner: irp}
		irp.packet.irp = irp
		k.allIRPs = append(k.allIRPs, irp)
	}
	if cap(irp.stack) < stackSize {
		irp.stack = make([]StackLocation, stackSize)
	}
	irp.stack = irp.stack[:stackSize]
	irp.current = stackSize + 1
	k.irps++
	irp.id = k.irps
	k.counts.IRPs++
	k.counts.IRPsInFlight++
	k.mix(hashIRP, irp.id)
	return irp
}

// FreeIRP gives an IRP back to the pool. IRPs that the I/O manager built it frees itself.
func (k *Kernel) FreeIRP(irp *IRP) {
	if irp.id == 0 {
		k.bugCheck("BAD_POOL_CALLER", "A2", irp, "an IRP is freed twice")
	}
	if irp.queue != nil || irp.apc.queued {
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 20A", "A2", irp, "an IRP is freed that stands in a queue")
	}
	if irp.cancelRoutine != nil {
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 07", "A8", irp, "an IRP is freed whose cancel routine is set")
	}
	clear(irp.stack)
	irp.id = 0
	irp.UserBuffer, irp.SystemBuffer = nil, nil
	irp.thread, irp.file, irp.overlapped = nil, nil, nil
	irp.Status, irp.Information, irp.PendingReturned = StatusSuccess, 0, false
	irp.Cancel, irp.CancelIRQL = false, PassiveLevel
	irp.deferred, irp.inFlight, irp.key, irp.stage = false, false, 0, stageBuilt
	irp.packet = Packet{irp: irp}
	k.counts.IRPsInFlight--
	k.freeIRPs = append(k.freeIRPs, irp)
}

// ID returns the IRP's number: IRPs are numbered from 1 in each World, and the number is new at each use.
func (irp *IRP) ID() uint64 { return irp.id }

// Thread returns the thread that issued the request, nil if a driver built the IRP.
func (irp *IRP) Thread() *Thread { return irp.thread }

// File returns the file object that the request came through.
func (irp *IRP) File() *FileObject { return irp.file }

// CurrentStackLocation returns the location of the driver that has the IRP.
func (irp *IRP) CurrentStackLocation() *StackLocation {
	if irp.current < 1 || irp.current > len(irp.stack) {
		irp.kernel.bugCheck("NO_MORE_IRP_STACK_LOCATIONS", "A1", irp, "there is no current stack location %d of %d", irp.current, len(irp.stack))
	}
	return &irp.stack[irp.current-1]
}

// NextStackLocation returns the location of the driver below, to be filled in before CallDriver.
func (irp *IRP) NextStackLocation() *StackLocation {
	if irp.current < 2 {
		irp.kernel.bugCheck("NO_MORE_IRP_STACK_LOCATIONS", "A1", irp, "there is no stack location below %d", irp.current)
	}
	return &irp.stack[irp.current-2]
}

// CopyToNext copies the current location's parameters to the next (A3). The completion routine, which lives in the
// lower location, and the control flags are not copied.
func (irp *IRP) CopyToNext() {
	next := irp.NextStackLocation()
	*next = *irp.CurrentStackLocation()
	next.routine, next.context, next.control = nil, nil, 0
}

// SkipCurrent lets the driver below use this driver's own location (A3): no completion routine, no MarkPending.
func (irp *IRP) SkipCurrent() {
	sl := irp.CurrentStackLocation()
	if sl.control&controlPending != 0 {
		irp.kernel.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 207", "A3", irp, "a driver marked its location pending and skips it")
	}
	irp.current++
}

// SetCompletionRoutine asks for a call on the way up, for the outcomes named. It writes to the next location, so the
// lowest driver, which has none, cannot (A3).
func (irp *IRP) SetCompletionRoutine(r CompletionRoutine, context any, onSuccess, onError, onCancel bool) {
	next := irp.NextStackLocation()
	next.routine, next.context = r, context
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
	sl := irp.CurrentStackLocation()
	sl.control |= controlPending
	if irp.kernel.tracer != nil && sl.Device != nil {
		irp.kernel.cpu.Trace(HopMarkPending, irp, sl.Device.Driver.Name, 0, 0)
	}
}

// CallDriver hands an IRP down to a device's driver and returns what its dispatch routine returns. The caller must not
// touch the IRP after that, unless a completion routine of its own stops it on its way up (A2).
func (c *CPU) CallDriver(dev *DeviceObject, irp *IRP) Status {
	c.requireAtMost(DispatchLevel, "CallDriver")
	k := c.kernel
	irp.current--
	if irp.current <= 0 {
		k.bugCheck("NO_MORE_IRP_STACK_LOCATIONS", "A1", irp, "the IRP was passed down %d drivers and has %d locations", len(irp.stack)+1, len(irp.stack))
	}
	if irp.cancelRoutine != nil {
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 07", "A8", irp, "the IRP is passed down with a cancel routine set")
	}
	sl := &irp.stack[irp.current-1]
	sl.Device = dev
	id, location := irp.id, irp.current
	dispatch := dev.Driver.Major[sl.Major]
	c.Trace(HopCallDriver, irp, dev.Driver.Name, int64(sl.Parameters.Length), sl.Parameters.ByteOffset)
	c.Spend(costDispatch)
	irp.stage = stageDriver
	if dispatch == nil {
		dispatch = invalidRequest
	}
	level := c.irql
	status := dispatch(c, dev, irp)
	c.requireRestored(level, "the dispatch routine of", dev.Driver.Name)
	k.checkReturned(dev, irp, id, location, status)
	return status
}

// checkReturned holds a dispatch routine to what it returned, as far as the IRP still shows it (A4).
func (k *Kernel) checkReturned(dev *DeviceObject, irp *IRP, id uint64, location int, status Status) {
	if irp.id != id || irp.current != location {
		return // complete, or on its way, or passed down by skipping: its state says nothing about this driver
	}
	pending := irp.stack[location-1].control&controlPending != 0
	switch {
	case status == StatusPending && !pending:
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 226", "A4", irp, "%s returned StatusPending without MarkPending", dev.Driver.Name)
	case status != StatusPending && pending:
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 226", "A4", irp, "%s called MarkPending and returned %v", dev.Driver.Name, status)
	case status != StatusPending:
		k.bugCheck("DRIVER_VERIFIER_IOMANAGER_VIOLATION 226", "A4", irp, "%s returned %v and neither completed, passed down nor pended the IRP", dev.Driver.Name, status)
	}
}

// invalidRequest is the dispatch routine of functions that a driver does not have.
func invalidRequest(c *CPU, _ *DeviceObject, irp *IRP) Status {
	irp.Status = StatusInvalidDeviceRequest
	c.CompleteRequest(irp)
	return StatusInvalidDeviceRequest
}

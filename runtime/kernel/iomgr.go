package kernel

import (
	"fmt"
	"slices"
)

// This file is the I/O manager's face towards applications: devices by name, handles, reads and writes. A request
// enters here as a call and leaves as an IRP.

// DriverObject is a loaded driver: its routines.
type DriverObject struct {
	Name    string
	Major   [majorFunctions]DispatchRoutine
	StartIo StartIoRoutine
}

// DispatchRoutine takes a request. It either completes it and returns its status, or passes it down and returns what
// CallDriver returned, or marks it pending and returns StatusPending. It runs in the requester's thread, at up to
// DispatchLevel, and may not wait for the device (A4, A5, A23).
type DispatchRoutine func(c *CPU, dev *DeviceObject, irp *IRP) Status

// StartIoRoutine starts a request on a free device, at DispatchLevel.
type StartIoRoutine func(c *CPU, dev *DeviceObject, irp *IRP)

// DeviceObject is a device as the kernel sees it.
type DeviceObject struct {
	// Fixed by who creates it.
	Name            string
	Driver          *DriverObject
	Type            DeviceType    // what it is
	Lower           *DeviceObject // the device that this one is attached to; nil: none
	Buffered        bool          // buffered I/O: the driver gets a copy of the requester's memory
	DeferredStartIo bool          // StartNextPacket called from StartIo loops instead of recursing (A15)

	// At DispatchLevel.
	Queue    DeviceQueue
	Current  *IRP // the request that StartIo was last called with, nil once the device is idle
	starting int  // calls of StartIo on the stack
	owed     int  // calls of StartNextPacket from within them

	stackSize int
}

// DeviceType says what a device is, so that nobody takes it for something else. The zero DeviceType says nothing.
type DeviceType uint16

// The types that the drivers of this module have: two of Windows', and two of the range that it leaves to vendors.
const (
	DeviceDisk    DeviceType = 0x0007
	DeviceNetwork DeviceType = 0x0012
	DeviceToaster DeviceType = 0x8000
	DeviceTimer   DeviceType = 0x8001
)

func (t DeviceType) String() string {
	switch t {
	case DeviceDisk:
		return "disk"
	case DeviceNetwork:
		return "network adapter"
	case DeviceToaster:
		return "toaster"
	case DeviceTimer:
		return "timer chip"
	}
	return fmt.Sprintf("device of type %#x", uint16(t))
}

// AddDevice makes a device known by its name; it is the kernel's from then on. concurrent is how many requests it takes at a
// time. It returns StatusObjectNameCollision if there is one of that name, StatusInvalidParameter if it has no name or no driver,
// takes no request, or stands over so many others that no IRP passes all of their drivers, and a filter (A1).
func (k *Kernel) AddDevice(dev *DeviceObject, concurrent int) Status {
	stackSize := 1
	if dev.Lower != nil {
		stackSize = dev.Lower.stackSize + 1
	}
	if dev.Driver == nil || dev.Name == "" || concurrent < 1 || stackSize >= maxStackSize {
		return StatusInvalidParameter
	}
	if _, taken := k.devices[dev.Name]; taken {
		return StatusObjectNameCollision
	}
	dev.Queue.capacity, dev.stackSize = concurrent, stackSize
	k.devices[dev.Name] = dev
	return StatusSuccess
}

// Devices returns the names of all devices, sorted.
func (k *Kernel) Devices() []string {
	names := make([]string, 0, len(k.devices))
	for name := range k.devices {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Device returns the device of that name, nil if there is none: what a filter driver's device names as its Lower
// (IoGetDeviceObjectPointer).
func (k *Kernel) Device(name string) *DeviceObject { return k.devices[name] }

// FileObject is one opening of a device.
type FileObject struct {
	device      *DeviceObject
	synchronous bool // opened for synchronous I/O: requests wait, one at a time

	// The completion port that it is bound to (A13, A39).
	port          *CompletionPort
	key           any
	skipOnSuccess bool

	// A synchronous one's.
	done             Event // its request is complete
	finalStatus      Status
	finalInformation int

	inFlight int // IRPs
	closing  bool
	closed   bool // MajorClose was sent
}

// Handle names an open file object. The zero Handle is none. A handle that was closed is never valid again.
type Handle uint64

// handleEntry is a row of the handle table: a Handle is its index+1 and the generation it was used in.
type handleEntry struct {
	file       *FileObject
	generation uint32
}

// OpenOptions say how a device is opened.
type OpenOptions struct {
	Synchronous bool       // requests on the handle wait for their completion; default: overlapped
	Type        DeviceType // what the device must be, if it says what it is; 0: anything
}

// Open opens a device by name, in the context of the CPU's thread, at PassiveLevel (A22). It returns the zero Handle and
// StatusNoSuchDevice, StatusObjectTypeMismatch if the device is of another type than is asked for, or what its
// driver's create ends with.
func (c *CPU) Open(name string, o OpenOptions) (Handle, Status) {
	c.requireCaller("Open")
	k := c.kernel
	dev := k.devices[name]
	if dev == nil {
		return 0, StatusNoSuchDevice
	}
	if o.Type != 0 && dev.Type != 0 && o.Type != dev.Type {
		return 0, StatusObjectTypeMismatch
	}
	file := &FileObject{device: dev, synchronous: o.Synchronous}
	if status := c.control(file, MajorCreate); !status.IsSuccess() {
		return 0, status
	}
	return k.newHandle(file), StatusSuccess
}

func (k *Kernel) newHandle(file *FileObject) Handle {
	i := len(k.handles)
	if n := len(k.freeHandles); n > 0 {
		i = k.freeHandles[n-1]
		k.freeHandles = k.freeHandles[:n-1]
	} else {
		k.handles = append(k.handles, handleEntry{})
	}
	k.handles[i].file = file
	return Handle(uint64(k.handles[i].generation)<<32 | uint64(i+1))
}

func (k *Kernel) lookup(h Handle) *FileObject {
	i := int(uint32(h)) - 1
	if i < 0 || i >= len(k.handles) || k.handles[i].generation != uint32(h>>32) {
		return nil
	}
	return k.handles[i].file
}

// CloseHandle closes a handle: what is queued through it is cancelled (MajorCleanup); what a device works on completes
// later, and only then is the file object gone (MajorClose). At PassiveLevel. It returns StatusInvalidHandle if the handle is
// not open.
func (c *CPU) CloseHandle(h Handle) Status {
	c.requireCaller("CloseHandle")
	k := c.kernel
	file := k.lookup(h)
	if file == nil {
		return StatusInvalidHandle
	}
	i := int(uint32(h)) - 1
	k.handles[i] = handleEntry{generation: k.handles[i].generation + 1}
	k.freeHandles = append(k.freeHandles, i)
	c.control(file, MajorCleanup)
	file.closing = true
	if file.inFlight == 0 {
		c.closeFile(file)
	}
	return StatusSuccess
}

// closeFile sends the last request of a file object, once.
func (c *CPU) closeFile(file *FileObject) {
	if !file.closed {
		file.closed = true
		c.control(file, MajorClose)
	}
}

// control sends a request without a buffer that drivers complete at once: create, cleanup, close.
func (c *CPU) control(file *FileObject, major MajorFunction) Status {
	k := c.kernel
	if file.device.Driver.Major[major] == nil {
		return StatusSuccess // a driver that does not care
	}
	irp := k.newIRP(file.device.stackSize)
	if major == MajorCreate && k.strike(NoIRPMemory) { // cleanup and close must not fail
		k.FreeIRP(irp)
		return StatusInsufficientResources
	}
	irp.file = file
	irp.thread = c.thread
	irp.deferred = true
	sl := irp.NextStackLocation()
	sl.Major = major
	id := irp.id
	status := c.CallDriver(file.device, irp)
	if status == StatusPending || irp.id != id {
		k.bugCheckIn(file.device.Driver.Major[major], vControlPended, id, "%s pends a %v request", file.device.Driver.Name, major)
	}
	k.FreeIRP(irp)
	return status
}

// BindPort binds a handle to a completion port: its requests end as packets of that port, with the key (A13). A handle
// is bound to one port, once (StatusPortAlreadySet), and must be open for overlapped I/O.
func (k *Kernel) BindPort(h Handle, port *CompletionPort, key any) Status {
	file := k.lookup(h)
	switch {
	case file == nil:
		return StatusInvalidHandle
	case port == nil || file.synchronous:
		return StatusInvalidParameter
	case file.port != nil:
		return StatusPortAlreadySet
	}
	file.port, file.key = port, key
	return StatusSuccess
}

// SkipCompletionPortOnSuccess makes requests that succeed at once, without ever having been pending, end without a
// packet: the caller has the result already. It cannot be undone (A39).
func (k *Kernel) SkipCompletionPortOnSuccess(h Handle) Status {
	file := k.lookup(h)
	switch {
	case file == nil:
		return StatusInvalidHandle
	case file.port == nil || file.synchronous:
		return StatusInvalidParameter
	}
	file.skipOnSuccess = true
	return StatusSuccess
}

// Overlapped is one request as its requester sees it (OVERLAPPED): the I/O status block, and how to hear of it. It and
// the buffer belong to the kernel from the call until the completion, whatever is cancelled meanwhile (A21).
type Overlapped struct {
	Status      Status // valid once complete
	Information int    // bytes transferred

	Notify  *Notify // what else hears of the completion, besides the handle's port; may be nil
	Context any     // the requester's own: what a packet's receiver finds

	irp *IRP // while it is in flight
}

// Notify is what hears of a request's completion besides a port. Few need it: an Overlapped is small without.
type Notify struct {
	Event   *Event            // is set; may be nil
	Routine func(*Overlapped) // is called by a user APC of the issuing thread, if there is no port; may be nil
}

// InFlight reports whether the request has not been completed yet.
func (ov *Overlapped) InFlight() bool { return ov.irp != nil }

// IRPID returns the number of the IRP that carries the request, 0 if it is complete.
func (ov *Overlapped) IRPID() uint64 {
	if ov.irp == nil {
		return 0
	}
	return ov.irp.id
}

// Flight names a request while it is in flight. The zero Flight is none.
type Flight struct {
	irp *IRP
	id  uint64 // that the IRP has as long as it is
}

// InFlight reports whether the request has not been completed yet.
func (f Flight) InFlight() bool { return f.irp != nil && f.irp.id == f.id }

// IRPID returns the number of the IRP that carries the request, or did.
func (f Flight) IRPID() uint64 { return f.id }

// Request asks a device to read into, or write from, a buffer (NtReadFile, NtWriteFile; others with a nil buffer). On
// an overlapped handle it returns StatusPending, or the final status if the driver was done at once; a completion is
// then told to the port, event or routine, unless it is an error that was returned (A12). On a synchronous handle it
// waits, and ov may be nil.
func (c *CPU) Request(h Handle, major MajorFunction, buf []byte, offset int64, ov *Overlapped) Status {
	var context any
	if ov != nil {
		context = ov
	}
	_, _, status := c.Submit(h, major, buf, offset, context)
	return status
}

// Submit is Request for who needs no more than the port's packet, which has the context, the status and the bytes transferred
// (NtReadFile with an ApcContext): the context is whatever the requester likes. If it is an *Overlapped, or nil on a
// synchronous handle, Submit is Request. A request that is done at once has transferred n bytes, and its packet is left out as
// Request leaves it out.
//
// Both are called at PassiveLevel. Before there is an IRP they return StatusInvalidHandle; StatusInvalidParameter, of a negative
// offset, an Overlapped that is in flight, or one that does not go with the handle (A13); StatusInsufficientResources, if there is
// no memory for an IRP. All else is the driver's.
func (c *CPU) Submit(h Handle, major MajorFunction, buf []byte, offset int64, context any) (f Flight, n int, s Status) {
	k := c.kernel
	if t := c.thread; t == nil || t.state != Running || c.irql != PassiveLevel || k.delivering {
		c.requireCaller("Request")
	}
	file := k.lookup(h)
	ov, _ := context.(*Overlapped)
	switch {
	case file == nil:
		return f, 0, StatusInvalidHandle
	case offset < 0 || !file.synchronous && context == nil || file.port == nil && ov == nil && context != nil:
		return f, 0, StatusInvalidParameter
	case ov != nil && (ov.irp != nil || ov.Notify != nil && ov.Notify.Routine != nil && file.port != nil): // in flight already; A13
		return f, 0, StatusInvalidParameter
	}
	dev := file.device
	if k.watched {
		c.trace(HopOverlappedCall, nil, dev.Name, int64(len(buf)), offset)
	}
	if !c.pass(costSystemCall) {
		c.spend(costSystemCall)
	}
	first, drivers := dev, dev.stackSize
	file.finalStatus, file.finalInformation = StatusPending, 0
	if k.hazard != nil {
		if filter := k.interpose(major); filter != nil {
			first, drivers = filter, drivers+1
		}
		if k.strike(NoIRPMemory) {
			return f, 0, StatusInsufficientResources
		}
	}
	irp := k.newIRP(drivers)
	irp.UserBuffer = buf
	irp.file, irp.thread, irp.context = file, c.thread, context
	irp.deferred = true
	irp.inFlight = true
	irp.thread.inFlight++
	file.inFlight++
	sl := irp.top()
	sl.Major = major
	sl.Parameters = Parameters{Length: len(buf), ByteOffset: offset}
	if ov != nil {
		ov.Status, ov.Information = StatusPending, 0
		ov.irp = irp
	}
	if dev.Buffered && len(buf) > 0 {
		irp.makeSystemBuffer(major)
	}
	if k.verify {
		irp.guardBuffer(major)
	}
	if k.watched {
		c.trace(HopIRPBuilt, irp, dev.Name, int64(len(buf)), offset)
	}
	id := irp.id
	if s = c.CallDriver(first, irp); s != StatusPending {
		c.completedAtOnce(file, irp, id, major, s)
		return f, file.finalInformation, s
	}
	if k.watched {
		k.traceOn(c, HopPending, id, dev.Name, 0, 0)
	}
	if file.synchronous {
		s = c.awaitSynchronous(file)
	}
	return Flight{irp, id}, 0, s
}

// completedAtOnce delivers the result of a request that was complete when its dispatch routine returned (A5).
func (c *CPU) completedAtOnce(file *FileObject, irp *IRP, id uint64, major MajorFunction, status Status) {
	driver := file.device.Driver
	switch {
	case irp.id != id || irp.completed() && irp.PendingReturned: // the requester was told, or will be: the IRP may be gone
		c.kernel.bugCheckIn(driver.Major[major], vMarked, id, "%s called MarkPending, completed the IRP and returned %v", driver.Name, status)
	case !irp.completed() || irp.deferred:
		c.kernel.bugCheckIn(driver.Major[major], vNothingDone, id, "%s returned %v and the IRP is not complete", driver.Name, status)
	case irp.Status != status:
		c.kernel.bugCheckIn(driver.Major[major], vStatusDiffers, id, "%s returned %v and completed with %v", driver.Name, status, irp.Status)
	}
	file.finalStatus, file.finalInformation = status, irp.Information
	old := c.RaiseIRQL(APCLevel)
	c.deliverStatus(irp)
	c.LowerIRQL(old)
}

// awaitSynchronous waits for the one request of a synchronous handle.
func (c *CPU) awaitSynchronous(file *FileObject) Status {
	t := c.thread
	for file.finalStatus == StatusPending {
		t.Wait(&file.done, false)
	}
	file.done.signaled = false
	return file.finalStatus
}

// SynchronousResult returns how many bytes the last request of a synchronous handle transferred.
func (k *Kernel) SynchronousResult(h Handle) int {
	if file := k.lookup(h); file != nil {
		return file.finalInformation
	}
	return 0
}

// Cancel asks for a request in flight to be completed early (CancelIoEx). It returns false if there is nothing to
// cancel: the request is complete. Whatever it returns, a request in flight still completes exactly once.
func (c *CPU) Cancel(ov *Overlapped) bool {
	if ov.irp == nil {
		return false
	}
	c.CancelIRP(ov.irp)
	return true
}

// CancelFlight is Cancel of a request that Submit has sent.
func (c *CPU) CancelFlight(f Flight) bool {
	if !f.InFlight() {
		return false
	}
	c.CancelIRP(f.irp)
	return true
}

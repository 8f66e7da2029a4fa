package kernel

import "time"

// This file is what a driver verifier puts between the I/O manager and a device to see whether drivers can bear it: a filter
// driver that nobody has loaded. It keeps all rules, so whoever breaks under it has broken one before. It stands there where
// a Hazard says so: for one request, which gets a stack location more.

// filters are the two forms of that driver.
type filters struct {
	passing DeviceObject // FakeFilter: it passes a request down, in either of the ways of A3
	pending DeviceObject // ForcedPending: it answers StatusPending, and lets the request complete a while later
}

func (f *filters) init() {
	passing, pending := &DriverObject{Name: "a filter"}, &DriverObject{Name: "a filter that pends"}
	for major := range majorFunctions {
		passing.Major[major] = passDown
		pending.Major[major] = passAndPend
	}
	f.passing = DeviceObject{Name: "a filter", Driver: passing}
	f.pending = DeviceObject{Name: "a filter", Driver: pending}
}

// interpose returns the device that a request is sent to: a filter above its file object's device, nil for that itself.
func (k *Kernel) interpose(major MajorFunction) *DeviceObject {
	switch {
	case (major == MajorRead || major == MajorWrite || major == MajorFlush) && k.hazard.Strike(ForcedPending):
		return &k.filters.pending
	case k.hazard.Strike(FakeFilter):
		return &k.filters.passing
	}
	return nil
}

// passDown lets the driver below use its own location, or copies it and hears of the completion.
func passDown(c *CPU, _ *DeviceObject, irp *IRP) Status {
	below := irp.file.device
	if c.kernel.oracle.Choose("filter.skip", 2) == 1 {
		irp.SkipCurrent()
		return c.CallDriver(below, irp)
	}
	irp.CopyToNext()
	irp.SetCompletionRoutine(handOn, nil, true, true, true)
	return c.CallDriver(below, irp)
}

// handOn says upwards what came from below (A7).
func handOn(_ *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
	if irp.PendingReturned {
		irp.MarkPending()
	}
	return StatusSuccess
}

// passAndPend answers StatusPending whatever the driver below says, even if the request is complete by then.
func passAndPend(c *CPU, _ *DeviceObject, irp *IRP) Status {
	irp.MarkPending()
	irp.CopyToNext()
	irp.SetCompletionRoutine(holdBack, nil, true, true, true)
	c.CallDriver(irp.file.device, irp)
	return StatusPending
}

// holdBack keeps a completed request for a while (A10).
func holdBack(c *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
	k := c.kernel
	late := &Timer{DPC: &DPC{Name: "the DPC of a filter", Routine: func(c *CPU, _ *DPC, _ any) { c.CompleteRequest(irp) }}}
	k.SetTimer(late, k.clock.Now().Add(time.Duration(1+k.oracle.Choose("filter.hold", 20_000))))
	return StatusMoreProcessingRequired
}

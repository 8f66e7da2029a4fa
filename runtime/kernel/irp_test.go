package kernel

import (
	"fmt"
	"testing"
)

func TestA01_StackLocations(t *testing.T) {
	m := newMachine(Config{})
	var at *DeviceObject
	var current int8
	low := m.device(t, "low", func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		at, current = irp.CurrentStackLocation().Device, irp.current
		return completes(StatusSuccess, 0)(c, dev, irp)
	}, nil)
	irp := m.irp(2)
	equal(t, "current location of a new IRP", irp.current, 3)
	irp.deferred = true
	m.c().CallDriver(low, irp)
	equal(t, "current location in the driver", current, 2)
	equal(t, "device of the location", at, low)

	// A driver that passes down more often than there are locations.
	var again *DeviceObject
	again = m.device(t, "again", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		if irp.current > 1 {
			irp.CopyToNext()
		}
		return c.CallDriver(again, irp)
	}, nil)
	breaks(t, "A1", "NO_MORE_IRP_STACK_LOCATIONS", func() { m.c().CallDriver(again, m.irp(3)) })
	breaks(t, "A1", "NO_MORE_IRP_STACK_LOCATIONS", func() { m.irp(1).CurrentStackLocation() })
}

func TestA02_OwnershipEndsWithTheCall(t *testing.T) {
	m := newMachine(Config{})
	irp := m.irp(1)
	first := irp.ID()
	m.FreeIRP(irp)
	breaks(t, "A2", "BAD_POOL_CALLER", func() { m.FreeIRP(irp) })
	breaks(t, "A8", "MULTIPLE_IRP_COMPLETE_REQUESTS", func() { m.c().CompleteRequest(irp) })
	if again := m.irp(1); again != irp || again.ID() == first {
		t.Errorf("the pool gave irp#%d for irp#%d: same object %v", again.ID(), first, again == irp)
	}
}

func TestA03_SkipAndCopy(t *testing.T) {
	m := newMachine(Config{})
	var seen Parameters
	var location int8
	low := m.device(t, "low", func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		seen, location = irp.CurrentStackLocation().Parameters, irp.current
		return completes(StatusSuccess, 0)(c, dev, irp)
	}, nil)
	skip := m.device(t, "skip", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.SkipCurrent()
		return c.CallDriver(low, irp)
	}, low)
	calls := 0
	copies := m.device(t, "copy", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.CopyToNext()
		irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status { calls++; return StatusSuccess }, nil, true, true, true)
		equal(t, "routine in the lower location", irp.location(1).home, 1)
		equal(t, "routine in the own location", irp.location(2).home, 0)
		return c.CallDriver(low, irp)
	}, low)
	for _, tc := range []struct {
		dev      *DeviceObject
		location int8
	}{{skip, 2}, {copies, 1}} {
		irp := m.irp(2)
		irp.deferred = true
		irp.NextStackLocation().Parameters = Parameters{Length: 7, ByteOffset: 9}
		m.c().CallDriver(tc.dev, irp)
		equal(t, tc.dev.Name+": parameters below", seen, Parameters{Length: 7, ByteOffset: 9})
		equal(t, tc.dev.Name+": location below", location, tc.location)
	}
	// What the driver above said of itself is not copied.
	marked := m.irp(2)
	marked.current--
	marked.MarkPending()
	marked.CopyToNext()
	equal(t, "control flags of the copy", marked.NextStackLocation().control, 0)
	equal(t, "completion routine calls", calls, 1)

	breaks(t, "A3", "207", func() {
		irp := m.irp(2)
		irp.current = 2
		irp.MarkPending()
		irp.SkipCurrent()
	})
	breaks(t, "A1", "NO_MORE_IRP_STACK_LOCATIONS", func() { // the lowest driver has nobody below
		irp := m.irp(1)
		irp.current = 1
		irp.SetCompletionRoutine(nil, nil, true, true, true)
	})
}

// A driver that does not care who opens, cleans up and closes it lets that be, also below one that does.
func TestA03_PassedOnToWhoDoesNotCare(t *testing.T) {
	m := newMachine(Config{Verify: true})
	low := m.device(t, "low", completes(StatusSuccess, 0), nil)
	above := &DeviceObject{Name: "above", Driver: &DriverObject{Name: "above.sys"}, Lower: m.Device("low")}
	var passed []MajorFunction
	pass := func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		passed = append(passed, irp.CurrentStackLocation().Major)
		irp.SkipCurrent()
		return c.CallDriver(low, irp)
	}
	for _, major := range []MajorFunction{MajorCreate, MajorCleanup, MajorClose, MajorDeviceControl} {
		above.Driver.Major[major] = pass
	}
	equal(t, "the device above", m.AddDevice(above, 1), StatusSuccess)
	equal(t, "a device that is not there", m.Device("nobody"), nil)
	h, status := m.c().Open("above", OpenOptions{})
	equal(t, "opened", status, StatusSuccess)
	equal(t, "a device control", m.c().Request(h, MajorDeviceControl, nil, 0, new(Overlapped)), StatusInvalidDeviceRequest)
	equal(t, "closed", m.c().CloseHandle(h), StatusSuccess)
	equal(t, "passed on", fmt.Sprint(passed), "[create device control cleanup close]")
}

func TestA04_PendingMeansMarked(t *testing.T) {
	m := newMachine(Config{})
	mark := func(status Status) DispatchRoutine {
		return func(_ *CPU, _ *DeviceObject, irp *IRP) Status { irp.MarkPending(); return status }
	}
	plain := func(status Status) DispatchRoutine {
		return func(*CPU, *DeviceObject, *IRP) Status { return status }
	}
	for code, dispatch := range map[string]DispatchRoutine{
		"MarkIrpPending2)": plain(StatusPending), "MarkIrpPending)": mark(StatusSuccess), "226": plain(StatusSuccess),
	} {
		dev := m.device(t, code, dispatch, nil)
		breaks(t, "A4", code, func() { m.c().CallDriver(dev, m.irp(1)) })
	}
	// Complete by then, and not what was said of it.
	completed := func(mark bool, status Status) DispatchRoutine {
		return func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			if mark {
				irp.MarkPending()
			}
			completes(StatusSuccess, 0)(c, dev, irp)
			return status
		}
	}
	for _, verify := range []bool{false, true} {
		m := newMachine(Config{Verify: verify})
		for code, dispatch := range map[string]DispatchRoutine{
			"MarkIrpPending2)": completed(false, StatusPending), "MarkIrpPending)": completed(true, StatusSuccess),
		} {
			dev := m.device(t, code, dispatch, nil)
			h := m.handle(t, dev.Name, OpenOptions{})
			breaks(t, "A4", code, func() { m.c().Request(h, MajorRead, nil, 0, new(Overlapped)) })
			if verify { // else only the I/O manager notices
				breaks(t, "A4", code, func() { m.c().CallDriver(dev, m.irp(1)) })
			}
		}
	}
	// Pending although it is complete by then.
	already := m.device(t, "already", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		irp.Status = StatusSuccess
		c.CompleteRequest(irp)
		return StatusPending
	}, nil)
	port, got := m.port(1, 1)
	h := m.handle(t, already.Name, OpenOptions{})
	m.BindPort(h, port, nil)
	equal(t, "status", m.c().Request(h, MajorRead, nil, 0, new(Overlapped)), StatusPending)
	m.run()
	equal(t, "packets", len(*got), 1)
}

func TestA04_MarkedBeforeItIsQueued(t *testing.T) {
	m := newMachine(Config{Verify: true})
	irp := m.irp(1)
	irp.current--
	breaks(t, "A4", "MarkingQueuedIrps", func() { m.c().StartPacket(m.device(t, "device", nil, nil), irp, nil) })
}

func TestA05_ReturnedStatusIsTheIRPs(t *testing.T) {
	m := newMachine(Config{})
	m.device(t, "liar", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.Status = StatusSuccess
		c.CompleteRequest(irp)
		return StatusIoDeviceError
	}, nil)
	h := m.handle(t, "liar", OpenOptions{})
	breaks(t, "A5", "224", func() { m.c().Request(h, MajorRead, nil, 0, new(Overlapped)) })
	for _, status := range []Status{StatusPending, statusMinusOne} {
		m.device(t, status.String(), completes(status, 0), nil)
		h := m.handle(t, status.String(), OpenOptions{})
		code := map[Status]string{StatusPending: "06", statusMinusOne: "225"}[status]
		breaks(t, "A5", code, func() { m.c().Request(h, MajorRead, nil, 0, new(Overlapped)) })
	}
}

func TestA06_CompletionBeforeTheReturn(t *testing.T) {
	m := newMachine(Config{})
	var kept *IRP
	dpc := &DPC{Name: "dpc", Routine: func(c *CPU, _ *DPC, _ any) {
		kept.Status, kept.Information = StatusSuccess, 3
		c.CompleteRequest(kept)
	}}
	m.device(t, "fast", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		kept = irp
		c.QueueDPC(dpc, nil) // as an interrupt would that came right here
		c.Spend(1)
		return StatusPending
	}, nil)
	port, got := m.port(1, 1)
	h := m.handle(t, "fast", OpenOptions{})
	m.BindPort(h, port, "key")
	ov := new(Overlapped)
	equal(t, "status", m.c().Request(h, MajorRead, make([]byte, 4), 0, ov), StatusPending)
	equal(t, "order", m.kinds(HopIRPComplete, HopPending), "irp-complete pending")
	m.run()
	if len(*got) != 1 || (*got)[0].Overlapped() != ov || ov.Information != 3 || ov.InFlight() {
		t.Errorf("packets %v, overlapped %+v", *got, ov)
	}
}

func TestA07_PendingReturnedIsPropagated(t *testing.T) {
	for _, marks := range []bool{true, false} {
		m := newMachine(Config{})
		var kept *IRP
		low := m.device(t, "low", pends(&kept), nil)
		m.device(t, "high", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			irp.SetCompletionRoutine(func(_ *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
				if irp.PendingReturned && marks {
					irp.MarkPending()
				}
				return StatusSuccess
			}, nil, true, true, true)
			return c.CallDriver(low, irp)
		}, low)
		h := m.handle(t, "high", OpenOptions{})
		equal(t, "status", m.c().Request(h, MajorRead, nil, 0, new(Overlapped)), StatusPending)
		if marks {
			m.finish(kept, StatusSuccess, 0)
			equal(t, "IRPs in flight", m.Counts().IRPsInFlight, 0)
		} else {
			breaks(t, "A7", "228", func() { m.finish(kept, StatusSuccess, 0) })
		}
	}
}

func TestA08_CompletedOnce(t *testing.T) {
	m := newMachine(Config{})
	irp := m.irp(1)
	irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status { return StatusSuccess }, nil, true, true, true)
	irp.current--
	irp.Status, irp.deferred = StatusSuccess, true
	m.c().CompleteRequest(irp)
	equal(t, "current location after completion", irp.current, 3)
	breaks(t, "A8", "MULTIPLE_IRP_COMPLETE_REQUESTS", func() { m.c().CompleteRequest(irp) })

	// By a completion routine, too, which then does not say that it has it.
	again := m.irp(1)
	again.SetCompletionRoutine(func(c *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
		c.CompleteRequest(irp)
		return StatusSuccess
	}, nil, true, true, true)
	again.current--
	again.deferred = true
	breaks(t, "A8", "MULTIPLE_IRP_COMPLETE_REQUESTS", func() { m.c().CompleteRequest(again) })

	other := m.irp(1)
	other.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {})
	breaks(t, "A8", "07", func() { m.c().CompleteRequest(other) })
	breaks(t, "A8", "203", func() { m.c().CallDriver(&DeviceObject{Driver: new(DriverObject)}, other) })
}

func TestA09_WalkUp(t *testing.T) {
	for _, tc := range []struct {
		success, error, cancel bool // what the routine is for
		status                 Status
		cancelled              bool
		called                 bool
	}{
		{success: true, status: StatusSuccess, called: true},
		{success: true, status: StatusIoDeviceError},
		{error: true, status: StatusIoDeviceError, called: true},
		{error: true, status: StatusBufferOverflow, called: true}, // a warning is no success
		{error: true, status: StatusSuccess},
		{cancel: true, status: StatusSuccess, cancelled: true, called: true},
		{cancel: true, status: StatusSuccess},
	} {
		m := newMachine(Config{})
		irp := m.irp(2)
		irp.deferred = true // its dispatch routine is on the stack: a request that never pended would have no APC
		dev := &DeviceObject{Name: "high", Driver: new(DriverObject)}
		irp.location(2).Device = dev
		called, cleared := false, false
		irp.current = 2
		irp.SetCompletionRoutine(func(_ *CPU, d *DeviceObject, irp *IRP, context any) Status {
			called = true
			cleared = irp.location(1).home == 0 && irp.location(1).control == 0
			equal(t, "device", d, dev)
			equal(t, "context", context, any("context"))
			irp.MarkPending()
			return StatusSuccess
		}, "context", tc.success, tc.error, tc.cancel)
		irp.current = 1
		irp.MarkPending()
		irp.Status, irp.Cancel = tc.status, tc.cancelled
		m.c().CompleteRequest(irp)
		equal(t, "called", called, tc.called)
		equal(t, "lower location cleared first", cleared, tc.called)
		// With no routine the pending bit goes up by itself: the IRP ends by an APC, as a pended one does.
		equal(t, "APCs", m.Counts().APCs, 1)
	}
}

func TestA10_MoreProcessingRequired(t *testing.T) {
	m := newMachine(Config{})
	irp := m.irp(2)
	irp.location(2).Device = &DeviceObject{Name: "high"}
	top := 0
	irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status { top++; return StatusSuccess }, nil, true, true, true)
	irp.current = 2
	kept := 0
	irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status {
		kept++
		return StatusMoreProcessingRequired
	}, nil, true, true, true)
	irp.current = 1
	irp.deferred = true
	m.c().CompleteRequest(irp)
	equal(t, "routines called", [2]int{kept, top}, [2]int{1, 0})
	equal(t, "current location while it is kept", irp.current, 2)
	m.c().CompleteRequest(irp)
	equal(t, "routines called", [2]int{kept, top}, [2]int{1, 1})
	equal(t, "completions", m.Counts().Completions, 1)

	own := m.AllocateIRP(1) // a driver's own, with no thread and nobody to stop it
	own.current--
	breaks(t, "A10", "DRIVER_FAULT", func() { m.c().CompleteRequest(own) })
}

// TestA01_StackOfDevices: a device over so many others that an IRP has no location for each of their drivers is not made known.
func TestA01_StackOfDevices(t *testing.T) {
	m := newMachine(Config{})
	var lower *DeviceObject
	for i := 1; i < 200; i++ {
		dev := &DeviceObject{Name: fmt.Sprint("device ", i), Driver: &DriverObject{Name: "a driver"}, Lower: lower}
		dev.Driver.Major[MajorRead] = completes(StatusSuccess, 0)
		if lower != nil {
			dev.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
				irp.CopyToNext()
				return c.CallDriver(dev.Lower, irp)
			}
		}
		if status := m.AddDevice(dev, 1); status != StatusSuccess {
			equal(t, "status", status, StatusInvalidParameter)
			equal(t, "devices", i, maxStackSize)
			break
		}
		lower = dev
	}
	h, status := m.c().Open(lower.Name, OpenOptions{})
	equal(t, "open", status, StatusSuccess)
	equal(t, "read", m.c().Request(h, MajorRead, make([]byte, 1), 0, new(Overlapped)), StatusSuccess)
}

package kernel

import "testing"

// bound makes a device that pends, opened and bound to a port.
func bound(t *testing.T, m *machine, kept **IRP) (Handle, *[]Packet) {
	t.Helper()
	m.device(t, "device", pends(kept), nil)
	h := m.handle(t, "device", OpenOptions{})
	port, got := m.port(1, 1)
	equal(t, "BindPort", m.BindPort(h, port, "key"), StatusSuccess)
	return h, got
}

func TestA11_SpecialAPCToTheIssuer(t *testing.T) {
	m := newMachine(Config{})
	var kept *IRP
	h, got := bound(t, m, &kept)
	var ov *Overlapped
	issuer := m.NewThread("issuer", bodyFunc(func(th *Thread) {
		ov = new(Overlapped)
		m.c().Request(h, MajorRead, make([]byte, 1), 0, ov)
		th.WaitIdle("nothing")
	}))
	port := m.lookup(h).port
	m.Wake(issuer)
	m.run()
	equal(t, "IRPs of the issuer", issuer.inFlight, 1)
	m.finish(kept, StatusSuccess, 1)
	equal(t, "packets before the issuer ran", len(*got)+port.Len(), 0)
	equal(t, "status block before the issuer ran", ov.InFlight(), true)
	m.run()
	equal(t, "packets", len(*got), 1)
	equal(t, "state of the issuer", issuer.State(), Waiting)
	for _, hop := range m.hops {
		if hop.Kind == HopAPC && (hop.Thread != "issuer" || hop.IRQL != APCLevel) {
			t.Errorf("the APC ran on %s at %v", hop.Where(), hop.IRQL)
		}
	}

	// A thread that is gone is told nothing.
	m.Wake(issuer)
	m.run()
	issuer.Terminate()
	m.finish(kept, StatusSuccess, 1)
	m.run()
	equal(t, "packets", len(*got), 1)
	equal(t, "IRPs in flight", m.Counts().IRPsInFlight, 0)

	// The modern way has no APC hop.
	m = newMachine(Config{Modern: true})
	h, got = bound(t, m, &kept)
	m.c().Request(h, MajorRead, make([]byte, 1), 0, new(Overlapped))
	m.finish(kept, StatusSuccess, 1)
	m.run()
	equal(t, "packets", len(*got), 1)
	equal(t, "APCs", m.Counts().APCs, 0)
}

func TestA12_DeliverStatus(t *testing.T) {
	// Buffered data is copied back, as far as Information says and only without an error.
	for _, tc := range []struct {
		status Status
		n      int
		want   string
	}{{StatusSuccess, 2, "xx.."}, {StatusBufferOverflow, 4, "xxxx"}, {StatusIoDeviceError, 4, "...."}} {
		m := newMachine(Config{})
		var kept *IRP
		m.device(t, "device", pends(&kept), nil).Buffered = true
		h := m.handle(t, "device", OpenOptions{})
		buf := []byte("....")
		m.c().Request(h, MajorRead, buf, 0, new(Overlapped))
		copy(kept.SystemBuffer(), "xxxx")
		m.finish(kept, tc.status, tc.n)
		m.run()
		equal(t, tc.status.String()+": buffer", string(buf), tc.want)
	}
	m := newMachine(Config{})
	var kept *IRP
	m.device(t, "device", pends(&kept), nil).Buffered = true
	h := m.handle(t, "device", OpenOptions{})
	m.c().Request(h, MajorRead, make([]byte, 4), 0, new(Overlapped))
	breaks(t, "A12", "DRIVER_OVERRAN_BUFFER", func() { m.finish(kept, StatusSuccess, 5) })
	m = newMachine(Config{})
	m.device(t, "device", completes(StatusSuccess, -1), nil)
	h = m.handle(t, "device", OpenOptions{})
	breaks(t, "A12", "DRIVER_OVERRAN_BUFFER", func() { m.c().Request(h, MajorRead, make([]byte, 4), 0, new(Overlapped)) })

	// Whether there is a packet.
	for _, tc := range []struct {
		name    string
		pend    bool
		status  Status
		packets int
	}{
		{"pended success", true, StatusSuccess, 1},
		{"pended error", true, StatusIoDeviceError, 1},
		{"success at once", false, StatusSuccess, 1},
		{"warning at once", false, StatusBufferOverflow, 1},
		{"error at once", false, StatusIoDeviceError, 0},
	} {
		m := newMachine(Config{})
		dispatch := completes(tc.status, 0)
		if tc.pend {
			dispatch = pends(&kept)
		}
		m.device(t, "device", dispatch, nil)
		h := m.handle(t, "device", OpenOptions{})
		port, got := m.port(1, 1)
		m.BindPort(h, port, nil)
		ov := new(Overlapped)
		m.c().Request(h, MajorRead, make([]byte, 4), 0, ov)
		if tc.pend {
			m.finish(kept, tc.status, 0)
		}
		m.run()
		equal(t, tc.name+": packets", len(*got), tc.packets)
		equal(t, tc.name+": status", ov.Status, tc.status)
		equal(t, tc.name+": IRPs in flight", m.Counts().IRPsInFlight, 0)
	}
}

func TestA12_SynchronousHandle(t *testing.T) {
	m := newMachine(Config{})
	dpc := &DPC{Name: "dpc", Routine: func(c *CPU, _ *DPC, argument any) {
		irp := argument.(*IRP)
		irp.Status, irp.Information = StatusSuccess, 5
		c.CompleteRequest(irp)
	}}
	timer := &Timer{DPC: &DPC{Name: "timer", Routine: func(c *CPU, _ *DPC, argument any) {
		c.QueueDPC(dpc, argument.(*Timer).Owner)
	}}}
	m.device(t, "device", func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		timer.Owner = irp
		m.SetTimer(timer, c.Now()+1000)
		return StatusPending
	}, nil)
	h := m.handle(t, "device", OpenOptions{Synchronous: true})
	for range 2 {
		equal(t, "status", m.c().Request(h, MajorRead, make([]byte, 5), 0, nil), StatusSuccess)
		equal(t, "bytes", m.SynchronousResult(h), 5)
	}
	equal(t, "threads blocked", m.Counts().Blocks, 2)
	equal(t, "BindPort", m.BindPort(h, m.NewCompletionPort("port", 1), nil), StatusInvalidParameter)
}

func TestA13_PortOrRoutine(t *testing.T) {
	m := newMachine(Config{})
	var kept *IRP
	h, _ := bound(t, m, &kept)
	equal(t, "routine and port", m.c().Request(h, MajorRead, nil, 0, &Overlapped{Notify: &Notify{Routine: func(*Overlapped) {}}}), StatusInvalidParameter)
	equal(t, "second port", m.BindPort(h, m.NewCompletionPort("other", 1), nil), StatusPortAlreadySet)
	equal(t, "no overlapped", m.c().Request(h, MajorRead, nil, 0, nil), StatusInvalidParameter)
	equal(t, "no handle", m.c().Request(0, MajorRead, nil, 0, new(Overlapped)), StatusInvalidHandle)

	// No port: no packet, but a routine, in an alertable wait of the issuer only.
	unbound := m.handle(t, "device", OpenOptions{})
	called := 0
	ov := &Overlapped{Notify: &Notify{Routine: func(*Overlapped) { called++ }}}
	equal(t, "status", m.c().Request(unbound, MajorRead, nil, 0, ov), StatusPending)
	equal(t, "in flight twice", m.c().Request(unbound, MajorRead, nil, 0, ov), StatusInvalidParameter)
	m.finish(kept, StatusSuccess, 0)
	m.run()
	equal(t, "packets", m.Counts().Packets, 0)
	equal(t, "routine called without an alertable wait", called, 0)
	equal(t, "alertable wait", m.user.Wait(new(Event), true), StatusUserAPC)
	equal(t, "routine called", called, 1)
}

func TestHandlesAreNeverValidAgain(t *testing.T) {
	m := newMachine(Config{})
	closes := 0
	var kept *IRP
	d := m.device(t, "device", pends(&kept), nil)
	d.Driver.Major[MajorClose] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		closes++
		return completes(StatusSuccess, 0)(c, dev, irp)
	}
	h := m.handle(t, "device", OpenOptions{})
	m.c().Request(h, MajorRead, nil, 0, new(Overlapped))
	equal(t, "close", m.c().CloseHandle(h), StatusSuccess)
	equal(t, "closes while a request is in flight", closes, 0)
	m.finish(kept, StatusSuccess, 0)
	m.run()
	equal(t, "closes", closes, 1)
	again := m.handle(t, "device", OpenOptions{})
	equal(t, "second close", m.c().CloseHandle(h), StatusInvalidHandle)
	if again == h {
		t.Error("a closed handle is handed out again")
	}
	_, status := m.c().Open("nothing", OpenOptions{})
	equal(t, "open of an unknown device", status, StatusNoSuchDevice)
}

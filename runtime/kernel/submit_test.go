package kernel

import (
	"strings"
	"testing"
)

// TestSubmit: who needs no OVERLAPPED gets all from the packet, or at once.
func TestSubmit(t *testing.T) {
	m := newMachine(Config{})
	var kept *IRP
	m.device(t, "slow", pends(&kept), nil)
	m.device(t, "quick", completes(StatusSuccess, 3), nil)
	port, got := m.port(1, 1)
	slow, quick, unbound := m.handle(t, "slow", OpenOptions{}), m.handle(t, "quick", OpenOptions{}), m.handle(t, "slow", OpenOptions{})
	for _, h := range []Handle{slow, quick} {
		m.BindPort(h, port, "key")
		m.SkipCompletionPortOnSuccess(h)
	}
	for _, tc := range []struct {
		what    string
		h       Handle
		offset  int64
		context any
		want    Status
	}{
		{"no handle", 0, 0, "me", StatusInvalidHandle},
		{"no port", unbound, 0, "me", StatusInvalidParameter},
		{"no context", slow, 0, nil, StatusInvalidParameter},
		{"negative offset", slow, -1, "me", StatusInvalidParameter},
	} {
		f, _, status := m.c().Submit(tc.h, MajorRead, make([]byte, 4), tc.offset, tc.context)
		equal(t, tc.what, status, tc.want)
		equal(t, tc.what+": in flight", f.InFlight(), false)
	}

	f, n, status := m.c().Submit(quick, MajorRead, make([]byte, 4), 0, "me")
	equal(t, "at once", status, StatusSuccess)
	equal(t, "bytes at once", n, 3)
	equal(t, "at once: in flight", f.InFlight(), false)
	equal(t, "at once: cancelled", m.c().CancelFlight(f), false)

	f, _, status = m.c().Submit(slow, MajorRead, make([]byte, 4), 0, "me")
	equal(t, "status", status, StatusPending)
	equal(t, "in flight", f.InFlight(), true)
	equal(t, "its IRP", f.IRPID(), kept.ID())
	equal(t, "context in the list of requests", m.Requests()[0].Context, any("me"))
	equal(t, "cancelled", m.c().CancelFlight(f), true)
	equal(t, "Cancel", kept.Cancel, true)
	m.finish(kept, StatusCancelled, 2)
	m.run()
	equal(t, "complete: in flight", f.InFlight(), false)
	equal(t, "complete: cancelled", m.c().CancelFlight(f), false)
	if len(*got) != 1 {
		t.Fatalf("packets %+v", *got)
	}
	p := (*got)[0]
	equal(t, "requester", p.Requester(), any("me"))
	equal(t, "packet's status", p.Status, StatusCancelled)
	equal(t, "packet's bytes", p.Information, 2)

	// Whoever holds on to what has ended does not cancel what came after it, with the same IRP.
	g, _, _ := m.c().Submit(slow, MajorRead, make([]byte, 4), 0, "other")
	equal(t, "the same IRP", g.irp == f.irp, true)
	equal(t, "the old one cancels", m.c().CancelFlight(f), false)
	equal(t, "the new one", kept.Cancel, false)
	m.finish(kept, StatusSuccess, 4)
	m.run()
	equal(t, "packets", len(*got), 2)
}

// TestPosted: a packet that was posted has what it was posted with.
func TestPosted(t *testing.T) {
	m := newMachine(Config{})
	port, got := m.port(1, 1)
	ov := &Overlapped{Context: "me"}
	port.Post(m.c(), "key", nil)
	port.Post(m.c(), "other", ov)
	port.Post(m.c(), ov, nil)
	m.run()
	if len(*got) != 3 {
		t.Fatalf("packets %+v", *got)
	}
	for i, want := range []struct {
		key       any
		ov        *Overlapped
		requester any
	}{{"key", nil, nil}, {"other", ov, "me"}, {ov, nil, nil}} {
		p := (*got)[i]
		equal(t, "key", p.Key(), want.key)
		equal(t, "overlapped", p.Overlapped(), want.ov)
		equal(t, "requester", p.Requester(), want.requester)
	}
}

// TestPostedAfterRequests: what was posted has nothing of the requests whose packets stood in its place before.
func TestPostedAfterRequests(t *testing.T) {
	m := newMachine(Config{})
	var q packetQueue
	var p Packet
	for range 40 {
		*q.push(m.Kernel) = Packet{Status: StatusCancelled, Information: 7, IRP: 9, context: "request", file: new(FileObject), since: 3}
	}
	for range 40 {
		q.pop(m.Kernel, &p)
	}
	for range 40 {
		q.push(m.Kernel).context = "posted"
		q.pop(m.Kernel, &p)
		equal(t, "packet", p, Packet{context: "posted"})
	}
}

// TestRequestsOfPackets: a request whose IRP is gone is still told of while its packet waits, in the port or with the thread
// that it was handed to.
func TestRequestsOfPackets(t *testing.T) {
	m := newMachine(Config{})
	var kept []*IRP
	m.device(t, "device", func(_ *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		kept = append(kept, irp)
		return StatusPending
	}, nil)
	h := m.handle(t, "device", OpenOptions{})
	port, got := m.port(1, 1)
	m.BindPort(h, port, nil)
	for range 2 {
		equal(t, "request", m.c().Request(h, MajorRead, make([]byte, 3), 0, new(Overlapped)), StatusPending)
	}
	for _, irp := range kept {
		m.finish(irp, StatusSuccess, 3)
	}
	var states []string
	for _, r := range m.Requests() {
		equal(t, "a packet", r.Packet, true)
		equal(t, "its bytes", r.Length, 3)
		states = append(states, r.State)
	}
	equal(t, "states", strings.Join(states, "; "), "complete; thread 1 is about to take its packet; complete; its packet waits in the port")
	m.run()
	equal(t, "taken", len(*got), 2)
	equal(t, "requests after that", len(m.Requests()), 0)
}

// TestHistoryIsCut: of an IRP a hop of which may have been forgotten the history says so, whichever were forgotten since.
func TestHistoryIsCut(t *testing.T) {
	var h history
	for i := range historyDepth + 2 {
		irp := uint64(20)
		switch i {
		case 0:
			irp = 9
		case 1:
			irp = 3
		}
		kind := HopCallDriver
		if i == 2 {
			kind = HopIRPBuilt
		}
		h.add(&Hop{IRP: irp, Kind: kind})
	}
	for irp, want := range map[uint64]bool{3: true, 9: true, 5: true, 10: false, 20: false} {
		if _, cut := h.of(irp); cut != want {
			t.Errorf("irp#%d: cut is %v, want %v", irp, cut, want)
		}
	}
}

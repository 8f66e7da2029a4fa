package kernel

import "testing"

// always is a hazard of which one fault strikes at every opportunity.
type always Fault

func (f always) Strike(g Fault) bool { return Fault(f) == g }

// TestForcedPending: a request that its driver completes at once is answered with StatusPending, and completes later, once,
// by a packet; its status and its bytes are the driver's.
func TestForcedPending(t *testing.T) {
	for _, status := range []Status{StatusSuccess, StatusIoDeviceError} {
		m := newMachine(Config{Verify: true, Hazard: always(ForcedPending)})
		port, got := m.port(1, 1)
		m.device(t, "device", completes(status, 3), nil)
		h := m.handle(t, "device", OpenOptions{})
		m.BindPort(h, port, "key")
		m.SkipCompletionPortOnSuccess(h)
		ov := new(Overlapped)
		equal(t, "answer", m.c().Request(h, MajorRead, make([]byte, 4), 0, ov), StatusPending)
		equal(t, "in flight", ov.InFlight(), true)
		m.run()
		equal(t, "packets", len(*got), 1)
		equal(t, "status", ov.Status, status)
		equal(t, "bytes", ov.Information, 3)
		equal(t, "IRPs left", m.Counts().IRPsInFlight, 0)
		equal(t, "answer to a control", m.c().Request(h, MajorDeviceControl, nil, 0, new(Overlapped)), StatusInvalidDeviceRequest)
	}
}

// oracleOf is an oracle that always chooses the same.
type oracleOf uint64

func (o oracleOf) Choose(_ string, n uint64) uint64 { return min(uint64(o), n-1) }

// TestFakeFilter: a request passes a driver more, which skips its location or copies it; nobody below or above notices.
func TestFakeFilter(t *testing.T) {
	for way := range oracleOf(2) {
		m := newMachine(Config{Verify: true, Hazard: always(FakeFilter)})
		m.oracle = way
		var kept *IRP
		m.device(t, "device", pends(&kept), nil)
		h := m.handle(t, "device", OpenOptions{})
		ov := new(Overlapped)
		equal(t, "answer", m.c().Request(h, MajorRead, make([]byte, 4), 7, ov), StatusPending)
		equal(t, "locations", kept.depth, 2)
		equal(t, "location of the driver", kept.current, int8(1+way))
		equal(t, "offset", kept.CurrentStackLocation().Parameters.ByteOffset, 7)
		m.finish(kept, StatusSuccess, 4)
		m.run()
		equal(t, "status", ov.Status, StatusSuccess)
		equal(t, "IRPs left", m.Counts().IRPsInFlight, 0)
	}
}

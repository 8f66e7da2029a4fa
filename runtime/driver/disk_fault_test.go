package driver_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// faulty is a machine whose hardware fails where a test says so: strikes has, by fault, how many of the next
// opportunities are taken.
type faulty struct {
	*machine
	device map[device.Fault]int
	kernel map[kernel.Fault]int
}

type faultyDevice struct{ *faulty }

func (f faultyDevice) Strike(fault device.Fault) bool { return take(f.device, fault) }

type faultyKernel struct{ *faulty }

func (f faultyKernel) Strike(fault kernel.Fault) bool { return take(f.kernel, fault) }

func take[F comparable](left map[F]int, fault F) bool {
	left[fault]--
	return left[fault] >= 0
}

// newFaulty makes one with a disk of "0123456789" on a message-signalled line.
func newFaulty(t *testing.T, cfg device.DiskConfig) (*faulty, *device.Memory) {
	t.Helper()
	f := &faulty{machine: new(machine), device: map[device.Fault]int{}, kernel: map[kernel.Fault]int{}}
	m := f.machine
	m.Kernel = kernel.New(kernel.Config{Clock: &m.clk, Oracle: m, Parker: m, Tracer: m, Hazard: faultyKernel{f}, Verify: true})
	mem := device.NewMemory([]byte("0123456789"))
	m.plug(t, mem, cfg, kernel.MessageSignaled, faultyDevice{f})
	return f, mem
}

// TestFaultsAreSurvived lets each fault strike a read that waits behind another, some of them again and again.
func TestFaultsAreSurvived(t *testing.T) {
	const ok, gone, bad, cancelled = kernel.StatusSuccess, kernel.StatusDeviceRemoved, kernel.StatusIoDeviceError, kernel.StatusCancelled
	for _, tc := range []struct {
		device   device.Fault
		kernel   kernel.Fault
		times    int
		statuses [2]kernel.Status
		after    clock.Time // both reads are complete only later than this
		mark     string
	}{
		{device: device.HardError, times: 1, statuses: [2]kernel.Status{bad, ok}},
		{device: device.PassingError, times: 7, statuses: [2]kernel.Status{ok, ok}, mark: "disk: a command given again after a passing error"},
		{device: device.PassingError, times: 8, statuses: [2]kernel.Status{bad, ok}},
		{device: device.ShortTransfer, times: 3, statuses: [2]kernel.Status{ok, ok}, mark: "disk: a short transfer gone on with"},
		{device: device.ShortTransfer, times: 1 << 20, statuses: [2]kernel.Status{ok, ok}},
		{device: device.ZeroTransfer, times: 7, statuses: [2]kernel.Status{ok, ok}},
		{device: device.ZeroTransfer, times: 8, statuses: [2]kernel.Status{bad, ok}},
		{device: device.InterruptBeforeDMA, times: 1 << 20, statuses: [2]kernel.Status{ok, ok}, after: 20_000_000, mark: "disk: a completion found by polling"},
		{device: device.Removal, times: 1, statuses: [2]kernel.Status{gone, gone}, after: 20_000_000, mark: "disk: requests failed because the disk is gone"},
		{device: device.Faults, kernel: kernel.LostInterrupt, times: 1 << 20, statuses: [2]kernel.Status{ok, ok}, after: 40_000_000, mark: "disk: a completion found by polling"},
		{device: device.Faults, kernel: kernel.DuplicateInterrupt, times: 2, statuses: [2]kernel.Status{ok, ok}},
		{device: device.Faults, kernel: kernel.SpuriousInterrupt, times: 2, statuses: [2]kernel.Status{ok, ok}},
		{device: device.Faults, kernel: kernel.LateInterrupt, times: 2, statuses: [2]kernel.Status{ok, ok}, after: 1_000_000},
		{device: device.Faults, kernel: kernel.EarlyCompletion, times: 2, statuses: [2]kernel.Status{ok, ok}},
		{device: device.Faults, kernel: kernel.StrayCancel, times: 1 << 20, statuses: [2]kernel.Status{cancelled, cancelled}},
	} {
		name := tc.device.String()
		if tc.device == device.Faults {
			name = tc.kernel.String()
		}
		m, _ := newFaulty(t, device.DiskConfig{})
		if tc.device == device.Faults {
			m.kernel[tc.kernel] = tc.times
		} else {
			m.device[tc.device] = tc.times
		}
		m.chosen = map[string]uint64{"disk.dma": 30_000, "interrupt.late": 1<<10 - 1}
		bufs := [2][]byte{make([]byte, 4), make([]byte, 4)}
		first, second := m.start(kernel.MajorRead, bufs[0], 2), m.start(kernel.MajorRead, bufs[1], 4)
		var done clock.Time
		m.onPacket = func() { done = m.clk.Now() }
		m.run()
		for i, ov := range []*kernel.Overlapped{first, second} {
			if ov.InFlight() || ov.Status != tc.statuses[i] {
				t.Errorf("%s, %d times: read %d: %v, want %v", name, tc.times, i, ov.Status, tc.statuses[i])
			}
			if want := "0123456789"[2+2*i:][:4]; ov.Status == ok && string(bufs[i]) != want {
				t.Errorf("%s, %d times: read %d: %q, want %q", name, tc.times, i, bufs[i], want)
			}
		}
		if c := m.Counts(); len(m.got) != 2 || c.IRPsInFlight != 0 || done <= tc.after {
			t.Errorf("%s, %d times: %d packets, the last at %v, %d IRPs in flight", name, tc.times, len(m.got), done, c.IRPsInFlight)
		}
		if tc.mark != "" && m.reached(tc.mark) == 0 {
			t.Errorf("%s, %d times: %s was not reached", name, tc.times, tc.mark)
		}
	}
}

func (m *machine) reached(mark string) uint64 {
	for _, k := range m.Marks() {
		if k.Name == mark {
			return k.Reached
		}
	}
	return 0
}

// TestShortWritesAreCompleted writes byte by byte, without the requester noticing.
func TestShortWritesAreCompleted(t *testing.T) {
	m, mem := newFaulty(t, device.DiskConfig{})
	m.device[device.ShortTransfer] = 1 << 20
	ov := m.start(kernel.MajorWrite, []byte("abcdef"), 8)
	m.run()
	if ov.Status != kernel.StatusSuccess || ov.Information != 6 || !bytes.Equal(mem.Bytes(), []byte("01234567abcdef")) {
		t.Errorf("%v, %d bytes, the disk holds %q", ov.Status, ov.Information, mem.Bytes())
	}
}

// TestShortTransferIsNotTheEnd: only the disk's word makes an end of file.
func TestShortTransferIsNotTheEnd(t *testing.T) {
	m, _ := newFaulty(t, device.DiskConfig{})
	m.device[device.ZeroTransfer] = 1
	end, some := m.start(kernel.MajorRead, make([]byte, 2), 10), m.start(kernel.MajorRead, make([]byte, 9), 8)
	m.run()
	if end.Status != kernel.StatusEndOfFile || some.Status != kernel.StatusSuccess || some.Information != 2 {
		t.Errorf("read at the end: %v; over the end: %v, %d bytes", end.Status, some.Status, some.Information)
	}
}

// TestRemovedDisk pulls a disk out with requests in it and in its queue: all fail, in batches that keep a DPC's budget
// (A33), and so does what comes later, at once.
func TestRemovedDisk(t *testing.T) {
	m, _ := newFaulty(t, device.DiskConfig{Depth: 64, Access: 10 * time.Millisecond})
	var ovs []*kernel.Overlapped
	for range 1000 {
		ovs = append(ovs, m.start(kernel.MajorRead, make([]byte, 1), 0))
	}
	m.CPU().Cancel(ovs[900])
	m.disk.Remove()
	m.run()
	for i, ov := range ovs {
		want := kernel.StatusDeviceRemoved
		if i == 900 {
			want = kernel.StatusCancelled
		}
		if ov.Status != want {
			t.Fatalf("request %d: %v", i, ov.Status)
		}
	}
	if status := m.CPU().Request(m.handle, kernel.MajorRead, make([]byte, 1), 0, new(kernel.Overlapped)); status != kernel.StatusDeviceRemoved {
		t.Errorf("a read of a disk that is gone: %v", status)
	}
	if c := m.Counts(); len(m.got) != 1000 || c.IRPsInFlight != 0 {
		t.Errorf("%d packets, %d IRPs in flight", len(m.got), c.IRPsInFlight)
	}
}

// TestNoMemoryForAnIRP: the request fails at once, and nothing else happens.
func TestNoMemoryForAnIRP(t *testing.T) {
	m, _ := newFaulty(t, device.DiskConfig{})
	m.kernel[kernel.NoIRPMemory] = 1
	ov := new(kernel.Overlapped)
	if status := m.CPU().Request(m.handle, kernel.MajorRead, make([]byte, 1), 0, ov); status != kernel.StatusInsufficientResources || ov.InFlight() {
		t.Errorf("%v, in flight %v", status, ov.InFlight())
	}
	if ov = m.start(kernel.MajorRead, make([]byte, 1), 0); true {
		if m.run(); ov.Status != kernel.StatusSuccess || len(m.got) != 1 {
			t.Errorf("the next read: %v, %d packets", ov.Status, len(m.got))
		}
	}
}

// TestA06_CompletionBeforeTheDispatchReturns: the request is complete when Request returns StatusPending.
func TestA06_CompletionBeforeTheDispatchReturns(t *testing.T) {
	m, _ := newFaulty(t, device.DiskConfig{})
	m.kernel[kernel.EarlyCompletion] = 1
	m.chosen = map[string]uint64{"dispatch.stall": 299_999}
	ov := new(kernel.Overlapped)
	status := m.CPU().Request(m.handle, kernel.MajorRead, make([]byte, 1), 0, ov)
	if status != kernel.StatusPending || ov.InFlight() || ov.Status != kernel.StatusSuccess {
		t.Errorf("%v; the request: %v, in flight %v", status, ov.Status, ov.InFlight())
	}
	if m.run(); len(m.got) != 1 {
		t.Errorf("%d packets", len(m.got))
	}
}

// plug makes the user thread, the disk with its driver, a handle of it, and a port with a thread that collects.
func (m *machine) plug(t *testing.T, backing device.Backing, cfg device.DiskConfig, mode kernel.Mode, oracle device.Oracle) {
	t.Helper()
	m.user = m.NewThread("user", nil)
	m.Adopt(m.user)
	disk, err := device.NewDisk("disk", backing, cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.disk = disk
	m.line = m.NewLine("disk", mode, kernel.DeviceLevel, 0)
	disk.Connect(&m.clk, oracle, m.line, nil)
	if _, status := driver.NewDisk(m.Kernel, disk, m.line); status != kernel.StatusSuccess {
		t.Fatal(status)
	}
	h, status := m.CPU().Open("disk", kernel.OpenOptions{})
	if status != kernel.StatusSuccess {
		t.Fatal(status)
	}
	m.handle = h
	port := m.NewCompletionPort("port", 1)
	port.Enlist(m.NewThread("collector", collector{m, port}))
	m.BindPort(h, port, nil)
}

package driver_test

import (
	"bytes"
	"testing"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// machine is a kernel, a disk and a port with one thread; no World.
type machine struct {
	*kernel.Kernel
	clk    clock.Virtual
	user   *kernel.Thread
	line   *kernel.Line
	disk   *device.Disk
	handle kernel.Handle
	got    []kernel.Packet
	chosen map[string]uint64 // by label; else 0

	onPacket func()
	trace    []kernel.HopKind
}

func (m *machine) Choose(label string, n uint64) uint64 { return m.chosen[label] % n }
func (m *machine) Park(*kernel.Thread)                  { panic("nothing blocks here") }
func (m *machine) Trace(h *kernel.Hop)                  { m.trace = append(m.trace, h.Kind) }

type collector struct {
	m    *machine
	port *kernel.CompletionPort
}

func (c collector) Run(t *kernel.Thread) {
	for {
		p := c.port.Remove(t)
		if p == nil {
			return
		}
		c.m.got = append(c.m.got, *p)
		if c.m.onPacket != nil {
			c.m.onPacket()
		}
	}
}

func newMachine(t *testing.T, backing device.Backing, cfg device.DiskConfig) *machine {
	t.Helper()
	m := new(machine)
	m.Kernel = kernel.New(kernel.Config{Clock: &m.clk, Oracle: m, Parker: m, Tracer: m, Verify: true})
	m.plug(t, backing, cfg, kernel.LevelSensitive, m)
	return m
}

func (m *machine) start(major kernel.MajorFunction, buf []byte, off int64) *kernel.Overlapped {
	ov := new(kernel.Overlapped)
	m.CPU().Request(m.handle, major, buf, off, ov)
	return ov
}

// run lets the user wait until nothing is left to do.
func (m *machine) run() {
	m.user.WaitIdle("the end")
	m.Vacate(m.user)
	for {
		t, idle := m.Next()
		if idle {
			break
		}
		if t != nil {
			t.Body().Run(t)
			m.Left(t)
		}
	}
	m.Adopt(m.user)
}

func TestReadAndWrite(t *testing.T) {
	for depth := 1; depth <= 4; depth++ {
		mem := device.NewMemory([]byte("0123456789"))
		m := newMachine(t, mem, device.DiskConfig{Depth: depth})
		buf := make([]byte, 4)
		read := m.start(kernel.MajorRead, buf, 8)
		write := m.start(kernel.MajorWrite, []byte("ab"), 10)
		flush := m.start(kernel.MajorFlush, nil, 0)
		end := m.start(kernel.MajorRead, make([]byte, 1), 99)
		m.run()
		for name, c := range map[string]struct {
			ov     *kernel.Overlapped
			status kernel.Status
			n      int
		}{
			"read":  {read, kernel.StatusSuccess, 2},
			"write": {write, kernel.StatusSuccess, 2},
			"flush": {flush, kernel.StatusSuccess, 0},
			"end":   {end, kernel.StatusEndOfFile, 0},
		} {
			if c.ov.Status != c.status || c.ov.Information != c.n {
				t.Errorf("depth %d: %s: %v, %d bytes", depth, name, c.ov.Status, c.ov.Information)
			}
		}
		if string(buf[:2]) != "89" || !bytes.Equal(mem.Bytes(), []byte("0123456789ab")) {
			t.Errorf("depth %d: read %q, disk holds %q", depth, buf, mem.Bytes())
		}
		if len(m.got) != 4 || m.Counts().IRPsInFlight != 0 {
			t.Errorf("depth %d: %d packets, %d IRPs in flight", depth, len(m.got), m.Counts().IRPsInFlight)
		}
	}
}

func TestA19_TheHardwareIsNotStopped(t *testing.T) {
	m := newMachine(t, device.NewMemory([]byte("abc")), device.DiskConfig{})
	buf := make([]byte, 3)
	ov := m.start(kernel.MajorRead, buf, 0)
	if !m.CPU().Cancel(ov) {
		t.Error("nothing to cancel, says Cancel")
	}
	if !ov.InFlight() || ov.Status != kernel.StatusPending {
		t.Errorf("after the cancel: %+v", ov)
	}
	m.run()
	if ov.Status != kernel.StatusSuccess || string(buf) != "abc" || m.Counts().Cancels != 0 {
		t.Errorf("%v, %q, %d cancel routines called", ov.Status, buf, m.Counts().Cancels)
	}
	if m.CPU().Cancel(ov) {
		t.Error("something to cancel after the completion")
	}
}

// TestA20_EveryRaceCompletesOnce cancels one of three requests at every moment of their lives.
func TestA20_EveryRaceCompletesOnce(t *testing.T) {
	outcomes := map[kernel.Status]int{}
	for _, depth := range []int{1, 2} {
		for at := clock.Time(0); at < 300_000; at += 487 {
			m := newMachine(t, device.NewMemory(make([]byte, 100)), device.DiskConfig{Depth: depth})
			var ovs []*kernel.Overlapped
			for range 3 {
				ovs = append(ovs, m.start(kernel.MajorRead, make([]byte, 10), 0))
			}
			for i := range ovs {
				dpc := &kernel.DPC{Name: "cancel", Routine: func(c *kernel.CPU, _ *kernel.DPC, _ any) { c.Cancel(ovs[i]) }}
				m.SetTimer(&kernel.Timer{DPC: dpc}, m.clk.Now()+at+clock.Time(i))
			}
			m.run()
			for i, ov := range ovs {
				outcomes[ov.Status]++
				if ov.InFlight() || ov.Status == kernel.StatusCancelled && ov.Information != 0 {
					t.Fatalf("depth %d, cancel at %v: request %d: %+v", depth, at, i, ov)
				}
			}
			if c := m.Counts(); len(m.got) != 3 || c.IRPsInFlight != 0 {
				t.Fatalf("depth %d, cancel at %v: %d packets, %d IRPs in flight", depth, at, len(m.got), c.IRPsInFlight)
			}
			// And the disk is free again.
			if ov := m.start(kernel.MajorRead, make([]byte, 1), 0); true {
				if m.run(); ov.Status != kernel.StatusSuccess {
					t.Fatalf("depth %d, cancel at %v: the next read: %v", depth, at, ov.Status)
				}
			}
		}
	}
	if outcomes[kernel.StatusSuccess] == 0 || outcomes[kernel.StatusCancelled] == 0 || len(outcomes) != 2 {
		t.Errorf("outcomes %v", outcomes)
	}
}

func TestA21_TheBufferIsTheOperationsUntilItCompletes(t *testing.T) {
	m := newMachine(t, device.NewMemory([]byte("abc")), device.DiskConfig{})
	buf := make([]byte, 3)
	ov := m.start(kernel.MajorRead, buf, 0)
	m.CPU().Cancel(ov)
	if string(buf) != "\x00\x00\x00" {
		t.Error("the device has written before its time")
	}
	if status := m.CPU().Request(m.handle, kernel.MajorRead, buf, 0, ov); status != kernel.StatusInvalidParameter {
		t.Errorf("the OVERLAPPED of a request in flight is taken for another: %v", status)
	}
	m.run()
	if string(buf) != "abc" {
		t.Errorf("a cancelled request that the hardware had: buffer %q", buf)
	}
	if status := m.CPU().Request(m.handle, kernel.MajorRead, buf, 0, ov); status != kernel.StatusPending {
		t.Errorf("after its completion: %v", status)
	}
	m.run()
}

func TestA25_ISR(t *testing.T) {
	m := newMachine(t, device.NewMemory([]byte("abc")), device.DiskConfig{Depth: 2})
	// Not mine: the line is asserted by somebody else.
	m.CPU().RaiseIRQL(kernel.DeviceLevel)
	m.line.Assert()
	if m.line.Poll(m.CPU()) {
		t.Error("the ISR claims an interrupt that is not its disk's")
	}
	m.line.Deassert()
	m.CPU().LowerIRQL(kernel.PassiveLevel)
	if c := m.Counts(); c.DPCs != 0 {
		t.Errorf("%d DPCs", c.DPCs)
	}
	// Mine: dismissed, then the DPC. Two commands done before it runs are one DPC (A30).
	a, b := m.start(kernel.MajorRead, make([]byte, 1), 0), m.start(kernel.MajorRead, make([]byte, 2), 0)
	m.CPU().RaiseIRQL(kernel.HighLevel)
	m.clk.Advance(m.clk.Now() + 1_000_000)
	if !m.disk.InterruptPending() {
		t.Fatal("no interrupt pending")
	}
	m.CPU().LowerIRQL(kernel.DispatchLevel)
	if m.disk.InterruptPending() {
		t.Error("the ISR did not dismiss the interrupt")
	}
	if m.Counts().DPCs != 0 || a.Status != kernel.StatusPending {
		t.Error("the DPC ran at DISPATCH")
	}
	m.CPU().LowerIRQL(kernel.PassiveLevel)
	if c := m.Counts(); c.DPCs != 1 || c.Interrupts != 1 {
		t.Errorf("%d DPCs, %d interrupts", c.DPCs, c.Interrupts)
	}
	m.run()
	if a.Information != 1 || b.Information != 2 || len(m.got) != 2 {
		t.Errorf("%d and %d bytes, %d packets", a.Information, b.Information, len(m.got))
	}
}

func TestCleanupCancelsWhatIsQueued(t *testing.T) {
	m := newMachine(t, device.NewMemory(make([]byte, 9)), device.DiskConfig{})
	var ovs []*kernel.Overlapped
	for range 4 {
		ovs = append(ovs, m.start(kernel.MajorRead, make([]byte, 1), 0))
	}
	m.CPU().CloseHandle(m.handle)
	m.run()
	for i, ov := range ovs {
		want := kernel.StatusCancelled
		if i == 0 {
			want = kernel.StatusSuccess // the disk had it
		}
		if ov.Status != want {
			t.Errorf("request %d: %v, want %v", i, ov.Status, want)
		}
	}
	if len(m.got) != 4 || m.Counts().IRPsInFlight != 0 {
		t.Errorf("%d packets, %d IRPs in flight", len(m.got), m.Counts().IRPsInFlight)
	}
}

// TestA18_CancelledOnTheWayToStartIo cancels one of three requests whenever a CPU spends time, also between the device
// queue and StartIo: whoever takes the cancel routine out owns the completion, and the disk goes on with the next one.
func TestA18_CancelledOnTheWayToStartIo(t *testing.T) {
	onTheWay := uint64(0)
	for stray := 1; stray < 80; stray++ {
		for whom := range uint64(3) {
			r := newRig(uint64(stray % 2))
			r.stray, r.whom = stray, whom
			disk, err := device.NewDisk("disk", device.NewMemory(make([]byte, 100)), device.DiskConfig{})
			if err != nil {
				t.Fatal(err)
			}
			line := r.NewLine("disk", kernel.LevelSensitive, kernel.DeviceLevel, 0)
			disk.Connect(&r.clk, r, line, nil)
			if _, status := driver.NewDisk(r.Kernel, disk, line); status != kernel.StatusSuccess {
				t.Fatal(status)
			}
			h := r.open(t, "disk")
			var ovs []*kernel.Overlapped
			for range 3 {
				ovs = append(ovs, r.start(h, kernel.MajorRead, make([]byte, 10), 0))
			}
			r.rest(t)
			r.stray = 0
			ovs = append(ovs, r.start(h, kernel.MajorRead, make([]byte, 10), 0)) // the disk is free again
			r.rest(t)
			for i, ov := range ovs {
				if done := ov.Status == kernel.StatusSuccess && ov.Information == 10; ov.InFlight() || !done && (ov.Status != kernel.StatusCancelled || i == 3) {
					t.Fatalf("stray cancel %d of request %d: request %d: %+v", stray, whom, i, ov)
				}
			}
			for _, m := range r.Marks() {
				if m.Name == "cancel between the device queue and StartIo" {
					onTheWay += m.Reached
				}
			}
		}
	}
	if onTheWay == 0 {
		t.Error("none was on its way to StartIo")
	}
}

package kernel

import (
	"strings"
	"testing"
)

// source is a device with an interrupt: it stays asserted until its ISR is called often enough.
type source struct {
	line  *Line
	isr   Interrupt
	calls int // of the ISR
	wants int // times that the ISR will claim
	onISR func(c *CPU)
}

func (m *machine) source(t testing.TB, line *Line, mode Mode, shared bool) *source {
	t.Helper()
	s := &source{line: line}
	s.isr = Interrupt{Name: "source", Mode: mode, Shared: shared, Service: func(c *CPU, _ *Interrupt) bool {
		s.calls++
		if s.wants == 0 {
			return false
		}
		s.wants--
		if s.wants == 0 {
			line.Deassert()
		}
		if s.onISR != nil {
			s.onISR(c)
		}
		return true
	}}
	equal(t, "Connect", line.Connect(&s.isr), StatusSuccess)
	return s
}

func (s *source) fire(times int) { s.wants += times; s.line.Assert() }

func TestA22_OnlyHigherPreempts(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	var order []string
	low := m.source(t, m.NewLine("low", LevelSensitive, 4, 0), LevelSensitive, false)
	high := m.source(t, m.NewLine("high", LevelSensitive, 8, 0), LevelSensitive, false)
	dpc := &DPC{Name: "dpc", Routine: func(c *CPU, _ *DPC, _ any) {
		order = append(order, "dpc at "+c.IRQL().String())
	}}
	low.onISR = func(c *CPU) {
		order = append(order, "low begins")
		c.QueueDPC(dpc, nil)
		high.fire(1)
		c.Spend(1) // high preempts here, the DPC does not
		order = append(order, "low ends")
	}
	high.onISR = func(c *CPU) {
		order = append(order, "high begins")
		low.fire(1) // lower: waits
		low.onISR = func(*CPU) { order = append(order, "low again") }
		c.Spend(1)
		order = append(order, "high ends")
	}
	low.fire(1)
	c.Spend(1)
	want := "low begins, high begins, high ends, low ends, low again, dpc at DISPATCH"
	equal(t, "order", strings.Join(order, ", "), want)
	equal(t, "level after it", c.IRQL(), PassiveLevel)

	old := c.RaiseIRQL(8)
	equal(t, "old level", old, PassiveLevel)
	high.onISR, low.onISR = nil, nil
	high.fire(1)
	c.Spend(1)
	equal(t, "equal preempts", high.wants, 1)
	c.LowerIRQL(7)
	equal(t, "higher waits", high.wants, 0)
	c.LowerIRQL(PassiveLevel)
	breaks(t, "A22", "IRQL_NOT_LESS_OR_EQUAL", func() { c.LowerIRQL(2) })
	c.RaiseIRQL(5)
	breaks(t, "A22", "IRQL_NOT_GREATER_OR_EQUAL", func() { c.RaiseIRQL(2) })
}

func TestA23_LimitsOfLevels(t *testing.T) {
	at := func(level IRQL, f func(m *machine)) func() {
		return func() {
			m := newMachine(Config{})
			m.c().RaiseIRQL(level)
			f(m)
		}
	}
	for name, f := range map[string]func(){
		"wait at DISPATCH":        at(DispatchLevel, func(m *machine) { m.user.Wait(new(Event), false) }),
		"wait of no thread":       at(DispatchLevel, func(m *machine) { (*Thread)(nil).Wait(new(Event), false) }),
		"CallDriver above":        at(DeviceLevel, func(m *machine) { m.c().CallDriver(nil, nil) }),
		"CompleteRequest above":   at(DeviceLevel, func(m *machine) { m.c().CompleteRequest(m.irp(1)) }),
		"SetEvent above":          at(DeviceLevel, func(m *machine) { m.SetEvent(new(Event)) }),
		"QueueAPC above":          at(DeviceLevel, func(m *machine) { m.c().QueueAPC(m.user, new(APC)) }),
		"post above":              at(DeviceLevel, func(m *machine) { m.NewCompletionPort("p", 1).Post(m.c(), 1, nil) }),
		"spin lock above":         at(DeviceLevel, func(m *machine) { m.c().AcquireCancelLock() }),
		"device queue above":      at(DeviceLevel, func(m *machine) { new(DeviceQueue).Remove(m.c()) }),
		"request at APC":          at(APCLevel, func(m *machine) { m.c().Request(1, MajorRead, nil, 0, nil) }),
		"SynchronizeExecution up": at(HighLevel, func(m *machine) { m.c().SynchronizeExecution(&Interrupt{line: m.clockLine}, nil) }),
	} {
		t.Run(name, func(t *testing.T) { breaks(t, "A23", "IRQL", f) })
	}
	// Every routine leaves at the level at which it was entered.
	leaves := func(c *CPU) { c.irql++ }
	t.Run("ISR", func(t *testing.T) {
		m := newMachine(Config{})
		s := m.source(t, m.NewLine("line", LevelSensitive, 4, 0), LevelSensitive, false)
		s.onISR = leaves
		s.fire(1)
		breaks(t, "A23", "IRQL_UNEXPECTED_VALUE", func() { m.c().Spend(1) })
	})
	t.Run("DPC", func(t *testing.T) {
		m := newMachine(Config{})
		dpc := &DPC{Routine: func(c *CPU, _ *DPC, _ any) { leaves(c) }}
		breaks(t, "A23", "IRQL_UNEXPECTED_VALUE", func() { m.c().QueueDPC(dpc, nil) })
	})
	t.Run("thread", func(t *testing.T) {
		m := newMachine(Config{})
		m.Wake(m.NewThread("thread", bodyFunc(func(t *Thread) { leaves(t.CPU()); t.WaitIdle("nothing") })))
		breaks(t, "A23", "IRQL_GT_ZERO", m.run)
	})
	t.Run("dispatch routine", func(t *testing.T) {
		m := newMachine(Config{})
		var kept *IRP
		dev := m.device(t, "device", func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			leaves(c)
			return pends(&kept)(c, dev, irp)
		}, nil)
		breaks(t, "A23", "IRQL_UNEXPECTED_VALUE", func() { m.c().CallDriver(dev, m.irp(1)) })
	})
}

func TestA24_InterruptLock(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	s := m.source(t, m.NewLine("line", LevelSensitive, 4, 0), LevelSensitive, false)
	c.SynchronizeExecution(&s.isr, func(c *CPU) {
		equal(t, "level", c.IRQL(), IRQL(4))
		s.fire(1)
		c.Spend(1)
		equal(t, "ISR calls while the lock is held", s.calls, 0)
	})
	equal(t, "ISR calls after it", s.calls, 1)
	breaks(t, "A24", "SPIN_LOCK_ALREADY_OWNED", func() {
		c.SynchronizeExecution(&s.isr, func(c *CPU) { c.SynchronizeExecution(&s.isr, func(*CPU) {}) })
	})

	m = newMachine(Config{})
	s = m.source(t, m.NewLine("line", Latched, 4, 0), Latched, false)
	s.line.Mask()
	s.fire(1)
	m.c().Spend(1)
	equal(t, "ISR calls while masked", s.calls, 0)
	s.line.Unmask()
	m.c().Spend(1)
	equal(t, "ISR calls after Unmask", s.calls, 1)
}

func TestA25_TheDeviceLetsGo(t *testing.T) {
	m := newMachine(Config{})
	m.tracer = nil
	c := m.c()
	busy := m.source(t, m.NewLine("busy", LevelSensitive, DeviceLevel, 0), LevelSensitive, false)
	for range 2 {
		busy.fire(1 << 16) // as many calls as the largest disk has slots, one by one
		c.Spend(1)
	}
	equal(t, "calls of the busy device's ISR", busy.calls, 2<<16)

	// An ISR that masks its line leaves the rest to its DPC, time after time.
	line := m.NewLine("masked", LevelSensitive, DeviceLevel, 0)
	left, wants := maxInsisted+2, 0
	dpc := &DPC{Name: "masked", Routine: func(*CPU, *DPC, any) {
		if wants--; wants == 0 {
			line.Deassert()
		}
		line.Unmask()
	}}
	line.Connect(&Interrupt{Name: "masked", Service: func(c *CPU, _ *Interrupt) bool {
		left--
		line.Mask()
		c.QueueDPC(dpc, nil)
		return true
	}})
	wants = left
	line.Assert()
	c.Spend(1)
	equal(t, "interrupts left", left, 0)

	stuck := m.NewLine("stuck", LevelSensitive, DeviceLevel, 0)
	stuck.Connect(&Interrupt{Name: "stuck", Service: func(*CPU, *Interrupt) bool { return true }})
	stuck.Assert()
	breaks(t, "A25", "HARDWARE_INTERRUPT_STORM", func() { c.Spend(1) })
}

func TestA26_SharedLines(t *testing.T) {
	m := newMachine(Config{})
	line := m.NewLine("line", LevelSensitive, 4, 0)
	a := m.source(t, line, LevelSensitive, true)
	equal(t, "another who does not share", line.Connect(&Interrupt{Service: a.isr.Service, Mode: LevelSensitive}), StatusInvalidParameter)
	equal(t, "another mode", line.Connect(&Interrupt{Service: a.isr.Service, Mode: Latched, Shared: true}), StatusInvalidParameter)
	alone := m.NewLine("alone", LevelSensitive, 4, 0)
	m.source(t, alone, LevelSensitive, false)
	equal(t, "a line that is not shared", alone.Connect(&Interrupt{Service: a.isr.Service, Mode: LevelSensitive, Shared: true}), StatusInvalidParameter)

	// Level: the chain stops at the first that claims, and fires again while another asserts.
	b := m.source(t, line, LevelSensitive, true)
	a.wants, b.wants = 1, 1
	keep := a.isr.Service
	a.isr.Service = func(c *CPU, i *Interrupt) bool {
		claimed := keep(c, i)
		line.asserted = b.wants > 0 // b keeps the wire up
		return claimed
	}
	line.Assert()
	m.c().Spend(1)
	equal(t, "level: calls", [2]int{a.calls, b.calls}, [2]int{2, 1})
	equal(t, "level: interrupts", m.Counts().Interrupts, 2)

	// Edge: round the chain until nobody claims, or what came meanwhile is lost.
	edge := m.NewLine("edge", Latched, 4, 0)
	x := m.source(t, edge, Latched, true)
	y := m.source(t, edge, Latched, true)
	y.wants = 1
	y.onISR = func(*CPU) { x.wants = 1 } // x calls while y is serviced: there is no second edge
	edge.Assert()
	edge.Assert()
	m.c().Spend(1)
	equal(t, "edge: calls", [2]int{x.calls, y.calls}, [2]int{3, 3})
	equal(t, "edge: left over", x.wants, 0)
}

func TestA27_MessagesCanBeLost(t *testing.T) {
	m := newMachine(Config{})
	s := m.source(t, m.NewLine("msi", MessageSignaled, 4, 0), MessageSignaled, false)
	c := m.c()
	old := c.RaiseIRQL(HighLevel)
	s.fire(1)
	s.fire(1) // before the first was serviced: one interrupt for both
	c.LowerIRQL(old)
	equal(t, "ISR calls", s.calls, 1)
	equal(t, "events without an interrupt", s.wants, 1)
	equal(t, "poll", s.line.Poll(c), true)
	equal(t, "after the poll", s.wants, 0)
}

func TestA28_StormGuard(t *testing.T) {
	m := newMachine(Config{})
	m.tracer = nil
	line := m.NewLine("stuck", LevelSensitive, 4, 0)
	s := m.source(t, line, LevelSensitive, false)
	line.Assert() // and nobody claims
	m.c().Spend(1)
	equal(t, "disabled", line.Disabled(), true)
	equal(t, "calls", s.calls, 100_000)
	line.Assert()
	m.c().Spend(1)
	equal(t, "calls after that", s.calls, 100_000)
	s.wants = 1
	equal(t, "polled", line.Poll(m.c()), true)
	half := m.NewLine("half stuck", LevelSensitive, 4, 0)
	for i := range 3 * stormWindow { // each window is judged by itself
		half.serviced++
		half.guard(i%2 == 0)
	}
	equal(t, "disabled, with every other one claimed", half.Disabled(), false)
}

func TestA30_QueuedOnce(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	var got []any
	var d *DPC
	d = &DPC{Name: "dpc", Routine: func(c *CPU, _ *DPC, argument any) {
		got = append(got, argument)
		if len(got) == 1 {
			equal(t, "queued again while it runs", c.QueueDPC(d, 3), true)
		}
	}}
	old := c.RaiseIRQL(DispatchLevel)
	equal(t, "first", c.QueueDPC(d, 1), true)
	equal(t, "second", c.QueueDPC(d, 2), false)
	c.LowerIRQL(old)
	if len(got) != 2 || got[0] != 1 || got[1] != 3 {
		t.Errorf("arguments %v, want [1 3]", got)
	}
	c.RaiseIRQL(DispatchLevel)
	c.QueueDPC(d, 4)
	equal(t, "remove", c.RemoveDPC(d), true)
	equal(t, "remove again", c.RemoveDPC(d), false)
	c.LowerIRQL(PassiveLevel)
	equal(t, "calls", len(got), 2)
	var order string
	dpc := func(name string) *DPC {
		return &DPC{Name: name, Importance: LowImportance, Routine: func(_ *CPU, d *DPC, _ any) { order += d.Name }}
	}
	last := dpc("d")
	for _, d := range []*DPC{dpc("a"), dpc("b"), last} {
		c.QueueDPC(d, nil)
	}
	equal(t, "remove the last", c.RemoveDPC(last), true)
	c.QueueDPC(dpc("c"), nil)
	equal(t, "three are not worth draining the queue for (A32)", order, "")
	m.run()
	equal(t, "the others", order, "abc")
}

func TestA31_QueuesPerCPU(t *testing.T) {
	m := newMachine(Config{CPUs: 2})
	c := m.c()
	var order []string
	dpc := func(name string, i Importance, target *CPU) *DPC {
		return &DPC{Name: name, Importance: i, Target: target, Routine: func(on *CPU, d *DPC, _ any) {
			order = append(order, d.Name+string(rune('0'+on.Number())))
		}}
	}
	old := c.RaiseIRQL(DispatchLevel)
	c.QueueDPC(dpc("a", MediumImportance, nil), nil)
	c.QueueDPC(dpc("b", LowImportance, nil), nil)
	c.QueueDPC(dpc("c", HighImportance, nil), nil)
	c.QueueDPC(dpc("d", HighImportance, m.Processor(1)), nil)
	c.LowerIRQL(old)
	c.Spend(1)
	equal(t, "order", strings.Join(order, " "), "c0 a0 b0 d1")
}

func TestA32_WhenAQueueIsDrained(t *testing.T) {
	for _, tc := range []struct {
		importance Importance
		other      bool
		count      int
		now        bool
	}{
		{LowImportance, false, 1, false},
		{LowImportance, false, maxQueueDepth, true},
		{MediumImportance, false, 1, true},
		{MediumImportance, true, 1, false},
		{MediumImportance, true, maxQueueDepth, true},
		{MediumHighImportance, true, 1, true},
		{HighImportance, true, 1, true},
	} {
		m := newMachine(Config{CPUs: 2})
		c := m.c()
		ran := 0
		for range tc.count {
			d := &DPC{Importance: tc.importance, Routine: func(*CPU, *DPC, any) { ran++ }}
			if tc.other {
				d.Target = m.Processor(1)
			}
			old := c.RaiseIRQL(DispatchLevel)
			c.QueueDPC(d, nil)
			c.LowerIRQL(old)
		}
		c.Spend(1)
		equal(t, "drained at once", ran > 0, tc.now)
		m.run()
		equal(t, "drained by an idle processor", ran, tc.count)
	}
}

func TestA33_DPCsBeforeThreads(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	var order []string
	second := &DPC{Routine: func(*CPU, *DPC, any) { order = append(order, "second") }}
	first := &DPC{Routine: func(c *CPU, _ *DPC, _ any) {
		order = append(order, "first")
		c.QueueDPC(second, nil)
		c.QueueAPC(m.user, &APC{Kernel: func(*CPU, *APC) { order = append(order, "thread") }})
	}}
	c.QueueDPC(first, nil)
	c.Spend(1)
	equal(t, "order", strings.Join(order, " "), "first second thread")

	m = newMachine(Config{Verify: true})
	slow := &DPC{Routine: func(c *CPU, _ *DPC, _ any) { c.Spend(dpcBudget + 1) }}
	breaks(t, "A33", "DPC_WATCHDOG", func() { m.c().QueueDPC(slow, nil) })
	m = newMachine(Config{Verify: true})
	s := m.source(t, m.NewLine("line", LevelSensitive, 4, 0), LevelSensitive, false)
	s.onISR = func(c *CPU) { c.Spend(isrBudget + 1) }
	s.fire(1)
	breaks(t, "A33", "DPC_WATCHDOG", func() { m.c().Spend(1) })
}

package kernel

import (
	"fmt"
	"slices"
	"time"
)

// This file is the interrupt controller: lines, the interrupt objects of drivers connected to them, and what happens
// from a device's Assert to the return of its ISR. Rules A24 to A28.

// Mode is how a line signals.
type Mode uint8

// The modes of a line.
const (
	LevelSensitive  Mode = iota // asserted until every device on it is content: fires again if it still is after the ISR
	Latched                     // an edge: remembered once, whatever happens on the line until it is serviced
	MessageSignaled             // a message, as MSI: an edge without a wire
)

// ServiceRoutine is an ISR. It runs at its line's IRQL with the interrupt lock held, asks its device whether it calls,
// and returns false if not. If so it makes the device let go, saves what its DPC needs to know, requests the DPC as its
// last act and returns true (A25). It must not touch what it shares with code at lower levels in any other way. One that
// claims for a device that goes on calling is called for ever: that is a bugcheck.
type ServiceRoutine func(c *CPU, i *Interrupt) bool

// Interrupt connects a driver's ISR to a line (KINTERRUPT).
type Interrupt struct {
	Name    string         // the device, for the trace
	Service ServiceRoutine // the ISR
	Shared  bool           // other drivers may connect to the line too
	Mode    Mode           // how the driver's device signals

	line   *Line
	locked bool // the interrupt lock: an ISR or a SynchronizeExecution runs
}

// Line is one input of the interrupt controller. It implements device.Line.
type Line struct {
	// Fixed.
	kernel *Kernel
	name   string
	mode   Mode
	irql   IRQL
	target *CPU

	// The controller's.
	chain      []*Interrupt
	asserted   bool // the wire
	pending    bool // service is due: it stands in target.pending
	masked     bool // held back: pending stays
	phantom    bool // fault.go: there is an interrupt that no device has asked for
	endangered bool // faults happen here: fault.go
	disabled   bool // the storm guard gave up on it

	// The storm guard's (A28).
	serviced, unhandled int

	// Of a level line: how often in a row it was still asserted after an ISR had claimed it (A25), and how many DPCs had
	// run before.
	insisted int
	dpcs     uint64
}

// The storm guard of A28: of so many interrupts, so many that nobody claimed disable the line.
const (
	stormWindow    = 100_000
	stormUnhandled = 99_900
)

// maxInsisted is how many interrupts in a row an ISR may claim while its device goes on calling and no DPC can run. That is
// more than any device here has to say at a time: a disk has 65,536 slots.
const maxInsisted = 100_000

// NewLine makes an input of the interrupt controller that interrupts the CPU of that number at the given level: from DeviceLevel
// to HighLevel. It panics for any other, and for a CPU that is not there.
func (k *Kernel) NewLine(name string, mode Mode, irql IRQL, cpu int) *Line {
	if irql < DeviceLevel || irql > HighLevel {
		panic("kernel: NewLine " + name + ": a line's IRQL lies from DeviceLevel to HighLevel, not at " + irql.String())
	}
	if cpu < 0 || cpu >= len(k.cpus) {
		panic(fmt.Sprintf("kernel: NewLine %s: there is no CPU %d to interrupt; there are %d, numbered from 0", name, cpu, len(k.cpus)))
	}
	return &Line{kernel: k, name: name, mode: mode, irql: irql, target: k.cpus[cpu], endangered: k.hazard != nil}
}

// Connect connects an interrupt object to a line. Several may share a line only if all say so and all signal the same
// way (A26); else StatusInvalidParameter.
func (l *Line) Connect(i *Interrupt) Status {
	if i.Service == nil || i.line != nil || i.Mode != l.mode {
		return StatusInvalidParameter
	}
	for _, other := range l.chain {
		if !other.Shared || !i.Shared {
			return StatusInvalidParameter
		}
	}
	i.line = l
	l.chain = append(l.chain, i)
	return StatusSuccess
}

// Assert raises the line, as a device does: hardware, on no CPU and beneath no thread.
func (l *Line) Assert() {
	if l.endangered {
		l.assertInDanger()
		return
	}
	l.assert()
}

func (l *Line) assert() {
	if l.mode == Latched && l.asserted {
		return // not an edge
	}
	l.asserted = l.mode != MessageSignaled
	l.announce()
}

// announce is the way of an assertion to the CPU.
func (l *Line) announce() {
	k := l.kernel
	k.counts.Asserts++
	if k.watched {
		k.TraceHardware(HopInterrupt, l.name, int64(l.irql), 0)
	}
	l.request()
}

// Deassert lets the line go. A level line that nobody has serviced yet then asks for nothing any more; if it is the only one
// its CPU need not even look.
func (l *Line) Deassert() {
	l.asserted, l.insisted = false, 0
	if c := l.target; l.pending && l.mode == LevelSensitive && !l.phantom && len(c.pending) == 1 {
		c.pending = c.pending[:0]
		c.attention &^= attendLine(l)
		l.pending = false
	}
}

// Mask holds the line's interrupts back until Unmask; one that arrives meanwhile stays pending (A24).
func (l *Line) Mask() { l.masked = true }

// Unmask lets them through again.
func (l *Line) Unmask() {
	l.masked = false
	if l.pending {
		l.target.attention |= attendLine(l)
	}
}

// Mode returns how the line signals.
func (l *Line) Mode() Mode { return l.mode }

// Disabled reports whether the storm guard has given up on the line.
func (l *Line) Disabled() bool { return l.disabled }

func (l *Line) request() {
	if l.disabled {
		return
	}
	if !l.pending {
		l.pending = true
		l.target.pending = append(l.target.pending, l)
	}
	if !l.masked {
		l.target.attention |= attendLine(l)
	}
}

// serviceHighest services the pending line of the highest level above the CPU's, where attention says that there may be one;
// false if there is none.
func (c *CPU) serviceHighest() bool {
	if len(c.pending) == 1 {
		if l := c.pending[0]; !l.masked { // mostly there is one, and nothing in its way
			c.pending = c.pending[:0]
			c.attention &^= attendLine(l)
			l.pending = false
			c.service(l)
			return true
		}
	}
	return c.searchHighest()
}

// searchHighest is serviceHighest where there are several to choose from.
func (c *CPU) searchHighest() bool {
	best := -1
	for i, l := range c.pending {
		if !l.masked && l.irql > c.irql && (best < 0 || l.irql > c.pending[best].irql) {
			best = i
		}
	}
	var l *Line
	if best >= 0 {
		l = c.pending[best]
		c.pending = slices.Delete(c.pending, best, best+1)
	}
	c.attention &= attendAPC | attendDPC
	for _, other := range c.pending {
		if !other.masked {
			c.attention |= attendLine(other)
		}
	}
	if l == nil {
		return false
	}
	l.pending = false
	c.service(l)
	return true
}

// service is one interrupt: up to the line's level, the ISRs, down again. It interrupts whatever ran, of whatever
// thread, and asks nobody.
func (c *CPU) service(l *Line) {
	if l.mode == LevelSensitive && !l.asserted && !l.phantom {
		return // it let go before anybody came
	}
	l.phantom = false
	k := c.kernel
	old := c.irql
	c.irql = l.irql
	c.nesting++
	k.counts.Interrupts++
	k.mix(hashInterrupt|uint64(l.irql)<<8|uint64(c.number)<<16, 0)
	began := k.clock.Now()
	if !c.pass(costInterrupt) {
		c.spend(costInterrupt)
	}
	by := l.callChain(c)
	if k.verify && k.clock.Now().Sub(began) > isrBudget {
		l.overBudget(by, k.clock.Now().Sub(began))
	}
	if l.serviced++; by == nil || l.serviced >= stormWindow {
		l.guard(by != nil)
	}
	c.nesting--
	c.irql = old
	if l.mode == LevelSensitive && l.asserted {
		l.insist(by)
		l.request() // still asserted after the end of interrupt: fires again (A26)
	}
}

// overBudget ends the World because the ISRs of an interrupt took too long. If there are several, nobody knows which.
func (l *Line) overBudget(by *Interrupt, took time.Duration) {
	var service any
	if by != nil && len(l.chain) == 1 {
		service = by.Service
	}
	l.kernel.bugCheckIn(service, vISRBudget, 0, "the ISRs of %s took %v, more than %v", l.name, took, isrBudget)
}

// insist counts how often in a row a level line is still asserted after an ISR has claimed it. Its interrupts keep DPCs and
// threads from running, so if that does not end it never will: the ISR does not make its device let go (A25). One that masks
// the line leaves that to its DPC.
func (l *Line) insist(by *Interrupt) {
	k := l.kernel
	if by == nil || l.masked || l.dpcs != k.counts.DPCs {
		l.insisted, l.dpcs = 0, k.counts.DPCs
		return
	}
	if l.insisted++; l.insisted > maxInsisted {
		by.storm()
	}
}

// storm ends the World because the ISR is called for ever.
func (i *Interrupt) storm() {
	i.line.kernel.bugCheckIn(i.Service, vStorm, 0, "the ISR of %s has claimed %d interrupts of %s in a row, and there is one more", i.Name, maxInsisted, i.line.name)
}

// callChain calls the ISRs of a line, and returns the last that claimed, nil if none did. On a level line it stops at the
// first that claims: another device keeps the line asserted. On an edge there is no second call from a device that called
// meanwhile, so it goes round until nobody claims.
func (l *Line) callChain(c *CPU) (by *Interrupt) {
	for rounds := 0; ; rounds++ {
		again := false
		for _, i := range l.chain {
			if !i.call(c) {
				continue
			}
			by = i
			if l.mode == LevelSensitive {
				return by
			}
			again = len(l.chain) > 1
		}
		if !again {
			return by
		}
		if rounds >= maxInsisted {
			by.storm()
		}
	}
}

// call calls one ISR with its lock held.
func (i *Interrupt) call(c *CPU) bool {
	i.acquire(c, "its ISR")
	if c.kernel.watched {
		c.trace(HopISR, nil, i.Name, 0, 0)
	}
	level, thread := c.irql, c.thread
	claimed := i.Service(c, i)
	switch {
	case c.irql != level:
		c.kernel.bugCheckIn(i.Service, vISRIRQL, 0, "the ISR of %s was entered at %v and left at %v", i.Name, level, c.irql)
	case c.thread != thread:
		c.kernel.bugCheckIn(i.Service, vISRContext, 0, "the ISR of %s has switched threads", i.Name)
	}
	i.locked = false
	return claimed
}

func (i *Interrupt) acquire(c *CPU, who string) {
	if i.locked {
		c.kernel.bugCheck("SPIN_LOCK_ALREADY_OWNED", "A24", nil, "%s of %s would run while the interrupt lock is held", who, i.Name)
	}
	i.locked = true
}

// SynchronizeExecution calls f at the interrupt's level with the interrupt lock held, so that its ISR cannot run at the
// same time (A24).
func (c *CPU) SynchronizeExecution(i *Interrupt, f func(c *CPU)) {
	c.requireAtMost(i.line.irql, "SynchronizeExecution")
	old := c.RaiseIRQL(i.line.irql)
	i.acquire(c, "SynchronizeExecution")
	f(c)
	i.locked = false
	c.LowerIRQL(old)
}

// guard counts interrupts that nobody claimed, and looks at what has come together in a window: it gives up on a line that
// does nothing else (A28).
func (l *Line) guard(claimed bool) {
	if !claimed {
		l.unhandled++
		l.kernel.counts.Spurious++
	}
	if l.serviced < stormWindow {
		return
	}
	if l.unhandled >= stormUnhandled {
		l.disabled = true
		l.kernel.TraceHardware(HopLineDisabled, l.name, int64(l.unhandled), int64(l.serviced))
	}
	l.serviced, l.unhandled = 0, 0
}

// Poll calls the line's ISRs as an interrupt would, without one: what a driver's watchdog, or the storm guard's timer
// once a line is disabled, does to find what an interrupt failed to tell. It reports whether any claimed.
func (l *Line) Poll(c *CPU) bool {
	c.requireAtMost(l.irql, "Poll")
	old := c.RaiseIRQL(l.irql)
	c.nesting++
	by := l.callChain(c)
	c.nesting--
	c.LowerIRQL(old)
	return by != nil
}

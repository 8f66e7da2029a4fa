package kernel

import (
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// CPU is one simulated processor. Everything that runs code gets the CPU it runs on as an argument: who runs is passed,
// never looked up.
type CPU struct {
	// Fixed.
	kernel *Kernel
	free   *clock.Virtual // the clock, if time may just pass: nobody else acts while this CPU spends time
	number int

	// What it does now.
	irql    IRQL
	nesting int     // ISRs and DPCs on the stack: if any, what runs is no thread
	thread  *Thread // whose context it is in; nil: idle
	last    *Thread // who ran before: running it again is no context switch

	attention attention // what waits for a lower IRQL
	pending   []*Line   // interrupt.go: lines that want service from this CPU
	dpcs      dpcQueue  // dpc.go
	dpcFrames []*frame  // verify.go
}

// standing is a clock that lets no time pass by itself.
var standing clock.Virtual

// attention says what a CPU must look at before it goes on below the level at which that is held back: a bit for each level,
// counted from APCLevel. Shifted right by the CPU's level, what is left of it is not held back.
type attention uint64

const (
	attendAPC attention = 1 << (APCLevel - 1)
	attendDPC attention = 1 << (DispatchLevel - 1)
)

// attendLine is the attention that a line's interrupt wants.
func attendLine(l *Line) attention { return 1 << (l.irql - 1) }

// beyond is what of it a level does not hold back.
func (a attention) beyond(level IRQL) attention { return a >> (level & 63) }

// due reports whether there may be something that the CPU's level does not hold back.
func (c *CPU) due() bool { return c.attention.beyond(c.irql) != 0 }

// interrupted reports whether there may be an interrupt that the CPU's level does not hold back.
func (c *CPU) interrupted() bool { return c.attention.beyond(max(c.irql, DispatchLevel)) != 0 }

// Number returns the CPU's number, from 0.
func (c *CPU) Number() int { return c.number }

// Kernel returns the kernel that the CPU belongs to.
func (c *CPU) Kernel() *Kernel { return c.kernel }

// Thread returns the thread whose context the CPU is in, nil if it idles. An ISR or a DPC runs in whatever context it
// interrupted: "beneath" that thread.
func (c *CPU) Thread() *Thread { return c.thread }

// Now returns the virtual time.
func (c *CPU) Now() clock.Time { return c.kernel.clock.Now() }

// Spend lets the CPU be busy for d. Hardware goes on meanwhile, and what it wants of this CPU happens here, if the
// IRQL lets it: Spend is where code that runs can be preempted.
func (c *CPU) Spend(d time.Duration) {
	if !c.pass(d) {
		c.spend(d)
	}
}

// pass is Spend's short way, for callers that want it inlined: where nothing happens meanwhile time passes, and no more. It
// reports whether that was so.
func (c *CPU) pass(d time.Duration) bool {
	return c.attention.beyond(c.irql) == 0 && c.free.Pass(d)
}

// spend is Spend where pass says that something happens meanwhile.
func (c *CPU) spend(d time.Duration) {
	k := c.kernel
	switch {
	case d > 0:
		k.clock.Advance(k.clock.Now().Add(d))
	case d < 0:
		panic("kernel: Spend of " + d.String() + ": time does not go back")
	}
	if k.company {
		c.keepCompany()
	}
	if c.due() {
		c.deliver()
	}
}

// keepCompany is what Spend does in a machine where others act while a CPU spends time: other CPUs, and faults.
func (c *CPU) keepCompany() {
	k := c.kernel
	if k.hazard != nil {
		c.strayCancel()
	}
	if c.due() {
		c.deliver()
	}
	if len(k.cpus) > 1 && c.irql < DispatchLevel {
		c.letOthers()
	}
}

// letOthers lets the other CPUs do what is pending there: they are not held back by what this one runs. At
// DispatchLevel this CPU may hold a lock, so they wait until it comes down.
func (c *CPU) letOthers() {
	for _, other := range c.kernel.cpus {
		if other != c && other.attention != 0 {
			c.kernel.cpu = other
			other.deliver()
			c.kernel.cpu = c
		}
	}
}

// deliver does all that was held back and that the CPU's IRQL now lets through, the most urgent first.
func (c *CPU) deliver() {
	k := c.kernel
	delivering := k.delivering
	k.delivering = true
	for c.due() {
		if c.interrupted() && c.serviceHighest() && c.interrupted() {
			continue
		}
		if c.attention&attendDPC != 0 && c.irql < DispatchLevel {
			if c.drainDPCs(); c.interrupted() {
				continue
			}
		}
		if c.attention&attendAPC == 0 || c.irql >= APCLevel || c.nesting > 0 || c.thread == nil {
			break
		}
		c.deliverAPCs()
	}
	k.delivering = delivering
}

// requireCaller refuses a call into the machine that no simulated thread can have made: none runs, or what runs is beneath
// it. So the call comes from a goroutine that has no business here. One that comes while a thread's own code runs cannot be
// told from that code's.
func (c *CPU) requireCaller(routine string) {
	if t := c.thread; c.irql != PassiveLevel || t == nil || c.kernel.delivering || t.state != Running && !t.normalRunning {
		c.refuseCaller(routine)
	}
}

func (c *CPU) refuseCaller(routine string) {
	if c.irql != PassiveLevel {
		c.wrongLevel(PassiveLevel, routine+" (if by a goroutine that is not the World's: leave it work by World.Inject)")
	}
	panic("kernel: " + routine + " where no simulated thread runs: the machine is used from two goroutines at a time. " +
		"A World belongs to one goroutine, its owner's; another one leaves it work by World.Inject")
}

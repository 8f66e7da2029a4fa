package kernel

import (
	"math/bits"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// This file is what can go wrong around a driver without anybody breaking a rule: interrupts that get lost, come twice,
// late or for nothing; no memory for an IRP; a device that is done before its dispatch routine returns (A6); somebody who
// cancels at any moment (A20). It happens where a Hazard says so; without one it never does.

// Fault is one of these.
type Fault uint8

// The faults of a machine. Those of devices are the devices' affair.
const (
	LostInterrupt      Fault = iota // an assertion is never heard; message-signalled lines only (A27)
	DuplicateInterrupt              // it is heard twice
	SpuriousInterrupt               // there is an interrupt for which nobody has asked
	LateInterrupt                   // it is heard up to a thousand times later than need be
	NoIRPMemory                     // AllocateIRP returns nil
	EarlyCompletion                 // hardware goes on for a while before a dispatch routine that pended returns
	StrayCancel                     // somebody cancels a request in flight
	ForcedPending                   // a read, write or flush is answered with StatusPending, even if it is complete (stress.go)
	FakeFilter                      // a request passes one driver more (stress.go)
	Faults                          // how many there are
)

func (f Fault) String() string {
	names := [...]string{
		"lost interrupt", "duplicate interrupt", "spurious interrupt", "late interrupt", "no memory for an IRP",
		"early completion", "stray cancel", "forced pending", "fake filter",
	}
	if int(f) < len(names) {
		return names[f]
	}
	return "unknown fault"
}

// Hazard decides whether a fault happens here and now.
type Hazard interface {
	Strike(f Fault) bool
}

// strike asks the hazard.
func (k *Kernel) strike(f Fault) bool { return k.hazard != nil && k.hazard.Strike(f) }

// later lets f happen once d has passed, on no CPU. Faults are rare enough to allocate.
func (k *Kernel) later(d time.Duration, f func()) {
	t := &clock.Timer{Alarm: clock.AlarmFunc(func(clock.Time) { f() })}
	k.clock.Set(t, k.clock.Now().Add(d))
}

// assertInDanger is Assert on a line of a machine with a hazard.
func (l *Line) assertInDanger() {
	k := l.kernel
	if l.mode == MessageSignaled && k.hazard.Strike(LostInterrupt) {
		return
	}
	if k.hazard.Strike(SpuriousInterrupt) {
		k.later(time.Duration(k.oracle.Choose("interrupt.spurious", 200_000)), l.glitch)
	}
	if k.hazard.Strike(LateInterrupt) {
		late := time.Microsecond << bits.TrailingZeros64(^k.oracle.Choose("interrupt.late", 1<<10))
		l.asserted = l.mode != MessageSignaled
		k.later(late, l.arrive)
		return
	}
	if k.hazard.Strike(DuplicateInterrupt) {
		k.later(time.Duration(k.oracle.Choose("interrupt.duplicate", 2_000)), l.glitch)
	}
	l.assert()
}

// arrive is an assertion that was late; on a level line the device may have let go.
func (l *Line) arrive() {
	if l.mode == MessageSignaled || l.asserted {
		l.announce()
	}
}

// glitch is an interrupt that no device has asked for.
func (l *Line) glitch() {
	l.phantom = true
	l.announce()
}

// stall lets hardware go on for a while, at the end of what a dispatch routine has to do (A6).
func (c *CPU) stall() {
	if k := c.kernel; c.nesting == 0 && k.strike(EarlyCompletion) {
		c.Spend(time.Duration(k.oracle.Choose("dispatch.stall", 300_000)))
	}
}

// strayCancel cancels some request where a CPU spends time: as another one could, which holds no lock.
func (c *CPU) strayCancel() {
	k := c.kernel
	if c.irql > DispatchLevel || k.locks > 0 || k.straying || k.irps.count == 0 || !k.hazard.Strike(StrayCancel) {
		return
	}
	if irp := k.irps.at(int(k.oracle.Choose("cancel.irp", uint64(k.irps.count)))); irp.inFlight {
		k.straying = true
		c.CancelIRP(irp)
		k.straying = false
	}
}

package kernel

import "strconv"

// IRQL is an interrupt request level: what a CPU is doing, and so what may preempt it. Only a higher level does (A22).
type IRQL uint8

// The levels. Threads run at PassiveLevel; a device's ISR at its line's level, from DeviceLevel to HighLevel.
const (
	PassiveLevel  IRQL = 0  // threads, dispatch routines
	APCLevel      IRQL = 1  // asynchronous procedure calls
	DispatchLevel IRQL = 2  // DPCs, StartIo, cancel routines, the scheduler
	DeviceLevel   IRQL = 3  // the lowest level of a device (DIRQL)
	ClockLevel    IRQL = 13 // the clock's interrupt
	HighLevel     IRQL = 15 // nothing preempts
)

func (q IRQL) String() string {
	switch q {
	case PassiveLevel:
		return "PASSIVE"
	case APCLevel:
		return "APC"
	case DispatchLevel:
		return "DISPATCH"
	case ClockLevel:
		return "CLOCK"
	case HighLevel:
		return "HIGH"
	}
	return "DIRQL " + strconv.Itoa(int(q))
}

// IRQL returns the level that the CPU runs at.
func (c *CPU) IRQL() IRQL { return c.irql }

// RaiseIRQL raises the CPU to a level and returns the one it was at. Lowering by RaiseIRQL is a bugcheck.
func (c *CPU) RaiseIRQL(to IRQL) (old IRQL) {
	old = c.irql
	if to < old {
		c.notRaised(to)
	}
	c.irql = to
	return old
}

// notRaised and the like are apart so that what calls them can be inlined.
//
//go:noinline
func (c *CPU) notRaised(to IRQL) {
	c.kernel.bugCheck("IRQL_NOT_GREATER_OR_EQUAL", "A22", nil, "RaiseIRQL from %v down to %v", c.irql, to)
}

// LowerIRQL lowers the CPU to a level. What was held back above it happens before LowerIRQL returns: interrupts, then
// the DPC queue, then the current thread's kernel APCs.
func (c *CPU) LowerIRQL(to IRQL) {
	if to > c.irql || c.attention>>(to&63) != 0 {
		c.lower(to)
	} else {
		c.irql = to
	}
}

// lower is LowerIRQL where there is more to do: apart, so that LowerIRQL can be inlined.
func (c *CPU) lower(to IRQL) {
	if to > c.irql {
		c.kernel.bugCheck("IRQL_NOT_LESS_OR_EQUAL", "A22", nil, "LowerIRQL from %v up to %v", c.irql, to)
	}
	c.irql = to
	c.deliver()
}

// requireAtMost is the check at the entry of every routine that has an upper limit (A23).
func (c *CPU) requireAtMost(limit IRQL, routine string) {
	if c.irql > limit {
		c.tooHigh(limit, routine)
	}
}

func (c *CPU) tooHigh(limit IRQL, routine string) {
	c.kernel.bugCheck("IRQL_NOT_LESS_OR_EQUAL", "A23", nil, "%s called at %v, allowed up to %v", routine, c.irql, limit)
}

// wrongLevel is the bugcheck of a routine that has one level.
func (c *CPU) wrongLevel(level IRQL, routine string) {
	c.kernel.bugCheck("IRQL_UNEXPECTED_VALUE", "A23", nil, "%s called at %v, allowed at %v only", routine, c.irql, level)
}

// notRestored is the bugcheck of a routine that has not left the level as it found it (A23).
func (c *CPU) notRestored(routine any, level IRQL, what string) {
	c.kernel.bugCheckIn(routine, vNotRestored, 0, "%s was entered at %v and left at %v", what, level, c.irql)
}

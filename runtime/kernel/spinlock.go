package kernel

// SpinLock is mutual exclusion between CPUs at up to DispatchLevel. Nothing spins: one World runs on one goroutine, so a
// lock that is held when it is wanted would be held forever, and that is a bugcheck.
type SpinLock struct {
	Name string

	held bool
	old  IRQL // the level to return to
}

// Acquire raises the CPU to DispatchLevel and takes the lock.
func (l *SpinLock) Acquire(c *CPU) {
	c.requireAtMost(DispatchLevel, "SpinLock.Acquire")
	old := c.RaiseIRQL(DispatchLevel)
	if l.held {
		c.kernel.bugCheck("SPIN_LOCK_ALREADY_OWNED", "A17", nil, "%s is wanted by whoever holds it", l.Name)
	}
	l.held, l.old = true, old
	c.kernel.locks++
}

// Release lets the lock go and lowers the CPU to where it was.
func (l *SpinLock) Release(c *CPU) { l.releaseTo(c, l.old) }

func (l *SpinLock) releaseTo(c *CPU, level IRQL) {
	if !l.held {
		c.kernel.bugCheck("SPIN_LOCK_NOT_OWNED", "A17", nil, "%s is released by somebody who does not hold it", l.Name)
	}
	l.held = false
	c.kernel.locks--
	c.LowerIRQL(level)
}

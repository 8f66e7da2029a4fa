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
	if c.irql > DispatchLevel {
		c.kernel.violate(vAcquireIRQL, nil, "%s is acquired at %v", l.Name, c.irql)
	}
	l.take(c, c.RaiseIRQL(DispatchLevel))
}

// AcquireAtDispatch takes the lock where the CPU is at DispatchLevel already. Release leaves it there.
func (l *SpinLock) AcquireAtDispatch(c *CPU) {
	switch {
	case c.irql > DispatchLevel:
		c.kernel.violate(vAcquireTooHigh, nil, "%s is acquired at %v", l.Name, c.irql)
	case c.irql < DispatchLevel:
		c.kernel.violate(vAcquireTooLow, nil, "%s is acquired at %v", l.Name, c.irql)
	}
	l.take(c, DispatchLevel)
}

func (l *SpinLock) take(c *CPU, old IRQL) {
	if l.held {
		c.kernel.violate(vLockTwice, nil, "%s is wanted by whoever holds it", l.Name)
	}
	if c.kernel.verify {
		c.kernel.order.acquire(c, l)
	}
	l.held, l.old = true, old
	c.kernel.locks++
}

// Release lets the lock go and lowers the CPU to where it was.
func (l *SpinLock) Release(c *CPU) { l.releaseTo(c, l.old) }

func (l *SpinLock) releaseTo(c *CPU, level IRQL) {
	if !l.held {
		c.kernel.violate(vLockNotOwned, nil, "%s is released by somebody who does not hold it", l.Name)
	}
	if c.irql != DispatchLevel {
		c.kernel.violate(vReleaseIRQL, nil, "%s is released at %v", l.Name, c.irql)
	}
	if c.kernel.verify {
		c.kernel.order.release(c, l)
	}
	l.held = false
	c.kernel.locks--
	c.LowerIRQL(level)
}

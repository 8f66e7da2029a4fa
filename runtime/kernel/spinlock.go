package kernel

// SpinLock is mutual exclusion between CPUs at up to DispatchLevel. Nothing spins: one World runs on one goroutine, so a
// lock that is held when it is wanted would be held forever, and that is a bugcheck.
type SpinLock struct {
	Name string

	held bool
	old  IRQL // the level to return to

	// The verifier's.
	cpu    *CPU
	thread *Thread // that took it; nil: none, but an ISR or a DPC
}

// InitializeSpinLock gives a lock its name, once.
func (k *Kernel) InitializeSpinLock(l *SpinLock, name string) {
	if l.Name != "" {
		k.violate(vLockMadeTwice, nil, "%s is initialized again, as %s", l.Name, name)
	}
	l.Name = name
}

// Acquire raises the CPU to DispatchLevel and takes the lock.
func (l *SpinLock) Acquire(c *CPU) {
	old := c.irql
	if old > DispatchLevel {
		c.kernel.violate(vAcquireIRQL, nil, "%s is acquired at %v", l.Name, old)
	}
	c.irql = DispatchLevel
	if l.held || c.kernel.careful {
		l.check(c)
	}
	l.held, l.old = true, old
}

// AcquireAtDispatch takes the lock where the CPU is at DispatchLevel already. Release leaves it there.
func (l *SpinLock) AcquireAtDispatch(c *CPU) {
	switch {
	case c.irql > DispatchLevel:
		c.kernel.violate(vAcquireTooHigh, nil, "%s is acquired at %v", l.Name, c.irql)
	case c.irql < DispatchLevel:
		c.kernel.violate(vAcquireTooLow, nil, "%s is acquired at %v", l.Name, c.irql)
	}
	if l.held || c.kernel.careful {
		l.check(c)
	}
	l.held, l.old = true, DispatchLevel
}

// check is what the one who takes a lock must bear.
func (l *SpinLock) check(c *CPU) {
	if l.held {
		c.kernel.violate(vLockTwice, nil, "%s is wanted by whoever holds it", l.Name)
	}
	c.kernel.locks++
	if c.kernel.verify {
		c.kernel.order.acquire(c, l)
	}
}

// Release lets the lock go and lowers the CPU to where it was.
func (l *SpinLock) Release(c *CPU) { l.releaseTo(c, l.old) }

func (l *SpinLock) releaseTo(c *CPU, level IRQL) {
	k := c.kernel
	switch {
	case !l.held:
		k.violate(vLockNotOwned, nil, "%s is released by somebody who does not hold it", l.Name)
	case c.irql < DispatchLevel && l.old == DispatchLevel:
		k.violate(vReleaseTooLow, nil, "%s is released at %v", l.Name, c.irql)
	case c.irql != DispatchLevel:
		k.violate(vReleaseIRQL, nil, "%s is released at %v", l.Name, c.irql)
	case k.careful:
		k.locks--
		if k.verify {
			k.order.release(c, l)
		}
	}
	l.held = false
	c.LowerIRQL(level)
}

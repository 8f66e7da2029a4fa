package kernel

import "github.com/nothread/nothread/runtime/clock"

// This file is the kernel's timers: the clock interrupts, and its DPC work follows at DispatchLevel.

// Timer queues a DPC when its time has come (KTIMER).
type Timer struct {
	DPC   *DPC // what to queue; its argument is the *Timer
	Owner any  // its maker's own

	kernel  *Kernel
	alarm   clock.Timer
	expired bool // rung, and its DPC is not queued yet
}

// SetTimer arms a timer for a virtual time; if it is armed it is armed anew.
func (k *Kernel) SetTimer(t *Timer, at clock.Time) {
	if t.DPC == nil {
		panic("kernel: SetTimer of a Timer without a DPC: there would be nothing to do when its time has come")
	}
	t.kernel = k
	t.alarm.Alarm = t
	k.clock.Set(&t.alarm, at)
}

// Timers returns the timers that are armed, in the order in which they will expire. It is for those who look at a machine
// that stands still.
func (k *Kernel) Timers() []*Timer {
	var timers []*Timer
	for _, t := range k.clock.Armed() {
		if t, ok := t.Alarm.(*Timer); ok { // else a device's
			timers = append(timers, t)
		}
	}
	return timers
}

// Due returns when a timer expires that is armed.
func (t *Timer) Due() clock.Time { return t.alarm.Deadline() }

// CancelTimer disarms a timer; false if it has expired or is not armed: its DPC was queued or never will be.
func (k *Kernel) CancelTimer(t *Timer) bool {
	return k.clock.Stop(&t.alarm)
}

// Ring is the clock chip's part: it notes the timer and interrupts.
func (t *Timer) Ring(clock.Time) {
	k := t.kernel
	if !t.expired {
		t.expired = true
		k.expired = append(k.expired, t)
	}
	k.clockLine.Assert()
}

// clockInterrupt is the clock's ISR: the DPCs of the timers that have expired.
func (k *Kernel) clockInterrupt(c *CPU, _ *Interrupt) bool {
	if len(k.expired) == 0 {
		return false
	}
	for i, t := range k.expired {
		k.expired[i] = nil
		t.expired = false
		c.QueueDPC(t.DPC, t)
	}
	k.expired = k.expired[:0]
	return true
}

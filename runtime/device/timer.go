package device

import (
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// Timer is a timer chip: a counter that runs, and one comparator. When the counter reaches what the comparator says, the
// timer interrupts, once.
//
// Its face towards a driver, in the order of use:
//
//	Counter             reads the time
//	Compare             sets the comparator; what it said before is forgotten
//	…                   the line is asserted
//	InterruptPending    the interrupt status register: is it this timer that calls?
//	Acknowledge         clears it, and the line with it ("thank you for the interrupt")
//
// A Timer belongs to one World and is used from the goroutine that runs it.
type Timer struct {
	// The wiring, fixed by NewTimer and Connect.
	name   string
	cfg    TimerConfig
	clock  clock.Clock
	oracle Oracle
	line   Line

	// The hardware's state.
	comparator clock.Timer // armed while it is to come
	interrupt  bool        // the interrupt status register
}

// TimerConfig says how exact a timer is. Zero fields take the defaults.
type TimerConfig struct {
	Resolution time.Duration // the comparator counts in these, and rounds up; default 1µs
	Jitter     time.Duration // what is drawn goes from 0 to Jitter on top of it; default 0
}

// NewTimer returns a timer that is not connected yet.
func NewTimer(name string, cfg TimerConfig) (*Timer, error) {
	if cfg.Resolution < 0 || cfg.Jitter < 0 {
		return nil, fmt.Errorf("device: timer %s: negative value in %+v", name, cfg)
	}
	if cfg.Resolution == 0 {
		cfg.Resolution = time.Microsecond
	}
	t := &Timer{name: name, cfg: cfg}
	t.comparator.Alarm = t
	return t, nil
}

// Connect plugs the timer into a machine.
func (t *Timer) Connect(c clock.Clock, o Oracle, l Line) { t.clock, t.oracle, t.line = c, o, l }

// Name returns the timer's name.
func (t *Timer) Name() string { return t.name }

// Counter reads the time.
func (t *Timer) Counter() clock.Time { return t.clock.Now() }

// Compare sets the comparator. A time that has passed means now; clock.Never means not at all.
func (t *Timer) Compare(at clock.Time) {
	if t.line == nil {
		panic("device: comparator of timer " + t.name + ", which is not connected")
	}
	if at > clock.Never-clock.Time(t.cfg.Resolution)-clock.Time(t.cfg.Jitter) {
		t.clock.Stop(&t.comparator)
		return
	}
	if r := clock.Time(t.cfg.Resolution); at%r != 0 {
		at += r - at%r
	}
	if t.cfg.Jitter > 0 {
		at = at.Add(time.Duration(t.oracle.Choose("timer.jitter", uint64(t.cfg.Jitter)+1)))
	}
	t.clock.Set(&t.comparator, at)
}

// Ring is the moment that the comparator waits for.
func (t *Timer) Ring(clock.Time) {
	t.interrupt = true
	t.line.Assert()
}

// InterruptPending reads the interrupt status register: true if the timer calls for attention.
func (t *Timer) InterruptPending() bool { return t.interrupt }

// Acknowledge clears the interrupt status register and lets go of the line.
func (t *Timer) Acknowledge() {
	t.interrupt = false
	t.line.Deassert()
}

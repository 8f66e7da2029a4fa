package sim

import (
	"time"

	"github.com/nothread/nothread/runtime/kernel"
)

// timer is a deadline with a function: a kernel timer, whose DPC gives the function to the timer threads.
type timer struct {
	kernel.Timer
	dpc   kernel.DPC
	world *World
	f     func()
}

// AfterFunc calls f once d has passed on the World's clock, on a timer thread; functions of equal deadline are called in
// the order of the calls of AfterFunc. stop keeps f from being called and reports whether it did. It is part of
// async.Timers.
func (w *World) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	refuseNil(f == nil, "AfterFunc")
	t := &timer{world: w, f: f}
	t.dpc = kernel.DPC{Name: "the DPC of a timer", Routine: timerExpired}
	t.DPC, t.Owner = &t.dpc, t
	w.kernel.SetTimer(&t.Timer, w.clock.Now().Add(d))
	return t.stop
}

func (t *timer) stop() bool {
	stopped := t.world.kernel.CancelTimer(&t.Timer)
	if t.f != nil && !stopped {
		// Rung, but not called yet: it still can be kept from it.
		stopped = true
	}
	t.f = nil
	return stopped
}

// timerExpired is the DPC of all timers.
func timerExpired(c *kernel.CPU, _ *kernel.DPC, argument any) {
	t := argument.(*kernel.Timer).Owner.(*timer)
	c.Trace(kernel.HopTimer, nil, "of a function", 0, 0)
	t.world.timers.Go(t.call)
}

func (t *timer) call() {
	if f := t.f; f != nil {
		t.f = nil
		f()
	}
}

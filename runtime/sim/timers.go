package sim

import (
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// timer is a deadline: a kernel timer, whose DPC gives the function to the timer threads, or the timer itself, to resume
// the continuation.
type timer struct {
	async.Anywhere
	kernel.Timer
	dpc     kernel.DPC
	world   *World
	f       func()             // nil once it was called or stopped
	resumes bool               // it has c in place of f, and is used again
	c       async.Continuation // nil once it was resumed or stopped
	set     clock.Time         // when it was given that
	next    *timer             // of those in no use
}

// AfterFunc calls f once d has passed on the World's clock, on a timer thread; functions of equal deadline are called in
// the order of the calls of AfterFunc. stop keeps f from being called and reports whether it did. It is part of
// async.Timers.
func (w *World) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	refuseNil(f == nil, "AfterFunc")
	t := w.newTimer()
	t.f = f
	w.kernel.SetTimer(&t.Timer, w.clock.Now().Add(d))
	return t.stop
}

// ResumeAfter is AfterFunc for a continuation: a machine goes on on its SyncContext, and its panic is its own. For one that
// is no machine, and may be resumed anywhere, it allocates nothing, any number of times. Once c was resumed, or the timer
// stopped, that is used again and must not be touched. It is async.ContinuationTimers'.
func (w *World) ResumeAfter(d time.Duration, c async.Continuation) async.Stopper {
	refuseNil(c == nil, "ResumeAfter")
	if c.SyncContext() != nil || async.IsMachine(c) { // what only a loop resumes, and perhaps another
		return async.StopFunc(w.AfterFunc(d, func() { w.resume(c) }))
	}
	t := w.idleTimers
	if t == nil {
		t = w.newTimer()
		t.resumes = true
	} else {
		w.idleTimers, t.next = t.next, nil
	}
	t.c, t.set = c, w.clock.Now()
	w.kernel.SetTimer(&t.Timer, t.set.Add(d))
	return t
}

// resume resumes what was given to nobody's loop, where it belongs.
func (w *World) resume(c async.Continuation) {
	if sc := c.SyncContext(); sc != nil {
		sc.Post(c)
		return
	}
	w.Executor().Run(c)
}

func (w *World) newTimer() *timer {
	t := &timer{world: w, dpc: kernel.DPC{Name: "the DPC of a timer", Routine: timerExpired}}
	t.DPC, t.Owner = &t.dpc, t
	return t
}

func (t *timer) stop() bool {
	stopped := t.world.kernel.CancelTimer(&t.Timer) || t.f != nil // it may have rung, and still can be kept from being called
	t.f = nil
	return stopped
}

// Stop is stop for a continuation's timer. One that has rung comes back when its packet is taken.
func (t *timer) Stop() bool {
	t.c = nil
	if t.world.kernel.CancelTimer(&t.Timer) {
		t.recycle()
	}
	return true
}

func (t *timer) recycle() { t.next, t.world.idleTimers = t.world.idleTimers, t }

// timerExpired is the DPC of all timers.
func timerExpired(c *kernel.CPU, _ *kernel.DPC, argument any) {
	t := argument.(*kernel.Timer).Owner.(*timer)
	if t.resumes {
		c.Trace(kernel.HopTimer, nil, "of a continuation", 0, 0)
		t.world.timers.Port().Post(c, t, nil) // told of by the hop above, as a function is
		return
	}
	c.Trace(kernel.HopTimer, nil, "of a function", 0, 0)
	t.world.timers.Go(t.call)
}

func (t *timer) call() {
	if f := t.f; f != nil {
		t.f = nil
		f()
	}
}

// MoveNext resumes the continuation, on a timer thread.
func (t *timer) MoveNext(ex *async.Executor) async.Continuation {
	c := t.c
	t.c = nil
	t.recycle()
	if c == nil {
		return nil
	}
	return c.MoveNext(ex)
}

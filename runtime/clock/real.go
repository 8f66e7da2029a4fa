package clock

import "time"

// Real is the wall clock. Its timers ring on goroutines of their own; it is safe for concurrent use, a Timer is not.
type Real struct {
	began time.Time
}

// NewReal returns a wall clock that stands at 0 now.
func NewReal() *Real { return &Real{began: time.Now()} }

// Now returns the time since the clock was made (monotonic).
func (r *Real) Now() Time { return Time(time.Since(r.began)) }

// Set arms t to ring at the given time.
func (r *Real) Set(t *Timer, at Time) {
	if t.Alarm == nil {
		panic("clock: Set of a timer without an Alarm")
	}
	r.Stop(t)
	t.deadline = at
	t.next = &Timer{Alarm: wall{time.AfterFunc(at.Sub(r.Now()), func() { t.Alarm.Ring(r.Now()) })}}
}

// Stop disarms t and reports whether that kept it from ringing.
func (r *Real) Stop(t *Timer) bool {
	return t.next != nil && t.next.Alarm.(wall).Stop()
}

// wall is the timer of the Go runtime behind one that is set on a Real clock: it is what the Alarm of its next is. It rings
// by itself.
type wall struct{ *time.Timer }

// Ring implements Alarm.
func (wall) Ring(Time) {}

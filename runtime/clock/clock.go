// Package clock keeps time for the simulated machine and, behind the same face, for programs that run without it.
//
// A Virtual clock stands still until somebody moves it. A World owns one and moves it in two ways: Advance, when a
// simulated CPU spends time on something, and Step, when no CPU has anything to do and the next thing that can happen
// is a timer (a disk that finishes a transfer, a deadline that passes). Nothing in a Virtual clock looks at the wall,
// so a run takes the same virtual time on every machine.
//
// A Real clock is the wall clock: its timers ring on goroutines of the Go runtime.
//
// # The timer store
//
// A Virtual clock holds its timers in a hierarchical timing wheel: seven levels of 512 slots, nine bits of the deadline
// each, so that level 0 has one slot a nanosecond and level 6 reaches to the end of int64. A timer stands on the level
// of the highest bit in which its deadline differs from the wheel's base. The timers of the slot that comes next are taken
// out and stand in a short list, in the order in which they will ring, so that the time of the next ring is always known;
// what is set for a moment before that slot's end goes to its place in the list. If a slot holds too many for a list, its
// timers come down to the levels below ("cascade"), in their order. Setting, stopping and ringing a timer cost the same
// whether three timers are set or a million.
//
// Two timers with the same deadline always stand in the same slot, because their level and slot follow from the base
// and the deadline alone, or both in the list; slots are first-in, first-out lists, and in the list the later one comes
// behind the earlier. So timers of equal deadline ring in the order in
// which they were set: the one property that a deterministic simulation needs of its timer store.
package clock

import (
	"strconv"
	"time"
)

// Time is a point in time: nanoseconds since the clock's beginning (for a Virtual clock, the World's birth).
type Time int64

// Never is later than every deadline.
const Never Time = 1<<63 - 1

// Add returns the point in time d after t; it stops at Never instead of overflowing.
func (t Time) Add(d time.Duration) Time {
	if d > 0 && t > Never-Time(d) {
		return Never
	}
	return t + Time(d)
}

// Sub returns the time from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// String returns t in microseconds with three decimals, such as "104.250µs".
func (t Time) String() string { return string(t.Append(nil)) }

// Append appends t's text form to b: a fixed unit, so that the lines of a trace compare by eye.
func (t Time) Append(b []byte) []byte {
	if t < 0 {
		b, t = append(b, '-'), -t
	}
	b = strconv.AppendInt(b, int64(t/1000), 10)
	f := int64(t % 1000)
	return append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10), 0xc2, 0xb5, 's')
}

// Alarm is what a timer wakes.
//
// On a Virtual clock Ring is called by whoever moves the clock; it may set and stop timers but must not move the clock.
// On a Real clock it is called on a goroutine of its own.
type Alarm interface {
	Ring(now Time)
}

// AlarmFunc makes an Alarm of a function.
type AlarmFunc func(now Time)

// Ring calls f.
func (f AlarmFunc) Ring(now Time) { f(now) }

// Clock is the face that Virtual and Real share.
type Clock interface {
	// Now returns the time.
	Now() Time
	// Set arms t to ring at the given time, or at once if that has passed. A timer that is armed is armed anew.
	Set(t *Timer, at Time)
	// Stop disarms t and reports whether it was armed: true means that t will not ring.
	Stop(t *Timer) bool
}

// Timer is one deadline. It is meant to be a field of what it wakes: the store links timers by themselves and
// allocates nothing. A Timer must not be copied while armed and belongs to the clock that it is set on.
type Timer struct {
	Alarm Alarm  // whom to wake; set before the first Set
	Tag   uint32 // for whoever has many timers: no clock looks at it

	// The store's: valid while armed. There may be a million of timers: a Real clock, which has no store, keeps what it needs
	// in next (real.go).
	place      uint16 // level and slot
	armed      bool
	deadline   Time
	next, prev *Timer
}

// Armed reports whether t is set on a Virtual clock and has not rung.
func (t *Timer) Armed() bool { return t.armed }

// Deadline returns when t rings, if it is armed.
func (t *Timer) Deadline() Time { return t.deadline }

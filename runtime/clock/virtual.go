package clock

import (
	"math/bits"
	"time"
)

const (
	slotBits = 6
	slots    = 1 << slotBits
	rows     = 16 // 11 levels × 6 bits cover the 63 bits of a Time; an index below 16 needs no check
)

// Virtual is a clock that moves only when told to. The zero value stands at time 0 with no timers.
//
// It belongs to one World and is not safe for concurrent use.
type Virtual struct {
	now  Time
	soon Time // no timer is due before this; Never, or anything that has passed, if there is none
	n    int

	// The wheel. base ≤ now; every armed timer's level and slot follow from base and its deadline.
	base      Time
	occupied  [rows]uint64 // by level: which slots hold timers
	populated uint16       // which levels hold timers
	wheel     [rows * slots]list
}

// list is a first-in, first-out list of timers.
type list struct{ head, tail *Timer }

// Now returns the virtual time.
func (v *Virtual) Now() Time { return v.now }

// Len returns the number of armed timers.
func (v *Virtual) Len() int { return v.n }

// Set arms t to ring at the given time; a time that has passed means now. If t is armed it is moved, to the end of
// the line of those with its new deadline.
func (v *Virtual) Set(t *Timer, at Time) {
	if t.Alarm == nil {
		panic("clock: Set of a timer without an Alarm")
	}
	if t.armed {
		v.remove(t)
	}
	if at < v.now {
		at = v.now
	}
	t.deadline = at
	t.armed = true
	if v.n == 0 || at < v.soon {
		v.soon = at
	}
	v.n++
	v.insert(t)
}

// Stop disarms t and reports whether it was armed.
func (v *Virtual) Stop(t *Timer) bool {
	if !t.armed {
		return false
	}
	v.remove(t)
	return true
}

// Advance moves the clock to the given time and rings, in order of deadline, every timer due by then; each sees its
// own deadline as the time. A time that has passed leaves the clock where it is.
func (v *Virtual) Advance(to Time) {
	for v.n > 0 && v.soon <= to {
		t := v.first(to)
		if t == nil {
			break
		}
		v.ring(t)
	}
	if to > v.now {
		v.now = to
	}
}

// Pass moves the clock forward by d if nothing is due by then, and reports whether that was so: Advance's short way, for
// callers that want it inlined.
func (v *Virtual) Pass(d time.Duration) bool {
	if to := v.now + Time(d); to >= v.now && to < v.soon {
		v.now = to
		return true
	}
	return false
}

// Step moves the clock to the earliest deadline and rings one timer. It reports false, and moves nothing, if no timer
// is armed.
func (v *Virtual) Step() bool { return v.StepBy(Never) }

// StepBy is Step, but for deadlines later than the limit: if the earliest is, it moves the clock to the limit, rings
// nothing and reports false.
func (v *Virtual) StepBy(limit Time) bool {
	if v.n == 0 {
		return false
	}
	t := v.first(limit)
	if t == nil {
		v.now = max(v.now, limit)
		return false
	}
	v.ring(t)
	return true
}

// Next returns a time before which nothing rings, Never if no timer is armed. The first timer may be later than that.
func (v *Virtual) Next() Time {
	if v.n == 0 {
		return Never
	}
	return v.soon
}

func (v *Virtual) ring(t *Timer) {
	v.remove(t)
	if t.deadline > v.now {
		v.now = t.deadline
	}
	t.Alarm.Ring(v.now)
}

// first returns the earliest timer if it is due by limit, else nil. It moves the base towards that timer, never past
// limit, cascading the slots that it enters.
func (v *Virtual) first(limit Time) *Timer {
	for v.populated != 0 {
		level := uint(bits.TrailingZeros16(v.populated)) % rows
		slot := uint(bits.TrailingZeros64(v.occupied[level])) % slots
		// The lowest populated level holds the earliest timers: those above are due after the whole of it.
		shift := level * slotBits % 64
		begin := v.base&^(1<<shift<<slotBits-1) | Time(slot)<<shift
		if begin > v.soon {
			v.soon = begin
		}
		if begin > limit {
			return nil
		}
		l := &v.wheel[(level*slots+slot)%(rows*slots)]
		if level == 0 {
			return l.head
		}
		if t := l.head; t == l.tail { // alone in the first slot: the earliest, wherever it stands
			v.soon = t.deadline
			if t.deadline > limit {
				return nil
			}
			return t
		}
		if begin > v.base {
			v.base = begin
		}
		v.cascade(level*slots + slot)
	}
	return nil
}

// cascade spreads the timers of a slot that the base has entered over the levels below, in their order.
func (v *Virtual) cascade(place uint) {
	l := v.wheel[place%(rows*slots)]
	v.wheel[place%(rows*slots)] = list{}
	v.vacate(place)
	for t := l.head; t != nil; {
		next := t.next
		v.insert(t)
		t = next
	}
}

func (v *Virtual) insert(t *Timer) {
	level := uint(levelOf[bits.Len64(uint64(t.deadline^v.base))%64])
	slot := uint(uint64(t.deadline)>>(level*slotBits%64)) % slots
	place := (level*slots + slot) % (rows * slots)
	t.place = uint16(place)
	l := &v.wheel[place]
	t.next, t.prev = nil, l.tail
	if l.tail == nil {
		l.head = t
		v.occupied[level%rows] |= 1 << slot
		v.populated |= 1 << (level % rows)
	} else {
		l.tail.next = t
	}
	l.tail = t
}

func (v *Virtual) remove(t *Timer) {
	l := &v.wheel[t.place%(rows*slots)]
	if t.prev == nil {
		l.head = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.tail = t.prev
	} else {
		t.next.prev = t.prev
	}
	if l.head == nil {
		v.vacate(uint(t.place))
	}
	t.next, t.prev, t.armed = nil, nil, false
	if v.n--; v.n == 0 {
		v.soon = Never
	}
}

// vacate notes that a slot holds no timer any more.
func (v *Virtual) vacate(place uint) {
	level := place / slots % rows
	v.occupied[level] &^= 1 << (place % slots)
	if v.occupied[level] == 0 {
		v.populated &^= 1 << level
	}
}

// levelOf is the level of a timer, by the number of bits up to the highest one in which its deadline differs from the base.
var levelOf = func() (level [64]uint8) {
	for n := 1; n < 64; n++ {
		level[n] = uint8((n - 1) / slotBits)
	}
	return level
}()

package clock

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

const (
	slotBits = 9
	slots    = 1 << slotBits
	words    = slots / 64
	rows     = 8 // 7 levels × 9 bits cover the 63 bits of a Time; an index below 8 needs no check

	nearPlace = rows*slots - 1 // the place of what stands in near: no level of the wheel is that high
	nearFew   = 8              // a slot with no more timers than this is put in order at once
	nearSteps = 16             // how far the place of a timer may lie from near's end
)

// Virtual is a clock that moves only when told to. The zero value stands at time 0 with no timers.
//
// It belongs to one World and is not safe for concurrent use.
type Virtual struct {
	now  Time
	soon Time // no timer is due before this; Never, or anything that has passed, if there is none
	n    int

	// What comes next: every timer due before edge, in the order in which they will ring. Others are in the wheel, the first
	// slot of which they were: it began at begin.
	near  list
	begin Time
	edge  uint64 // of the last slot that there is, beyond Never

	// The wheel. base ≤ now; the level and slot of every timer there follow from base and its deadline. The base moves to
	// begin once that has passed: until then what comes back from near has its place before it.
	base      Time
	populated uint8                // which levels hold timers
	inUse     [rows]uint8          // by level: which words of occupied are not 0
	occupied  [rows * words]uint64 // by level, a bit for each slot: which hold timers
	wheel     [rows * slots]*Timer // by level: the first timer of each slot, whose prev is the last; nil: none
}

// list is timers in the order in which they will ring.
type list struct{ head, tail *Timer }

// Now returns the virtual time.
func (v *Virtual) Now() Time { return v.now }

// Len returns the number of armed timers.
func (v *Virtual) Len() int { return v.n }

// Armed returns the timers that are armed, in the order in which they will ring.
func (v *Virtual) Armed() []*Timer {
	armed := make([]*Timer, 0, v.n)
	for _, t := range append([]*Timer{v.near.head}, v.wheel[:]...) {
		for ; t != nil; t = t.next {
			armed = append(armed, t)
		}
	}
	slices.SortStableFunc(armed, func(a, b *Timer) int { return cmp.Compare(a.deadline, b.deadline) })
	return armed
}

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
	if uint64(at) < v.edge {
		v.lineUp(t)
	} else {
		v.insert(t)
	}
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
		t := v.near.head
		if t == nil || t.deadline > to { // soon was only a bound
			if t = v.first(to); t == nil {
				break
			}
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
	if to := v.now + Time(d); d >= 0 && uint64(to) < uint64(v.soon) { // what is past Never is negative
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

// ring rings the first timer, which stands at the head of near. What comes after it is looked up before, so that it is known
// when time next passes.
func (v *Virtual) ring(t *Timer) {
	if t.deadline > v.now {
		v.now = t.deadline
	}
	if v.now >= v.begin {
		v.base = v.begin
	}
	t.armed = false
	v.n--
	if next := t.next; next != nil {
		next.prev, t.next = nil, nil
		v.near.head = next
		v.soon = next.deadline
	} else {
		v.near = list{}
		v.soon = Never
		if v.n > 0 {
			v.open(v.now)
		}
	}
	t.Alarm.Ring(v.now)
}

// first returns the earliest timer, which stands at the head of near then, if it is due by limit; else nil.
func (v *Virtual) first(limit Time) *Timer {
	if v.near.head == nil && !v.open(limit) {
		return nil
	}
	t := v.near.head
	if v.soon = t.deadline; t.deadline > limit {
		return nil
	}
	return t
}

// open moves the timers of the earliest slot of the wheel to near, which is empty; there are some. If they are too many for
// that it cascades them first, if the base may be moved there: not past limit, else it reports false.
func (v *Virtual) open(limit Time) bool {
	for {
		level := uint(bits.TrailingZeros8(v.populated)) % rows
		word := uint(bits.TrailingZeros8(v.inUse[level])) % words
		slot := word*64 + uint(bits.TrailingZeros64(v.occupied[level*words+word]))%64
		// The lowest populated level holds the earliest timers: those above are due after the whole of it.
		shift := level * slotBits % 64
		begin := v.base&^(1<<shift<<slotBits-1) | Time(slot)<<shift
		place := level*slots + slot
		t := v.wheel[place%(rows*slots)]
		if level > 0 && t.leadsMany() {
			if begin > limit {
				v.soon = begin
				return false
			}
			v.base = max(v.base, begin)
			v.vacate(place)
			v.spread(t)
			continue
		}
		v.vacate(place)
		v.begin, v.edge = begin, uint64(begin)+1<<shift
		v.near.fill(t)
		v.soon = v.near.head.deadline
		return true
	}
}

// fill puts a timer in the list, which is empty, and those that come after it, in the order in which they will ring.
func (l *list) fill(t *Timer) {
	if t.next == nil {
		t.place, t.prev = nearPlace, nil
		l.head, l.tail = t, t
		return
	}
	for t != nil {
		next := t.next
		after, _ := l.before(t.deadline, nearFew)
		l.link(t, after)
		t = next
	}
}

// spread puts a timer in the wheel, and those that come after it, in their order.
func (v *Virtual) spread(t *Timer) {
	for t != nil {
		next := t.next
		v.insert(t)
		t = next
	}
}

// leadsMany reports whether there are more timers than near should get at once, from this one on.
func (t *Timer) leadsMany() bool {
	for range nearFew {
		if t = t.next; t == nil {
			return false
		}
	}
	return true
}

// lineUp puts a timer in its place in near. Where too many stand behind it near is dissolved: all go to the wheel, to slots
// that are small enough.
func (v *Virtual) lineUp(t *Timer) {
	if after, found := v.near.before(t.deadline, nearSteps); found {
		v.near.link(t, after)
		return
	}
	first := v.near.head
	v.near, v.begin, v.edge = list{}, v.base, uint64(v.base)
	v.spread(first)
	v.insert(t)
}

// before finds the timer of near after which one with that deadline comes, nil for none; found is false if that is further
// than so many steps from the end.
func (l *list) before(deadline Time, steps int) (after *Timer, found bool) {
	after = l.tail
	for after != nil && after.deadline > deadline {
		if steps--; steps < 0 {
			return nil, false
		}
		after = after.prev
	}
	return after, true
}

// link puts t behind after in near, nil for the head.
func (l *list) link(t, after *Timer) {
	t.place, t.prev = nearPlace, after
	if after == nil {
		t.next, l.head = l.head, t
	} else {
		t.next, after.next = after.next, t
	}
	if t.next == nil {
		l.tail = t
	} else {
		t.next.prev = t
	}
}

// insert puts a timer in the wheel.
func (v *Virtual) insert(t *Timer) {
	level := uint(bits.Len64(uint64(t.deadline^v.base)|1)-1) * 57 >> 9 // by the highest bit that differs; a ninth of it
	slot := uint(uint64(t.deadline)>>(level*slotBits%64)) % slots
	place := (level*slots + slot) % (rows * slots)
	t.place, t.next = uint16(place), nil
	head := v.wheel[place]
	if head != nil {
		t.prev, head.prev.next, head.prev = head.prev, t, t
		return
	}
	v.wheel[place], t.prev = t, t
	v.occupied[place/64] |= 1 << (place % 64)
	v.inUse[level%rows] |= 1 << (slot / 64)
	v.populated |= 1 << level
}

// remove takes a timer out of where it stands.
func (v *Virtual) remove(t *Timer) {
	if t.place == nearPlace {
		v.near.unlink(t)
	} else {
		v.takeOut(t)
	}
	t.next, t.prev, t.armed = nil, nil, false
	if v.n--; v.n == 0 {
		v.soon = Never
	}
}

func (l *list) unlink(t *Timer) {
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
}

// takeOut takes a timer out of its slot of the wheel.
func (v *Virtual) takeOut(t *Timer) {
	head := &v.wheel[t.place%(rows*slots)]
	switch {
	case *head != t:
		t.prev.next = t.next
		if t.next != nil {
			t.next.prev = t.prev
		} else {
			(*head).prev = t.prev
		}
	case t.next != nil:
		t.next.prev = t.prev
		*head = t.next
	default:
		v.vacate(uint(t.place))
	}
}

// vacate empties a slot.
func (v *Virtual) vacate(place uint) {
	v.wheel[place%(rows*slots)] = nil
	word := &v.occupied[place/64%(rows*words)]
	if *word &^= 1 << (place % 64); *word != 0 {
		return
	}
	level := place / slots % rows
	if v.inUse[level] &^= 1 << (place / 64 % words); v.inUse[level] == 0 {
		v.populated &^= 1 << level
	}
}

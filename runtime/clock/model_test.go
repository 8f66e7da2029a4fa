package clock

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// model is a Virtual clock and, beside it, what is set on it, in the plainest form that there is.
type model struct {
	t       *testing.T
	seed    uint64
	rng     *rand.Rand
	clock   Virtual
	alarms  []*ringer
	set     map[*ringer]moment
	sets    int
	now     Time
	limit   Time // nothing may ring later
	changes int  // that were made while something rang
}

// moment is when a timer rings, and its place among those that do at the same time.
type moment struct {
	at     Time
	number int
}

type ringer struct {
	Timer
	model *model
}

// Ring compares what rings with what should, and now and then sets and stops others.
func (r *ringer) Ring(now Time) {
	m := r.model
	want, when := m.first()
	if want != r || when.at > m.limit {
		m.fail("a timer rings that is not the first, or later than %v; the first is set for %v", m.limit, when.at)
	}
	m.now = max(m.now, when.at)
	delete(m.set, r)
	m.compare()
	if now != m.now {
		m.fail("it rings at %v, and hears of %v", m.now, now)
	}
	for m.changes < 100 && m.rng.IntN(3) == 0 {
		m.changes++
		m.change()
	}
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d: "+format, append([]any{m.seed}, args...)...)
}

// first is what rings next, nil if nothing is set.
func (m *model) first() (first *ringer, when moment) {
	for r, x := range m.set {
		if first == nil || x.at < when.at || x.at == when.at && x.number < when.number {
			first, when = r, x
		}
	}
	return first, when
}

// time is one at which things can go wrong: crowded, equal, at the edge of a slot, past, or the last there is.
func (m *model) time() Time {
	switch m.rng.IntN(12) {
	case 0:
		return Never - Time(max(0, m.rng.IntN(6)-3))
	case 1:
		return m.now - Time(m.rng.IntN(5))
	case 2:
		if _, when := m.first(); len(m.set) > 0 {
			return when.at
		}
	case 3:
		return (m.now | 1<<9 - 1) + Time(m.rng.IntN(3)) - 1
	case 4:
		return (m.now | 1<<18 - 1) + Time(m.rng.IntN(3)) - 1
	}
	return m.now.Add(time.Duration(m.rng.Int64N(1 << m.rng.IntN(50))))
}

// change sets a timer, which may be set already, or stops one.
func (m *model) change() {
	r := m.alarms[m.rng.IntN(len(m.alarms))]
	if m.rng.IntN(4) == 0 {
		_, want := m.set[r]
		if delete(m.set, r); m.clock.Stop(&r.Timer) != want {
			m.fail("Stop of a timer that is set: %v", !want)
		}
	} else {
		at := m.time()
		m.sets++
		m.set[r] = moment{max(at, m.now), m.sets}
		m.clock.Set(&r.Timer, at)
	}
	m.compare()
}

func (m *model) compare() {
	if m.clock.Now() != m.now || m.clock.Len() != len(m.set) {
		m.fail("%d timers are set, at %v; want %d, %v", m.clock.Len(), m.clock.Now(), len(m.set), m.now)
	}
	first, when := m.first()
	if next := m.clock.Next(); first == nil && next != Never || first != nil && next > when.at {
		m.fail("next is %v, and the first timer is set for %v", next, when.at)
	}
}

// compareAll compares all that is set, in its order.
func (m *model) compareAll() {
	all := slices.SortedFunc(maps.Keys(m.set), func(a, b *ringer) int {
		x, y := m.set[a], m.set[b]
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.number, y.number))
	})
	armed := m.clock.Armed()
	if !slices.EqualFunc(armed, all, func(t *Timer, r *ringer) bool { return t == &r.Timer && t.Deadline() == m.set[r].at }) {
		m.fail("armed are %v; want %v", armed, all)
	}
}

// step does to the clock one of the things that can be done to it.
func (m *model) step() {
	m.changes, m.limit = 0, Never
	first, when := m.first()
	switch m.rng.IntN(8) {
	case 0, 1, 2, 3:
		m.change()
	case 4:
		if m.clock.Step() != (first != nil) {
			m.fail("Step with %d timers", len(m.set))
		}
	case 5:
		m.limit = m.time()
		due := first != nil && when.at <= m.limit
		if first != nil && !due {
			m.now = max(m.now, m.limit)
		}
		if m.clock.StepBy(m.limit) != due {
			m.fail("StepBy %v, and the first timer is set for %v", m.limit, when.at)
		}
	case 6:
		m.limit = m.time()
		m.clock.Advance(m.limit)
		m.now = max(m.now, m.limit)
		if first, when := m.first(); first != nil && when.at <= m.limit {
			m.fail("Advance to %v leaves one that is set for %v", m.limit, when.at)
		}
	case 7:
		d := time.Duration(m.rng.IntN(1000) - 3)
		if m.rng.IntN(5) == 0 {
			d = time.Duration(m.time())
		}
		if m.clock.Pass(d) {
			if d < 0 || m.now.Add(d) == Never || first != nil && when.at <= m.now.Add(d) {
				m.fail("%v have passed at %v, and the first timer is set for %v", d, m.now, when.at)
			}
			m.now += Time(d)
		}
	}
	m.compare()
	if m.rng.IntN(8) == 0 {
		m.compareAll()
	}
}

// TestModel does things at random to clocks, also from within what rings and up to the end of time.
func TestModel(t *testing.T) {
	for seed := range uint64(3000) {
		m := &model{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 2)), set: map[*ringer]moment{}}
		for range 1 + m.rng.IntN(40) {
			r := &ringer{model: m}
			r.Alarm = r
			m.alarms = append(m.alarms, r)
		}
		for range 150 {
			m.step()
		}
	}
}

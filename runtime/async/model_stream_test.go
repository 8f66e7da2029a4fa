package async_test

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/nothread/nothread/runtime/async"
)

// This file compares what streams do with what a model of them says: producers of all kinds that wait, fail, panic, exit,
// and take their time to leave; relays, which range over a stream to yield its values; and a consumer that asks and closes
// when it likes. Each value comes once and in order, nobody runs ahead, and each end is told once.

// A told is what a task came to.
type told struct {
	value int
	ok    bool
	err   error
	end   end
}

func (w told) String() string {
	if w.end.failed() {
		return fmt.Sprint(w.end)
	}
	return fmt.Sprint(w.value, " ", w.ok, " ", w.err)
}

// A script is what a producer does.
type script struct {
	steps    []int // sources that it waits for; -1 is a yield
	cleaning []int // likewise, once it was left
	stubborn int   // so many times it does not care that it was left
	end      string
	err      error
}

func randomScript(r *rand.Rand, sources int) *script {
	s := &script{stubborn: max(0, r.IntN(5)-2), end: []string{"", "", "", "fails", "panics", "exits", "says it was left"}[r.IntN(7)], err: errors.New("of a script")}
	for range r.IntN(9) {
		s.steps = append(s.steps, max(-1, r.IntN(sources+8)-8))
	}
	for range r.IntN(3) {
		s.cleaning = append(s.cleaning, r.IntN(sources))
	}
	return s
}

// modelProducer is the model of what is behind a pass.
type modelProducer interface {
	start(p *modelPass)
	turn() // goes on from a yield
}

// modelPass is the model of a pass.
type modelPass struct {
	producer                   modelProducer
	began, waiting, left, over bool // waiting: for its turn
	next                       func(told)
	closed                     []func(told)
	closing                    told
}

func (p *modelPass) ask(next func(told)) {
	switch {
	case p.over, p.left:
		next(told{})
	case !p.began:
		p.began, p.next = true, next
		p.producer.start(p)
	default:
		p.next, p.waiting = next, false
		p.producer.turn()
	}
}

func (p *modelPass) close(closed func(told)) {
	was := p.left
	p.left = true
	if p.over || !p.began {
		p.over = true
		closed(p.closing)
		return
	}
	p.closed = append(p.closed, closed)
	if !was && p.waiting {
		p.waiting = false
		p.producer.turn()
	}
}

// yield hands v on, unless nobody wants it any more.
func (p *modelPass) yield(v int) (left bool) {
	if p.left {
		return true
	}
	next := p.next
	p.next, p.waiting = nil, true
	next(told{value: v, ok: true})
	return false
}

func (p *modelPass) end(w told) {
	p.over = true
	next := p.next
	p.next = nil
	if p.left {
		if w.err == async.ErrLeft {
			w.err = nil
		}
		p.closing = w
		w = told{}
	}
	if next != nil {
		next(w)
	}
	for _, closed := range p.closed {
		closed(p.closing)
	}
}

// modelScript is the model of a script that runs.
type modelScript struct {
	*script
	pass     *modelPass
	done     []bool // the sources
	progress int    // steps that it took
	at       int
	cleans   bool
	waits    bool // for a source
	finished bool
}

func (m *modelScript) start(p *modelPass) { m.pass = p; m.run() }

func (m *modelScript) turn() {
	m.at++
	if m.pass.left {
		m.leave()
	}
	m.run()
}

// leave is what a producer does that hears it was left.
func (m *modelScript) leave() {
	if m.stubborn--; m.stubborn < 0 && !m.cleans {
		m.cleans, m.steps, m.at = true, m.cleaning, 0
	}
}

// woken is called when a source is complete.
func (m *modelScript) woken() {
	if m.waits && m.done[m.steps[m.at]] {
		m.waits = false
		m.at++
		m.run()
	}
}

func (m *modelScript) run() {
	for m.at < len(m.steps) {
		m.progress++
		source := m.steps[m.at]
		switch {
		case source < 0 && !m.pass.yield(m.progress):
			return
		case source < 0:
			m.at++
			m.leave()
			continue
		case !m.done[source]:
			m.waits = true
			return
		}
		m.at++
	}
	m.finished = true
	switch m.end {
	case "panics":
		m.pass.end(told{end: end{panicked: "in a script"}})
	case "exits":
		m.pass.end(told{end: end{exited: true}})
	case "fails":
		m.pass.end(told{err: m.err})
	case "says it was left":
		m.pass.end(told{err: async.ErrLeft})
	default:
		m.pass.end(told{})
	}
}

// modelRelay is the model of a relay.
type modelRelay struct{ inner, pass *modelPass }

func (m *modelRelay) start(p *modelPass) { m.pass = p; m.inner.ask(m.got) }

func (m *modelRelay) turn() {
	if !m.pass.left {
		m.inner.ask(m.got)
		return
	}
	m.inner.close(func(w told) {
		w.err = async.ErrLeft // what closing says gets lost, unless it panics
		m.pass.end(w)
	})
}

func (m *modelRelay) got(w told) {
	switch {
	case !w.ok:
		m.pass.end(w)
	case m.pass.yield(w.value):
		m.turn()
	}
}

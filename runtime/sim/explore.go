package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// Explore runs f in every World that departs from the calm one in at most so many decisions: first in the calm one, where
// nothing fails, threads take turns, and devices are as fast as they can be; then with one thing otherwise, at each place
// where one may be; then with two, and so on. So with faults at any rate below Always (WithFaults), Explore(t, 1, …) lets
// each fault strike at each place where it may. What is found is found with the least of deviations.
//
// A decision among up to eight is made in every way, a fault strikes or does not; of a greater number, such as a time, what
// is tried is the greatest and half of it. What f draws for itself by w.Choose is explored too; that an f which tries until
// Choose gives something else than 0 comes to an end it must see to itself. The search is that of limited discrepancies
// (Harvey and Ginsberg, 1995).
//
// It runs 10,000 Worlds at most, with -short 1,000, with -sim.worlds=N so many; of the last round those that chance, always
// the same one, picks. How many of each is logged. Otherwise it is as Test: a World must settle, and a failure is told with
// the command that runs just that World. -sim.deviations=calm runs only the calm one, -sim.explore=3 sets how many
// deviations; all Worlds have one seed, 1 or that of -sim.seed, from which nothing follows but what f itself makes of it.
//
// What differs from one run of a World to the next, for it depends on real time or on the order of a map, cannot be
// explored: Explore fails if it sees that.
func Explore(t *testing.T, deviations int, f func(w *World), opts ...Option) {
	t.Helper()
	e := &exploration{testRun: newTestRun(t, f, opts), seed: 1, rounds: deviations, most: worlds(t)}
	if *seedFlag != "" {
		e.seed, _ = seeds(t)
	}
	if *exploreFlag != 0 {
		e.rounds = *exploreFlag
	}
	if e.rounds < 0 {
		t.Fatalf("sim: an exploration of %d deviations", e.rounds)
	}
	defer e.unobserved()()
	if *deviationsFlag != "" {
		e.only(deviationsOf(t, *deviationsFlag))
		return
	}
	e.run()
}

// worlds returns how many Worlds to run.
func worlds(t *testing.T) int {
	t.Helper()
	switch n := *worldsFlag; {
	case n < 0:
		t.Fatalf("sim: -sim.worlds=%d is not a number of Worlds", n)
	case n > 0:
		return n
	case testing.Short():
		return shortWorlds
	}
	return defaultWorlds
}

// deviationsOf reads the value of -sim.deviations.
func deviationsOf(t *testing.T, value string) Deviations {
	t.Helper()
	if path, ok := strings.CutPrefix(value, "@"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("sim: -sim.deviations: %v", err)
		}
		value = string(text)
	}
	d, err := ParseDeviations(value)
	if err != nil {
		t.Fatalf("-sim.deviations: %v", err)
	}
	return d
}

// exploration is one call of Explore.
type exploration struct {
	*testRun
	seed   uint64
	rounds int         // of so many deviations the last one is
	most   int         // Worlds
	left   []departure // of the round after this one, as many as may run
	seen   int         // of those, also what was not kept
}

// departure is a World to run: one that has run, which is where from, and one deviation more.
type departure struct {
	from *departure
	Deviation
	at int // of all decisions, from 1: the deviation's
}

// script is what the World's deviations are.
func (p *departure) script() Deviations {
	if p.from == nil {
		return nil
	}
	return append(p.from.script(), p.Deviation)
}

// only runs one World, and tells of deviations that it has no decision for.
func (e *exploration) only(script Deviations) {
	w := e.once(way{seed: e.seed, calm: true, script: script})
	if w == nil {
		return
	}
	if missed := w.decisions.script.missed(); len(missed) > 0 {
		e.t.Logf("sim: the World has made no such decisions: %v", missed)
	}
}

// run runs round after round: in each, the Worlds of one deviation more.
func (e *exploration) run() {
	chance := rand.New(rand.NewPCG(1, 2))
	var told []string
	e.left, e.seen = []departure{{}}, 1
	for round := 0; round <= e.rounds && len(e.left) > 0 && e.ran < e.most; round++ {
		now := e.left
		told = append(told, part(len(now), e.seen, round))
		room := e.most - e.ran - len(now)
		e.left, e.seen = nil, 0
		for i := range now {
			if !e.visit(&now[i], round, room, chance) {
				return
			}
		}
	}
	if e.seen > len(e.left) {
		told = append(told, part(0, e.seen, len(told)))
	}
	e.t.Logf("explored %s", strings.Join(told, ", "))
	e.unreached(uint64(e.ran), "Worlds")
}

// part says how many Worlds of a round run.
func part(n, of, round int) string {
	many := fmt.Sprintf("all %d", n)
	if n < of {
		many = fmt.Sprintf("%d of the %d", n, of)
	}
	switch round {
	case 0:
		return "the calm World"
	case 1:
		return many + " with 1 deviation"
	}
	return fmt.Sprintf("%s with %d", many, round)
}

// visit runs a World and, if there is another round, notes in what it can be departed from; false if the test has ended.
func (e *exploration) visit(p *departure, round, room int, chance *rand.Rand) bool {
	g := way{seed: e.seed, calm: true, script: p.script()}
	w := e.once(g, WithRecording())
	e.ran++
	if e.t.Failed() || e.t.Skipped() {
		return false
	}
	departed := p.from == nil
	at := 0 // of the decisions, in all
	for d, of := range w.Recording().decisions() {
		at++
		switch {
		case at == p.at:
			departed = d.Label == p.Label && d.Number == p.Number
		case strings.HasPrefix(d.Label, buggifyOn): // a place that is off does nothing that is not calm
		case at > p.at && round < e.rounds:
			for _, choice := range others(of) {
				e.note(departure{from: p, Deviation: Deviation{d.Label, d.Number, choice}, at: at}, room, chance)
			}
		}
	}
	if !departed {
		e.t.Errorf("sim: %v: it makes other decisions than the World that it departs from: what does not follow from them decides there", g)
	}
	return departed
}

// others are the choices to try beside the calm one, of so many.
func others(of uint64) []uint64 {
	switch {
	case of == uint64(Always): // a rate: it strikes or not
		return []uint64{Greatest}
	case of > 8:
		return []uint64{Greatest, of / 2}
	}
	var all []uint64
	for choice := uint64(1); choice < of-1; choice++ {
		all = append(all, choice)
	}
	if of > 1 {
		all = append(all, Greatest)
	}
	return all
}

// note keeps a World for the next round; if there are more than have room, each with the same chance.
func (e *exploration) note(p departure, room int, chance *rand.Rand) {
	e.seen++
	switch {
	case len(e.left) < room:
		e.left = append(e.left, p)
	case room > 0:
		if i := chance.IntN(e.seen); i < room {
			e.left[i] = p
		}
	}
}

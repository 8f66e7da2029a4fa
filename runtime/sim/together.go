package sim

import (
	"runtime"
	"slices"
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// RunTogether runs Worlds that are wired together (NewWire, NewSwitch) until none of them has anything left to do. They take turns,
// each a quantum of time at a turn, while the caller waits, who must own them all: so what happens follows from their
// seeds, as in one World. Where all of them wait for something later, they go there at once.
//
// A frame arrives at the right time if the quantum is no longer than the shortest wire's Delay; if it is longer, frames
// are late by up to that much. A thread may block on what another World does: a World whose turn it is runs on a goroutine
// beside the caller's, which stays with a thread that blocks. So a panic rises on the caller's as a *Panic. One that is
// blocked when nothing is left to do stays so, without a Deadlock.
func RunTogether(quantum time.Duration, worlds ...*World) {
	if quantum <= 0 {
		panic("sim: RunTogether needs a quantum of time")
	}
	var until clock.Time
	for {
		next, armed := clock.Never, false
		for _, w := range worlds {
			next, armed = min(next, w.clock.Next()), armed || w.clock.Len() > 0
		}
		if armed {
			until = max(until, next)
		}
		until = until.Add(quantum)
		last := until == clock.Never // time stops there
		for _, w := range worlds {
			if w.Now() < until || last {
				w.turn(until.Sub(w.Now()))
			}
		}
		behind := func(w *World) bool { return w.Now() >= until && !last || w.hasWork() }
		if next == clock.Never && !slices.ContainsFunc(worlds, behind) {
			return
		}
	}
}

// turn is RunFor, but the owner's goroutine stays free of what blocks.
func (w *World) turn(d time.Duration) {
	w.aside = true
	defer func() { w.aside = false }()
	w.RunFor(d)
	if w.exits {
		w.exits = false
		runtime.Goexit()
	}
}

// hasWork reports whether something is left to do in a World that does not run.
func (w *World) hasWork() bool {
	ready := func(t *kernel.Thread) bool { return t.State() == kernel.Ready }
	return w.clock.Len() > 0 || w.outside.full.Load() || slices.ContainsFunc(w.kernel.Threads(), ready)
}

package sim

import (
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// RunTogether runs Worlds that are wired together (NewWire) until none of them has anything left to do. They take turns,
// each a quantum of time at a turn, on the caller's goroutine, who must own them all: so what happens follows from their
// seeds, as in one World. Where all of them wait for something later, they go there at once.
//
// A frame arrives at the right time if the quantum is no longer than the shortest wire's Delay; if it is longer, frames
// are late by up to that much. A thread that is blocked when nothing is left to do stays so, without a Deadlock.
func RunTogether(quantum time.Duration, worlds ...*World) {
	if quantum <= 0 {
		panic("sim: RunTogether needs a quantum of time")
	}
	var until clock.Time
	for {
		next := clock.Never
		for _, w := range worlds {
			next = min(next, w.clock.Next())
		}
		if next != clock.Never {
			until = max(until, next)
		}
		until = until.Add(quantum)
		idle := true
		for _, w := range worlds {
			if w.Now() < until {
				w.RunFor(until.Sub(w.Now()))
			}
			idle = idle && w.Now() < until && w.clock.Len() == 0
		}
		if idle && next == clock.Never {
			return
		}
	}
}

package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is what looks wrong in a World that goes on all the same.

// Lint says what looks wrong in the World as it is now, a sentence each:
//
//	pending           a request or a machine has been waiting for longer than patience
//	cancel ignored    it has been asked to end for longer than that, by its context or by a cancellation, and waits on
//	lost completion   nothing is left that could happen, and a machine waits: nobody will ever resume it
//	UI blocked        a UI thread was blocked for longer than patience, at any time: meanwhile it did nothing else
//
// Equal ones are counted together. Of machines it knows in tests, and with WithMachines; a machine's context it sees as long
// as the machine still needs it. A Test logs what there is when its World has settled, with a patience of a second.
func (w *World) Lint(patience time.Duration) []string {
	r := w.report()
	r.Idle = w.idles()
	found := r.Lint(patience)
	longest := w.stalled
	for _, s := range w.stalls {
		s.lasted = w.Now().Sub(s.since)
		longest = longest.or(s)
	}
	if longest.lasted > patience {
		found = append(found, fmt.Sprintf("UI blocked: %s was blocked for %v on %s, and did nothing else: await there instead",
			longest.thread.Name(), longest.lasted, longest.on))
	}
	return found
}

// idles reports whether nothing is left that could happen.
func (w *World) idles() bool {
	if w.running.Load() || w.clock.Len() > 0 || w.outside.full.Load() || len(w.outside.watches) > 0 || len(w.kernel.Requests()) > 0 {
		return false
	}
	return !slices.ContainsFunc(w.kernel.Threads(), func(t *kernel.Thread) bool {
		return t != w.main && t.State() != kernel.Waiting && t.State() != kernel.Terminated
	})
}

// A stall is a UI thread that is blocked in the middle of its work.
type stall struct {
	thread *kernel.Thread
	since  clock.Time
	lasted time.Duration // once it is over
	on     string
}

// or returns the longer of two.
func (s stall) or(o stall) stall {
	if o.lasted > s.lasted {
		return o
	}
	return s
}

// moves is called when a UI thread goes on.
func (w *World) moves(t *kernel.Thread) {
	for i, s := range w.stalls {
		if s.thread == t {
			s.lasted = w.Now().Sub(s.since)
			w.stalled = w.stalled.or(s)
			w.stalls = slices.Delete(w.stalls, i, i+1)
			return
		}
	}
}

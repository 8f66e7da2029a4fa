package sim

import (
	"fmt"
	"time"
)

// Hang says that a World whose faults have ended did not come to an end within a bound of its own time, or left something
// behind.
type Hang struct {
	Seed  uint64
	Text  string // what has not ended
	State string // World.Dump
}

func (h *Hang) Error() string { return fmt.Sprintf("sim: %s (seed %d)\n%s", h.Text, h.Seed, h.State) }

// Settle heals the World, runs it, and says whether all that is in flight comes to an end within the bound: a *Hang if a
// request is still in flight then, or a thread blocked. Timers that are set need not have rung. A deadlock is a panic, as
// ever.
func (w *World) Settle(bound time.Duration) error {
	w.requireOwner("Settle")
	if bound < 0 {
		panic(fmt.Sprintf("sim: Settle within %v: time does not go back", bound))
	}
	w.Heal()
	var hang *Hang
	until := w.Now().Add(bound)
	w.limit(bound, func() {
		w.mainDue = true
		if w.unsettled() == "" {
			return
		}
		hang = &Hang{Seed: w.seed, State: w.Dump()}
		when := fmt.Sprintf("%v after all faults have ended", bound)
		if w.Now() < until {
			when = "all faults have ended, nothing is left that could happen"
		}
		hang.Text = fmt.Sprintf("%s, and %s", when, w.unsettled())
		if !w.owner.clean() { // it must make way: the code in it hears of it
			w.fatal = hang
		}
	})
	w.main.WaitIdle("the World to settle")
	w.Park(w.main)
	if hang != nil {
		return hang
	}
	return nil
}

// unsettled says what is in flight; "" if nothing is.
func (w *World) unsettled() string {
	requests, blocked := len(w.kernel.Requests()), len(w.blocked())
	if requests == 0 && blocked == 0 {
		return ""
	}
	request, thread := "requests are", "threads"
	if requests == 1 {
		request = "request is"
	}
	if blocked == 1 {
		thread = "thread"
	}
	return fmt.Sprintf("%d %s in flight and %d %s blocked", requests, request, blocked, thread)
}

package sim

import (
	"fmt"
	"runtime/debug"

	"github.com/nothread/nothread/runtime/kernel"
)

// strand is a goroutine of a World: the owner's, or one that the loop went to when a thread blocked. Exactly one strand
// runs, the one that has the baton.
//
// A strand's stack is, from the bottom: the owner's code (the owner's strand only), the loop, and the code of one
// simulated thread, its occupant, if that is blocked on it. A strand without an occupant is clean.
type strand struct {
	world    *World
	wake     chan struct{}  // the baton is handed over here
	occupant *kernel.Thread // whose code is on it
}

func newStrand(w *World) *strand { return &strand{world: w, wake: make(chan struct{}, 1)} }

// freshStrand starts a goroutine that waits for the baton, to run the loop.
func (w *World) freshStrand() *strand {
	s := newStrand(w)
	w.strands++
	go s.main()
	return s
}

// Goroutines returns how many goroutines the World uses: 1, the owner's, and one for each thread that is blocked, or
// the loop while one is blocked on the owner's. (runtime.NumGoroutine may still count one that is about to end.)
func (w *World) Goroutines() int { return 1 + w.strands }

// give hands the baton to another strand.
func (s *strand) give(to *strand) {
	s.world.current = to
	to.wake <- struct{}{}
}

// await waits for the baton.
func (s *strand) await() { <-s.wake }

// clean reports whether the loop can run on the strand, or its owner go on.
func (s *strand) clean() bool { return s.occupant == nil }

// Park keeps the stack of thread t, which waits, until the scheduler chooses it. It is part of kernel.Parker.
func (w *World) Park(t *kernel.Thread) {
	s := w.current
	w.kernel.Vacate(t)
	if t == w.main {
		w.runAsOwner(s)
		return
	}
	if w.closed {
		exitThread(t)
	}
	t.Stack = s
	w.passLoop(s)
	t.Stack = nil
	if w.closed {
		exitThread(t)
	}
	if w.fatal != nil && s == w.owner { // the owner must hear of it, and we are in its way
		f := w.fatal
		w.fatal = nil
		w.kernel.Adopt(t)
		panic(f)
	}
}

// passLoop lets the loop go on elsewhere and waits for the baton: on the owner's strand if it is clean, else on a fresh
// one.
func (w *World) passLoop(s *strand) {
	next := w.owner
	if s == next || !next.clean() {
		next = w.freshStrand()
	}
	s.give(next)
	s.await()
}

// main is a strand that is not the owner's: the loop, until the loop goes back to the owner or to a parked thread.
func (s *strand) main() {
	s.await()
	w := s.world
	ended := false
	defer func() {
		if ended {
			return // the baton is gone
		}
		if w.closed {
			recover()            // deferred calls that would use the World
			w.gone <- struct{}{} // Close waits for us
			return
		}
		if r := recover(); r != nil {
			w.fatal = &Panic{Value: r, Stack: debug.Stack()}
		}
		// A panic, or runtime.Goexit in a thread's code: this goroutine is lost, the loop is not.
		s.occupant = nil
		w.strands--
		next := w.owner
		if !next.clean() {
			next = w.freshStrand()
		}
		s.give(next)
	}()
	to := w.loop(s)
	ended = true
	w.strands--
	s.give(to)
}

// runAsOwner is the loop on the owner's strand; it returns when the main thread is chosen.
func (w *World) runAsOwner(s *strand) {
	if s != w.owner {
		panic("sim: the World's owner waits on a goroutine that is not its own")
	}
	w.running = true
	defer func() {
		w.running, w.mainDue, w.untilIdle = false, false, false
		s.occupant = nil
		w.kernel.Adopt(w.main)
		w.tracer.flush()
	}()
	for {
		to := w.loop(s)
		if to == nil {
			return
		}
		s.give(to)
		s.await()
	}
}

// runThread runs the body of a thread on a strand, and leaves the kernel in order however it ends.
func (w *World) runThread(s *strand, t *kernel.Thread) {
	s.occupant = t
	returned := false
	defer func() {
		s.occupant = nil
		w.kernel.Left(t)
		if returned || w.closed || s != w.owner {
			return
		}
		if r := recover(); r != nil {
			panic(r)
		}
		// runtime.Goexit on the owner's goroutine: the owner ends with it, but not before its wait is over.
		w.runAsOwner(s)
	}()
	t.Body().Run(t)
	returned = true
}

// Panic is a panic of code on a simulated thread that ran on another goroutine than the owner's; it rises again on the
// owner's.
type Panic struct {
	Value any    // the panic's value
	Stack []byte // where it rose first
}

func (p *Panic) Error() string {
	return fmt.Sprintf("sim: panic on a simulated thread: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

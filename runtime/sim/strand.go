package sim

import (
	"fmt"
	"runtime/debug"

	"github.com/nothread/nothread/runtime/async"
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
	starter  *strand        // whose StartThread waits for the occupant to block or end; nil: none
	cut      bool           // it ends in code that the loop ran: by a panic or runtime.Goexit
}

func newStrand(w *World) *strand { return &strand{world: w, wake: make(chan struct{}, 1)} }

// freshStrand starts a goroutine that waits for the baton, to run the loop.
func (w *World) freshStrand() *strand {
	s := newStrand(w)
	w.strands++
	go s.main(nil)
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
	if t == w.main {
		if w.running.Swap(true) {
			panic("sim: a World is used from two goroutines at a time: it belongs to one, its owner's; others leave it work by Inject")
		}
		w.kernel.Vacate(t)
		w.runAsOwner(s)
		return
	}
	w.kernel.Vacate(t)
	if w.closed {
		exitThread(t)
	}
	t.Stack = s
	if back := s.starter; back != nil { // it has waited for just this
		s.starter = nil
		s.give(back)
		s.await()
	} else {
		w.passLoop(s)
	}
	t.Stack = nil
	if w.closed {
		exitThread(t)
	}
	if w.fatal != nil && s == w.owner { // the owner must hear of it, and we are in its way
		w.raised, w.fatal = w.fatal, nil
		w.kernel.Adopt(t)
		panic(w.raised)
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

// main is a strand that is not the owner's: first runs if it is not nil, then the loop, until the loop goes back to the
// owner or to a parked thread.
func (s *strand) main(first func()) {
	s.await()
	w := s.world
	ended := false
	defer func() {
		if !ended {
			s.lost(recover())
		}
	}()
	if first != nil {
		first()
	}
	to := s.starter
	if to == nil {
		to = w.loop(s)
	}
	ended = true
	w.strands--
	s.give(to)
}

// lost is called at the end of a goroutine that ends by a panic, or by runtime.Goexit if r is nil, in a thread's code. The
// baton must not be lost with it.
func (s *strand) lost(r any) {
	w := s.world
	if w.closed {
		w.gone <- struct{}{} // Close waits for us
		return
	}
	w.exits = w.exits || r == nil && s.cut && w.aside
	if r != nil {
		w.fatal = &Panic{Value: r, Stack: panicStack(r)}
	}
	s.occupant = nil
	w.strands--
	next := s.starter
	if next == nil {
		next = w.owner
		if !next.clean() {
			next = w.freshStrand()
		}
	}
	s.give(next)
}

// StartThread runs f on a new simulated thread, at once, and returns when f first blocks or ends. It is part of
// async.Starter.
func (w *World) StartThread(f func()) {
	refuseNil(f == nil, "StartThread")
	if w.closed {
		return // it never happens: see Close
	}
	s, c := w.current, w.kernel.CPU()
	starter := c.Thread()
	if starter == nil {
		panic("sim: StartThread, or async.Go, where no simulated thread runs: in a driver, or on a goroutine that is not the World's. " +
			"A World belongs to one goroutine, its owner's; others leave it work by Inject")
	}
	w.started++
	body := &startedThread{executor: async.NewExecutor(nil)}
	t := w.kernel.NewThread(fmt.Sprintf("thread %d", w.started), body)
	t.Local = body
	body.executor.Track(w.machines)
	on := newStrand(w)
	on.starter = s
	w.strands++
	go on.main(func() { w.runStarted(on, t, f) })
	w.kernel.Vacate(starter)
	w.kernel.AdoptOn(c, t)
	s.give(on)
	s.await()
	w.kernel.AdoptOn(c, starter)
	w.raise()
}

// runStarted runs a started thread to its end.
func (w *World) runStarted(s *strand, t *kernel.Thread, f func()) {
	s.occupant = t
	defer func() {
		s.occupant = nil
		t.Exit()
		w.kernel.Vacate(t)
	}()
	f()
	t.Done()
}

// startedThread is a thread that StartThread made. It has no body: its code is on a strand from the start.
type startedThread struct{ executor *async.Executor }

// Executor returns who runs continuations on the thread.
func (t *startedThread) Executor() *async.Executor { return t.executor }

// Run implements kernel.Body.
func (*startedThread) Run(*kernel.Thread) { panic("sim: a started thread has no body") }

// runAsOwner is the loop on the owner's strand; it returns when the main thread is chosen.
func (w *World) runAsOwner(s *strand) {
	if s != w.owner {
		panic("sim: the World's owner waits on a goroutine that is not its own")
	}
	defer func() {
		w.running.Store(false)
		w.mainDue, w.untilIdle, w.raised = false, false, nil
		w.limit(-1, nil)
		s.occupant = nil
		w.kernel.Adopt(w.main)
		w.tracer.flush()
	}()
	for {
		to := w.loop(s)
		if to == nil {
			if w.raised != nil { // and caught by the code in the way, such as a machine that keeps its panics
				panic(w.raised)
			}
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
		s.cut = !returned
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
	t.Done()
}

// panicStack is called where the panic with value v was recovered. It returns where it rose first and the awaits that it
// came through, if it came through some, and the stack that it rose from last.
func panicStack(v any) []byte {
	last := debug.Stack()
	first := async.PanicStack(v)
	if first == nil {
		return last
	}
	return append(append(first, "\nraised again, to who reads the result, by\n"...), last...)
}

// Panic is a panic of code on a simulated thread that ran on another goroutine than the owner's; it rises again on the
// owner's.
type Panic struct {
	Value any    // the panic's value
	Stack []byte // where it rose first, the awaits that it came through, and where it rose again
}

func (p *Panic) Error() string {
	return fmt.Sprintf("sim: panic on a simulated thread: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap returns the panic's value if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

package async

import "slices"

// An Executor is whoever runs continuations now: a simulated thread, the loop
// of a context. It belongs to one goroutine at a time; handing it to another
// needs what handing over any plain variable needs.
type Executor struct {
	context  SyncContext
	machines *Machines // who hears of what is resumed, nil if only the process's
	running  bool
	queue    queue // released or completed while running
	round    round // what runs
}

// NewExecutor returns the executor of sc's loop; sc is nil for a thread that is
// no context's own.
func NewExecutor(sc SyncContext) *Executor {
	ex := &Executor{context: sc}
	ex.round.ex = ex
	return ex
}

// SyncContext returns the context whose loop ex is, nil if none.
func (ex *Executor) SyncContext() SyncContext {
	if ex == nil {
		return nil
	}
	return ex.context
}

// Run is for the loop of ex's context: it resumes c, which was posted there,
// whatever context c asked for, and, one after the other, all that is released by
// it, first in first out, without growing the stack (C4, C5). So a SyncContext may
// hand what it is given on to another's Post, and that one's loop runs it. Called
// while ex is running already it queues c and returns: the call below takes it up.
// A nil executor nests instead.
//
// A panic or runtime.Goexit in a machine completes that machine. After a panic
// the loop goes on. A panic in a continuation that is no machine, or in a
// SyncContext's Post, leaves Run after everything else has run (C11); of several, the
// last does. After a Goexit the rest runs on fresh goroutines while this one waits,
// and then this one ends: a loop above Run that must survive goes on on another.
func (ex *Executor) Run(c Continuation) {
	if c == nil {
		return
	}
	ex.release(freed(c))
}

// release is Run for what a completion released: a continuation that wants
// another context is posted there.
func (ex *Executor) release(c Continuation) {
	switch {
	case c == nil:
	case ex == nil:
		new(round).run(c)
	case ex.running:
		ex.queue.push(c)
	default:
		ex.running = true
		ex.round.run(c)
		ex.running = false
	}
}

// RunAll is Run for a loop that completes one thing after another: it resumes what
// next returns, which may be nothing, and all that is released by it, before it
// calls next again, until more is false; what comes with that is the last. Unlike
// Run it posts what wants another context. It saves, for each, the cost of entering
// Run; next takes the continuation from [Source.Release].
func (ex *Executor) RunAll(next func() (c Continuation, more bool)) {
	if ex == nil || ex.running {
		for more := true; more; {
			var c Continuation
			c, more = next()
			ex.release(c)
		}
		return
	}
	ex.running = true
	ex.round.feed = next
	ex.round.run(nil)
	ex.running = false
}

// drain runs what waits for ex before its thread blocks inside a continuation:
// it may be just what the thread is going to block on.
func (ex *Executor) drain() {
	if ex == nil || !ex.running {
		return
	}
	if ex.queue.n > 0 {
		r := round{ex: ex, nested: true}
		r.run(nil)
	}
}

// A round is one outermost call of Run, or what a blocking thread drains.
type round struct {
	ex     *Executor
	own    queue // waits for its turn where there is no executor
	nested bool  // inside another round of ex

	// Kept here, not in a variable of the loop: a register outlives no call.
	machines *Machines // who hears of what is resumed

	feed func() (Continuation, bool) // what RunAll asks for more, until there is none

	relay chan struct{} // this round runs for one whose goroutine is lost
	risen *fault        // the panic that it was lost by too, for the other to raise
}

func (r *round) run(c Continuation) {
	for finished := false; !finished; {
		c, finished = r.untilPanic(c)
	}
}

// untilPanic resumes c and what follows until nothing is left, and then has finished;
// or until a machine panics, and returns what that machine released, which may be nil.
func (r *round) untilPanic(c Continuation) (next Continuation, finished bool) {
	var current Continuation // being resumed
	defer func() {
		if !finished {
			r.interrupt(machineOf(current), recover(), &next)
		}
	}()
	q := r.queue()
	r.machines = r.ex.tracker()
	for {
		if q.n > 0 {
			c = r.pick(c)
		}
		if c == nil {
			if r.feed == nil {
				break
			}
			current = nil
			var more bool
			if c, more = r.feed(); !more {
				r.feed = nil
			}
			if c == nil || q.n > 0 {
				continue
			}
		}
		if _, ok := c.(*bound); ok {
			current = nil
			if c = r.unbind(c); c == nil {
				continue
			}
		}
		current = c
		if r.machines != nil {
			c = r.machines.resume(c, r.ex)
		} else {
			c = c.MoveNext(r.ex)
		}
	}
	return nil, true
}

// unbind returns what is bound if it is resumed here; else it passes it on, and
// returns nil. A list it takes apart, where it stands: others may have been queued since.
func (r *round) unbind(bound Continuation) Continuation {
	if l := listOf(bound); l != nil {
		r.queue().unshiftAll(l.list)
		return nil
	}
	c := freed(bound)
	if sc := c.SyncContext(); sc != nil && sc != r.ex.SyncContext() {
		sc.Post(c)
		return nil
	}
	return c
}

// interrupt is called deferred after m panicked with v, which was recovered, or
// exited; m is nil if the panic is not ours to keep, and rises again. What m releases
// is stored in next.
func (r *round) interrupt(m failing, v any, next *Continuation) {
	lost := true // until proven otherwise, this goroutine
	var rises *fault
	defer func() {
		if lost {
			r.unwind(*next, rises)
		}
	}()
	switch {
	case m != nil:
		p := NewPanic(v)
		interrupted(m, p, next)
		lost = p.exit
	case v != nil:
		rises = newPanic(v)
	}
}

// queue returns where continuations wait for their turn.
func (r *round) queue() *queue {
	if r.ex != nil {
		return &r.ex.queue
	}
	return &r.own
}

// pick chooses what is resumed next: whatever has waited longest.
func (r *round) pick(released Continuation) Continuation {
	q := r.queue()
	if released != nil {
		q.push(released)
	}
	return q.pop()
}

// unwind is called deferred while this goroutine ends, by runtime.Goexit or by a
// panic that is not ours to keep. The rest must run all the same: on fresh
// goroutines, one after the other, so that a chain of a million machines in
// which each raises the Goexit of the one before neither dives nor piles up. Then
// rises, if there is one, rises again.
func (r *round) unwind(next Continuation, rises *fault) {
	r.feed = nil
	q := r.queue()
	if next != nil {
		q.push(next)
	}
	var last *fault
	for q.n > 0 && r.relay == nil { // who waits for one that is relayed goes on with what is left
		rest := &round{ex: r.ex, own: r.own, relay: make(chan struct{})}
		go rest.runRelayed()
		<-rest.relay
		r.own = rest.own
		if rest.risen != nil {
			last = rest.risen
		}
	}
	if r.ex != nil && !r.nested && r.relay == nil {
		r.ex.running = false
	}
	switch {
	case last != nil:
		riseHere(last)
	case rises != nil && rises.cause != nil:
		rise(rises.cause)
	case rises != nil:
		panic(rises.value)
	}
}

// runRelayed keeps a panic that is not ours to keep: nobody could recover it on this
// goroutine.
func (r *round) runRelayed() {
	defer func() {
		if v := recover(); v != nil {
			r.risen = newPanic(v)
		}
		close(r.relay)
	}()
	r.run(nil)
}

// failing is a machine: it can be completed by what interrupted it.
type failing interface {
	IsCompleted() bool
	fail(*fault) Continuation
}

// machineOf returns the machine that c resumes; nil if it is something else, or a
// machine that is complete: what interrupts one that was resumed once too often
// is the completer's.
func machineOf(c Continuation) failing {
	if m, ok := bare(c).(failing); ok && !m.IsCompleted() {
		return m
	}
	return nil
}

// A queue is of continuations that wait for their turn.
type queue struct{ ring[Continuation] }

// unshiftAll puts list before all that is queued.
func (q *queue) unshiftAll(list []Continuation) {
	for _, c := range slices.Backward(list) {
		if c != nil {
			q.unshift(c)
		}
	}
}

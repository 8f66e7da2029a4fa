package async

import "runtime"

// A Continuation is what remains to be done once an awaitable completes. A
// generated machine's pointer is one; so is whatever embeds [Anywhere] and has
// a MoveNext.
type Continuation interface {
	// MoveNext goes on. ex is who runs it, nil if no executor is at hand. It
	// returns the continuation that it released by completing something, nil if
	// none; the caller runs that one next.
	MoveNext(ex *Executor) Continuation
	// SyncContext returns where the continuation must be resumed, nil if it may
	// be wherever the completion runs.
	SyncContext() SyncContext
}

// Anywhere is embedded by continuations that may be resumed by whoever
// completes what they wait for.
type Anywhere struct{}

// SyncContext returns nil.
func (Anywhere) SyncContext() SyncContext { return nil }

// ContinuationFunc returns a continuation that calls f, anywhere.
func ContinuationFunc(f func(ex *Executor)) Continuation { return &continuationFunc{f: f} }

type continuationFunc struct {
	Anywhere
	f func(*Executor)
}

func (c *continuationFunc) MoveNext(ex *Executor) Continuation {
	c.f(ex)
	return nil
}

// continuations is what a cell with several continuations releases: they run
// in the order in which they were stored.
type continuations struct {
	Anywhere
	list []Continuation
}

// MoveNext exists so that a list can be handed on as one continuation; the
// loop in [round.run] takes it apart and never calls it.
func (*continuations) MoveNext(*Executor) Continuation {
	panic("async: a list of continuations was resumed as one")
}

// An Executor is whoever runs continuations now: a simulated thread, the loop
// of a context. It belongs to one goroutine at a time.
type Executor struct {
	context SyncContext
	running bool
	queue   []Continuation // released while running
}

// NewExecutor returns the executor of sc's loop; sc is nil for a thread that is
// no context's own.
func NewExecutor(sc SyncContext) *Executor { return &Executor{context: sc} }

// SyncContext returns the context whose loop ex is, nil if none.
func (ex *Executor) SyncContext() SyncContext {
	if ex == nil {
		return nil
	}
	return ex.context
}

// Run resumes c and, one after the other, all that is released by it, without
// growing the stack. Called while ex is running already (by user code that
// completes a source in the middle of a continuation) it queues c and returns:
// the call below takes it up. A nil executor nests instead.
//
// A panic or runtime.Goexit in a machine completes that machine, and the loop
// goes on; a panic in a continuation that is no machine leaves Run.
func (ex *Executor) Run(c Continuation) {
	if c == nil {
		return
	}
	if ex == nil {
		r := round{}
		r.run(c)
		return
	}
	if ex.running {
		ex.queue = append(ex.queue, c)
		return
	}
	ex.running = true
	defer ex.stop()
	r := round{ex: ex}
	r.run(c)
}

func (ex *Executor) stop() { ex.running = false }

// next takes the oldest continuation that was queued while ex was running.
func (ex *Executor) next() Continuation {
	if ex == nil || len(ex.queue) == 0 {
		return nil
	}
	c := ex.queue[0]
	ex.queue[0] = nil
	ex.queue = ex.queue[1:]
	return c
}

// A round is one outermost call of Run.
type round struct {
	ex      *Executor
	current Continuation   // being resumed
	waiting []Continuation // the rest of released lists
}

func (r *round) run(c Continuation) {
	for c != nil {
		c = r.untilPanic(c)
	}
}

// untilPanic resumes c and what follows until nothing is left, and returns nil;
// or until a machine panics, and returns what that machine released.
func (r *round) untilPanic(c Continuation) (next Continuation) {
	finished := false
	defer func() {
		m, ok := r.current.(failing)
		if finished || !ok {
			return // nothing happened, or no machine: the panic goes on
		}
		if v := recover(); v != nil {
			next = m.fail(newPanic(v))
		} else {
			r.exited(m)
		}
	}()
	for c = r.pick(c); c != nil; c = r.pick(c) {
		if sc := c.SyncContext(); sc != nil && sc != r.ex.SyncContext() {
			sc.Post(c)
			c = nil
			continue
		}
		r.current = c
		c = c.MoveNext(r.ex)
	}
	finished = true
	return nil
}

// pick chooses what is resumed next: what was just released, else the rest of
// a list, else what was queued meanwhile.
func (r *round) pick(released Continuation) Continuation {
	if l, ok := released.(*continuations); ok {
		r.waiting = append(l.list, r.waiting...)
		released = nil
	}
	if released != nil {
		return released
	}
	if len(r.waiting) > 0 {
		c := r.waiting[0]
		r.waiting[0] = nil
		r.waiting = r.waiting[1:]
		return c
	}
	return r.ex.next()
}

// exited is called deferred after runtime.Goexit in m: this goroutine is lost.
// The rest runs right here if an executor owns it (its loop then goes on on a
// fresh goroutine), else on a fresh goroutine.
func (r *round) exited(m failing) {
	next := r.pick(m.fail(exited))
	if next == nil {
		return
	}
	rest := &round{ex: r.ex, waiting: r.waiting}
	if r.ex == nil {
		go rest.run(next)
		return
	}
	rest.run(next)
}

// failing is a machine: it can be completed by what interrupted it.
type failing interface {
	fail(*fault) Continuation
}

// yieldProcessor gives way to a goroutine that is in the middle of a few
// instructions on the same cell.
func yieldProcessor() { runtime.Gosched() }

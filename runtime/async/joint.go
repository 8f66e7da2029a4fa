package async

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A joint is a task that whatever comes first completes: its inputs, a timer, or
// its context. Every combinator is one. Its timer resumes it.
type joint[T any] struct {
	Anywhere
	source    Source[T]
	otherwise T                     // its value if a timer or the context completes it
	late      error                 // its error if a timer does
	readers   func() []Continuation // who waits for it, if not those who await its task

	mu    sync.Mutex
	ended bool
	all   bool         // it completes when all of its inputs have, and never before
	left  atomic.Int32 // inputs that have not ended, for who asks

	context, timer, arms Stopper // what it waits for; nil where that is over
}

// newJoint returns a joint bound to the host that ctx carries.
func newJoint[T any](ctx context.Context) *joint[T] {
	j := new(joint[T])
	j.source.bindTo(ctx)
	return j
}

// jointOf returns a joint that ctx may complete with the value otherwise, bound
// to the host that ctx carries, else to the first that an input has.
func jointOf[T any, O Operation](ctx context.Context, otherwise T, inputs []O) *joint[T] {
	j := newJoint[T](ctx)
	j.otherwise = otherwise
	for i := 0; i < len(inputs) && j.source.host() == nil; i++ {
		if h := inputs[i].host(); h != nil {
			j.source.Bind(h)
		}
	}
	j.watch(ctx)
	return j
}

// claim reports whether the caller is the one to complete the joint; if so, the
// joint waits for nothing more.
func (j *joint[T]) claim() bool {
	j.mu.Lock()
	first := !j.ended
	waits := [...]Stopper{j.context, j.timer, j.arms}
	j.ended, j.context, j.timer, j.arms = true, nil, nil, nil
	j.mu.Unlock()
	if first {
		for _, s := range waits {
			if s != nil {
				s.Stop()
			}
		}
	}
	return first
}

// claimBy is claim for the context or the timer, which must not be stopped any more.
func (j *joint[T]) claimBy(s *Stopper) bool {
	j.mu.Lock()
	*s = nil
	j.mu.Unlock()
	return j.claim()
}

// until has s stopped when the joint ends, at once if it has, and keeps it where it says.
func (j *joint[T]) until(where *Stopper, s Stopper) {
	j.mu.Lock()
	ended := j.ended
	if !ended {
		*where = s
	}
	j.mu.Unlock()
	if ended && s != nil {
		s.Stop()
	}
}

// settle completes a joint that the caller has claimed.
func (j *joint[T]) settle(v T, err error) Continuation {
	released, _ := j.source.cell.complete(v, err)
	return released
}

// watch lets ctx complete the joint.
func (j *joint[T]) watch(ctx context.Context) {
	if Endless(ctx) {
		return
	}
	end := &ending[T]{j, ctx}
	if w, ok := j.source.host().(ContextWatcher); ok {
		j.until(&j.context, w.Register(ctx, end))
		return
	}
	if r, ok := notifierOf(ctx).(Registrar); ok {
		j.until(&j.context, r.Register(end))
		return
	}
	j.until(&j.context, StopFunc(whenDone(ctx, j.source.host(), end.end)))
}

// ending is the end of a joint by its context.
type ending[T any] struct {
	joint *joint[T]
	ctx   context.Context
}

// ContextDone is called inside somebody's call of cancel.
func (e *ending[T]) ContextDone() { e.end(true) }

func (e *ending[T]) end(inCancel bool) {
	j := e.joint
	if !j.claimBy(&j.context) {
		return
	}
	released := j.settle(j.otherwise, causeOf(e.ctx))
	if inCancel {
		postAll(nil, j.source.host(), released)
	} else {
		(*Executor)(nil).release(released)
	}
}

// timeout completes the joint with err after d.
func (j *joint[T]) timeout(d time.Duration, err error) {
	if d == Infinite {
		return
	}
	j.late = err
	j.until(&j.timer, resumeAfter(j.source.host(), d, j))
}

// MoveNext is what the joint's timer resumes.
func (j *joint[T]) MoveNext(*Executor) Continuation {
	if !j.claimBy(&j.timer) {
		return nil
	}
	return j.settle(j.otherwise, j.late)
}

// resumeAfter resumes c after d, on the clock of h if it has one.
func resumeAfter(h Host, d time.Duration, c Continuation) Stopper {
	switch t := h.(type) {
	case ContinuationTimers:
		return t.ResumeAfter(d, c)
	case Timers:
		return StopFunc(t.AfterFunc(d, func() { h.Executor().Run(c) }))
	case nil:
		return time.AfterFunc(d, func() { (*Executor)(nil).Run(c) })
	}
	return time.AfterFunc(d, func() { h.Executor().Run(c) })
}

// An arm is the continuation that a joint stores with its input number i.
type arm struct {
	Anywhere
	i, place int32 // place: in its input's list of continuations, if that has one
	phase    atomic.Uint32
	arrived  func(i int) Continuation
	of       interface { // the joint
		awaitedBy() []Continuation
		needsAll() bool
	}
}

// The phases of an arm. Once it is off, its input's cell may be in use for something else,
// which who takes it back must not touch: arrived waits for that.
const (
	armStored uint32 = iota
	armTaken         // is being taken back
	armOff
)

func (a *arm) awaitedBy() []Continuation { return a.of.awaitedBy() }
func (a *arm) mustResume() bool          { return a.of.needsAll() }

func (j *joint[T]) needsAll() bool { return j.all }

func (a *arm) MoveNext(*Executor) Continuation {
	for !a.phase.CompareAndSwap(armStored, armOff) && a.phase.Load() == armTaken {
		yieldProcessor()
	}
	return a.arrived(int(a.i))
}

// attach stores an arm with each input, first to last, so that arrived is called
// once for each, at once if it is complete already; and sees to it that arms are
// taken off when the joint ends (C32).
func attach[T any, O Operation](j *joint[T], inputs []O, arrived func(i int) Continuation) {
	arms := make([]arm, len(inputs))
	for i, o := range inputs {
		a := &arms[i]
		a.i, a.arrived, a.of = int32(i), arrived, j
		if !o.OnCompleted(a) {
			a.MoveNext(nil) // releases nothing: nobody has the joint's task yet
		}
	}
	j.until(&j.arms, &attached[O]{arms, inputs})
}

// attached is the arms of a joint, and where they are.
type attached[O Operation] struct {
	arms   []arm
	inputs []O
}

// Stop takes off those that are not resumed yet.
func (t *attached[O]) Stop() bool {
	for i, o := range t.inputs {
		if a := &t.arms[i]; a.phase.CompareAndSwap(armStored, armTaken) {
			o.remove(a)
			a.phase.Store(armOff)
		}
	}
	return true
}

package async

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A joint is a task that whatever comes first completes: its inputs, a timer, or
// its context. Every combinator is one.
type joint[T any] struct {
	source    Source[T]
	otherwise T                     // its value if a timer or the context completes it
	readers   func() []Continuation // who waits for it, if not those who await its task

	mu    sync.Mutex
	ended bool
	all   bool     // it completes when all of its inputs have, and never before
	atEnd []func() // takes off what the joint waits for
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
	first, atEnd := !j.ended, j.atEnd
	j.ended, j.atEnd = true, nil
	j.mu.Unlock()
	if first {
		for _, f := range atEnd {
			f()
		}
	}
	return first
}

// end has f called when the joint ends, at once if it has.
func (j *joint[T]) end(f func()) {
	j.mu.Lock()
	ended := j.ended
	if !ended {
		j.atEnd = append(j.atEnd, f)
	}
	j.mu.Unlock()
	if ended {
		f()
	}
}

// settle completes a joint that the caller has claimed.
func (j *joint[T]) settle(v T, err error) Continuation {
	released, _ := j.source.cell.complete(v, err)
	return released
}

// watch lets ctx complete the joint.
func (j *joint[T]) watch(ctx context.Context) {
	stop := whenDone(ctx, j.source.host(), func(inCancel bool) {
		if !j.claim() {
			return
		}
		released := j.settle(j.otherwise, causeOf(ctx))
		if inCancel {
			postAll(nil, j.source.host(), released)
		} else {
			(*Executor)(nil).release(released)
		}
	})
	if stop != nil {
		j.end(func() { stop() })
	}
}

// timeout completes the joint with err after d.
func (j *joint[T]) timeout(d time.Duration, err error) {
	if d == Infinite {
		return
	}
	stop := afterDuration(j.source.host(), d, func() {
		if j.claim() {
			released := j.settle(j.otherwise, err)
			j.source.executor().release(released)
		}
	})
	j.end(func() { stop() })
}

func afterDuration(h Host, d time.Duration, f func()) (stop func() bool) {
	if t, ok := h.(Timers); ok {
		return t.AfterFunc(d, f)
	}
	return time.AfterFunc(d, f).Stop
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
	j.end(func() {
		for i, o := range inputs {
			if a := &arms[i]; a.phase.CompareAndSwap(armStored, armTaken) {
				o.remove(a)
				a.phase.Store(armOff)
			}
		}
	})
}

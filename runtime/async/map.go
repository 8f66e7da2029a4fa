package async

import (
	"context"
	"slices"
)

// Map calls f for each of items, with at most limit of the operations in flight,
// and returns a task with their values in the order of items. The next one is
// started only when one has ended (back-pressure), by whoever ended it, on the
// SyncContext that ctx carries if it does; so with a serial context f is never
// called twice at once. A limit below 1 panics.
//
// After the first failure, and when ctx is done, no more are started, and the
// context that f was given is cancelled. Map waits for those in flight: when its
// task completes, nothing of it is. The error is as in [WhenAll], ctx's counting
// last; the values of those that succeeded are there all the same.
func Map[A, B any](ctx context.Context, limit int, items []A, f func(context.Context, A) Task[B]) Task[[]B] {
	if limit < 1 {
		panic("async: the limit of Map must be at least 1")
	}
	m := &mapping[A, B]{
		f: f, items: slices.Clone(items), limit: limit,
		values: make([]B, len(items)), errs: make([]error, len(items), len(items)+1),
	}
	m.init(ctx)
	m.start() // releases nothing: nobody has the task yet
	return m.result.Task()
}

// mapping is a Map in progress.
type mapping[A, B any] struct {
	scope[[]B]
	f      func(context.Context, A) Task[B]
	items  []A
	limit  int
	next   int // the item to start next; mu is its
	values []B // element i is written by the end of i alone
	errs   []error
}

// start starts items while it may, and completes the mapping if none is left.
func (m *mapping[A, B]) start() Continuation {
	for {
		i, ok := m.admit()
		if !ok {
			return m.finish()
		}
		item := &mapItem[A, B]{m: m, i: i, sync: SyncContextOf(m.ctx), exits: true}
		if !item.begin() {
			item.end()
		}
	}
}

// admit returns the item to start now.
func (m *mapping[A, B]) admit() (i int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed || m.inFlight == m.limit || m.next == len(m.items) || m.outer.Err() != nil {
		return 0, false
	}
	i = m.next
	m.next++
	m.inFlight++
	return i, true
}

// finish completes the mapping once nothing is in flight.
func (m *mapping[A, B]) finish() Continuation {
	m.mu.Lock()
	stopped := m.failed || m.outer.Err() != nil
	last := !m.ended && m.inFlight == 0 && (stopped || m.next == len(m.items))
	m.ended = m.ended || last
	m.mu.Unlock()
	if !last {
		return nil
	}
	if m.next < len(m.items) && m.outer.Err() != nil {
		m.errs = append(m.errs, causeOf(m.outer))
	}
	return m.end(m.values, joinFailures(m.errs))
}

// mapItem is one operation of a mapping, and what happens at its end.
type mapItem[A, B any] struct {
	Anywhere
	m     *mapping[A, B]
	i     int
	sync  SyncContext
	task  Task[B]
	exits bool // until its task is known
}

func (t *mapItem[A, B]) SyncContext() SyncContext { return t.sync }

func (t *mapItem[A, B]) MoveNext(*Executor) Continuation {
	t.end()
	return t.m.start()
}

func (t *mapItem[A, B]) awaitedBy() []Continuation { return t.m.awaitedBy() }
func (t *mapItem[A, B]) mustResume() bool          { return true } // Map waits for all that it has started

// begin calls f and reports whether its task is pending. A panic, also one about a task
// that nobody may await any more, is the item's, and so is a Goexit, which takes along
// the goroutine that would have started the next.
func (t *mapItem[A, B]) begin() (waits bool) {
	defer func() {
		var zero B
		if !t.exits {
			return
		}
		lost := exiting()
		if v := recover(); v != nil {
			t.task = Completed(zero, error(newPanic(v)))
		} else {
			t.task = Completed(zero, error(exited))
		}
		if !lost {
			return
		}
		t.end()
		postAll(nil, t.m.result.host(), t.m.start())
	}()
	t.task = t.m.f(t.m.ctx, t.m.items[t.i])
	t.m.belong(t.task)
	waits = t.task.OnCompleted(t)
	t.exits = false
	return waits
}

// end keeps the item's result and makes room for another.
func (t *mapItem[A, B]) end() {
	m := t.m
	v, err := take(t.task)
	m.values[t.i], m.errs[t.i] = v, err
	m.leave(err, m.start)
}

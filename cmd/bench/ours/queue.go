// Package ours holds what is measured of nothread: functions as an author writes
// them, the code generated from them, and what they wait for.
package ours

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
)

// A Queue completes operations in the order in which they were started, each
// with 1. It is an event loop: one goroutine works on it, so what is bound to it
// needs no interlocked instruction.
type Queue struct {
	ring       []*async.Source[int] // a power of two
	head, tail uint
	ex         *async.Executor
	work       func() (async.Continuation, bool) // completes the oldest, and returns what that releases
	pending    async.Source[int]                 // bound, and never used: what operations begin as
}

// NewQueue makes a queue for as many operations in flight as size says, a power
// of two.
func NewQueue(size int) *Queue {
	q := &Queue{ring: make([]*async.Source[int], size), ex: async.NewExecutor(nil)}
	q.work = func() (released async.Continuation, more bool) {
		if q.head == q.tail {
			return nil, false
		}
		s := q.ring[q.head&uint(len(q.ring)-1)]
		q.head++
		released, _ = s.Release(1, nil)
		return released, true
	}
	q.pending.Bind(q)
	return q
}

// Executor implements [async.Host].
func (q *Queue) Executor() *async.Executor { return q.ex }

// Block implements [async.Host].
func (q *Queue) Block(p async.Pending) {
	for !p.IsCompleted() && q.Complete() {
	}
}

// Complete completes the oldest operation; false if there is none.
func (q *Queue) Complete() bool {
	if q.head == q.tail {
		return false
	}
	s := q.ring[q.head&uint(len(q.ring)-1)]
	q.head++
	return s.Complete(q.ex, 1, nil)
}

// Run completes operations until there are none.
func (q *Queue) Run() { q.ex.RunAll(q.work) }

// Forget drops what is in flight.
func (q *Queue) Forget() { q.head = q.tail }

// An Operation is one that its owner starts again and again, one at a time.
type Operation struct {
	source async.Source[int]
	queue  *Queue
}

// NewOperation makes an operation that belongs to the event loop.
func (q *Queue) NewOperation() *Operation { return &Operation{source: q.pending, queue: q} }

// NewSharedOperation makes one that any goroutine may complete.
func (q *Queue) NewSharedOperation() *Operation { return &Operation{queue: q} }

// StartAsync starts the operation.
func (o *Operation) StartAsync() async.Task[int] {
	o.source.Reset()
	q := o.queue
	q.ring[q.tail&uint(len(q.ring)-1)] = &o.source
	q.tail++
	return o.source.Task()
}

// A Pool is a queue whose operations come from a pool and go back to it.
type Pool struct {
	ring       []async.PooledSource[int]
	head, tail uint
	ctx        context.Context
	ex         *async.Executor
	sources    async.SourcePool[int]
}

// NewPool makes a pool for the event loop q.
func NewPool(q *Queue) *Pool {
	return &Pool{ring: make([]async.PooledSource[int], len(q.ring)), ctx: async.WithHost(context.Background(), q), ex: q.ex}
}

// StartAsync starts an operation.
func (p *Pool) StartAsync() async.Task[int] {
	s := p.sources.New(p.ctx)
	p.ring[p.tail&uint(len(p.ring)-1)] = s
	p.tail++
	return s.Task()
}

// Run completes operations until there are none.
func (p *Pool) Run() { p.ex.RunAll(p.next) }

func (p *Pool) next() (released async.Continuation, more bool) {
	if p.head == p.tail {
		return nil, false
	}
	s := p.ring[p.head&uint(len(p.ring)-1)]
	p.head++
	released, _ = s.Release(1, nil)
	return released, true
}

// Package hand has the same jobs as package ours, as state machines written by
// hand: a struct with a Resume method that a completion calls.
package hand

import (
	"sync"
	"sync/atomic"
)

// A Resumer is what an operation resumes, with its result.
type Resumer interface {
	Resume(v int, err error)
}

// A Queue completes operations in the order in which they were started, each
// with 1. One goroutine works on it.
type Queue struct {
	ring       []*Operation // a power of two
	head, tail uint
}

// NewQueue makes a queue for as many operations in flight as size says.
func NewQueue(size int) *Queue { return &Queue{ring: make([]*Operation, size)} }

// Run completes operations until there are none.
func (q *Queue) Run() {
	for q.head != q.tail {
		o := q.ring[q.head&uint(len(q.ring)-1)]
		q.head++
		r := o.next
		o.next = nil
		r.Resume(1, nil)
	}
}

// Forget drops what is in flight.
func (q *Queue) Forget() { q.head = q.tail }

// An Operation is one that its owner starts again and again, one at a time.
type Operation struct {
	queue *Queue
	next  Resumer
}

// NewOperation makes an operation.
func (q *Queue) NewOperation() *Operation { return &Operation{queue: q} }

// Start starts the operation; r is resumed when it completes.
func (o *Operation) Start(r Resumer) {
	o.next = r
	q := o.queue
	q.ring[q.tail&uint(len(q.ring)-1)] = o
	q.tail++
}

// A Sum adds up what n operations give.
type Sum struct {
	op   *Operation
	n, i int
	sum  int
	Done func(sum int, err error)
}

// StartSum begins a Sum.
func StartSum(n int, op *Operation, done func(int, error)) {
	op.Start(&Sum{op: op, n: n, Done: done})
}

// Resume implements [Resumer].
func (s *Sum) Resume(v int, err error) {
	if err != nil {
		s.Done(s.sum, err)
		return
	}
	s.sum += v
	if s.i++; s.i < s.n {
		s.op.Start(s)
		return
	}
	s.Done(s.sum, nil)
}

// A Watch is the smallest loop that waits for ever: it counts. Its operation is
// part of it.
type Watch struct {
	op Operation
	n  int
}

// StartWatch begins a Watch.
func StartWatch(q *Queue) *Watch {
	w := &Watch{op: Operation{queue: q}}
	w.op.Start(w)
	return w
}

// Resume implements [Resumer].
func (w *Watch) Resume(v int, err error) {
	if w.n += v; err == nil && w.n >= 0 {
		w.op.Start(w)
	}
}

// A Pair waits twice and resumes its parent.
type Pair struct {
	op     *Operation
	parent Resumer
	state  int
	first  int
	list   *FreeList // where it comes from; nil for pairs
}

var pairs = sync.Pool{New: func() any { return new(Pair) }}

// StartPair begins a Pair from a pool that any goroutine may use.
func StartPair(op *Operation, parent Resumer) {
	p := pairs.Get().(*Pair)
	p.op, p.parent = op, parent
	op.Start(p)
}

// A FreeList is the pool of one goroutine.
type FreeList []*Pair

// StartPair begins a Pair from the list.
func (l *FreeList) StartPair(op *Operation, parent Resumer) {
	var p *Pair
	if n := len(*l); n > 0 {
		p = (*l)[n-1]
		*l = (*l)[:n-1]
	} else {
		p = new(Pair)
	}
	p.op, p.parent, p.list = op, parent, l
	op.Start(p)
}

// Resume implements [Resumer].
func (p *Pair) Resume(v int, err error) {
	switch {
	case err != nil:
	case p.state == 0:
		p.first, p.state = v, 1
		p.op.Start(p)
		return
	default:
		v += p.first
	}
	parent, list := p.parent, p.list
	*p = Pair{}
	if list != nil {
		*list = append(*list, p)
	} else {
		pairs.Put(p)
	}
	parent.Resume(v, err)
}

// Pairs starts n pairs, one after the other, by way of start.
type Pairs struct {
	n, i, sum int
	op        *Operation
	start     func(*Operation, Resumer)
	done      func(int, error)
}

// StartPairs begins a Pairs.
func StartPairs(n int, op *Operation, start func(*Operation, Resumer), done func(int, error)) {
	start(op, &Pairs{n: n, op: op, start: start, done: done})
}

// Resume implements [Resumer].
func (p *Pairs) Resume(v int, err error) {
	if err != nil {
		p.done(p.sum, err)
		return
	}
	p.sum += v
	if p.i++; p.i < p.n {
		p.start(p.op, p)
		return
	}
	p.done(p.sum, nil)
}

// A Once waits for one operation.
type Once struct {
	v    int
	err  error
	done bool
}

// StartOnce begins a Once on the heap.
func StartOnce(op *Operation) *Once {
	o := new(Once)
	op.Start(o)
	return o
}

// Resume implements [Resumer].
func (o *Once) Resume(v int, err error) { o.v, o.err, o.done = v+1, err, true }

// Result is what it came to.
func (o *Once) Result() (int, error) { return o.v, o.err }

// A SharedOperation is one that any goroutine may complete: who completes it and
// who waits for it meet at one word.
type SharedOperation struct {
	state  atomic.Uint32 // 0 pending, 1 somebody waits, 2 done
	queue  *SharedQueue
	next   Resumer
	result int
	err    error
}

// A SharedQueue is the queue of such operations.
type SharedQueue struct {
	ring       []*SharedOperation
	head, tail uint
}

// NewSharedQueue makes a queue for as many operations in flight as size says.
func NewSharedQueue(size int) *SharedQueue {
	return &SharedQueue{ring: make([]*SharedOperation, size)}
}

// NewOperation makes an operation.
func (q *SharedQueue) NewOperation() *SharedOperation { return &SharedOperation{queue: q} }

// Run completes operations until there are none.
func (q *SharedQueue) Run() {
	for q.head != q.tail {
		o := q.ring[q.head&uint(len(q.ring)-1)]
		q.head++
		o.complete(1, nil)
	}
}

func (o *SharedOperation) complete(v int, err error) {
	o.result, o.err = v, err
	if o.state.Swap(2) == 1 {
		r := o.next
		o.next = nil
		r.Resume(v, err)
	}
}

// Start starts the operation. Wait comes after it.
func (o *SharedOperation) Start() {
	o.state.Store(0)
	q := o.queue
	q.ring[q.tail&uint(len(q.ring)-1)] = o
	q.tail++
}

// Wait has r resumed when the operation completes; false if it has.
func (o *SharedOperation) Wait(r Resumer) bool {
	o.next = r
	return o.state.CompareAndSwap(0, 1)
}

// A SharedSum is Sum over operations that any goroutine may complete.
type SharedSum struct {
	op   *SharedOperation
	n, i int
	sum  int
	done func(sum int, err error)
}

// StartSharedSum begins a SharedSum.
func StartSharedSum(n int, op *SharedOperation, done func(int, error)) {
	s := &SharedSum{op: op, n: n, done: done}
	op.Start()
	if !op.Wait(s) {
		s.Resume(op.result, op.err)
	}
}

// Resume implements [Resumer].
func (s *SharedSum) Resume(v int, err error) {
	for {
		if err != nil {
			s.done(s.sum, err)
			return
		}
		s.sum += v
		if s.i++; s.i >= s.n {
			s.done(s.sum, nil)
			return
		}
		s.op.Start()
		if s.op.Wait(s) {
			return
		}
		v, err = s.op.result, s.op.err
	}
}

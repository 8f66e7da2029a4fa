package hand

import "sync"

// A PooledQueue completes operations that come from a pool and go back to it.
type PooledQueue struct {
	ring       []*PooledOperation // a power of two
	head, tail uint
}

// A PooledOperation is one of them.
type PooledOperation struct{ next Resumer }

var operations = sync.Pool{New: func() any { return new(PooledOperation) }}

// NewPooledQueue makes a queue for as many operations in flight as size says.
func NewPooledQueue(size int) *PooledQueue { return &PooledQueue{ring: make([]*PooledOperation, size)} }

// Start starts an operation; r is resumed when it completes.
func (q *PooledQueue) Start(r Resumer) {
	o := operations.Get().(*PooledOperation)
	o.next = r
	q.ring[q.tail&uint(len(q.ring)-1)] = o
	q.tail++
}

// Run completes operations until there are none.
func (q *PooledQueue) Run() {
	for q.head != q.tail {
		o := q.ring[q.head&uint(len(q.ring)-1)]
		q.head++
		r := o.next
		o.next = nil
		operations.Put(o)
		r.Resume(1, nil)
	}
}

// A PooledSum adds up what n operations from a pool give.
type PooledSum struct {
	queue     *PooledQueue
	n, i, sum int
	done      func(sum int, err error)
}

// StartPooledSum begins a PooledSum.
func StartPooledSum(n int, q *PooledQueue, done func(int, error)) {
	q.Start(&PooledSum{queue: q, n: n, done: done})
}

// Resume implements [Resumer].
func (s *PooledSum) Resume(v int, err error) {
	if err != nil {
		s.done(s.sum, err)
		return
	}
	s.sum += v
	if s.i++; s.i < s.n {
		s.queue.Start(s)
		return
	}
	s.done(s.sum, nil)
}

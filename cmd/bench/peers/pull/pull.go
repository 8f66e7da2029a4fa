// Package pull has the same jobs as package ours on iter.Pull: a coroutine that
// yields where it waits, and is asked for the next value to go on.
package pull

import "iter"

// A Loop is a loop that waits n times; it says what it has added up so far.
type Loop struct {
	next func() (int, bool)
	stop func()
	in   int // what the operation gives, set before the loop is resumed
	sum  int
}

// Start begins a loop; it waits.
func Start(n int) *Loop {
	l := new(Loop)
	l.next, l.stop = iter.Pull(func(yield func(int) bool) {
		for range n {
			if !yield(l.sum) {
				return
			}
			l.sum += l.in
		}
	})
	l.next()
	return l
}

// A Queue completes what waits, in order, each with 1.
type Queue struct {
	ring       []*Loop // a power of two
	head, tail uint
}

// NewQueue makes a queue for as many loops as size says.
func NewQueue(size int) *Queue { return &Queue{ring: make([]*Loop, size)} }

// Push queues a loop that waits.
func (q *Queue) Push(l *Loop) {
	q.ring[q.tail&uint(len(q.ring)-1)] = l
	q.tail++
}

// Run resumes loops until none waits.
func (q *Queue) Run() {
	for q.head != q.tail {
		l := q.ring[q.head&uint(len(q.ring)-1)]
		q.head++
		l.in = 1
		if _, waits := l.next(); waits {
			q.Push(l)
		}
	}
}

// Sum is what the loop has added up.
func (l *Loop) Sum() int { return l.sum }

// Stop ends the loop.
func (l *Loop) Stop() { l.stop() }

// SumOfValues adds up n ones, which a coroutine yields.
func SumOfValues(n int) (sum int) {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for range n {
			if !yield(1) {
				return
			}
		}
	})
	defer stop()
	for v, ok := next(); ok; v, ok = next() {
		sum += v
	}
	return sum
}

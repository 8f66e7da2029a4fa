package pool

// refuseNil is asked wherever something is posted to a context: nothing would crash it later, when nobody knows any more
// who it was.
func refuseNil(isNil bool, context string) {
	if isNil {
		panic("pool: nil was posted to " + context + ": neither a function nor a continuation")
	}
}

// queue is a ring, first in first out. Once grown it allocates nothing.
type queue[T any] struct {
	ring    []T
	head, n int
}

func (q *queue[T]) push(v T) {
	if q.n == len(q.ring) {
		grown := make([]T, max(16, 2*q.n))
		k := copy(grown, q.ring[q.head:])
		copy(grown[k:], q.ring[:q.head])
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = v
	q.n++
}

// pop takes the oldest; ok is false if there is none.
func (q *queue[T]) pop() (v T, ok bool) {
	if q.n == 0 {
		return v, false
	}
	var none T
	v, q.ring[q.head] = q.ring[q.head], none
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return v, true
}

// all ranges over what is queued, oldest first.
func (q *queue[T]) all(yield func(T) bool) {
	for i := range q.n {
		if !yield(q.ring[(q.head+i)%len(q.ring)]) {
			return
		}
	}
}

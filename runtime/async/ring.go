package async

// A ring is a queue, first in first out. Once grown it allocates nothing.
type ring[T any] struct {
	slots   []T // as many as a power of two, or none
	head, n int
}

func (r *ring[T]) push(v T) {
	if r.n == len(r.slots) {
		r.grow()
	}
	*r.at(r.n) = v
	r.n++
}

// unshift puts v before all others.
func (r *ring[T]) unshift(v T) {
	if r.n == len(r.slots) {
		r.grow()
	}
	r.head = (r.head - 1) & (len(r.slots) - 1)
	r.slots[r.head] = v
	r.n++
}

func (r *ring[T]) grow() {
	grown := make([]T, max(8, 2*len(r.slots)))
	k := copy(grown, r.slots[r.head:])
	copy(grown[k:], r.slots[:r.head])
	r.slots, r.head = grown, 0
}

// pop takes the oldest, of at least one.
func (r *ring[T]) pop() T {
	v := r.take(0)
	r.head = (r.head + 1) & (len(r.slots) - 1)
	return v
}

// popLast takes the newest, of at least one.
func (r *ring[T]) popLast() T { return r.take(r.n - 1) }

// take takes out the i-th, counted from the oldest.
func (r *ring[T]) take(i int) (v T) {
	var zero T
	slot := r.at(i)
	v, *slot = *slot, zero
	r.n--
	return v
}

func (r *ring[T]) at(i int) *T { return &r.slots[(r.head+i)&(len(r.slots)-1)] }

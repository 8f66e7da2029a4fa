package async

// A Reusable is the task's side of an operation whose producer uses it again
// once its result was read: embed it in the operation. It is a source that costs
// no allocation if the operations are kept. Awaiting its task, or reading the
// result, is what gives the operation back, so that is done once (C13). Combinators
// only look; and an operation that several await, or that fails, is not used again:
// its task is one like others, and its error is reported if nobody reads it (C44).
//
// The producer starts it, completes it exactly once, and keeps it, for the next
// Start, no sooner than it is recycled. It follows the rule of its host.
type Reusable[T any] struct{ cell cell[T] }

// Start begins a new use, for the host that like is bound to, and returns its
// task. It panics if like is bound to none.
func (r *Reusable[T]) Start(like *Source[T]) Task[T] {
	c := &r.cell
	if like.cell.head.status&solo == 0 {
		panic("async: an operation that is used again belongs to a host: Bind the source that Start is given")
	}
	c.head.status = c.head.status&versions | like.cell.head.status&(hosted|solo|tracked) | reusable
	c.head.env = like.cell.head.env
	return taskOf(c, c.head.token())
}

// Succeed completes the task with v on behalf of ex; operation is what r is
// embedded in. It may be in use again when Succeed returns.
func (r *Reusable[T]) Succeed(ex *Executor, v T, operation Recyclable) {
	c := &r.cell
	s := c.head.status
	r.must(s&phases != done)
	released := c.completeSolo(s, v)
	if s&reusable != 0 { // else several await the task: the operation is not used again
		*c.head.operation() = operation
	}
	ex.release(released)
}

// Fail completes the task with v and err on behalf of ex, and ends the use of r.
func (r *Reusable[T]) Fail(ex *Executor, v T, err error) {
	r.cell.head.status &^= reusable
	released, ok := r.cell.complete(v, err)
	r.must(ok)
	ex.release(released)
}

func (r *Reusable[T]) must(first bool) {
	if !first {
		panic("async: C15: an operation was completed twice")
	}
}

// Retire ends a use whose result was read, or that never had a task: tasks of it
// are stale from now on. Recycle calls it.
func (r *Reusable[T]) Retire() {
	var zero T
	r.cell.head.status = nextUse(r.cell.head.status) & versions
	r.cell.head.next, r.cell.value = nil, zero
}

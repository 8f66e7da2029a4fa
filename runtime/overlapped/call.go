package overlapped

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// call is one request in flight: its task and the kernel's OVERLAPPED in one object.
type call[T any] struct {
	async.Reusable[T]
	overlapped kernel.Overlapped
	endpoint   *endpoint
	calls      *calls[T] // that it is one of; nil: it is used once
	next       *call[T]  // of those
	ctx        context.Context
	name       string // of the method, for the trace
	buf        []byte // the driver's until the call is complete (A21)
	prefix     int    // bytes of buf that are not the caller's

	registration async.Stopper // with ctx; nil: there is none, or it has ended

	// finish turns the outcome into the task's result, once: before the method returns, or on an I/O thread.
	finish func(op *call[T], status kernel.Status, n int) (T, error)
	owner  any // finish's own, from one use of the call to the next
}

// calls are a handle's calls of one kind. It keeps those that have ended for those that will begin, so that none costs an
// allocation. That is why the task of one that succeeds may be awaited once (C13), after the combinators that it was given
// to.
type calls[T any] struct {
	endpoint *endpoint
	pending  async.Source[T] // bound to the World, and never used: what each call begins as
	free     *call[T]        // the first of those that have ended
}

// bind says whose calls they are.
func (l *calls[T]) bind(e *endpoint) {
	l.endpoint = e
	l.pending.Bind(e.world)
}

// take returns a call for a new use. Its finish is called with it, and finds owner as the last use has left it.
func (l *calls[T]) take(ctx context.Context, name string, finish func(*call[T], kernel.Status, int) (T, error)) *call[T] {
	op := l.free
	if op == nil {
		op = &call[T]{endpoint: l.endpoint, calls: l}
	} else {
		l.free, op.next = op.next, nil
	}
	op.ctx, op.name, op.finish = ctx, name, finish
	return op
}

// start starts a call that take has returned.
func (l *calls[T]) start(op *call[T], major kernel.MajorFunction, offset int64) async.Task[T] {
	return op.start(&l.pending, major, offset)
}

// startOnce starts a call that is used once, and is no handle's.
func (op *call[T]) startOnce(major kernel.MajorFunction, offset int64) async.Task[T] {
	var pending async.Source[T]
	pending.Bind(op.endpoint.world)
	return op.start(&pending, major, offset)
}

// start starts a call that check has passed, as pending, which is bound to the World. A request that succeeds at once, or
// fails, is over then; of any other there will be a packet, of a warning too (A12).
func (op *call[T]) start(pending *async.Source[T], major kernel.MajorFunction, offset int64) async.Task[T] {
	e := op.endpoint
	c := e.world.Kernel().CPU()
	c.Trace(kernel.HopLibraryCall, nil, op.name, int64(len(op.buf)-op.prefix), offset)
	op.overlapped.Context = op
	op.overlapped.Information = 0 // of its last use; a request that cannot be made sets none
	task := op.Start(pending)
	status := c.Request(e.handle, major, op.buf, offset, &op.overlapped)
	if status != kernel.StatusPending && (status.IsSuccess() || status.IsError()) {
		v, err := op.finish(op, status, op.overlapped.Information)
		op.Recycle()
		return async.Completed(v, err)
	}
	if !async.Endless(op.ctx) && op.overlapped.InFlight() {
		op.registration = e.world.Register(op.ctx, op)
	}
	e.world.Kernel().CPU().TraceID(kernel.HopTaskIncomplete, op.overlapped.IRPID(), op.name, 0, 0)
	return task
}

// ContextDone cancels the call. It implements async.Callback.
func (op *call[T]) ContextDone() {
	op.registration = nil
	op.cancel()
}

// cancel asks for the call to end early.
func (op *call[T]) cancel() { op.endpoint.world.Kernel().CPU().Cancel(&op.overlapped) }

// Complete ends the call: an I/O thread was borrowed for its packet. It implements pool.Completion.
func (op *call[T]) Complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet) {
	if op.registration != nil {
		op.registration.Stop()
		op.registration = nil
	}
	v, err := op.finish(op, packet.Status, packet.Information)
	t.CPU().TraceID(kernel.HopTaskComplete, packet.IRP, op.name, int64(max(packet.Information-op.prefix, 0)), 0)
	if err == nil && op.calls != nil {
		op.Succeed(ex, v, op)
	} else {
		op.Fail(ex, v, err)
	}
}

// Recycle keeps the call for its next use: its result was read. It implements async.Recyclable.
func (op *call[T]) Recycle() {
	op.Retire()
	op.ctx, op.buf = nil, nil
	if l := op.calls; l != nil {
		op.next, l.free = l.free, op
	}
}

// written is the finish of writes. A short count says that the write was cancelled, or failed, in the middle: then there is an
// error beside it.
func written(op *call[int], status kernel.Status, n int) (int, error) {
	if status.IsSuccess() && n < len(op.buf) {
		status = kernel.StatusCancelled
	}
	return n, op.failure("write", status)
}

// failure is the error of a call that ended with a status, nil if that is a success.
func (op *call[T]) failure(verb string, status kernel.Status) error {
	if status.IsSuccess() {
		return nil
	}
	return op.endpoint.wrap(verb, op.endpoint.errorOf(op.ctx, status))
}

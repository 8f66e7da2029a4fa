package overlapped

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is what all handles of this package but File have in common: an open device, and a call in flight on it.

// endpoint is an open device of a World, bound to the I/O threads' port.
type endpoint struct {
	world  World
	name   string // for messages
	handle kernel.Handle
	closed bool
}

// open opens a device for overlapped I/O. Of its calls those that succeed at once end without a packet (A39).
func (e *endpoint) open(w World, device string) error {
	k := w.Kernel()
	h, status := k.CPU().Open(device, kernel.OpenOptions{})
	if status.IsSuccess() {
		if status = k.BindPort(h, w.IOPort(), nil); !status.IsSuccess() {
			k.CPU().CloseHandle(h)
		}
	}
	if !status.IsSuccess() {
		return &fs.PathError{Op: "open", Path: device, Err: openError(k, status)}
	}
	k.SkipCompletionPortOnSuccess(h)
	*e = endpoint{world: w, name: device, handle: h}
	return nil
}

// close closes the handle: calls that wait complete with os.ErrClosed.
func (e *endpoint) close() error {
	if e.closed {
		return e.wrap("close", os.ErrClosed)
	}
	e.closed = true
	e.world.Kernel().CPU().CloseHandle(e.handle)
	return nil
}

// control sends a request that the driver answers at once; buf is read, or written to, before it returns.
func (e *endpoint) control(code int64, buf []byte) (int, kernel.Status) {
	var ov kernel.Overlapped
	status := e.world.Kernel().CPU().Request(e.handle, kernel.MajorDeviceControl, buf, code, &ov)
	return ov.Information, status
}

// check finds what is wrong with a call before anything is started.
func (e *endpoint) check(ctx context.Context) error {
	switch {
	case ctx == nil:
		return errNilContext
	case e.closed:
		return os.ErrClosed
	}
	if h := async.HostOf(ctx); h != nil && h != async.Host(e.world) {
		return ErrOtherWorld
	}
	return ctx.Err()
}

func (e *endpoint) wrap(op string, err error) error {
	return &fs.PathError{Op: op, Path: e.name, Err: err}
}

// errorOf says in an error how a call ended that began with ctx.
func (e *endpoint) errorOf(ctx context.Context, status kernel.Status) error {
	if status == kernel.StatusCancelled {
		switch err := ctx.Err(); {
		case err != nil:
			return err
		case e.closed:
			return os.ErrClosed
		}
	}
	err := socketError(status)
	if err == ErrDevice {
		if cause := e.world.DeviceError(e.name); cause != nil {
			return errors.Join(err, cause)
		}
	}
	return err
}

// call is one request in flight: the task's source and the kernel's OVERLAPPED in one object.
type call[T any] struct {
	source     async.Source[T]
	overlapped kernel.Overlapped
	endpoint   *endpoint
	ctx        context.Context
	stop       func() bool // ends the watch on ctx; nil: there is none
	name       string      // of the method, for the trace
	buf        []byte      // the driver's until the call is complete (A21)

	// finish turns the outcome into the task's result, once: before the method returns, or on an I/O thread.
	finish func(op *call[T], status kernel.Status, n int) (T, error)
	owner  any // finish's own

	atOnce bool // it was complete when start returned: nobody knows it any more
}

// start starts a call that check has passed. Its source must be bound to the World.
func (op *call[T]) start(major kernel.MajorFunction, offset int64) async.Task[T] {
	e := op.endpoint
	c := e.world.Kernel().CPU()
	c.Trace(kernel.HopLibraryCall, nil, op.name, int64(len(op.buf)), offset)
	op.overlapped.Context = op
	status := c.Request(e.handle, major, op.buf, offset, &op.overlapped)
	if status != kernel.StatusPending {
		op.atOnce = true
		return async.Completed(op.finish(op, status, op.overlapped.Information))
	}
	if op.ctx.Done() != nil && op.overlapped.InFlight() {
		op.stop = e.world.OnDone(op.ctx, op.cancel)
	}
	e.world.Kernel().CPU().TraceID(kernel.HopTaskIncomplete, op.overlapped.IRPID(), op.name, 0, 0)
	return op.source.Task()
}

// cancel asks for the call to end early. It runs when its context is done.
func (op *call[T]) cancel() { op.endpoint.world.Kernel().CPU().Cancel(&op.overlapped) }

// Complete ends the call: an I/O thread was borrowed for its packet. It implements pool.Completion.
func (op *call[T]) Complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet) {
	if op.stop != nil {
		op.stop()
		op.stop = nil
	}
	v, err := op.finish(op, packet.Status, packet.Information)
	t.CPU().TraceID(kernel.HopTaskComplete, packet.IRP, op.name, int64(packet.Information), 0)
	op.source.Complete(ex, v, err)
}

// transferred is the finish of calls that move bytes. A short count says that the call was cancelled, or failed, in the
// middle: then there is an error beside it.
func transferred(op *call[int], status kernel.Status, n int) (int, error) {
	verb := op.owner.(string)
	switch {
	case !status.IsSuccess():
		return n, op.endpoint.wrap(verb, op.endpoint.errorOf(op.ctx, status))
	case verb == "write" && n < len(op.buf):
		return n, op.endpoint.wrap(verb, op.endpoint.errorOf(op.ctx, kernel.StatusCancelled))
	}
	return n, nil
}

package overlapped

import (
	"context"
	"fmt"
	"io/fs"
	"os"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// endpoint is what all handles of this package have in common: an open device of a World, bound to the I/O threads' port.
type endpoint struct {
	world  World
	name   string // for messages
	handle kernel.Handle
	closed bool
}

// open opens a device for overlapped I/O; want is what it must be, 0 for anything. Of its calls those that succeed at once
// end without a packet (A39).
func (e *endpoint) open(w World, device string, want kernel.DeviceType) error {
	if w == nil {
		return &fs.PathError{Op: "open", Path: device, Err: errNilWorld}
	}
	k := w.Kernel()
	h, status := k.CPU().Open(device, kernel.OpenOptions{Type: want})
	if status.IsSuccess() {
		if status = k.BindPort(h, w.IOPort(), nil); !status.IsSuccess() {
			k.CPU().CloseHandle(h)
		}
	}
	if !status.IsSuccess() {
		return &fs.PathError{Op: "open", Path: device, Err: openError(k, status, want)}
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
func (e *endpoint) control(code int64, buf []byte) kernel.Status {
	return e.world.Kernel().CPU().Request(e.handle, kernel.MajorDeviceControl, buf, code, new(kernel.Overlapped))
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

// errorOf says in an error how a call ended that began with ctx; that is nil if it never ends.
func (e *endpoint) errorOf(ctx context.Context, status kernel.Status) error {
	return e.failure(ctx, status, socketError(status))
}

// failure is errorOf where err is what the status says by itself: of a device's error it tells the cause.
func (e *endpoint) failure(ctx context.Context, status kernel.Status, err error) error {
	switch {
	case status == kernel.StatusCancelled && ctx != nil && ctx.Err() != nil:
		return ctx.Err()
	case status == kernel.StatusCancelled && e.closed:
		return os.ErrClosed
	case err == ErrDevice:
		if cause := e.world.DeviceError(e.name); cause != nil {
			return fmt.Errorf("%w: %w", err, cause)
		}
	}
	return err
}

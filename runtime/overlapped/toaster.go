package overlapped

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Toaster is an open USB toaster of a World. Its methods may be called by whatever runs in the World.
type Toaster struct {
	endpoint
	calls calls[int]
}

// OpenToaster opens the toaster of that name in a World. The caller closes it.
func OpenToaster(w World, device string) (*Toaster, error) {
	t := new(Toaster)
	if err := t.open(w, device, kernel.DeviceToaster); err != nil {
		return nil, err
	}
	t.calls.bind(&t.endpoint)
	return t, nil
}

// Name returns the device's name.
func (t *Toaster) Name() string { return t.name }

// WriteAsync toasts slices, a byte each. The task's result is how many have become toast, which is less than
// len(slices) only with an error beside it: ctx's if ctx was done before the rest went in, os.ErrClosed if the handle
// was, ErrDevice if the toaster has jammed. Slices that are hot cannot be stopped (A19). The buffer is the operation's
// until the task is complete (A21). Writes in flight at once are toasted one after the other, in order.
func (t *Toaster) WriteAsync(ctx context.Context, slices []byte) async.Task[int] {
	if err := t.check(ctx); err != nil {
		return async.Completed(0, t.wrap("write", err))
	}
	op := t.calls.take(ctx, "WriteAsync", written)
	op.buf = slices
	return t.calls.start(op, kernel.MajorWrite, 0)
}

// Close closes the toaster. Writes that wait for it complete with os.ErrClosed; the one that it works on is finished.
func (t *Toaster) Close() error { return t.close() }

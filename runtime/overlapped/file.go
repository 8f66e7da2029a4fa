package overlapped

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// World is what this package needs of the simulated machine; *sim.World is one.
type World interface {
	async.Host
	// Kernel returns the World's kernel.
	Kernel() *kernel.Kernel
	// IOPort returns the port whose threads call Complete of what their packets' Overlapped.Context is.
	IOPort() *kernel.CompletionPort
	// DeviceError returns what the hardware's backing said when the device of that name last reported an error; nil if it
	// said nothing.
	DeviceError(device string) error
	// OnDone calls f, in the World, once ctx is done; stop keeps it from being called and reports whether it did.
	OnDone(ctx context.Context, f func()) (stop func() bool)
}

// The errors of misuse.
var (
	ErrNilBuffer      = errors.New("the buffer is nil")
	ErrNegativeOffset = errors.New("the offset is negative")
	ErrOtherWorld     = errors.New("the file belongs to another World than the context")
	ErrDevice         = errors.New("the device reports an error")
	ErrReadOnly       = errors.New("the device is write protected")
)

// File is an open device of a World, such as a disk, seen as a file. Its methods may be called by whatever runs in the
// World: its owner, or code on a simulated thread.
//
// ReadAsync and WriteAsync begin at the file's position, and advance it when they complete, by what they transferred.
// So of several in flight at once all begin at the same place, and the last to complete says where the next begins:
// await one before you start the next, or use ReadAtAsync and WriteAtAsync, which have no part in the position.
type File struct {
	world    World
	name     string
	handle   kernel.Handle
	closed   bool
	position int64
	pending  async.Source[int] // bound to the World, and never used: what each operation's source begins as
}

// Open opens the device of that name in a World, for overlapped I/O, and binds it to the I/O threads' port.
func Open(w World, name string) (*File, error) {
	k := w.Kernel()
	h, status := k.CPU().Open(name, kernel.OpenOptions{})
	if !status.IsSuccess() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errorOf(status)}
	}
	f := &File{world: w, name: name, handle: h}
	f.pending.Bind(w)
	if status := k.BindPort(h, w.IOPort(), nil); !status.IsSuccess() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errorOf(status)}
	}
	k.SkipCompletionPortOnSuccess(h)
	return f, nil
}

// Name returns the device's name.
func (f *File) Name() string { return f.name }

// ReadAsync reads up to len(buf) bytes at the file's position. The task's result is the number of bytes read, which is
// less than len(buf) only at the end of the file; at the end it is 0 with io.EOF. An empty buffer is read at once.
func (f *File) ReadAsync(ctx context.Context, buf []byte) async.Task[int] {
	return f.start(ctx, request{name: "ReadAsync", major: kernel.MajorRead, buf: buf, offset: f.position, sequential: true})
}

// WriteAsync writes buf at the file's position, extending the file if need be. The task's result is the number of bytes
// written, len(buf) unless there is an error.
func (f *File) WriteAsync(ctx context.Context, buf []byte) async.Task[int] {
	return f.start(ctx, request{name: "WriteAsync", major: kernel.MajorWrite, buf: buf, offset: f.position, sequential: true})
}

// ReadAtAsync reads up to len(buf) bytes at an offset. Unlike an io.ReaderAt it may return fewer bytes without an error
// at the end of the file.
func (f *File) ReadAtAsync(ctx context.Context, buf []byte, offset int64) async.Task[int] {
	return f.start(ctx, request{name: "ReadAtAsync", major: kernel.MajorRead, buf: buf, offset: offset})
}

// WriteAtAsync writes buf at an offset; a gap before it reads as zeros.
func (f *File) WriteAtAsync(ctx context.Context, buf []byte, offset int64) async.Task[int] {
	return f.start(ctx, request{name: "WriteAtAsync", major: kernel.MajorWrite, buf: buf, offset: offset})
}

// Position returns where the next ReadAsync or WriteAsync begins.
func (f *File) Position() int64 { return f.position }

// SetPosition says where the next ReadAsync or WriteAsync begins.
func (f *File) SetPosition(offset int64) error {
	if offset < 0 {
		return &fs.PathError{Op: "seek", Path: f.name, Err: ErrNegativeOffset}
	}
	f.position = offset
	return nil
}

// Close closes the file. Operations that wait for the device complete with os.ErrClosed; one that the device works on
// completes as it will.
func (f *File) Close() error {
	if f.closed {
		return &fs.PathError{Op: "close", Path: f.name, Err: os.ErrClosed}
	}
	f.closed = true
	f.world.Kernel().CPU().CloseHandle(f.handle)
	return nil
}

// request is one call.
type request struct {
	name       string
	major      kernel.MajorFunction
	buf        []byte
	offset     int64
	sequential bool
}

// operation is one request in flight: the task's source and the kernel's OVERLAPPED in one object.
type operation struct {
	source     async.Source[int]
	overlapped kernel.Overlapped
	file       *File
	ctx        context.Context
	stop       func() bool // ends the watch on ctx; nil: there is none
	request    request
}

func (f *File) start(ctx context.Context, r request) async.Task[int] {
	if err := f.check(ctx, &r); err != nil {
		return async.Completed(0, f.wrap(&r, err))
	}
	if len(r.buf) == 0 {
		return async.Completed(0, nil)
	}
	c := f.world.Kernel().CPU()
	c.Trace(kernel.HopLibraryCall, nil, r.name, int64(len(r.buf)), r.offset)
	op := &operation{source: f.pending, file: f, ctx: ctx, request: r}
	op.overlapped.Context = op
	switch status := c.Request(f.handle, r.major, r.buf, r.offset, &op.overlapped); {
	case status == kernel.StatusPending:
		if ctx.Done() != nil && op.overlapped.InFlight() {
			op.stop = f.world.OnDone(ctx, op.cancel)
		}
		f.world.Kernel().CPU().TraceID(kernel.HopTaskIncomplete, op.overlapped.IRPID(), r.name, 0, 0)
		return op.source.Task()
	case status.IsSuccess(): // and there will be no packet
		return async.Completed(op.result(status, op.overlapped.Information))
	default:
		return async.Completed(0, f.wrap(&r, f.errorOf(status)))
	}
}

// errorOf translates a status; of a device's error it tells the cause.
func (f *File) errorOf(status kernel.Status) error {
	err := errorOf(status)
	if err == ErrDevice {
		if cause := f.world.DeviceError(f.name); cause != nil {
			return fmt.Errorf("%w: %w", err, cause)
		}
	}
	return err
}

// check finds what is wrong with a call before anything is started.
func (f *File) check(ctx context.Context, r *request) error {
	switch {
	case ctx == nil:
		return errors.New("the context is nil")
	case f.closed:
		return os.ErrClosed
	case r.buf == nil && r.major == kernel.MajorRead:
		return ErrNilBuffer
	case r.offset < 0:
		return ErrNegativeOffset
	}
	if h := async.HostOf(ctx); h != nil && h != async.Host(f.world) {
		return ErrOtherWorld
	}
	return ctx.Err()
}

// cancel asks for the operation to end early. It runs when the operation's context is done.
func (op *operation) cancel() { op.file.world.Kernel().CPU().Cancel(&op.overlapped) }

// Complete ends the operation: an I/O thread was borrowed for its packet. It implements pool.Completion.
func (op *operation) Complete(ex *async.Executor, t *kernel.Thread, packet kernel.Packet) {
	if op.stop != nil {
		op.stop()
		op.stop = nil
	}
	n, err := op.result(packet.Status, packet.Information)
	t.CPU().TraceID(kernel.HopTaskComplete, packet.IRP, op.request.name, int64(n), 0)
	op.source.Complete(ex, n, err)
}

// result turns a request's outcome into the task's, and advances the file's position.
func (op *operation) result(status kernel.Status, information int) (int, error) {
	r, f := &op.request, op.file
	if r.sequential {
		f.position = r.offset + int64(information)
	}
	if status.IsSuccess() {
		if r.major == kernel.MajorWrite && information < len(r.buf) {
			return information, f.wrap(r, io.ErrShortWrite)
		}
		return information, nil
	}
	err := f.errorOf(status)
	if status == kernel.StatusCancelled {
		switch ctxErr := op.ctx.Err(); {
		case ctxErr != nil:
			err = ctxErr
		case f.closed:
			err = os.ErrClosed
		}
	}
	return information, f.wrap(r, err)
}

// wrap says of an error what was done and to what; io.EOF stays bare, as callers expect.
func (f *File) wrap(r *request, err error) error {
	if err == io.EOF {
		return err
	}
	op := "read"
	if r.major == kernel.MajorWrite {
		op = "write"
	}
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// errorOf translates a status.
func errorOf(status kernel.Status) error {
	switch status {
	case kernel.StatusEndOfFile:
		return io.EOF
	case kernel.StatusNoSuchDevice:
		return fs.ErrNotExist
	case kernel.StatusInvalidHandle, kernel.StatusFileClosed:
		return os.ErrClosed
	case kernel.StatusMediaWriteProtected:
		return ErrReadOnly
	case kernel.StatusIoDeviceError:
		return ErrDevice
	case kernel.StatusCancelled:
		return context.Canceled
	}
	return fmt.Errorf("the kernel reports %v", status)
}

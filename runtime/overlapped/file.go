package overlapped

import (
	"context"
	"io"
	"math"
	"reflect"
	"slices"

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
	// DeviceError returns what failed when the device of that name last reported an error, such as what a disk's backing
	// said; nil if it does not say.
	DeviceError(device string) error
	// Register calls c, in the World, once ctx is done, unless the registration is stopped before. That is not touched any
	// more once it was stopped or c was called; it is nil if that was at once.
	Register(ctx context.Context, c async.Callback) async.Stopper
}

// File is an open device of a World, such as a disk, seen as a file. Its methods may be called by whatever runs in the
// World: its owner, or code on a simulated thread.
//
// ReadAsync and WriteAsync begin at the file's position, and advance it when they complete, by what they transferred.
// So of several in flight at once all begin at the same place, and the last to complete says where the next begins:
// await one before you start the next, or use ReadAtAsync and WriteAtAsync, which have no part in the position.
//
// A file keeps the operations that have ended for those that will begin, so that none costs an allocation. That is why
// the task of one that succeeds may be awaited once (C13), after the combinators that it was given to.
type File struct {
	endpoint
	position int64
	pending  async.Source[int] // bound to the World, and never used: what each operation's task begins as
	flushes  calls[struct{}]
	free     []*operation // those that have ended
	fresh    []operation  // those that were made, and not used yet
	made     int
	watches  []*watched      // in no use
	plain    context.Context // the last one that was found to be fit and never to end
}

// Open opens the device of that name in a World, for overlapped I/O, and binds it to the I/O threads' port.
func Open(w World, name string) (*File, error) {
	f := new(File)
	if err := f.open(w, name, 0); err != nil {
		return nil, err
	}
	f.pending.Bind(w)
	f.flushes.bind(&f.endpoint)
	return f, nil
}

// Name returns the device's name.
func (f *File) Name() string { return f.name }

// ReadAsync reads up to len(buf) bytes at the file's position. The task's result is the number of bytes read, which is
// less than len(buf) only at the end of the file; at the end it is 0 with io.EOF. An empty buffer is read at once.
func (f *File) ReadAsync(ctx context.Context, buf []byte) async.Task[int] {
	return f.start(ctx, kernel.MajorRead, buf, f.position, true)
}

// WriteAsync writes buf at the file's position, extending the file if need be. The task's result is the number of bytes
// written, len(buf) unless there is an error.
func (f *File) WriteAsync(ctx context.Context, buf []byte) async.Task[int] {
	return f.start(ctx, kernel.MajorWrite, buf, f.position, true)
}

// ReadAtAsync reads up to len(buf) bytes at an offset. Unlike an io.ReaderAt it may return fewer bytes without an error
// at the end of the file.
func (f *File) ReadAtAsync(ctx context.Context, buf []byte, offset int64) async.Task[int] {
	return f.start(ctx, kernel.MajorRead, buf, offset, false)
}

// WriteAtAsync writes buf at an offset; a gap before it reads as zeros.
func (f *File) WriteAtAsync(ctx context.Context, buf []byte, offset int64) async.Task[int] {
	return f.start(ctx, kernel.MajorWrite, buf, offset, false)
}

// FlushAsync waits until what was written stays, whatever comes: all writes that were done when it was called, through this
// file or another one of the same device. Without it a disk with a write cache may lose them; see device.DiskConfig.
func (f *File) FlushAsync(ctx context.Context) async.Task0 {
	if err := f.endpoint.check(ctx); err != nil {
		return async.Completed0(f.wrap("flush", err))
	}
	return async.Task0Of(f.flushes.start(f.flushes.take(ctx, "FlushAsync", flushed), kernel.MajorFlush, 0))
}

// flushed is the finish of flushes.
func flushed(op *call[struct{}], status kernel.Status, _ int) (struct{}, error) {
	return struct{}{}, op.failure("flush", status)
}

// Position returns where the next ReadAsync or WriteAsync begins.
func (f *File) Position() int64 { return f.position }

// SetPosition says where the next ReadAsync or WriteAsync begins.
func (f *File) SetPosition(offset int64) error {
	if offset < 0 {
		return f.wrap("seek", ErrNegativeOffset)
	}
	f.position = offset
	return nil
}

// Close closes the file. Operations that wait for the device complete with os.ErrClosed; one that the device works on
// completes as it will.
func (f *File) Close() error { return f.close() }

// operation is one request in flight: its task, and what the kernel's packet of its completion does not say. There may be a
// million: it is as large as one line of a processor's cache.
type operation struct {
	async.Reusable[int]
	file       *File
	offset     int64
	wanted     int32 // bytes to write, as far as it can be said; 0: it reads
	major      kernel.MajorFunction
	sequential bool
}

// watched is an operation whose context may end: what the kernel knows of it then.
type watched struct {
	*operation
	ctx          context.Context
	flight       kernel.Flight
	registration async.Stopper // with ctx; nil: there is none, or it has ended
}

func (f *File) start(ctx context.Context, major kernel.MajorFunction, buf []byte, offset int64, sequential bool) async.Task[int] {
	plain := ctx != nil && ctx == f.plain
	if !plain || f.closed || offset < 0 || len(buf) == 0 {
		if err := f.check(ctx, plain, major, buf, offset); err != nil {
			return async.Completed(0, f.failed(major, err))
		}
		if len(buf) == 0 {
			return async.Completed(0, nil)
		}
	}
	k := f.world.Kernel()
	c := k.CPU()
	op := f.take()
	op.offset, op.major, op.sequential, op.wanted = offset, major, sequential, 0
	if major == kernel.MajorWrite {
		op.wanted = int32(min(len(buf), math.MaxInt32))
	}
	task := op.Start(&f.pending)
	if k.Traced() {
		c.Trace(kernel.HopLibraryCall, nil, op.name(), int64(len(buf)), offset)
	}
	var requester any = op
	var watch *watched
	if !plain && !async.Endless(ctx) {
		watch = f.watch(op, ctx)
		requester = watch
	}
	flight, n, status := c.Submit(f.handle, major, buf, offset, requester)
	if status != kernel.StatusPending && (status.IsSuccess() || status.IsError()) { // of a warning there will be a packet (A12)
		if status.IsSuccess() {
			op.advance(n)
		}
		n, err := op.result(ctx, status, n)
		op.Recycle()
		watch.end()
		return async.Completed(n, err)
	}
	if watch != nil && flight.InFlight() {
		watch.flight = flight
		watch.registration = f.world.Register(ctx, watch)
	}
	if k.Traced() {
		id := flight.IRPID()
		if !flight.InFlight() {
			id = 0
		}
		k.CPU().TraceID(kernel.HopTaskIncomplete, id, op.name(), 0, 0)
	}
	return task
}

// take returns an operation for a new use.
func (f *File) take() *operation {
	n := len(f.free)
	if n == 0 {
		return f.make()
	}
	op := f.free[n-1]
	f.free = f.free[:n-1]
	return op
}

// mostMade is how many operations are made at a time, at most. Of larger objects Go keeps a word more, and all are kept as long
// as one of them.
const mostMade = 8

// make makes an operation, and others with it if there are many.
func (f *File) make() *operation {
	if len(f.fresh) == 0 {
		f.fresh = make([]operation, min(max(1, f.made), mostMade))
		f.made += len(f.fresh)
	}
	op := &f.fresh[0]
	f.fresh = f.fresh[1:]
	op.file = f
	return op
}

// Recycle keeps the operation for its next use: its result was read. It implements async.Recyclable.
func (op *operation) Recycle() {
	op.Retire()
	f := op.file
	if len(f.free) == cap(f.free) {
		f.free = slices.Grow(f.free, max(8, len(f.free))) // append alone would grow it by less, and more often
	}
	f.free = append(f.free, op)
}

// name is the method that started the operation, for the trace.
func (op *operation) name() string {
	switch {
	case op.major == kernel.MajorRead && op.sequential:
		return "ReadAsync"
	case op.major == kernel.MajorRead:
		return "ReadAtAsync"
	case op.sequential:
		return "WriteAsync"
	}
	return "WriteAtAsync"
}

// check finds what is wrong with a call before anything is started. A plain context was checked before.
func (f *File) check(ctx context.Context, plain bool, major kernel.MajorFunction, buf []byte, offset int64) error {
	switch {
	case buf == nil && major == kernel.MajorRead:
		return ErrNilBuffer
	case offset < 0:
		return ErrNegativeOffset
	case plain && !f.closed:
		return nil
	}
	err := f.endpoint.check(ctx)
	if err == nil && async.Endless(ctx) && reflect.ValueOf(ctx).Comparable() {
		f.plain = ctx
	}
	return err
}

// watch makes an operation one whose context may end.
func (f *File) watch(op *operation, ctx context.Context) *watched {
	n := len(f.watches)
	if n == 0 {
		return &watched{operation: op, ctx: ctx}
	}
	w := f.watches[n-1]
	f.watches = f.watches[:n-1]
	w.operation, w.ctx = op, ctx
	return w
}

// end keeps w for another operation; nil is none.
func (w *watched) end() {
	if w == nil {
		return
	}
	f := w.file
	*w = watched{}
	f.watches = append(f.watches, w)
}

// ContextDone asks for the operation to end early. It implements async.Callback.
func (w *watched) ContextDone() {
	w.registration = nil
	w.file.world.Kernel().CPU().CancelFlight(w.flight)
}

// Complete is that of the operation, whose context is not watched any more.
func (w *watched) Complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet) {
	if w.registration != nil {
		w.registration.Stop()
	}
	op, ctx := w.operation, w.ctx
	w.end()
	op.complete(ex, t, packet, ctx)
}

// Complete ends the operation: an I/O thread was borrowed for its packet. It implements pool.Completion.
func (op *operation) Complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet) {
	op.complete(ex, t, packet, nil)
}

// complete is Complete of an operation with a context; that is nil if it never ends.
func (op *operation) complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet, ctx context.Context) {
	op.advance(packet.Information)
	n, err := op.result(ctx, packet.Status, packet.Information)
	if c := t.CPU(); c.Kernel().Traced() {
		c.TraceID(kernel.HopTaskComplete, packet.IRP, op.name(), int64(n), 0)
	}
	if err == nil {
		op.Succeed(ex, n, op)
	} else {
		op.Fail(ex, n, err)
	}
}

// advance advances the file's position by what was transferred.
func (op *operation) advance(n int) {
	if op.sequential {
		op.file.position = op.offset + int64(n)
	}
}

// result turns a request's outcome into the task's. ctx is nil if it never ends.
func (op *operation) result(ctx context.Context, status kernel.Status, n int) (int, error) {
	if status.IsSuccess() && n >= int(op.wanted) {
		return n, nil
	}
	return n, op.failure(ctx, status)
}

// failure is the error of an operation that has not done all that it was asked for.
func (op *operation) failure(ctx context.Context, status kernel.Status) error {
	f := op.file
	if status.IsSuccess() {
		return f.failed(op.major, io.ErrShortWrite)
	}
	return f.failed(op.major, f.failure(ctx, status, errorOf(status)))
}

// failed says of an error what was done; io.EOF stays bare, as callers expect.
func (f *File) failed(major kernel.MajorFunction, err error) error {
	switch {
	case err == io.EOF:
		return err
	case major == kernel.MajorWrite:
		return f.wrap("write", err)
	}
	return f.wrap("read", err)
}

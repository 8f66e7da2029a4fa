// Package overlapped is what an application calls: files whose operations return tasks. It is the seeds' "library": it
// turns a method call into an overlapped request on a handle, and the packet in which that ends into a completed task.
//
// # One operation
//
//	ReadAsync ──▶ kernel Request ──▶ IRP ──▶ driver ──▶ device        (calls, down)
//	   │ returns an incomplete task
//	   ▼
//	Complete ◀── I/O thread ◀── packet ◀── APC ◀── DPC ◀── interrupt  (interfaces of the lower rooms, up)
//
// Between the two nothing of this package runs or waits: the operation is an object that the kernel's OVERLAPPED refers
// to.
//
// # Buffers
//
// A buffer passed to an operation belongs to the operation until its task is complete, whatever is cancelled meanwhile:
// the device writes to it when it likes.
//
// # Cancellation
//
// When an operation's context is done, the operation is asked to end early. It still completes exactly once: with the
// context's error if that came in time, with its result if not. An operation that the hardware works on cannot be
// stopped.
//
// # Errors
//
// The end of a file is io.EOF, bare. All other errors are *fs.PathError values around what errors.Is finds: os.ErrClosed,
// the context's error, or one of this package's.
package overlapped

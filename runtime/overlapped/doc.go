// Package overlapped is what an application calls: handles whose operations return tasks. It is the seeds' "library": it
// turns a method call into an overlapped request on a handle, and the packet in which that ends into a completed task.
//
//	File             a disk seen as a file: ReadAsync and WriteAsync at a position, ReadAtAsync and WriteAtAsync; FlushAsync
//	Conn, Listener   a stream between two sockets: DialAsync, AcceptAsync, ReadAsync, WriteAsync, CloseWrite
//	DatagramSocket   messages: SendToAsync, ReceiveFromAsync
//	Clock, Timer     a timer chip: AfterAsync, AtAsync, and a timer that can be set anew
//	Toaster          the smallest of all: the one to read first
//
// The older patterns stand over the same operations: Begin and End (apm.go), with FromBeginEnd as the bridge to tasks, and
// events (eap.go).
//
// # One operation
//
//	ReadAsync ──▶ kernel Request ──▶ IRP ──▶ driver ──▶ device        (calls, down)
//	   │ returns an incomplete task
//	   ▼
//	Complete ◀── I/O thread ◀── packet ◀── APC ◀── DPC ◀── interrupt  (interfaces of the lower rooms, up)
//
// Between the two nothing of this package runs or waits: the operation is an object that the IRP refers to, or the kernel's
// OVERLAPPED in it.
//
// # Buffers
//
// A buffer passed to an operation belongs to the operation until its task is complete, whatever is cancelled meanwhile:
// the device writes to it when it likes. The driver verifier, on by default in tests, ends a World in which somebody else
// does too.
//
// # Tasks
//
// An operation that has succeeded is used for the handle's next one once it was awaited, so that this allocates nothing. To
// await it again panics and says so (C13): keep the result, not the task. Combinators only look at it; after async.WhenAll
// each task may still be awaited. What several await at a time is not used again, nor is what has failed, nor the task of a
// connection made (DialAsync, AcceptAsync): those may be awaited as often as one likes.
//
// # Cancellation
//
// When an operation's context is done, the operation is asked to end early. It still completes exactly once: with the
// context's error if that came in time, with its result if not. An operation that the hardware works on cannot be
// stopped. Closing a handle asks for the end of all that is in flight through it, with os.ErrClosed.
//
// # Errors
//
// The end of a file is io.EOF, bare. All other errors of handles are *fs.PathError values around what errors.Is finds:
// os.ErrClosed, the context's error, or one of this package's. Bare are also those of the older patterns about themselves,
// of calls that begin or end no operation: ErrOtherOperation, ErrEnded, ErrBusy.
package overlapped

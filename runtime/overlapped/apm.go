package overlapped

import (
	"context"
	"errors"

	"github.com/nothread/nothread/runtime/async"
)

// This file is the first of .NET's asynchronous patterns, the Asynchronous Programming Model: an operation is split into
// Begin, which starts it and takes a callback, and End, which gives its result.
//
//	f.BeginRead(buf, func(ar *overlapped.AsyncResult) {
//		n, err := f.EndRead(ar)
//		…
//	}, state)
//
// # The stack dive
//
// An operation may be complete when it begins: a socket's bytes are there already. Then the callback runs before Begin
// returns, on the same stack. A callback that begins the next operation dives one level deeper with each that completes
// so, until the stack ends. CompletedSynchronously is there to prevent it, and each loop must be written around it:
//
//	for {
//		ar := c.BeginRead(buf, callback, nil)
//		if !ar.CompletedSynchronously() {
//			return // callback goes on with this loop
//		}
//		n, err := c.EndRead(ar)
//		…
//	}
//
// with a callback that returns at once if ar.CompletedSynchronously(). A machine has this loop built in: a task that is
// complete is gone on with inline, without a call. FromBeginEnd makes tasks of what has only Begin and End.

// AsyncCallback is called once when an operation is complete: by Begin, before it returns, if CompletedSynchronously;
// else on an I/O thread.
type AsyncCallback func(ar *AsyncResult)

// AsyncResult is an operation that Begin has started. End takes its result; once.
type AsyncResult struct {
	async.Anywhere
	task        async.Task[int]
	handle      any  // whose Begin it is of
	write       bool // of BeginWrite
	synchronous bool
	ended       bool
	callback    AsyncCallback
	state       any
}

// The errors of End.
var (
	ErrOtherOperation = errors.New("the AsyncResult is of another operation")
	ErrEnded          = errors.New("the operation was ended before: End is called once")
)

// AsyncState returns the state that was passed to Begin.
func (ar *AsyncResult) AsyncState() any { return ar.state }

// IsCompleted reports whether End would return at once.
func (ar *AsyncResult) IsCompleted() bool { return ar.ended || ar.task.IsCompleted() }

// CompletedSynchronously reports whether the operation was complete when Begin returned. It never changes.
func (ar *AsyncResult) CompletedSynchronously() bool { return ar.synchronous }

// MoveNext calls the callback, when the operation is complete.
func (ar *AsyncResult) MoveNext(*async.Executor) async.Continuation {
	ar.callback(ar)
	return nil
}

// begin makes an AsyncResult of a task. The callback may be nil.
func begin(handle any, write bool, task async.Task[int], callback AsyncCallback, state any) *AsyncResult {
	ar := &AsyncResult{task: task, handle: handle, write: write, callback: callback, state: state}
	ar.synchronous = task.IsCompleted()
	switch {
	case callback == nil:
	case ar.synchronous:
		callback(ar) // here is the dive
	case !task.OnCompleted(ar):
		callback(ar) // it has completed since: another processor was faster
	}
	return ar
}

// end takes the result.
func (ar *AsyncResult) end(handle any, write bool) (int, error) {
	switch {
	case ar == nil || ar.handle != handle || ar.write != write:
		return 0, ErrOtherOperation
	case ar.ended:
		return 0, ErrEnded
	}
	ar.ended = true
	return ar.task.Await()
}

// BeginRead starts a ReadAsync that cannot be cancelled. callback may be nil; state is the caller's own. The buffer is
// the operation's until it is complete (A21).
func (f *File) BeginRead(buf []byte, callback AsyncCallback, state any) *AsyncResult {
	return begin(f, false, f.ReadAsync(context.Background(), buf), callback, state)
}

// EndRead returns the result of a BeginRead of this file. Called before the operation is complete it blocks its thread,
// as Await does. It may be called once for each BeginRead.
func (f *File) EndRead(ar *AsyncResult) (int, error) { return ar.end(f, false) }

// BeginWrite is BeginRead for WriteAsync.
func (f *File) BeginWrite(buf []byte, callback AsyncCallback, state any) *AsyncResult {
	return begin(f, true, f.WriteAsync(context.Background(), buf), callback, state)
}

// EndWrite is EndRead for BeginWrite.
func (f *File) EndWrite(ar *AsyncResult) (int, error) { return ar.end(f, true) }

// BeginRead starts a ReadAsync that cannot be cancelled; see File.BeginRead.
func (c *Conn) BeginRead(buf []byte, callback AsyncCallback, state any) *AsyncResult {
	return begin(c, false, c.ReadAsync(context.Background(), buf), callback, state)
}

// EndRead returns the result of a BeginRead of this connection; see File.EndRead.
func (c *Conn) EndRead(ar *AsyncResult) (int, error) { return ar.end(c, false) }

// BeginWrite is BeginRead for WriteAsync.
func (c *Conn) BeginWrite(buf []byte, callback AsyncCallback, state any) *AsyncResult {
	return begin(c, true, c.WriteAsync(context.Background(), buf), callback, state)
}

// EndWrite is EndRead for BeginWrite.
func (c *Conn) EndWrite(ar *AsyncResult) (int, error) { return ar.end(c, true) }

// Began is what FromBeginEnd needs of what a Begin returns; *AsyncResult is one.
type Began interface{ CompletedSynchronously() bool }

// FromBeginEnd is the bridge from Begin and End to a task: it calls begin with a callback, and end once the operation is
// complete; the task's result is end's. An operation that completes synchronously is ended on the caller's stack, not
// the callback's, so awaiting in a loop does not dive. The task belongs to the World that ctx carries; ctx does not
// cancel the operation, for Begin knows no cancellation. A panic in end is the callback's.
func FromBeginEnd[T any, R Began](ctx context.Context, begin func(callback func(R)) R, end func(R) (T, error)) async.Task[T] {
	source := async.NewSourceFor[T](ctx)
	task := source.Task()
	r := begin(func(r R) {
		if r.CompletedSynchronously() {
			return
		}
		if v, err := end(r); err != nil {
			source.SetError(err)
		} else {
			source.SetResult(v)
		}
	})
	if r.CompletedSynchronously() {
		return async.Completed(end(r))
	}
	return task
}

package overlapped

import (
	"context"
	"errors"

	"github.com/nothread/nothread/runtime/async"
)

// This file is the second of .NET's asynchronous patterns, the Event-based Asynchronous Pattern: a component has methods
// that start operations and events that say how they ended. An event is raised on the SyncContext that was captured when
// the operation began, so that a program with a window need not think about threads. What it must think about is the
// rest: one thing after the other is spread over as many handlers.

// Event is a list of handlers. The zero Event has none. Like all of a component it belongs to its World.
type Event[T any] struct{ handlers []func(T) }

// Add adds a handler; handlers are called in the order in which they were added.
func (e *Event[T]) Add(handler func(T)) {
	if handler == nil {
		panic("overlapped: a nil handler was added to an event")
	}
	e.handlers = append(e.handlers, handler)
}

func (e *Event[T]) raise(args T) {
	for _, handler := range e.handlers {
		handler(args)
	}
}

// CompletedArgs says how an operation of an EventFile ended.
type CompletedArgs struct {
	N         int    // bytes transferred
	Buffer    []byte // what was passed: the caller's again
	Err       error
	Cancelled bool // it was ended by CancelAsync, and Err says so too
	UserState any  // what was passed
}

// EventFile is a file with events. Its methods may be called by whatever runs in the World.
type EventFile struct {
	ReadFileCompleted  Event[CompletedArgs]
	WriteFileCompleted Event[CompletedArgs]

	file   *File
	busy   map[any]*eventOperation // by user state; never ranged over
	cancel async.Canceler          // the file's World; nil: operations cannot be ended early
}

// ErrBusy is the error of a call with a user state that an operation under way has.
var ErrBusy = errors.New("an operation with this user state is under way")

// NewEventFile makes a component of a file, whose owner stays the caller. What CancelAsync ends it ends by contexts of the
// file's World: that must be an async.Canceler, as sim.World is, or CancelAsync does nothing.
func NewEventFile(f *File) *EventFile {
	e := &EventFile{file: f, busy: make(map[any]*eventOperation)}
	e.cancel, _ = f.world.(async.Canceler)
	return e
}

// ReadFileAsync reads up to len(buf) bytes at the file's position, as File.ReadAsync does, and then raises
// ReadFileCompleted on the SyncContext that ctx carries, or without one on the thread of the completion: always, also
// for what fails at once, and never before it returns, if there is a SyncContext. userState tells operations apart, and
// must be comparable: while one is under way with it, another cannot begin, and that is the one error returned. The
// buffer is the operation's until the event (A21). ctx ends the operation early, as CancelAsync does.
func (e *EventFile) ReadFileAsync(ctx context.Context, buf []byte, userState any) error {
	return e.start(ctx, &e.ReadFileCompleted, (*File).ReadAsync, buf, userState)
}

// WriteFileAsync is ReadFileAsync for File.WriteAsync and WriteFileCompleted.
func (e *EventFile) WriteFileAsync(ctx context.Context, buf []byte, userState any) error {
	return e.start(ctx, &e.WriteFileCompleted, (*File).WriteAsync, buf, userState)
}

// IsBusy reports whether an operation with that user state is under way.
func (e *EventFile) IsBusy(userState any) bool { return e.busy[userState] != nil }

// CancelAsync asks the operation with that user state to end early. Its event is raised all the same, and says which
// came first. Without such an operation it does nothing.
func (e *EventFile) CancelAsync(userState any) {
	if op := e.busy[userState]; op != nil && op.cancel != nil {
		op.cancel(context.Canceled)
	}
}

// eventOperation is an operation under way: the continuation of its task, on the captured context.
type eventOperation struct {
	async.Anywhere
	file   *EventFile
	event  *Event[CompletedArgs]
	sync   async.SyncContext
	cancel context.CancelCauseFunc // nil: it cannot be
	task   async.Task[int]
	args   CompletedArgs
}

func (e *EventFile) start(ctx context.Context, event *Event[CompletedArgs], method func(*File, context.Context, []byte) async.Task[int], buf []byte, userState any) error {
	if e.busy[userState] != nil {
		return ErrBusy
	}
	op := &eventOperation{file: e, event: event, sync: async.SyncContextOf(ctx), args: CompletedArgs{Buffer: buf, UserState: userState}}
	if e.cancel != nil {
		ctx, op.cancel = e.cancel.WithCancelCause(ctx)
	}
	e.busy[userState] = op
	op.task = method(e.file, ctx, buf)
	switch {
	case op.task.OnCompleted(op):
	case op.sync != nil:
		op.sync.Post(op)
	default:
		op.MoveNext(nil)
	}
	return nil
}

// SyncContext returns where the event is raised. It is async.Continuation's.
func (op *eventOperation) SyncContext() async.SyncContext { return op.sync }

// MoveNext raises the event.
func (op *eventOperation) MoveNext(*async.Executor) async.Continuation {
	delete(op.file.busy, op.args.UserState)
	op.args.N, op.args.Err = op.task.GetResult()
	op.args.Cancelled = errors.Is(op.args.Err, context.Canceled)
	if op.cancel != nil {
		op.cancel(nil) // it ends nothing any more: its context can go
	}
	op.event.raise(op.args)
	return nil
}

package async

import "context"

// Forget is for an operation that nobody awaits, as C#'s async void is: an event
// handler's. The SyncContext that ctx carries, else its worker pool, hears
// OperationStarted now and OperationCompleted at the end, if it is an
// [OperationTracker]. If the operation fails or panics, the failure is posted
// there, before OperationCompleted, and given to the context's UnhandledError;
// where the context has none, or ctx carries neither, it crashes the program
// (C43): in a World, that is a panic that leaves whatever runs it. A cancellation
// is a failure like any other; runtime.Goexit is none.
func Forget[O Operation](ctx context.Context, op O) {
	f := &forgotten{op: op, sync: SyncContextOf(ctx)}
	if f.sync == nil {
		f.sync = WorkersOf(ctx)
	}
	f.tracker, _ = f.sync.(OperationTracker)
	if f.tracker != nil {
		f.tracker.OperationStarted()
	}
	if !op.OnCompleted(f) {
		f.MoveNext(nil)
	}
}

// forgotten is the continuation of an operation that nobody awaits.
type forgotten struct {
	Anywhere
	op      Operation
	sync    SyncContext
	tracker OperationTracker
}

func (f *forgotten) MoveNext(*Executor) Continuation {
	if err := operationError(f.op.outcome()); err != nil {
		f.report(err)
	}
	if f.tracker != nil {
		f.tracker.OperationCompleted()
	}
	return nil
}

func (f *forgotten) report(err *OperationError) {
	if f.sync == nil {
		go err.Crash()
		return
	}
	f.sync.Post(&failure{sync: f.sync, err: err})
}

// failure arrives on the context of an operation that nobody awaits.
type failure struct {
	Anywhere
	sync SyncContext
	err  *OperationError
}

func (f *failure) SyncContext() SyncContext { return f.sync }

func (f *failure) MoveNext(*Executor) Continuation {
	if h, ok := f.sync.(UnhandledHandler); ok {
		h.UnhandledError(f.err)
		return nil
	}
	f.err.Crash()
	return nil
}

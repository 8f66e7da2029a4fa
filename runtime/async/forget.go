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
	if !f.waits() {
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

// waits reports whether the operation is pending. If nobody may await it any more,
// that is its end.
func (f *forgotten) waits() bool {
	asked := false
	defer func() {
		if !asked {
			f.completed()
		}
	}()
	waits := f.op.OnCompleted(f)
	asked = true
	return waits
}

func (f *forgotten) MoveNext(*Executor) Continuation {
	if err := operationError(f.op.outcome()); err != nil {
		f.report(err)
	} else {
		f.completed()
	}
	return nil
}

func (f *forgotten) completed() {
	if f.tracker != nil {
		f.tracker.OperationCompleted()
	}
}

// report posts a failure. If it cannot be posted, the operation has ended all the same.
func (f *forgotten) report(err *OperationError) {
	defer f.completed()
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

package pool

import "github.com/nothread/nothread/runtime/async"

// operations is what a simulated context knows of those that nobody awaits (C43): it makes it an async.OperationTracker
// and an async.UnhandledHandler.
type operations struct {
	handler  func(*async.OperationError)
	underway int
}

// HandleErrors makes f take the failures of operations that nobody awaits, on this context. Without a handler such a
// failure is a panic that leaves whatever runs the World (C43).
func (o *operations) HandleErrors(f func(*async.OperationError)) { o.handler = f }

// Operations returns how many operations given to async.Forget are under way.
func (o *operations) Operations() int { return o.underway }

// OperationStarted counts an operation that nobody awaits. It implements async.OperationTracker.
func (o *operations) OperationStarted() { o.underway++ }

// OperationCompleted is the end of what OperationStarted began.
func (o *operations) OperationCompleted() { o.underway-- }

// UnhandledError gives err to the handler, or panics. It implements async.UnhandledHandler.
func (o *operations) UnhandledError(err *async.OperationError) {
	if o.handler == nil {
		err.Crash()
	}
	o.handler(err)
}

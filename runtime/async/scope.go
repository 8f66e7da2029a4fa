package async

import (
	"context"
	"sync"
)

// A scope is operations with one result, which waits for all of them, and if need be a
// context that they share, which the first failure ends.
type scope[T any] struct {
	result     Source[T]
	outer, ctx context.Context         // its caller's, and what the operations share
	cancel     context.CancelCauseFunc // nil if they share none
	known      bool                    // it has waited for an operation

	mu       sync.Mutex
	inFlight int
	failed   bool
	ended    bool
}

func (s *scope[T]) init(ctx context.Context) {
	s.outer = ctx
	s.result.bindTo(ctx)
	s.ctx, s.cancel = withCancel(ctx)
}

// belong makes a scope whose context carries no host belong to that of the first operation
// that it has to wait for: until then nobody else knows it.
func (s *scope[T]) belong(op Operation) {
	if s.known || op.IsCompleted() {
		return
	}
	s.known = true
	if h := op.host(); h != nil && s.result.host() == nil {
		s.result.Bind(h)
	}
}

// leave is the end of an operation; if it is the first that fails, the context ends. What
// that calls may panic or exit: then goOn is done all the same, but not by who called us.
func (s *scope[T]) leave(err error, goOn func() Continuation) {
	s.mu.Lock()
	s.inFlight--
	first := err != nil && !s.failed
	s.failed = s.failed || err != nil
	s.mu.Unlock()
	if !first || s.cancel == nil {
		return
	}
	cancelled := false
	defer func() {
		if !cancelled {
			postAll(nil, s.result.host(), goOn())
		}
	}()
	s.cancel(err)
	cancelled = true
}

// end completes the scope, whatever the end of its context calls.
func (s *scope[T]) end(v T, err error) (released Continuation) {
	finished := false
	defer func() {
		if released, _ = s.result.cell.complete(v, err); !finished {
			postAll(nil, s.result.host(), released)
		}
	}()
	if s.cancel != nil {
		s.cancel(nil)
	}
	finished = true
	return nil
}

func (s *scope[T]) awaitedBy() []Continuation { return s.result.cell.head.awaitedBy() }

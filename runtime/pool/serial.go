package pool

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Serial is a context over a pool of simulated threads: its continuations run on whichever of them is free, but one at a
// time and in the order in which they were posted, so that what they share needs no lock. While one is blocked the
// others wait.
type Serial struct {
	operations
	threads  *Threads
	name     string
	executor *async.Executor

	queue  queue[async.Continuation]
	busy   bool           // a turn is queued, runs, or is blocked
	thread *kernel.Thread // whose turn it is, nil if none is
}

// NewSerial makes a serial context over the pool. A failure that nobody awaits goes to the pool's handler if the context
// has none of its own.
func (p *Threads) NewSerial(name string) *Serial {
	s := &Serial{threads: p, name: name}
	s.executor = async.NewExecutor(s)
	return s
}

// Context returns a context whose machines resume on s.
func (s *Serial) Context(parent context.Context) context.Context {
	return async.WithSyncContext(parent, s)
}

// String returns the context's name.
func (s *Serial) String() string { return s.name }

// Do queues a call of f.
func (s *Serial) Do(f func()) { s.Post(callOf(s, f)) }

// Post queues a continuation. It implements async.SyncContext.
func (s *Serial) Post(c async.Continuation) {
	refuseNil(c == nil, s.name)
	p := s.threads
	p.posts++
	p.kernel.CPU().Trace(kernel.HopPosted, nil, s.name, 0, 0)
	s.queue.push(c)
	if !s.busy {
		s.busy = true
		p.turn(s)
	} else {
		p.trap.posted(s.thread, c)
	}
}

// UnhandledError gives err to the handler, or to the pool's. It implements async.UnhandledHandler.
func (s *Serial) UnhandledError(err *async.OperationError) {
	if s.handler == nil {
		s.threads.UnhandledError(err)
		return
	}
	s.handler(err)
}

// run runs one continuation on a thread of the pool. The next takes its place in the pool's queue: a busy serial context
// does not keep a thread to itself.
func (s *Serial) run(w *poolThread, t *kernel.Thread) {
	s.thread, w.serial = t, s
	defer func() {
		s.thread, w.serial = nil, nil
		if s.busy = s.queue.n > 0; s.busy {
			s.threads.turn(s)
		}
	}()
	c, _ := s.queue.pop()
	s.executor.Run(c)
}

// waiting says in words what waits for the turn to end.
func (s *Serial) waiting() string {
	if s.queue.n == 0 {
		return ""
	}
	return fmt.Sprintf("%d continuations wait to run on %s", s.queue.n, s.name)
}

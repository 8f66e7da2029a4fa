package pool

import (
	"context"
	"sync"

	"github.com/nothread/nothread/runtime/async"
)

// Workers is a pool of goroutines for programs without a World: an
// async.SyncContext whose continuations run on at most limit goroutines at once,
// first in first out. A goroutine starts when there is something to run and ends
// when there is not, so an idle pool costs none. All methods may be called from
// any goroutine.
//
// A runtime.Goexit in a continuation costs the goroutine it ran on, and nothing
// else: another goes on. A panic in something that is no machine crashes the
// program, as in any goroutine.
type Workers struct {
	limit int

	mu      sync.Mutex
	handler func(*async.OperationError)
	queue   queue[async.Continuation]
	idle    []*async.Executor // of workers that have ended
	active  int               // workers that have not
	owned   bool              // a Loop's goroutine is the worker
	pending int               // operations of async.Forget under way
	changed sync.Cond         // something was posted or has ended
}

// NewWorkers returns a pool of at most limit goroutines.
func NewWorkers(limit int) *Workers {
	if limit < 1 {
		panic("pool: a pool needs at least one worker")
	}
	w := &Workers{limit: limit}
	w.changed.L = &w.mu
	return w
}

// NewSerial returns a context that runs its continuations one at a time, in the
// order in which they were posted, on whatever goroutine: what they share needs
// no lock.
func NewSerial() *Workers { return NewWorkers(1) }

// Context returns a context whose machines resume on w and whose async.Run works
// on w.
func (w *Workers) Context(parent context.Context) context.Context {
	return async.WithWorkers(async.WithSyncContext(parent, w), w)
}

// HandleErrors makes f take the failures of operations that nobody awaits, on
// one of w's goroutines. Without a handler they crash the program (C43).
func (w *Workers) HandleErrors(f func(*async.OperationError)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = f
}

// Post queues c. It implements async.SyncContext.
func (w *Workers) Post(c async.Continuation) {
	refuseNil(c == nil, "a pool or a loop")
	if w.limit == 0 {
		panic("pool: a Workers or Loop that nobody has made: use NewWorkers, NewSerial or NewLoop")
	}
	w.mu.Lock()
	w.queue.push(c)
	start := !w.owned && w.active < w.limit
	if start {
		w.active++
	}
	w.changed.Broadcast()
	w.mu.Unlock()
	if start {
		go w.work()
	}
}

// Do queues a call of f.
func (w *Workers) Do(f func()) { w.Post(callOf(w, f)) }

// work is a worker: it runs what is queued until nothing is.
func (w *Workers) work() {
	ex := w.executor()
	ended := false
	defer func() {
		if !ended { // by Goexit: the worker's place is kept; or by a panic
			w.giveBack(ex)
			go w.work()
		}
	}()
	for {
		c, ok := w.take(ex)
		if !ok {
			ended = true
			return
		}
		ex.Run(c)
	}
}

func (w *Workers) executor() *async.Executor {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.idle); n > 0 {
		ex := w.idle[n-1]
		w.idle = w.idle[:n-1]
		return ex
	}
	return async.NewExecutor(w)
}

func (w *Workers) giveBack(ex *async.Executor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, ex)
}

// take returns what the worker runs next; if there is nothing, the worker is no
// more.
func (w *Workers) take(ex *async.Executor) (async.Continuation, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.queue.pop(); ok {
		return c, true
	}
	w.active--
	w.idle = append(w.idle, ex)
	w.changed.Broadcast()
	return nil, false
}

// Close returns once nothing is queued, nothing runs, and no operation given to
// async.Forget is under way. It shuts nothing down, for an idle pool holds
// nothing, and whatever is posted later still runs: a continuation must not be
// lost. Close must not be called from a continuation on w: it would wait for
// itself.
func (w *Workers) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.active > 0 || w.pending > 0 { // what is queued has a worker
		w.changed.Wait()
	}
}

// OperationStarted counts an operation that nobody awaits. It implements
// async.OperationTracker (C43).
func (w *Workers) OperationStarted() { w.track(1) }

// OperationCompleted is the end of what OperationStarted began.
func (w *Workers) OperationCompleted() { w.track(-1) }

func (w *Workers) track(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pending+n < 0 {
		panic("pool: OperationCompleted without OperationStarted")
	}
	w.pending += n
	w.changed.Broadcast()
}

// UnhandledError gives err to the handler, or crashes. It implements
// async.UnhandledHandler.
func (w *Workers) UnhandledError(err *async.OperationError) {
	w.mu.Lock()
	handler := w.handler
	w.mu.Unlock()
	if handler == nil {
		err.Crash()
	}
	handler(err)
}

// call is a function as a continuation on a context.
type call struct {
	async.Anywhere
	sc async.SyncContext
	f  func()
}

// callOf is nil, as f is: Post refuses that.
func callOf(sc async.SyncContext, f func()) async.Continuation {
	if f == nil {
		return nil
	}
	return &call{sc: sc, f: f}
}

func (c *call) SyncContext() async.SyncContext { return c.sc }

func (c *call) MoveNext(*async.Executor) async.Continuation {
	c.f()
	return nil
}

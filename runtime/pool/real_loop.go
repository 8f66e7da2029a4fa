package pool

import (
	"context"
	"runtime/debug"

	"github.com/nothread/nothread/runtime/async"
)

// Loop is a UI thread's message loop for programs without a World: an
// async.SyncContext whose continuations all run on the goroutine that calls Run,
// one at a time, in the order in which they were posted. All methods may be
// called from any goroutine; Run by one at a time.
//
// Whoever blocks in a continuation on the loop, on a task whose machine resumes
// there, blocks forever: await it, or use ConfigureAwait(false). A World detects
// that; here nothing can know it.
type Loop struct {
	workers  Workers // its queue; at the end, the short-lived goroutines
	executor *async.Executor

	// Guarded by workers.mu.
	running, closing bool
}

// NewLoop returns a loop; what is posted waits until Run is called.
func NewLoop() *Loop {
	l := &Loop{workers: Workers{limit: 1, owned: true}}
	l.workers.changed.L = &l.workers.mu
	l.executor = async.NewExecutor(l)
	return l
}

// Context returns a context whose machines resume on the loop.
func (l *Loop) Context(parent context.Context) context.Context {
	return async.WithSyncContext(parent, l)
}

// HandleErrors makes f take the failures of operations that nobody awaits, on
// the loop. Without a handler they leave Run as a panic (C43).
func (l *Loop) HandleErrors(f func(*async.OperationError)) { l.workers.HandleErrors(f) }

// Post queues c. It implements async.SyncContext.
func (l *Loop) Post(c async.Continuation) { l.workers.Post(c) }

// Do queues a call of f.
func (l *Loop) Do(f func()) { l.Post(callOf(l, f)) }

// Run runs what is posted until Close was called, the queue is empty, and no
// operation given to async.Forget is under way. A panic in something that is no
// machine leaves Run; Run may be called again and goes on with what is left.
// After a runtime.Goexit in a continuation the loop goes on on fresh goroutines,
// and when it has ended, the goroutine that called Run ends.
//
// Once Run has returned after Close there is no loop any more; what is posted
// then still runs, one at a time, on short-lived goroutines: a continuation must
// not be lost.
func (l *Loop) Run() {
	l.begin()
	ended := false
	defer func() {
		if ended {
			return
		}
		if v := recover(); v != nil {
			l.interrupt()
			panic(v)
		}
		for !ended { // this goroutine is lost to a Goexit
			if p := l.relay(&ended); p != nil {
				l.interrupt()
				p.rise()
			}
		}
	}()
	l.loop()
	ended = true
}

// relay is loop on a fresh goroutine, and says whether that has ended. It returns what
// has panicked there.
func (l *Loop) relay(ended *bool) (p *elsewhere) {
	gone := make(chan struct{})
	go func() {
		defer func() {
			if v := recover(); v != nil {
				p = &elsewhere{v, debug.Stack()}
			}
			close(gone)
		}()
		l.loop()
		*ended = true
	}()
	<-gone
	return p
}

// elsewhere is a panic on a goroutine where nobody could recover it, and what a crash
// prints before its value.
type elsewhere struct {
	value any
	stack []byte
}

func (e *elsewhere) Error() string {
	return "pool: the panic below rose where the loop went on after a runtime.Goexit:\n" + string(e.stack)
}

func (e *elsewhere) rise() {
	defer panic(e.value)
	panic(e)
}

func (l *Loop) begin() {
	l.workers.mu.Lock()
	defer l.workers.mu.Unlock()
	if l.running {
		panic("pool: Run was called on a loop that is running")
	}
	l.running = true
}

// interrupt ends Run before the loop's end.
func (l *Loop) interrupt() {
	l.workers.mu.Lock()
	defer l.workers.mu.Unlock()
	l.running = false
}

func (l *Loop) loop() {
	for {
		c, ok := l.next()
		if !ok {
			return
		}
		l.executor.Run(c)
	}
}

// next waits for something to run; at the end of the loop it returns false.
func (l *Loop) next() (async.Continuation, bool) {
	w := &l.workers
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if c, ok := w.queue.pop(); ok {
			return c, true
		}
		if l.closing && w.pending == 0 {
			if w.owned { // from here on the workers have the executor
				w.owned = false
				w.idle = append(w.idle, l.executor)
			}
			l.running = false
			return nil, false
		}
		w.changed.Wait()
	}
}

// Close makes Run return once there is nothing left to do. It does not wait.
func (l *Loop) Close() {
	l.workers.mu.Lock()
	defer l.workers.mu.Unlock()
	l.closing = true
	l.workers.changed.Broadcast()
}

// OperationStarted counts an operation that nobody awaits; Run does not return
// before its end. It implements async.OperationTracker (C43).
func (l *Loop) OperationStarted() { l.workers.OperationStarted() }

// OperationCompleted is the end of what OperationStarted began.
func (l *Loop) OperationCompleted() { l.workers.OperationCompleted() }

// UnhandledError gives err to the handler, or panics. It implements
// async.UnhandledHandler.
func (l *Loop) UnhandledError(err *async.OperationError) { l.workers.UnhandledError(err) }

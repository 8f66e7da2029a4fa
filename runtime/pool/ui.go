package pool

import (
	"context"
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// UI is a simulated thread with a message loop: it does one message after the other, and while it does one, the others
// wait. It is a SyncContext: a continuation posted to it becomes a message.
type UI struct {
	operations
	kernel   *kernel.Kernel
	thread   *kernel.Thread
	executor *async.Executor
	trap     Trap
	posts    uint64
	idle     clock.Time // when the last message ended
	messages queue[message]
}

// costMessage is what a message costs that follows upon another without a context switch: else a machine that yields to
// the messages behind it could do so for ever at one moment, and no timer would ever ring.
const costMessage = 100 * time.Nanosecond

// message is a continuation or a function.
type message struct {
	name         string
	continuation async.Continuation
	function     func()
}

// NewUI makes a thread with a message loop, waiting for its first message. trap may be nil.
func NewUI(k *kernel.Kernel, name string, trap Trap) *UI {
	u := &UI{kernel: k, trap: trap, idle: -1}
	u.executor = async.NewExecutor(u)
	u.thread = k.NewThread(name, u)
	u.thread.Local = u
	u.thread.WaitIdle("a message")
	return u
}

// Context returns a context whose machines resume on the UI thread.
func (u *UI) Context(parent context.Context) context.Context {
	return async.WithSyncContext(parent, u)
}

// Executor returns who runs continuations on the thread.
func (u *UI) Executor() *async.Executor { return u.executor }

// Posts returns how many continuations were posted.
func (u *UI) Posts() uint64 { return u.posts }

// Len returns the number of messages that wait.
func (u *UI) Len() int { return u.messages.n }

// String returns the thread's name.
func (u *UI) String() string { return u.thread.Name() }

// Post queues a continuation as a message. It implements async.SyncContext.
func (u *UI) Post(c async.Continuation) {
	refuseNil(c == nil, u.thread.Name())
	u.posts++
	u.kernel.CPU().Trace(kernel.HopPosted, nil, u.thread.Name(), 0, 0)
	u.push(message{continuation: c})
	u.trap.posted(u.thread, c)
}

// Go queues a function as a message; the name is for the trace.
func (u *UI) Go(name string, f func()) {
	refuseNil(f == nil, u.thread.Name())
	u.push(message{name: name, function: f})
}

func (u *UI) push(m message) {
	u.messages.push(m)
	if u.messages.n == 1 && u.waiting() {
		u.kernel.Wake(u.thread)
	}
}

// waiting reports whether the thread waits for a message, and not for something that the message it does blocks on.
func (u *UI) waiting() bool {
	return u.thread.State() == kernel.Waiting && u.thread.Stack == nil
}

// Run does one message; with none, the thread waits for the next. It implements kernel.Body.
func (u *UI) Run(t *kernel.Thread) {
	m, ok := u.messages.pop()
	if !ok {
		t.WaitIdle("a message")
		return
	}
	if now := t.CPU().Now(); now == u.idle {
		t.CPU().Spend(costMessage)
	}
	if m.continuation != nil {
		t.CPU().Trace(kernel.HopResumed, nil, t.Name(), 0, 0)
		u.executor.Run(m.continuation)
	} else {
		t.CPU().Trace(kernel.HopMessage, nil, m.name, 0, 0)
		m.function()
	}
	t.CPU().Trace(kernel.HopMessageLoop, nil, t.Name(), int64(u.messages.n), 0)
	u.idle = t.CPU().Now()
}

// Queued ranges over the continuations that wait for the thread.
func (u *UI) Queued(yield func(async.Continuation) bool) {
	for m := range u.messages.all {
		if c := m.continuation; c != nil && !yield(c) {
			return
		}
	}
}

// Waiting says in words what waits for the thread, for a World's deadlock message; "" if nothing does.
func (u *UI) Waiting() string {
	if u.messages.n == 0 {
		return ""
	}
	continuations := 0
	for range u.Queued {
		continuations++
	}
	return fmt.Sprintf("%d continuations and %d other messages wait to run on it", continuations, u.messages.n-continuations)
}

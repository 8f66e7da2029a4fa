package sim

import (
	"context"
	"sync"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
)

// This file is the World's own contexts: their callbacks run in the World, synchronously and in a fixed order, and their
// deadlines are on its clock. A context that the standard library derives from one starts no goroutine (but for one
// derived from a value of one with a deadline); it is foreign, though: foreign.go.

// worldContext is a context that ends in the World.
type worldContext struct {
	// inner carries the parent's values and, for context.Cause, the cause; it ends with the context. Its Done channel is
	// the context's too, so that standard children, also those of a context.WithValue, hang themselves into inner and
	// need no goroutine. Not so with a deadline: they would take inner's error, which is always Canceled, for theirs.
	inner  context.Context
	revoke context.CancelCauseFunc // ends inner
	world  *World
	timed  bool

	// A standard context may be derived and ended on any goroutine.
	mu     sync.Mutex
	done   chan struct{} // if timed: made when asked for
	err    error
	ended  clock.Time    // if err is set: when
	latest *registration // the callbacks, the most recent first
	idle   *registration // of Register, in no use, as long as it has not ended; linked by next

	parent       context.Context // nil: it never ends, or had ended
	registration async.Stopper   // with the parent; nil: there is none, or it has ended
	deadline     deadline
}

// registration is one callback.
type registration struct {
	context    *worldContext
	f          func()
	c          async.Callback // in place of f: then it is used again
	next, prev *registration
	gone       bool
}

// Value finds, under async.CancelKey, the nearest World context: itself; all else is inner's and the parent's to know.
func (c *worldContext) Value(key any) any {
	if key == (async.CancelKey{}) {
		return c
	}
	return c.inner.Value(key)
}

// Deadline reports none: a deadline on the World's clock is not one of the wall's.
func (c *worldContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done returns the channel that is closed when the context ends.
func (c *worldContext) Done() <-chan struct{} {
	if !c.timed {
		return c.inner.Done()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err returns why the context has ended, nil if it has not.
func (c *worldContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// AfterFunc calls f when the context ends, on whoever ends it, the latest registered first; at once if it has ended. It
// is what the standard library looks for to do without a goroutine, and package async to be called in order.
func (c *worldContext) AfterFunc(f func()) (stop func() bool) {
	refuseNil(f == nil, "AfterFunc")
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		f()
		return func() bool { return false }
	}
	r := &registration{context: c, f: f}
	c.link(r)
	c.mu.Unlock()
	return r.Stop
}

// Register is AfterFunc without a function. It is async.Registrar's.
func (c *worldContext) Register(callback async.Callback) async.Stopper {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		callback.ContextDone()
		return nil
	}
	r := c.idle
	if r == nil {
		r = &registration{context: c}
	} else {
		c.idle = r.next
	}
	r.c = callback
	c.link(r)
	c.mu.Unlock()
	return r
}

// Stop ends the registration and reports whether it had not ended.
func (r *registration) Stop() bool {
	c := r.context
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.gone {
		return false
	}
	c.unlink(r)
	return true
}

func (c *worldContext) link(r *registration) {
	r.gone, r.prev, r.next = false, nil, c.latest
	if r.next != nil {
		r.next.prev = r
	}
	c.latest = r
}

func (c *worldContext) unlink(r *registration) {
	r.gone = true
	if r.prev == nil {
		c.latest = r.next
	} else {
		r.prev.next = r.next
	}
	if r.next != nil {
		r.next.prev = r.prev
	}
	if r.c != nil {
		r.c, r.next = nil, nil
		if c.err == nil {
			r.next, c.idle = c.idle, r
		}
	}
}

// end ends the context, once, and calls what waits for that. A nil cause means err.
func (c *worldContext) end(err, cause error) {
	if cause == nil {
		cause = err
	}
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err, c.ended, c.idle = err, c.world.Now(), nil
	c.revoke(cause)
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	if c.registration != nil {
		c.registration.Stop()
	}
	if t := c.deadline.timer; t != nil {
		t.Stop()
	}
	c.callBack()
}

// callBack calls all that is registered. A panic or runtime.Goexit in one of them keeps no other from being called (C35);
// of several panics the last rises, as from deferred calls.
func (c *worldContext) callBack() {
	called := false
	defer func() {
		if !called {
			c.callBack()
		}
	}()
	for f, callback := c.takeLatest(); f != nil || callback != nil; f, callback = c.takeLatest() {
		if f != nil {
			f()
		} else {
			callback.ContextDone()
		}
	}
	called = true
}

// takeLatest takes the latest callback: a function, or what is none.
func (c *worldContext) takeLatest() (func(), async.Callback) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.latest
	if r == nil {
		return nil, nil
	}
	f, callback := r.f, r.c
	c.unlink(r)
	return f, callback
}

// WithCancel returns a context that ends when its parent does or cancel is called. What waits for that is called before
// cancel returns, the latest first. cancel must be called in the World: by the owner or by code on a simulated thread.
func (w *World) WithCancel(parent context.Context) (ctx context.Context, cancel context.CancelFunc) {
	c := w.derive(parent)
	return c, func() { c.end(context.Canceled, nil) }
}

// WithCancelCause is WithCancel with a cause, which context.Cause returns. It is part of async.Canceler.
func (w *World) WithCancelCause(parent context.Context) (ctx context.Context, cancel context.CancelCauseFunc) {
	c := w.derive(parent)
	return c, func(cause error) { c.end(context.Canceled, cause) }
}

// WithTimeout is WithCancel, and the context also ends, with context.DeadlineExceeded, once d has passed on the World's
// clock.
func (w *World) WithTimeout(parent context.Context, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	c := w.derive(parent)
	c.timed = true
	switch {
	case c.Err() != nil || d == async.Infinite:
	case d <= 0:
		c.end(context.DeadlineExceeded, nil)
	default:
		c.deadline.context = c
		c.deadline.timer = w.ResumeAfter(d, &c.deadline)
	}
	return c, func() { c.end(context.Canceled, nil) }
}

// deadline ends a context when its timer has rung.
type deadline struct {
	async.Anywhere
	context *worldContext
	timer   async.Stopper // nil: there is none, or it has rung
}

// MoveNext is what the timer resumes.
func (d *deadline) MoveNext(*async.Executor) async.Continuation {
	d.timer = nil
	d.context.end(context.DeadlineExceeded, nil)
	return nil
}

func (w *World) derive(parent context.Context) *worldContext {
	if parent == nil {
		panic("sim: a context without a parent; use World.Context")
	}
	c := &worldContext{world: w}
	c.inner, c.revoke = context.WithCancelCause(context.WithoutCancel(parent))
	switch {
	case parent.Err() != nil:
		c.end(parent.Err(), context.Cause(parent))
	case !async.Endless(parent):
		c.parent = parent
		c.registration = w.Register(parent, c)
	}
	return c
}

// ContextDone ends the context with its parent. It implements async.Callback.
func (c *worldContext) ContextDone() {
	c.registration = nil
	c.end(c.parent.Err(), context.Cause(c.parent))
}

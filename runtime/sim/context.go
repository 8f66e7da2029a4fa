package sim

import (
	"context"
	"sync"
	"time"

	"github.com/nothread/nothread/runtime/async"
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
	latest *registration // the callbacks, the most recent first

	stopParent func() bool // nil: the parent never ends
	stopTimer  func() bool // nil: no deadline
}

// registration is one callback.
type registration struct {
	f          func()
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
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		f()
		return func() bool { return false }
	}
	r := &registration{f: f, next: c.latest}
	if r.next != nil {
		r.next.prev = r
	}
	c.latest = r
	c.mu.Unlock()
	return func() bool { return c.unregister(r) }
}

func (c *worldContext) unregister(r *registration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.gone {
		return false
	}
	c.unlink(r)
	return true
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
	c.err = err
	c.revoke(cause)
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	if c.stopParent != nil {
		c.stopParent()
	}
	if c.stopTimer != nil {
		c.stopTimer()
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
	for r := c.takeLatest(); r != nil; r = c.takeLatest() {
		r.f()
	}
	called = true
}

func (c *worldContext) takeLatest() *registration {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.latest
	if r != nil {
		c.unlink(r)
	}
	return r
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
		c.stopTimer = w.AfterFunc(d, func() { c.end(context.DeadlineExceeded, nil) })
	}
	return c, func() { c.end(context.Canceled, nil) }
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
	case parent.Done() != nil:
		c.stopParent = w.OnDone(parent, func() { c.end(parent.Err(), context.Cause(parent)) })
	}
	return c
}

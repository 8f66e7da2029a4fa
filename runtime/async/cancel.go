package async

import (
	"context"
	"time"
)

// CancelKey is the key under which a context answers with the [CancelNotifier]
// nearest above it, as context's own types find theirs: a value wrapped around a
// host's context must not hide how it calls back.
type CancelKey struct{}

// A CancelNotifier is a context that calls back synchronously, in an order of
// its own, when it is cancelled: a host's. AfterFunc is context.AfterFunc but for
// that; on a context already cancelled it calls f before it returns (C36).
type CancelNotifier interface {
	Done() <-chan struct{}
	AfterFunc(f func()) (stop func() bool)
}

// A Registrar is a [CancelNotifier] that calls what is no function, for which nothing is
// allocated.
type Registrar interface {
	// Register is AfterFunc for c. Once c was called, or the registration stopped, that
	// may be another's and is not touched any more; of a context that is done it is nil.
	Register(c Callback) Stopper
}

// A Callback is called when a context is done.
type Callback interface{ ContextDone() }

// Watcher is a host that watches contexts which are not its own: OnDone makes it
// call f, with nothing else of it running, at its next step after ctx is done.
type Watcher interface {
	OnDone(ctx context.Context, f func()) (stop func() bool)
}

// ContextWatcher is a [Watcher] that tells its own contexts from others, be these another
// host's: OnDone and Register call back inside the call of cancel, or at once, if ctx is
// its own. Register is otherwise as a [Registrar]'s.
type ContextWatcher interface {
	Watcher
	Register(ctx context.Context, c Callback) Stopper
}

// AfterFunc calls f once ctx is done, unless stop is called before; stop reports
// whether it was. A host's own context calls f synchronously; the standard
// library's calls it on a goroutine, or, if ctx carries a host that watches it, in
// that host. stop is never nil.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if stop = whenDone(ctx, HostOf(ctx), func(bool) { f() }); stop == nil {
		return func() bool { return true }
	}
	return stop
}

// whenDone is AfterFunc for what belongs to h, whatever ctx carries: it tells f whether
// it runs inside somebody's call of cancel. stop is nil if ctx is never done.
func whenDone(ctx context.Context, h Host, f func(inCancel bool)) (stop func() bool) {
	refuseNil(ctx)
	if Endless(ctx) {
		return nil
	}
	if w, ok := h.(ContextWatcher); ok {
		return w.OnDone(ctx, func() { f(true) })
	}
	if n := notifierOf(ctx); n != nil {
		return n.AfterFunc(func() { f(true) })
	}
	if w, ok := h.(Watcher); ok {
		return w.OnDone(ctx, func() { f(true) })
	}
	return context.AfterFunc(ctx, func() { f(false) })
}

// notifierOf is what calls back when ctx is done, nil if only the standard library does.
func notifierOf(ctx context.Context) CancelNotifier {
	if n, ok := ctx.(CancelNotifier); ok {
		return n
	}
	if n, ok := ctx.Value(CancelKey{}).(CancelNotifier); ok && n.Done() == ctx.Done() {
		return n
	}
	return nil
}

// Endless reports whether ctx is never done. A [CancelNotifier] may be; it is not asked
// for a channel, which it may have to make.
func Endless(ctx context.Context) bool {
	_, ends := ctx.(CancelNotifier)
	return !ends && ctx.Done() == nil
}

// ContextWithCancel is context.WithCancel, by the means of the host that ctx
// carries, if any: cancel then calls back what waits in an order of the host's,
// before it returns.
func ContextWithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := withCancel(ctx)
	return ctx, func() { cancel(nil) }
}

// ContextWithTimeout is context.WithTimeout on the clock of the host that ctx
// carries, else on the wall clock: for an operation that is to end early, where
// [WithTimeout] only stops waiting for it.
func ContextWithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if c, ok := HostOf(ctx).(Canceler); ok {
		return c.WithTimeout(ctx, d)
	}
	return context.WithTimeout(ctx, d)
}

// withCancel derives a context by the host's means, else by the standard
// library's.
func withCancel(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	if c, ok := HostOf(ctx).(Canceler); ok {
		return c.WithCancelCause(ctx)
	}
	return context.WithCancelCause(ctx)
}

// cancelled is the error of what ended because a context did, for a cause of its
// own: errors.Is finds both the cause and context's own error.
type cancelled struct{ cause, err error }

func (c *cancelled) Error() string   { return c.cause.Error() }
func (c *cancelled) Unwrap() []error { return []error{c.cause, c.err} }

// over reports whether ctx is done.
func over(ctx context.Context) bool {
	refuseNil(ctx)
	return ctx.Err() != nil
}

// refuseNil panics where a context is needed and there is none.
func refuseNil(ctx context.Context) {
	if ctx == nil {
		panic("async: the context is nil; where there is none, pass context.Background()")
	}
}

// causeOf returns why ctx is done.
func causeOf(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || cause == err {
		return err
	}
	return &cancelled{cause, err}
}

// FromContext returns a task that completes, once, when ctx is done, with an
// error that errors.Is finds to be both context.Cause(ctx) and ctx.Err(). On a
// context already done it is complete; on one never done it stays pending.
func FromContext(ctx context.Context) Task0 {
	if over(ctx) {
		return Completed0(causeOf(ctx))
	}
	j := newJoint[struct{}](ctx)
	j.watch(ctx)
	return Task0{j.source.Task()}
}

// Infinite is a duration that never ends: Delay, WithTimeout and a World's contexts
// set no timer for it.
const Infinite time.Duration = 1<<63 - 1

// Now returns what time it is by the host that ctx carries, else by the wall clock. In a
// World that is how long it has existed, from the midnight (UTC) with which 2000 began.
func Now(ctx context.Context) time.Time {
	if c, ok := HostOf(ctx).(Clock); ok {
		return c.Time()
	}
	return time.Now()
}

// Delay returns a task that completes once d has passed, on the clock of the
// host that ctx carries, else on the wall clock; or when ctx is done, with its
// error as in [FromContext]. If ctx is done already that is so at once, else a d
// of 0 or less is complete at once (C46). The timer resumes what awaits the task
// before it goes on; a cancellation posts it.
func Delay(ctx context.Context, d time.Duration) Task0 {
	switch {
	case over(ctx):
		return Completed0(causeOf(ctx))
	case d <= 0:
		return Completed0(nil)
	case Endless(ctx): // nothing but the timer ends it
		t := new(turn)
		t.bindTo(ctx)
		if d != Infinite {
			resumeAfter(t.host(), d, t)
		}
		return t.Task()
	}
	j := newJoint[struct{}](ctx)
	j.watch(ctx)
	j.timeout(d, nil)
	return Task0{j.source.Task()}
}

package async

import (
	"context"
	"time"
)

// A SyncContext decides where continuations resume: a UI thread's message loop,
// a pool, a serial queue. Its dynamic type must be comparable; a pointer is.
type SyncContext interface {
	// Post queues c; the context's loop resumes it by [Executor.Run], with an
	// executor made by NewExecutor for this very context. Post returns at once
	// and may be called from any goroutine; a host's context follows the host's
	// rule. It must not lose c.
	Post(c Continuation)
}

// OperationTracker is a SyncContext that wants to know how many operations that
// nobody awaits are under way (C43): see [Forget].
type OperationTracker interface {
	OperationStarted()
	OperationCompleted()
}

// UnhandledHandler is a SyncContext that takes the failures of operations that
// nobody awaits; it is called on the context's own loop. Where a context has
// none, such a failure crashes the program (C43).
type UnhandledHandler interface {
	UnhandledError(err *OperationError)
}

// A Host is a world in which awaited things complete: it knows who runs now, and
// how to go on while somebody blocks. One of its threads runs at a time; what
// belongs to it, tasks too, is touched by that one alone, and is not interlocked.
// Its dynamic type must be comparable; a pointer is. The methods that it may have
// besides are those of [Poster], [Timers], [Clock], [ContinuationTimers], [Canceler], [Starter],
// [Watcher], [ContextWatcher], [MachineTracker] and [Buggifier].
type Host interface {
	// Executor returns who runs now, nil if it is the host's owner.
	Executor() *Executor
	// Block returns once p is completed. It parks the host's thread that called
	// it, or, called by the owner, runs the host until then.
	Block(p Pending)
}

// Poster is a host that can queue a continuation which belongs to no
// SyncContext, to be resumed by one of its threads soon. For one that cannot,
// such a continuation gets a short-lived goroutine.
type Poster interface {
	Post(c Continuation)
}

// Timers is a host with a clock of its own.
type Timers interface {
	// AfterFunc calls f once d has passed, unless stop is called before; stop
	// reports whether it was.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// Clock is a host that knows what time it is.
type Clock interface {
	Time() time.Time
}

// ContinuationTimers is a host whose clock resumes continuations, for which it need not
// allocate a function: Delay and timeouts use it where a host has it.
type ContinuationTimers interface {
	// ResumeAfter resumes c once d has passed, unless the timer is stopped before.
	// Neither is touched after the other: the timer may be another's then.
	ResumeAfter(d time.Duration, c Continuation) Stopper
}

// A Stopper is something that will happen, and can be kept from it, as a [time.Timer].
type Stopper interface {
	// Stop reports whether it was in time.
	Stop() bool
}

// StopFunc is a function as a [Stopper].
type StopFunc func() bool

// Stop calls f.
func (f StopFunc) Stop() bool { return f() }

// Canceler is a host whose contexts call back in an order of its own.
type Canceler interface {
	WithCancelCause(parent context.Context) (context.Context, context.CancelCauseFunc)
	WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// Starter is a host that can run a function on a new thread of its own.
type Starter interface {
	// StartThread runs f on a new thread and returns when f first blocks or ends.
	StartThread(f func())
}

// Pending is the part of an awaitable that a blocked caller needs.
type Pending interface {
	IsCompleted() bool
	// OnCompleted stores c to be resumed exactly once and returns true, or
	// returns false because the operation is complete already: then the caller
	// goes on at once. After true, the caller must not touch what c stands for.
	// An OnCompleted that panics must not have stored c.
	OnCompleted(c Continuation) bool
}

// environment is what a context.Context tells a machine at its kickoff. It is
// immutable; machines copy the pointer.
type environment struct {
	sync     SyncContext
	host     Host
	workers  SyncContext
	machines *Machines    // who keeps track of the host's machines, nil if nobody
	bare     *environment // the same host alone; itself if it has nothing else
	flags    uint32       // of a cell that has it

	idle []idleMachines // bare's: the host's machines that are in no use, by the number of their pool
}

func newEnvironment(sc SyncContext, h Host, workers SyncContext) *environment {
	bare := &environment{host: h, machines: machinesOf(h), flags: hosted}
	bare.bare = bare
	if h != nil {
		bare.flags |= solo
		if bare.machines != nil {
			bare.flags |= tracked
		}
	}
	return bare.with(sc, workers)
}

// with is the environment of the same host with other contexts.
func (e *environment) with(sc SyncContext, workers SyncContext) *environment {
	if sc == nil && workers == nil {
		return e.bare
	}
	flags := e.bare.flags
	if sc != nil {
		flags |= elsewhere
	}
	return &environment{sync: sc, host: e.host, workers: workers, machines: e.bare.machines, bare: e.bare, flags: flags}
}

type environmentKey struct{}

// An environmentContext is the context that carries e: one of our own, to find e
// at once where a function is called with that very context.
type environmentContext struct {
	context.Context
	e *environment
}

// Value returns the environment for its key, and what the parent has for others.
func (c *environmentContext) Value(key any) any {
	if key == (environmentKey{}) {
		return c.e
	}
	return c.Context.Value(key)
}

// environmentOf is what ctx carries, nil if nothing; ctx may be nil.
func environmentOf(ctx context.Context) *environment {
	if ctx == nil {
		return nil
	}
	return environmentIn(ctx)
}

func environmentIn(ctx context.Context) *environment {
	if c, ok := ctx.(*environmentContext); ok {
		return c.e
	}
	env, _ := ctx.Value(environmentKey{}).(*environment)
	return env
}

// carried returns what ctx carries; the zero environment if nothing.
func carried(ctx context.Context) environment {
	if env := environmentOf(ctx); env != nil {
		return *env
	}
	return environment{}
}

// withContexts returns a context for the host that ctx carries.
func withContexts(ctx context.Context, sc, workers SyncContext) context.Context {
	refuseNil(ctx)
	if env := environmentOf(ctx); env != nil {
		return &environmentContext{ctx, env.with(sc, workers)}
	}
	return &environmentContext{ctx, newEnvironment(sc, nil, workers)}
}

// WithSyncContext returns a context whose machines resume on sc; a nil sc means
// wherever the completion runs.
func WithSyncContext(ctx context.Context, sc SyncContext) context.Context {
	return withContexts(ctx, sc, WorkersOf(ctx))
}

// SyncContextOf returns the SyncContext that ctx carries, nil if none.
func SyncContextOf(ctx context.Context) SyncContext { return carried(ctx).sync }

// WithHost returns a context whose sources and machines belong to h.
func WithHost(ctx context.Context, h Host) context.Context {
	refuseNil(ctx)
	e := carried(ctx)
	return &environmentContext{ctx, newEnvironment(e.sync, h, e.workers)}
}

// HostOf returns the host that ctx carries, nil if none.
func HostOf(ctx context.Context) Host { return carried(ctx).host }

// WithWorkers returns a context whose [Run] sends its work to pool.
func WithWorkers(ctx context.Context, pool SyncContext) context.Context {
	return withContexts(ctx, SyncContextOf(ctx), pool)
}

// WorkersOf returns the worker pool that ctx carries, nil if none.
func WorkersOf(ctx context.Context) SyncContext { return carried(ctx).workers }

// post queues c where it belongs: on its SyncContext, else with the host, else
// on the executor at hand, else on a goroutine that ends with it (C45).
func post(ex *Executor, h Host, c Continuation) {
	c = freed(c)
	if sc := c.SyncContext(); sc != nil {
		sc.Post(c)
		return
	}
	if ex != nil && ex.running {
		ex.queue.push(c)
		return
	}
	if p, ok := h.(Poster); ok {
		p.Post(c)
		return
	}
	go (*Executor)(nil).Run(c)
}

// postAll posts what a completion released, which may be nothing.
func postAll(ex *Executor, h Host, released Continuation) {
	if released == nil {
		return
	}
	l := listOf(released)
	if l == nil {
		post(ex, h, released)
		return
	}
	each(l.list, func(c Continuation) {
		if c != nil {
			post(ex, h, c)
		}
	})
}

// each calls post for all of list: a Post that panics keeps nothing else from being posted.
func each[T any](list []T, post func(T)) {
	defer func() {
		if len(list) > 0 {
			each(list, post)
		}
	}()
	for len(list) > 0 {
		v := list[0]
		list = list[1:]
		post(v)
	}
}

package async

import "context"

// A SyncContext decides where continuations resume: a UI thread's message loop,
// a pool, a serial queue.
type SyncContext interface {
	// Post queues c; the context's loop resumes it by [Executor.Run], with an
	// executor made by NewExecutor for this very context. Post returns at once.
	Post(c Continuation)
}

// A Host is a world in which awaited things complete: it knows who runs now, and
// how to go on while somebody blocks.
type Host interface {
	// Executor returns who runs now, nil if it is the host's owner.
	Executor() *Executor
	// Block returns once p is completed. It parks the host's thread that called
	// it, or, called by the owner, runs the host until then.
	Block(p Pending)
}

// Pending is the part of an awaitable that a blocked caller needs.
type Pending interface {
	IsCompleted() bool
	// OnCompleted stores c to be resumed exactly once and returns true, or
	// returns false because the operation is complete already: then the caller
	// goes on at once. After true, the caller must not touch what c stands for.
	OnCompleted(c Continuation) bool
}

// environment is what a context.Context tells a machine at its kickoff. It is
// immutable; machines copy the pointer.
type environment struct {
	sync SyncContext
	host Host
	bare *environment // the same host without a SyncContext; itself if it has none
}

func newEnvironment(sc SyncContext, h Host) *environment {
	bare := &environment{host: h}
	bare.bare = bare
	if sc == nil {
		return bare
	}
	return &environment{sync: sc, host: h, bare: bare}
}

type environmentKey struct{}

func environmentOf(ctx context.Context) *environment {
	if ctx == nil {
		return nil
	}
	env, _ := ctx.Value(environmentKey{}).(*environment)
	return env
}

// WithSyncContext returns a context whose machines resume on sc; a nil sc means
// wherever the completion runs.
func WithSyncContext(ctx context.Context, sc SyncContext) context.Context {
	return context.WithValue(ctx, environmentKey{}, newEnvironment(sc, HostOf(ctx)))
}

// SyncContextOf returns the SyncContext that ctx carries, nil if none.
func SyncContextOf(ctx context.Context) SyncContext {
	if env := environmentOf(ctx); env != nil {
		return env.sync
	}
	return nil
}

// WithHost returns a context whose sources and machines belong to h.
func WithHost(ctx context.Context, h Host) context.Context {
	return context.WithValue(ctx, environmentKey{}, newEnvironment(SyncContextOf(ctx), h))
}

// HostOf returns the host that ctx carries, nil if none.
func HostOf(ctx context.Context) Host {
	if env := environmentOf(ctx); env != nil {
		return env.host
	}
	return nil
}

package async

import (
	"context"
	"sync/atomic"
)

// A Source completes a task by hand: the producer's side of a cell. Everything
// in flight that is no machine ends in one. The zero Source is unbound and
// pending. Its methods may be called from any goroutine; a Source bound to a
// host follows the host's rule. It must not be copied after Task was called.
type Source[T any] struct {
	cell cell[T]
}

// A SourceOption changes how a source behaves.
type SourceOption func(*sourceOptions)

type sourceOptions struct{ posts bool }

// PostContinuations makes completions post their continuations instead of
// resuming them before they return.
func PostContinuations(o *sourceOptions) { o.posts = true }

// NewSource returns a pending source that belongs to no host. In a World take
// [NewSourceFor]: a blocking Await on a task without a host blocks the World, too,
// and whoever is to complete it there.
func NewSource[T any](options ...SourceOption) *Source[T] {
	s := new(Source[T])
	s.cell.head.status = flagsOf(options)
	return s
}

// NewSourceFor returns a pending source bound to the host that ctx carries, if
// any: a blocking Await on its task then parks that host's thread, and a
// completion resumes continuations on the host's executor.
func NewSourceFor[T any](ctx context.Context, options ...SourceOption) *Source[T] {
	s := NewSource[T](options...)
	s.bindTo(ctx)
	return s
}

// bindTo binds the source to the host that ctx carries, if any.
func (s *Source[T]) bindTo(ctx context.Context) { s.cell.head.bindIn(environmentOf(ctx)) }

// flagsOf is what options make of a source.
func flagsOf(options []SourceOption) (flags uint32) {
	for _, option := range options {
		var o sourceOptions
		if option(&o); o.posts {
			flags = posting
		}
	}
	return flags
}

// Bind makes h the source's host. Call it before Task.
func (s *Source[T]) Bind(h Host) { s.cell.head.bindIn(newEnvironment(nil, h, nil)) }

// Task returns the task that the source completes. It may be awaited many times
// and by many, until Reset.
func (s *Source[T]) Task() Task[T] { return taskOf(&s.cell, s.cell.head.token()) }

// SetResult completes the task with v and resumes what awaits it. It panics if
// the task is complete already (C15).
func (s *Source[T]) SetResult(v T) { mustBeFirst(s.TrySetResult(v)) }

// SetError completes the task with err and resumes what awaits it. It panics if
// the task is complete already.
func (s *Source[T]) SetError(err error) { mustBeFirst(s.TrySetError(err)) }

// TrySetResult is SetResult, but reports false if the task is complete already (C1).
func (s *Source[T]) TrySetResult(v T) bool { return s.Complete(s.executor(), v, nil) }

// TrySetError is SetError, but reports false if the task is complete already.
func (s *Source[T]) TrySetError(err error) bool {
	var zero T
	return s.Complete(s.executor(), zero, err)
}

// Complete completes the task with v and err on behalf of ex, nil if no
// executor is at hand, and reports whether it was the first to do so (C1).
// Continuations that have a SyncContext other than ex's are posted there; the
// others have run when Complete returns, unless ex is running already.
func (s *Source[T]) Complete(ex *Executor, v T, err error) bool {
	released, first := s.cell.complete(v, err)
	if released != nil {
		if s.cell.head.has(posting) {
			postAll(ex, s.host(), released)
		} else {
			ex.release(released)
		}
	}
	return first
}

// Release is Complete for a caller that is itself a continuation, or the next of
// [Executor.RunAll]: it returns what the completion released, nil if nothing, for
// the caller to return. first is false if the task was complete already.
func (s *Source[T]) Release(v T, err error) (released Continuation, first bool) {
	c := &s.cell
	switch status := atomic.LoadUint32(&c.head.status); {
	case status&(posting|solo|phases) == solo|stored && err == nil:
		return c.completeSolo(status, v), true
	case status&(posting|solo) == 0:
		return c.completeAny(status, v, err)
	}
	return s.release(v, err)
}

// release is Release where it takes longer.
func (s *Source[T]) release(v T, err error) (released Continuation, first bool) {
	if s.cell.head.has(posting) {
		return nil, s.Complete(nil, v, err)
	}
	return s.cell.complete(v, err)
}

// Reset makes the source pending again, with a new version: tasks handed out
// before are stale, and awaiting or reading one panics (C18). Only the owner of a source that
// is no longer awaited may call it; it panics if a continuation is stored.
func (s *Source[T]) Reset() {
	status := atomic.LoadUint32(&s.cell.head.status)
	if status&(phases|failed) != done {
		s.cell.head.clear(status)
	}
	var zero T
	s.cell.value, s.cell.head.status = zero, nextUse(status)
}

func (s *Source[T]) host() Host          { return hostOf(s.cell.head.environment()) }
func (s *Source[T]) executor() *Executor { return executorOf(s.cell.head.environment()) }

func hostOf(env *environment) Host {
	if env == nil {
		return nil
	}
	return env.host
}

func executorOf(env *environment) *Executor {
	if h := hostOf(env); h != nil {
		return h.Executor()
	}
	return nil
}

func mustBeFirst(first bool) {
	if !first {
		panic("async: C15: a source was completed twice; use TrySetResult or TrySetError where several may complete it")
	}
}

// A SourcePool hands out sources that come back once their result was read: for
// producers with many short operations. The zero SourcePool is ready; it may be
// used from any goroutine. A source's task may be awaited once (C14) and read
// once (C13); one that is never read is left to the garbage collector.
type SourcePool[T any] struct{ sources Pool[pooledSource[T]] }

// New returns a pending source bound to the host that ctx carries, if any.
func (p *SourcePool[T]) New(ctx context.Context, options ...SourceOption) PooledSource[T] {
	s, env := p.sources.Get(nil, ctx)
	if s.pool == nil { // it is new
		s.pool, s.pooled.owner = p, s
	}
	h := &s.pooled.cell.head
	h.status |= single | flagsOf(options)
	h.bindIn(env)
	return PooledSource[T]{source: s, token: h.token()}
}

// A PooledSource is a source from a [SourcePool]: a value, whose copies stand for
// the same operation. It may be completed by one goroutine alone; completed again,
// be it after its result was read and its cell is in use for another operation, it
// panics (C15).
type PooledSource[T any] struct {
	source *pooledSource[T]
	token  uint32
}

func (s PooledSource[T]) cell() *cell[T] { return &s.source.pooled.cell }

// Task is Source.Task.
func (s PooledSource[T]) Task() Task[T] { return taskOf(s.cell(), s.token) }

// SetResult is Source.SetResult.
func (s PooledSource[T]) SetResult(v T) { mustBeFirst(s.Complete(s.executor(), v, nil)) }

// SetError is Source.SetError.
func (s PooledSource[T]) SetError(err error) {
	var zero T
	mustBeFirst(s.Complete(s.executor(), zero, err))
}

// Complete is Source.Complete. It reports false, too, if the result was read.
func (s PooledSource[T]) Complete(ex *Executor, v T, err error) bool {
	c := s.cell()
	if s.over() {
		return false
	}
	posted, h := c.head.has(posting), hostOf(c.head.environment())
	released, first := c.complete(v, err)
	if released != nil && posted {
		postAll(ex, h, released)
	} else {
		ex.release(released)
	}
	return first
}

// Release is Source.Release.
func (s PooledSource[T]) Release(v T, err error) (released Continuation, first bool) {
	c := s.cell()
	status := atomic.LoadUint32(&c.head.status)
	switch {
	case status&(versions|posting|solo|phases) == s.token&versions|solo|stored:
		s.source.pooled.err = err
		return c.completeSolo(status, v), true
	case c.head.has(posting):
		return nil, s.Complete(nil, v, err)
	case s.over():
		return nil, false
	}
	return c.complete(v, err)
}

// over reports whether the operation has been completed, and perhaps its cell is in
// use for another.
func (s PooledSource[T]) over() bool {
	c := s.cell()
	return c.head.token() != s.token || c.head.isCompleted()
}

func (s PooledSource[T]) executor() *Executor { return executorOf(s.cell().head.environment()) }

// pooledSource is what a SourcePool keeps.
type pooledSource[T any] struct {
	pooled pooledCell[T]
	pool   *SourcePool[T]
}

// Recycle puts the source back; reading the task's result calls it. What completed
// it has taken the continuation.
func (s *pooledSource[T]) Recycle() {
	c := &s.pooled.cell
	past := c.head.retire()
	var zero T
	c.value, c.head.env, c.head.status = zero, nil, past.status
	s.pooled.err = nil
	s.pool.sources.Put(s, past)
}

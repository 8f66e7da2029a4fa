package async

import "context"

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

// NewSource returns a pending source that belongs to no host.
func NewSource[T any](options ...SourceOption) *Source[T] {
	s := new(Source[T])
	s.configure(options)
	return s
}

// NewSourceFor returns a pending source bound to the host that ctx carries, if
// any: a blocking Await on its task then parks that host's thread, and a
// completion resumes continuations on the host's executor.
func NewSourceFor[T any](ctx context.Context, options ...SourceOption) *Source[T] {
	s := NewSource[T](options...)
	if h := HostOf(ctx); h != nil {
		s.Bind(h)
	}
	return s
}

func (s *Source[T]) configure(options []SourceOption) {
	var o sourceOptions
	for _, option := range options {
		option(&o)
	}
	s.cell.posts = o.posts
}

// Bind makes h the source's host. Call it before Task.
func (s *Source[T]) Bind(h Host) {
	s.bind(newEnvironment(nil, h))
}

func (s *Source[T]) bind(env *environment) {
	s.cell.env = env
	s.cell.status |= hosted
}

// Task returns the task that the source completes. It may be awaited many times
// and by many, until Reset.
func (s *Source[T]) Task() Task[T] { return Task[T]{cell: &s.cell, token: s.cell.version} }

// SetResult completes the task with v and resumes what awaits it. It panics if
// the task is complete already.
func (s *Source[T]) SetResult(v T) { s.must(s.TrySetResult(v)) }

// SetError completes the task with err and resumes what awaits it. It panics if
// the task is complete already.
func (s *Source[T]) SetError(err error) { s.must(s.TrySetError(err)) }

// TrySetResult is SetResult, but reports false if the task is complete already.
func (s *Source[T]) TrySetResult(v T) bool { return s.Complete(s.executor(), v, nil) }

// TrySetError is SetError, but reports false if the task is complete already.
func (s *Source[T]) TrySetError(err error) bool {
	var zero T
	return s.Complete(s.executor(), zero, err)
}

// Complete completes the task with v and err on behalf of ex, nil if no
// executor is at hand, and reports whether it was the first to do so.
// Continuations that have a SyncContext other than ex's are posted there; the
// others have run when Complete returns, unless ex is running already.
func (s *Source[T]) Complete(ex *Executor, v T, err error) bool {
	released, ok := s.cell.complete(v, err)
	switch {
	case !ok:
		return false
	case released == nil:
	case s.cell.posts:
		postAll(ex, released)
	default:
		ex.Run(released)
	}
	return true
}

// Reset makes the source pending again, with a new version: tasks handed out
// before are stale, and using one panics. Only the owner of a source that is
// complete and no longer awaited may call it.
func (s *Source[T]) Reset() {
	old := &s.cell
	*old = cell[T]{version: old.version + 1, posts: old.posts, env: old.env, status: old.status & hosted}
}

func (s *Source[T]) executor() *Executor {
	if env := s.cell.environment(); env != nil && env.host != nil {
		return env.host.Executor()
	}
	return nil
}

func (s *Source[T]) must(first bool) {
	if !first {
		panic("async: a source was completed twice; use TrySetResult or TrySetError where several may complete it")
	}
}

// postAll queues released where it belongs: on its SyncContext, else on the
// executor at hand, else on a goroutine that ends with it.
func postAll(ex *Executor, released Continuation) {
	list := []Continuation{released}
	if l, ok := released.(*continuations); ok {
		list = l.list
	}
	for _, c := range list {
		switch sc := c.SyncContext(); {
		case sc != nil:
			sc.Post(c)
		case ex != nil && ex.running:
			ex.queue = append(ex.queue, c)
		default:
			go (*Executor)(nil).Run(c)
		}
	}
}

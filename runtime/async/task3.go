package async

import "context"

// A Triple holds the values of a [Task3].
type Triple[A, B, C any] struct {
	First  A
	Second B
	Third  C
}

// A Task3 is a [Task] with three values.
type Task3[A, B, C any] struct{ task Task[Triple[A, B, C]] }

// Completed3 returns a task that is finished with these results.
func Completed3[A, B, C any](v1 A, v2 B, v3 C, err error) Task3[A, B, C] {
	return Task3[A, B, C]{Completed(Triple[A, B, C]{v1, v2, v3}, err)}
}

// Task3Of returns the same task as t. It undoes [Task3.Task].
func Task3Of[A, B, C any](t Task[Triple[A, B, C]]) Task3[A, B, C] { return Task3[A, B, C]{t} }

// IsCompleted reports whether the result is there to be read.
func (t Task3[A, B, C]) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted.
func (t Task3[A, B, C]) OnCompleted(c Continuation) bool { return t.task.OnCompleted(c) }

// GetResult is Task.GetResult.
func (t Task3[A, B, C]) GetResult() (A, B, C, error) {
	v, err := t.task.GetResult()
	return v.First, v.Second, v.Third, err
}

// Await is Task.Await.
func (t Task3[A, B, C]) Await() (A, B, C, error) {
	v, err := t.task.Await()
	return v.First, v.Second, v.Third, err
}

// ConfigureAwait is Task.ConfigureAwait.
func (t Task3[A, B, C]) ConfigureAwait(continueOnContext bool) ConfiguredTask3[A, B, C] {
	return ConfiguredTask3[A, B, C]{t, !continueOnContext}
}

// Task returns the same task as one with a single value, for what takes a Task[T]
// only: [WhenAll], [WhenEach], [Race], [WithTimeout], [Map].
func (t Task3[A, B, C]) Task() Task[Triple[A, B, C]] { return t.task }

// PanicStack is Task.PanicStack.
func (t Task3[A, B, C]) PanicStack() []byte { return t.task.PanicStack() }

func (t Task3[A, B, C]) remove(a *arm) bool { return t.task.remove(a) }
func (t Task3[A, B, C]) outcome() error     { return t.task.outcome() }
func (t Task3[A, B, C]) host() Host         { return t.task.host() }

// Header is Task.Header.
func (t Task3[A, B, C]) Header() *Header { return t.task.Header() }

// An Awaiter3 is the [Awaiter] of a Task3.
type Awaiter3[A, B, C any] struct{ awaiter Awaiter[Triple[A, B, C]] }

// OnCompleted is Awaiter.OnCompleted.
func (a *Awaiter3[A, B, C]) OnCompleted(t Task3[A, B, C], m *Header, machine Continuation) bool {
	return a.awaiter.OnCompleted(t.task, m, machine)
}

// HandsOn is Awaiter.HandsOn.
func (a *Awaiter3[A, B, C]) HandsOn(t Task3[A, B, C], ctx context.Context, m *Header) bool {
	return a.awaiter.HandsOn(t.task, ctx, m)
}

// Task is Awaiter.Task.
func (a *Awaiter3[A, B, C]) Task(version uint16) Task3[A, B, C] {
	return Task3[A, B, C]{a.awaiter.Task(version)}
}

// A ConfiguredTask3 is a Task3 awaited as ConfigureAwait said.
type ConfiguredTask3[A, B, C any] struct {
	task     Task3[A, B, C]
	anywhere bool
}

// IsCompleted reports whether the result is there to be read.
func (t ConfiguredTask3[A, B, C]) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted, resuming c as configured.
func (t ConfiguredTask3[A, B, C]) OnCompleted(c Continuation) bool {
	return t.task.OnCompleted(configured(c, t.anywhere))
}

// GetResult is Task.GetResult.
func (t ConfiguredTask3[A, B, C]) GetResult() (A, B, C, error) { return t.task.GetResult() }

// Await is Task.Await.
func (t ConfiguredTask3[A, B, C]) Await() (A, B, C, error) { return t.task.Await() }

// A Builder3 is the [Builder] of a machine that ends in a Task3.
type Builder3[A, B, C any] struct{ Builder[Triple[A, B, C]] }

// SetResult is Builder.SetResult.
func (b *Builder3[A, B, C]) SetResult(v1 A, v2 B, v3 C, err error) Continuation {
	return b.Builder.SetResult(Triple[A, B, C]{v1, v2, v3}, err)
}

// Result is Builder.Result.
func (b *Builder3[A, B, C]) Result() Task3[A, B, C] { return Task3[A, B, C]{b.Builder.Result()} }

// Task is Builder.Task.
func (b *Builder3[A, B, C]) Task() Task3[A, B, C] { return Task3[A, B, C]{b.Builder.Task()} }

// Catch is Builder.Catch.
func (b *Builder3[A, B, C]) Catch(task *Task3[A, B, C]) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// A Source3 is the [Source] of a Task3.
type Source3[A, B, C any] struct{ Source[Triple[A, B, C]] }

// NewSource3 is NewSource for a Task3.
func NewSource3[A, B, C any](options ...SourceOption) *Source3[A, B, C] {
	s := new(Source3[A, B, C])
	s.cell.head.status = flagsOf(options)
	return s
}

// NewSource3For is NewSourceFor for a Task3.
func NewSource3For[A, B, C any](ctx context.Context, options ...SourceOption) *Source3[A, B, C] {
	s := NewSource3[A, B, C](options...)
	s.bindTo(ctx)
	return s
}

// Task is Source.Task.
func (s *Source3[A, B, C]) Task() Task3[A, B, C] { return Task3[A, B, C]{s.Source.Task()} }

// SetResult is Source.SetResult.
func (s *Source3[A, B, C]) SetResult(v1 A, v2 B, v3 C) { mustBeFirst(s.TrySetResult(v1, v2, v3)) }

// TrySetResult is Source.TrySetResult.
func (s *Source3[A, B, C]) TrySetResult(v1 A, v2 B, v3 C) bool {
	return s.Source.TrySetResult(Triple[A, B, C]{v1, v2, v3})
}

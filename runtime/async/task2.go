package async

import "context"

// A Pair holds the values of a [Task2].
type Pair[A, B any] struct {
	First  A
	Second B
}

// A Task2 is a [Task] with two values.
type Task2[A, B any] struct{ task Task[Pair[A, B]] }

// Completed2 returns a task that is finished with these results.
func Completed2[A, B any](v1 A, v2 B, err error) Task2[A, B] {
	return Task2[A, B]{Completed(Pair[A, B]{v1, v2}, err)}
}

// Task2Of returns the same task as t, for whoever makes it of a source with a
// single value: [Reusable] is one. It undoes [Task2.Task].
func Task2Of[A, B any](t Task[Pair[A, B]]) Task2[A, B] { return Task2[A, B]{t} }

// IsCompleted reports whether the result is there to be read.
func (t Task2[A, B]) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted.
func (t Task2[A, B]) OnCompleted(c Continuation) bool { return t.task.OnCompleted(c) }

// GetResult is Task.GetResult.
func (t Task2[A, B]) GetResult() (A, B, error) {
	v, err := t.task.GetResult()
	return v.First, v.Second, err
}

// Await is Task.Await.
func (t Task2[A, B]) Await() (A, B, error) {
	v, err := t.task.Await()
	return v.First, v.Second, err
}

// ConfigureAwait is Task.ConfigureAwait.
func (t Task2[A, B]) ConfigureAwait(continueOnContext bool) ConfiguredTask2[A, B] {
	return ConfiguredTask2[A, B]{t, !continueOnContext}
}

// Task returns the same task as one with a single value, for what takes a Task[T]
// only: [WhenAll], [WhenEach], [Race], [WithTimeout], [Map].
func (t Task2[A, B]) Task() Task[Pair[A, B]] { return t.task }

// PanicStack is Task.PanicStack.
func (t Task2[A, B]) PanicStack() []byte { return t.task.PanicStack() }

func (t Task2[A, B]) remove(a *arm) bool { return t.task.remove(a) }
func (t Task2[A, B]) outcome() error     { return t.task.outcome() }
func (t Task2[A, B]) host() Host         { return t.task.host() }

// Header is Task.Header.
func (t Task2[A, B]) Header() *Header { return t.task.Header() }

// An Awaiter2 is the [Awaiter] of a Task2.
type Awaiter2[A, B any] struct{ awaiter Awaiter[Pair[A, B]] }

// OnCompleted is Awaiter.OnCompleted.
func (a *Awaiter2[A, B]) OnCompleted(t Task2[A, B], m *Header, machine Continuation) bool {
	return a.awaiter.OnCompleted(t.task, m, machine)
}

// HandsOn is Awaiter.HandsOn.
func (a *Awaiter2[A, B]) HandsOn(t Task2[A, B], ctx context.Context, m *Header) bool {
	return a.awaiter.HandsOn(t.task, ctx, m)
}

// Task is Awaiter.Task.
func (a *Awaiter2[A, B]) Task(version uint16) Task2[A, B] {
	return Task2[A, B]{a.awaiter.Task(version)}
}

// A ConfiguredTask2 is a Task2 awaited as ConfigureAwait said.
type ConfiguredTask2[A, B any] struct {
	task     Task2[A, B]
	anywhere bool
}

// IsCompleted reports whether the result is there to be read.
func (t ConfiguredTask2[A, B]) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted, resuming c as configured.
func (t ConfiguredTask2[A, B]) OnCompleted(c Continuation) bool {
	return t.task.OnCompleted(configured(c, t.anywhere))
}

// GetResult is Task.GetResult.
func (t ConfiguredTask2[A, B]) GetResult() (A, B, error) { return t.task.GetResult() }

// Await is Task.Await.
func (t ConfiguredTask2[A, B]) Await() (A, B, error) { return t.task.Await() }

// A Builder2 is the [Builder] of a machine that ends in a Task2.
type Builder2[A, B any] struct{ Builder[Pair[A, B]] }

// SetResult is Builder.SetResult.
func (b *Builder2[A, B]) SetResult(v1 A, v2 B, err error) Continuation {
	return b.Builder.SetResult(Pair[A, B]{v1, v2}, err)
}

// Result is Builder.Result.
func (b *Builder2[A, B]) Result() Task2[A, B] { return Task2[A, B]{b.Builder.Result()} }

// Task is Builder.Task.
func (b *Builder2[A, B]) Task() Task2[A, B] { return Task2[A, B]{b.Builder.Task()} }

// Catch is Builder.Catch.
func (b *Builder2[A, B]) Catch(task *Task2[A, B]) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// A Source2 is the [Source] of a Task2.
type Source2[A, B any] struct{ Source[Pair[A, B]] }

// NewSource2 is NewSource for a Task2.
func NewSource2[A, B any](options ...SourceOption) *Source2[A, B] {
	s := new(Source2[A, B])
	s.cell.head.status = flagsOf(options)
	return s
}

// NewSource2For is NewSourceFor for a Task2.
func NewSource2For[A, B any](ctx context.Context, options ...SourceOption) *Source2[A, B] {
	s := NewSource2[A, B](options...)
	s.bindTo(ctx)
	return s
}

// Task is Source.Task.
func (s *Source2[A, B]) Task() Task2[A, B] { return Task2[A, B]{s.Source.Task()} }

// SetResult is Source.SetResult.
func (s *Source2[A, B]) SetResult(v1 A, v2 B) { mustBeFirst(s.TrySetResult(v1, v2)) }

// TrySetResult is Source.TrySetResult.
func (s *Source2[A, B]) TrySetResult(v1 A, v2 B) bool {
	return s.Source.TrySetResult(Pair[A, B]{v1, v2})
}

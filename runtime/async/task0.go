package async

import "context"

// A Task0 is a [Task] with no value besides the error.
type Task0 struct{ task Task[struct{}] }

// Completed0 returns a task that is finished with these results.
func Completed0(err error) Task0 {
	return Task0{Completed(struct{}{}, err)}
}

// Task0Of returns the same task as t. It undoes [Task0.Task].
func Task0Of(t Task[struct{}]) Task0 { return Task0{t} }

// IsCompleted reports whether the result is there to be read.
func (t Task0) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted.
func (t Task0) OnCompleted(c Continuation) bool { return t.task.OnCompleted(c) }

// GetResult is Task.GetResult.
func (t Task0) GetResult() error {
	_, err := t.task.GetResult()
	return err
}

// Await is Task.Await.
func (t Task0) Await() error {
	_, err := t.task.Await()
	return err
}

// ConfigureAwait is Task.ConfigureAwait.
func (t Task0) ConfigureAwait(continueOnContext bool) ConfiguredTask0 {
	return ConfiguredTask0{t, !continueOnContext}
}

// Task returns the same task as one with a value of no size, for what takes a
// Task[T] only.
func (t Task0) Task() Task[struct{}] { return t.task }

// PanicStack is Task.PanicStack.
func (t Task0) PanicStack() []byte { return t.task.PanicStack() }

func (t Task0) remove(a *arm) bool { return t.task.remove(a) }
func (t Task0) outcome() error     { return t.task.outcome() }
func (t Task0) host() Host         { return t.task.host() }

// Header is Task.Header.
func (t Task0) Header() *Header { return t.task.Header() }

// An Awaiter0 is the [Awaiter] of a Task0.
type Awaiter0 struct{ awaiter Awaiter[struct{}] }

// OnCompleted is Awaiter.OnCompleted.
func (a *Awaiter0) OnCompleted(t Task0, m *Header, machine Continuation) bool {
	return a.awaiter.OnCompleted(t.task, m, machine)
}

// HandsOn is Awaiter.HandsOn.
func (a *Awaiter0) HandsOn(t Task0, ctx context.Context, m *Header) bool {
	return a.awaiter.HandsOn(t.task, ctx, m)
}

// Task is Awaiter.Task.
func (a *Awaiter0) Task(version uint16) Task0 {
	return Task0{a.awaiter.Task(version)}
}

// A ConfiguredTask0 is a Task0 awaited as ConfigureAwait said.
type ConfiguredTask0 struct {
	task     Task0
	anywhere bool
}

// IsCompleted reports whether the result is there to be read.
func (t ConfiguredTask0) IsCompleted() bool { return t.task.IsCompleted() }

// OnCompleted is Task.OnCompleted, resuming c as configured.
func (t ConfiguredTask0) OnCompleted(c Continuation) bool {
	return t.task.OnCompleted(configured(c, t.anywhere))
}

// GetResult is Task.GetResult.
func (t ConfiguredTask0) GetResult() error { return t.task.GetResult() }

// Await is Task.Await.
func (t ConfiguredTask0) Await() error { return t.task.Await() }

// A Builder0 is the [Builder] of a machine that ends in a Task0.
type Builder0 struct{ Builder[struct{}] }

// SetResult is Builder.SetResult.
func (b *Builder0) SetResult(err error) Continuation {
	return b.Builder.SetResult(struct{}{}, err)
}

// Result is Builder.Result.
func (b *Builder0) Result() Task0 { return Task0{b.Builder.Result()} }

// Task is Builder.Task.
func (b *Builder0) Task() Task0 { return Task0{b.Builder.Task()} }

// Catch is Builder.Catch.
func (b *Builder0) Catch(task *Task0) {
	if nothingToCatch(&b.Builder, task.task) {
		return
	}
	if v := recover(); v != nil {
		b.fail(newPanic(v))
		*task = b.Result()
	}
}

// A Source0 is the [Source] of a Task0.
type Source0 struct{ Source[struct{}] }

// NewSource0 is NewSource for a Task0.
func NewSource0(options ...SourceOption) *Source0 {
	s := new(Source0)
	s.cell.head.status = flagsOf(options)
	return s
}

// NewSource0For is NewSourceFor for a Task0.
func NewSource0For(ctx context.Context, options ...SourceOption) *Source0 {
	s := NewSource0(options...)
	s.bindTo(ctx)
	return s
}

// Task is Source.Task.
func (s *Source0) Task() Task0 { return Task0{s.Source.Task()} }

// SetResult is Source.SetResult.
func (s *Source0) SetResult() { mustBeFirst(s.TrySetResult()) }

// TrySetResult is Source.TrySetResult.
func (s *Source0) TrySetResult() bool {
	return s.Source.TrySetResult(struct{}{})
}

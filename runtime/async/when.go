package async

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync/atomic"
)

// WhenAll returns a task that completes when all of tasks have, with their
// values in the order of the arguments; empty input is complete at once (C31).
// Its error is that of the tasks that failed, joined in that order; a single one
// stands as it is; a cancellation (errors.Is context.Canceled) counts only if
// nothing else failed, and then the first one does. The values of those that
// succeeded are there all the same. If one panicked the first panic rises again
// in the reader, else the first Goexit.
//
// If ctx is done first, the task completes with its error as in [FromContext],
// while the tasks go on; to wait for them regardless pass
// context.WithoutCancel(ctx).
func WhenAll[T any](ctx context.Context, tasks ...Task[T]) Task[[]T] {
	if allCompleted(tasks) {
		return Completed(valuesOf(tasks))
	}
	inputs := slices.Clone(tasks)
	return whenAll(ctx, inputs, func() ([]T, error) { return valuesOf(inputs) })
}

// valuesOf reads tasks that have completed.
func valuesOf[T any](tasks []Task[T]) ([]T, error) {
	var errs []error
	values := make([]T, len(tasks))
	for i, t := range tasks {
		v, err := look(t)
		if values[i] = v; err != nil {
			errs = append(errs, err)
		}
	}
	return values, joinFailures(errs)
}

// WhenAll0 is WhenAll without the values, for tasks of any kind: of one type, or
// mixed as WhenAll0[async.Operation](ctx, a, b).
func WhenAll0[O Operation](ctx context.Context, tasks ...O) Task0 {
	if allCompleted(tasks) {
		return Completed0(failuresOf(tasks))
	}
	inputs := slices.Clone(tasks)
	return Task0{whenAll(ctx, inputs, func() (struct{}, error) { return struct{}{}, failuresOf(inputs) })}
}

// failuresOf reads tasks that have completed, but for their values.
func failuresOf[O Operation](tasks []O) error {
	var errs []error
	for _, t := range tasks {
		if err := t.outcome(); err != nil {
			errs = append(errs, err)
		}
	}
	return joinFailures(errs)
}

func allCompleted[O Operation](tasks []O) bool {
	return !slices.ContainsFunc(tasks, func(t O) bool { return !t.IsCompleted() })
}

// whenAll is WhenAll of inputs that have not completed all.
func whenAll[T any, O Operation](ctx context.Context, inputs []O, collect func() (T, error)) Task[T] {
	var zero T
	if over(ctx) {
		return Completed(zero, causeOf(ctx))
	}
	j := jointOf(ctx, zero, inputs)
	j.all = Endless(ctx)
	j.left.Store(int32(len(inputs)))
	attach(j, inputs, func(int) Continuation {
		if j.left.Add(-1) > 0 || !j.claim() {
			return nil
		}
		return j.settle(collect())
	})
	return j.source.Task()
}

// joinFailures makes one error of many, as WhenAll says.
func joinFailures(errs []error) error {
	var worst error
	var failed []error
	for _, err := range errs {
		g := gravityOf(err)
		if g == byError {
			failed = append(failed, err)
		}
		if g > gravityOf(worst) {
			worst = err
		}
	}
	if len(failed) > 1 && gravityOf(worst) == byError {
		return errors.Join(failed...)
	}
	return worst
}

// A gravity says which error of several counts: the greatest.
type gravity int

const (
	noError gravity = iota
	byCancel
	byError
	byGoexit
	byPanic
)

func gravityOf(err error) gravity {
	f, isFault := err.(*fault)
	switch {
	case err == nil:
		return noError
	case isFault && f.exit:
		return byGoexit
	case isFault:
		return byPanic
	case isCancelled(err):
		return byCancel
	}
	return byError
}

// WhenAny returns a task of the index of the task that completes first, however
// it ends: WhenAny itself succeeds, and the caller reads tasks[i]. Of those
// complete already the first in order wins. The losers go on, without the
// continuation that WhenAny stored with them (C32). If ctx is done first, the
// index is -1 and the error ctx's, as in [FromContext]. WhenAny of nothing would
// never complete: it panics.
func WhenAny[O Operation](ctx context.Context, tasks ...O) Task[int] {
	for i, t := range notEmpty("WhenAny", tasks) {
		if t.IsCompleted() {
			return Completed(i, nil)
		}
	}
	if over(ctx) {
		return Completed(-1, causeOf(ctx))
	}
	inputs := slices.Clone(tasks)
	j := jointOf(ctx, -1, inputs)
	attach(j, inputs, func(i int) Continuation {
		if !j.claim() {
			return nil
		}
		return j.settle(i, nil)
	})
	return j.source.Task()
}

func notEmpty[O any](name string, tasks []O) []O {
	if len(tasks) == 0 {
		panic("async: C32: " + name + " of no tasks would never complete")
	}
	return tasks
}

// Race returns a task with the result of the task that completes first, be it a
// failure; of those complete already, of the first in order. The others go on
// and may be awaited. If ctx is done first it ends as in [FromContext]. Race of
// nothing panics (C32).
func Race[T any](ctx context.Context, tasks ...Task[T]) Task[T] {
	for _, t := range notEmpty("Race", tasks) {
		if t.IsCompleted() {
			return Completed(look(t))
		}
	}
	var zero T
	if over(ctx) {
		return Completed(zero, causeOf(ctx))
	}
	inputs := slices.Clone(tasks)
	j := jointOf(ctx, zero, inputs)
	attach(j, inputs, func(i int) Continuation {
		if !j.claim() {
			return nil
		}
		return j.settle(look(inputs[i]))
	})
	return j.source.Task()
}

// FirstSuccess returns a task with the result of the task that first completes
// without an error, a panic or a Goexit. The others go on. If none does, its
// error is all of theirs, joined as by [WhenAll]. If ctx is done first it ends as
// in [FromContext]. FirstSuccess of nothing panics (C32).
func FirstSuccess[T any](ctx context.Context, tasks ...Task[T]) Task[T] {
	var zero T
	for _, t := range notEmpty("FirstSuccess", tasks) {
		if t.IsCompleted() && peek(t) == nil {
			return Completed(look(t))
		}
	}
	if over(ctx) {
		return Completed(zero, causeOf(ctx))
	}
	inputs := slices.Clone(tasks)
	j := jointOf(ctx, zero, inputs)
	errs := make([]error, len(inputs))
	j.left.Store(int32(len(inputs)))
	attach(j, inputs, func(i int) Continuation {
		if peek(inputs[i]) == nil {
			if !j.claim() {
				return nil
			}
			return j.settle(look(inputs[i]))
		}
		_, errs[i] = look(inputs[i])
		if j.left.Add(-1) > 0 || !j.claim() {
			return nil
		}
		return j.settle(zero, joinFailures(errs))
	})
	return j.source.Task()
}

// WhenEach returns an iterator over as many tasks as it is given: the first one
// yielded completes as the first of tasks to complete did, and so on, each once
// (C33). It does not wait by itself, so that a loop over it can await:
//
//	for t := range async.WhenEach(ctx, tasks...) {
//		v, err := t.Await() // the next result
//		…
//	}
//
// Tasks complete already come first, in order. If ctx is done, the remaining
// ones end as in [FromContext]. Each of tasks is read by WhenEach; the yielded
// ones may be awaited many times, and are the same at each range. That is why a
// loop that is left early lets go of nothing: what WhenEach stored with the
// remaining tasks stays with them until they complete or ctx is done.
func WhenEach[T any](ctx context.Context, tasks ...Task[T]) iter.Seq[Task[T]] {
	inputs := slices.Clone(tasks)
	slots := make([]Source[T], len(inputs))
	var claimed, yielded atomic.Int64
	settled := jointOf(context.WithoutCancel(ctx), struct{}{}, inputs)
	env := settled.source.cell.head.environment()
	for i := range slots {
		slots[i].cell.head.bindIn(env)
	}
	settled.readers = func() (list []Continuation) {
		for i := claimed.Load(); i < yielded.Load(); i++ { // what is complete, or was never seen, nobody awaits
			list = append(list, slots[i].awaitedBy()...)
		}
		return list
	}
	attach(settled, inputs, func(i int) Continuation {
		n := int(claimed.Add(1)) - 1
		if n >= len(slots) {
			return nil
		}
		released, _ := slots[n].cell.complete(look(inputs[i]))
		if n == len(slots)-1 {
			settled.claim()
		}
		return released
	})
	cancel := cancelRest(ctx, slots, &claimed, settled)
	switch {
	case int(claimed.Load()) >= len(slots):
	case over(ctx):
		cancel(false) // releases nothing: nobody has the tasks yet
	default:
		if stop := whenDone(ctx, settled.source.host(), cancel); stop != nil {
			settled.until(&settled.context, StopFunc(stop))
		}
	}
	return func(yield func(Task[T]) bool) {
		for i := range slots {
			for n := yielded.Load(); n <= int64(i) && !yielded.CompareAndSwap(n, int64(i)+1); n = yielded.Load() {
			}
			if !yield(slots[i].Task()) {
				return
			}
		}
	}
}

// cancelRest ends the slots that no task has claimed yet. What is resumed there may
// panic or exit: that keeps none of the others from ending.
func cancelRest[T any](ctx context.Context, slots []Source[T], claimed *atomic.Int64, settled *joint[struct{}]) func(bool) {
	var cancel func(inCancel bool)
	cancel = func(inCancel bool) {
		settled.claim()
		ended := false
		defer func() {
			if !ended {
				cancel(inCancel)
			}
		}()
		for n := int(claimed.Add(1)) - 1; n < len(slots); n = int(claimed.Add(1)) - 1 {
			var zero T
			s := &slots[n]
			released, _ := s.cell.complete(zero, causeOf(ctx))
			if inCancel {
				postAll(nil, s.host(), released)
			} else {
				(*Executor)(nil).release(released)
			}
		}
		ended = true
	}
	return cancel
}

package h

import (
	"context"
	"slices"

	"github.com/nothread/nothread/runtime/async"
)

// A round is how many operations are done, and what waits for them resumed, before
// the driver looks again.
type round int

const (
	apart    round = iota // one, without an executor
	inRows                // some, one after the other by one executor
	together              // some, and then their machines take turns: all wait for one task
)

// pending is the work that waits for the driver.
var pending []*work

// flights are the runs of generated forms by their names.
var flights = make(map[string]*run)

// executor is at hand where operations are done, nil if none is.
var executor *async.Executor

// A driver does what is pending.
type driver struct {
	run   // draws
	round round
	posts bool
	ex    *async.Executor
	loop  *loop
}

// begin is for a group of programs, who share what they run on.
func (d *driver) begin() {
	d.ex = nil
	if d.round == inRows || d.round == together && d.turn(2) == 0 {
		d.ex = async.NewExecutor(nil)
	}
	d.loop = new(loop)
	d.loop.ex = async.NewExecutor(d.loop)
}

// step does some of what is pending, in a random order.
func (d *driver) step() {
	batch := []*work{d.take(func(*work) bool { return true })}
	if d.round != apart {
		for range d.turn(4) {
			if w := d.take(func(w *work) bool { return w.loop == batch[0].loop }); w != nil {
				batch = append(batch, w)
			}
		}
	}
	executor = d.ex
	do := d.apart
	switch {
	case batch[0].loop != nil:
		executor = d.loop.ex
		do = d.posted
	case d.round == inRows:
		do = d.inRows
	case d.round == together:
		do = d.together
	}
	aside(func() {
		defer func() {
			if v := recover(); v != nil {
				cur.trace = append(cur.trace, "the completer panics: "+panicText(v))
			}
		}()
		do(&batch)
	})
	pending = append(pending, batch...) // to which a runtime.Goexit has not let us come
}

// take takes one that is wanted out of what is pending.
func (d *driver) take(want func(*work) bool) *work {
	var places []int
	for i, w := range pending {
		if want(w) {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return nil
	}
	i := places[d.turn(uint64(len(places)))]
	w := pending[i]
	pending = slices.Delete(pending, i, i+1)
	return w
}

// next takes the first of a batch, and does it.
func next(batch *[]*work) async.Continuation {
	w := (*batch)[0]
	*batch = (*batch)[1:]
	Enter(w.run.name)
	w.perform()
	c := w.next
	w.next = nil
	return c
}

func (d *driver) apart(batch *[]*work) {
	if c := next(batch); c != nil {
		executor.Run(c)
	}
}

func (d *driver) inRows(batch *[]*work) {
	executor.RunAll(func() (async.Continuation, bool) {
		c := next(batch)
		return c, len(*batch) > 0
	})
}

// together releases machines of several programs by one completion. They take turns,
// and none takes along what stands behind it.
func (d *driver) together(batch *[]*work) {
	all, reached := slices.Clone(*batch), false
	gate := async.NewSource[int]()
	defer func() { // where an operation completes a task, its machine may exit
		defer func() {
			for _, w := range all {
				if !reached {
					w.run.trace = append(w.run.trace, "what stands behind is not resumed")
				}
			}
		}()
		gate.Task().OnCompleted(async.ContinuationFunc(func(*async.Executor) { reached = true }))
		gate.Complete(executor, 0, nil)
	}()
	for len(*batch) > 0 {
		if c := next(batch); c != nil && !gate.Task().OnCompleted(c) {
			panic("h: a pending task takes no continuation")
		}
	}
}

func (d *driver) posted(batch *[]*work) {
	for len(*batch) > 0 {
		executor.Run(next(batch))
	}
}

// A loop is a SyncContext, whose continuations the driver resumes.
type loop struct{ ex *async.Executor }

// Post makes c pending.
func (l *loop) Post(c async.Continuation) {
	pending = append(pending, &work{run: cur, do: func() {}, next: c, loop: l})
}

// Ctx is a context, with a SyncContext where machines are to be posted.
func Ctx() context.Context {
	if cur.loop == nil {
		return context.Background()
	}
	return async.WithSyncContext(context.Background(), cur.loop)
}

// Enter says whose machine goes on.
func Enter(name string) {
	if r := flights[name]; cur != r {
		cur = r
		announce(name, "generated")
	}
}

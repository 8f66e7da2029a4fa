// Package semantics holds the cases that every build must get right: small
// annotated functions whose awaits stand where the order of evaluation, the
// identity of a variable, a panic or a deferred call could go wrong. Each is run
// as its author wrote it, where an await is a call that blocks, and as the
// generated machine; what can be observed must be the same.
//
// The files follow the table and the list of the specification: table.go has a
// case for each row, measured.go what was measured besides, the others the forty
// cases by their numbers.
package semantics

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/nothread/nothread/runtime/async"
)

// A test is a function in both its forms.
type test struct {
	name      string
	source    func(*run) any
	generated func(*run) async.Task[any]
}

// Main runs all cases in one form, "source" or "generated", and prints what could
// be observed. Operations complete now, when they are started; later, in the order
// in which they were started; mixed, the first now, the second later and so on; or
// shuffled, later in some other order.
func Main(form string) {
	for _, tests := range tests {
		for _, test := range tests {
			for _, mode := range []string{"now", "later", "mixed", "shuffled"} {
				r := &run{mode: mode}
				if form == "source" {
					r.end(func() any { return test.source(r) })
				} else {
					r.end(func() any { return r.drive(test.generated(r)) })
				}
				fmt.Printf("%s | %s | %s\n", test.name, mode, strings.Join(r.trace, "; "))
			}
		}
	}
}

// A run is one run of one case. Its trace is what can be observed.
type run struct {
	mode    string
	started int
	pumped  int
	queue   []func() // completes what is under way, in the order in which it was started
	trace   []string
}

func (r *run) note(args ...any) { r.trace = append(r.trace, fmt.Sprint(args...)) }

// call is a call that can be observed and returns v.
func call[T any](r *run, v T) T {
	r.note("call ", v)
	return v
}

// end runs f to its end, on a goroutine of its own: it may be left by
// runtime.Goexit.
func (r *run) end(f func() any) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		exited := true
		defer func() {
			if v := recover(); v != nil {
				r.note(fmt.Sprintf("panic %T: %v", v, v))
			} else if exited {
				r.note("exited")
			}
		}()
		result := f()
		exited = false
		r.note("result ", result)
	}()
	<-done
}

// drive completes what is under way until the task is done.
func (r *run) drive(task async.Task[any]) any {
	for !task.IsCompleted() {
		r.pump()
	}
	v, err := task.Await()
	if err != nil {
		r.note("error ", err)
	}
	return v
}

// pump completes an operation under way: the oldest, unless the run is shuffled.
func (r *run) pump() {
	if len(r.queue) == 0 {
		panic("semantics: an await waits for nothing")
	}
	which := 0
	if r.mode == "shuffled" {
		r.pumped++
		which = r.pumped * 7 % len(r.queue)
	}
	complete := r.queue[which]
	r.queue = slices.Delete(r.queue, which, which+1)
	complete()
}

// value is an operation that completes with v.
func value[T any](r *run, v T) *op[T] {
	return after(r, func() T {
		r.note("await ", v)
		return v
	})
}

// after is an operation that ends as f does.
func after[T any](r *run, f func() T) *op[T] {
	o := &op[T]{run: r, f: f}
	r.started++
	if r.mode == "now" || r.mode == "mixed" && r.started%2 == 1 {
		o.complete()
	} else {
		r.queue = append(r.queue, o.complete)
	}
	return o
}

// An op is an operation: an awaitable with one result and no error.
type op[T any] struct {
	run          *run
	f            func() T
	done         bool
	result       T
	panicked     any
	exited       bool
	continuation async.Continuation
}

// complete runs the operation, wherever it is called, and then what waits for it.
func (o *op[T]) complete() {
	apart(func() {
		o.exited = true
		defer func() {
			if o.panicked = recover(); o.panicked != nil {
				o.exited = false
			}
		}()
		o.result = o.f()
		o.exited = false
	})
	o.done = true
	if c := o.continuation; c != nil {
		o.continuation = nil
		apart(func() { (*async.Executor)(nil).Run(c) })
	}
}

// apart runs f on a goroutine of its own, which it may end.
func apart(f func()) {
	end := make(chan struct{})
	go func() {
		defer close(end)
		f()
	}()
	<-end
}

func (o *op[T]) IsCompleted() bool { return o.done }

func (o *op[T]) OnCompleted(c async.Continuation) bool {
	if o.done {
		return false
	}
	o.continuation = c
	return true
}

func (o *op[T]) GetResult() T {
	switch {
	case !o.done:
		panic("semantics: the result is not there yet")
	case o.exited:
		runtime.Goexit()
	case o.panicked != nil:
		panic(o.panicked)
	}
	return o.result
}

// Await is what an await is in the source form: it completes what is under way
// until this is done.
func (o *op[T]) Await() T {
	for !o.done {
		o.run.pump()
	}
	return o.GetResult()
}

package sim

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/inflight"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the dump: who waits for what in a World. Package inflight says it of machines; the World knows what is
// beneath them, requests and their devices, and the threads that are blocked.

// WithMachines lets the World keep track of its machines, so that Dump finds those too that wait for no request. With the
// verifier, as in tests, it does so by itself, and where a trace in Chrome's format is written.
func WithMachines() Option { return func(o *options) { o.machines = true } }

// Machines returns who keeps track of the World's machines; nil if nobody does. It is async.MachineTracker's.
func (w *World) Machines() *async.Machines { return w.machines }

// track lets the executors of all threads tell of the machines that they resume.
func (w *World) track() {
	for _, t := range w.kernel.Threads() {
		if e, ok := t.Local.(interface{ Executor() *async.Executor }); ok {
			e.Executor().Track(w.machines)
		}
	}
}

// Dump describes what is in flight: threads that are blocked, requests and where they are, timers, and machines, with the lines of
// their sources where they wait, the contexts that they have captured, their variables, and who awaits them. Equal ones are
// counted together.
func (w *World) Dump() string {
	var s strings.Builder
	fmt.Fprintf(&s, "World at %v, seed %d, %v:\n", w.Elapsed(), w.seed, w.Faults())
	for _, t := range w.kernel.Threads() {
		if t.Stack != nil || t.State() != kernel.Waiting && t != w.main {
			fmt.Fprintf(&s, "  %s is %v", t.Name(), t.State())
			if t.Stack != nil {
				fmt.Fprintf(&s, ", blocked on %s", t.WaitsFor())
			}
			if text := waiting(t); text != "" {
				fmt.Fprintf(&s, ", while %s", text)
			}
			s.WriteByte('\n')
		}
	}
	for _, p := range w.pools() {
		if n := p.Port().Len(); n > 0 {
			fmt.Fprintf(&s, "  %d packets wait for a thread of the pool: %v\n", n, p)
		}
	}
	if n := w.clock.Len(); n > 0 {
		fmt.Fprintf(&s, "  %d timers are set, the next not before %v\n", n, time.Duration(w.clock.Next()))
	}
	r := w.report()
	s.Write(r.Append(nil))
	if len(r.Causes) == 0 && len(w.blocked()) == 0 && (w.machines == nil || w.machines.Len() == 0) {
		s.WriteString("  nothing is in flight and nobody is blocked\n")
	}
	return s.String()
}

// report is what is in flight: requests, timers that tasks wait for, and machines.
func (w *World) report() *inflight.Report {
	r := &inflight.Report{Machines: w.machines, Now: time.Duration(w.Now()), Describe: describe, Ended: endOf}
	requests := w.kernel.Requests()
	for i := range requests {
		r.Causes = append(r.Causes, cause(&requests[i]))
	}
	for _, k := range w.kernel.Timers() {
		if t, ok := k.Owner.(*timer); ok && t.c != nil {
			r.Causes = append(r.Causes, inflight.Cause{What: "a timer", ID: fmt.Sprintf("due at %v", time.Duration(t.Due())), Since: time.Duration(t.set), Of: t.c, Timer: true})
		}
	}
	return r
}

// endOf says when a context of a World has ended.
func endOf(ctx context.Context) time.Duration {
	if c := worldContextOf(ctx); c != nil {
		return time.Duration(c.ended)
	}
	return 0
}

// cause says where a request is.
func cause(r *kernel.RequestInfo) inflight.Cause {
	c := inflight.Cause{
		What:  fmt.Sprintf("%v of %d bytes on %s, issued by %s: %s", r.Major, r.Length, r.Device, r.Thread, r.State),
		ID:    fmt.Sprintf("irp#%d at %d", r.IRP, r.Offset),
		Since: time.Duration(r.Since),
		Of:    sourceOf(r.Context),
	}
	if r.Packet {
		c.What, c.ID = fmt.Sprintf("a request of %s, %d bytes: %s", r.Device, r.Length, r.State), fmt.Sprintf("irp#%d", r.IRP)
	}
	if r.Cancelled {
		c.What, c.Cancelled = c.What+"; cancelled", true
	}
	return c
}

// sourceOf finds the source of an operation's task, which is a field of what was given to the kernel.
func sourceOf(context any) any {
	v := reflect.ValueOf(context)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return context
	}
	for i := range v.Elem().NumField() {
		f := v.Elem().Field(i)
		if name := f.Type().String(); strings.HasPrefix(name, "async.Source") || strings.HasPrefix(name, "async.PooledSource") {
			return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Interface()
		}
	}
	return context
}

// describe names the thread that is blocked on a task.
func describe(c async.Continuation) string {
	if b, ok := c.(*blocker); ok {
		return fmt.Sprintf("%s, blocked on %s", b.thread.Name(), b.what())
	}
	return ""
}

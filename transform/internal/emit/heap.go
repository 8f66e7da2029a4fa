package emit

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file writes how a machine gets to the heap, and what it keeps there while it waits.

// onHeap:
//
//	func (m *copyStreamMachine) onHeap(awaited *async.Header) *copyStreamMachine {
//		if m.OnStack() {
//			return m.leaveStack(awaited)
//		}
//		return m
//	}
//
//	//go:noinline
//	func (m *copyStreamMachine) leaveStack(awaited *async.Header) *copyStreamMachine {
//		h := new(copyStreamMachine)
//		h.ctx = m.ctx
//		…
//		m.Promote(h, m.ctx, awaited)
//		return h
//	}
//
// A variable is copied at a time, for they were just written so: a processor waits
// for what it has written in pieces before it reads them as one.
func (e *emitter) onHeap() {
	m, heap := e.f.Receiver, e.f.OnHeap
	awaited := jen.Id("awaited").Op("*").Add(raw(async("Header")))
	var b strings.Builder
	fmt.Fprintf(&b, "if %[1]s.OnStack() {\nreturn %[1]s.leaveStack(awaited)\n}\nreturn %[1]s", m)
	e.out.Comment("onHeap returns the machine on the heap, where it moves the first time that it has to wait.")
	e.out.Comment("awaited is what the task that it waits for refers to, nil where it waits for something else.")
	e.method("onHeap").Params(awaited).Op("*").Add(raw(e.machineType())).Block(raw(b.String()))
	e.out.Line()

	b.Reset()
	if e.fn.Options.Pool {
		fmt.Fprintf(&b, "%s, env := %s.Get(awaited, %s)\n", heap, e.pool(), e.ownContext(m))
	} else {
		fmt.Fprintf(&b, "%s := new(%s)\n", heap, e.machineType())
	}
	for _, field := range e.copied() {
		fmt.Fprintf(&b, "%s.%[2]s = %[3]s.%[2]s\n", heap, field, m)
	}
	if e.fn.Options.Pool {
		fmt.Fprintf(&b, "%s.PromotePooled(%s, env)\n", m, heap)
	} else {
		fmt.Fprintf(&b, "%s.Promote(%s, %s, awaited)\n", m, heap, e.ownContext(m))
	}
	fmt.Fprintf(&b, "return %s", heap)
	e.out.Comment("leaveStack makes the machine's copy on the heap. Not inlined, it leaves onHeap small enough to be.")
	e.out.Comment("")
	e.out.Comment("//go:noinline")
	e.method("leaveStack").Params(awaited).Op("*").Add(raw(e.machineType())).Block(raw(b.String()))
	e.out.Line()
}

// copied lists the fields that may hold something that is needed when the machine
// leaves the stack: all that are the author's, but for parameters that no wait
// outlives, or hold what was deferred.
func (e *emitter) copied() []string {
	var fields []string
	for _, v := range e.packed(e.lifted()) {
		if v.Brief {
			continue
		}
		fields = append(fields, v.Kept())
		if v == e.f.Context && v.Writes > 0 {
			fields = append(fields, e.f.Called)
		}
	}
	if len(e.f.Defers) > 0 {
		fields = append(fields, "defers")
	}
	if e.f.EndWaits() {
		fields = append(fields, "unwinding")
	}
	return fields
}

// letGo writes, for the copy on the heap, what it need not hold while it waits at a:
//
//	h.ctx, h.buf = nil, nil // not needed any more
//
// An await before may not have had to wait, so it may have let go of nothing.
func (e *emitter) letGo(a *ir.Await) (lines []string) {
	var fields, values []string
	for _, v := range e.dead(a) {
		fields = append(fields, e.f.OnHeap+"."+v.Kept())
		values = append(values, e.nothing(v))
	}
	if len(fields) == 0 {
		return nil
	}
	return []string{strings.Join(fields, ", ") + " = " + strings.Join(values, ", ") + " // not needed any more"}
}

// nothing writes the zero value of the field that keeps v.
func (e *emitter) nothing(v *ir.Var) string {
	if v.Cell || v.Boxed {
		return "nil"
	}
	return e.zero(v.Type)
}

// dead lists the fields that may hold on to memory while the machine waits at a,
// though nothing reads them after.
func (e *emitter) dead(a *ir.Await) []*ir.Var {
	live := make(map[string]bool)
	for _, v := range a.Live {
		live[v.Kept()] = true
	}
	var list []*ir.Var
	for _, v := range a.Held {
		if live[v.Kept()] || v.Brief || !v.Cell && !v.Boxed && !ir.HasPointers(v.Type) || e.f.Unwinds() && (v.Kind == ir.Result || e.f.Iterates(v)) {
			continue
		}
		live[v.Kept()] = true
		list = append(list, v)
	}
	return list
}

// handsOn reports whether the machine, if it has not left the stack, gives its caller
// the task of a tail await instead of waiting for it. One that is not pooled waits,
// and so stands in dumps and in what panics come through; and its task may be
// awaited by many.
func (e *emitter) handsOn(a *ir.Await) bool { return a.Tail && e.fn.Options.Pool }

// ownContext is the context that the function was called with, in machine m or its
// copy; nil if it has none.
func (e *emitter) ownContext(m string) string {
	if e.f.Context == nil {
		return "nil"
	}
	return m + "." + e.calledContext()
}

// calledContext is the field that keeps the context that the function was called
// with.
func (e *emitter) calledContext() string {
	if e.f.Context.Writes > 0 {
		return e.f.Called
	}
	return e.f.Context.Name
}

package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file writes the end of a function that may have to wait there: until the streams
// that it ranges over are closed, and for the awaits that it has deferred. So the end goes
// in steps: the loops, innermost first; the calls deferred behind the last deferred await,
// that await, the calls before it, and so on. What panics in one step is panicking in the
// next.

// unwind:
//
//	func (m *fMachine) Unwind(p *async.Panic) async.Continuation {
//		if m.lines.Open() {
//			…
//		}
//		for p = m.settle(p); len(m.defers) > 0; p = m.settle(p) {
//			…
//		}
//		p.End()
//		return m.Return()
//	}
func (e *emitter) unwind() {
	m := e.f.Receiver
	var b strings.Builder
	e.leaveLoops(&b)
	switch {
	case e.f.DefersAwaits():
		e.deferredAwaits(&b)
	case len(e.f.Defers) > 0:
		fmt.Fprintf(&b, "p = %s.settle(p)\n", m)
	}
	fmt.Fprintf(&b, "p.End()\nreturn %s.Return()", m)
	what := "makes the deferred calls and awaits, last first"
	switch {
	case !e.f.LeavesStreams():
	case len(e.f.Defers) > 0:
		what = "leaves the loops and " + what
	default:
		what = "leaves the loops"
	}
	e.out.Commentf("Unwind %s, while panicking with p if it is not nil.", what)
	e.method("Unwind").Params(jen.Id("p").Op("*").Add(raw(async("Panic")))).Add(raw(async("Continuation"))).Block(raw(b.String()))
	e.out.Line()
	if len(e.f.Defers) > 0 {
		e.settle()
	}
}

// leaveLoops writes how the function leaves its loops where it ends inside of them,
// innermost first: a function's yield ends like that, a stream's end is awaited.
//
//	if m.lines.Open() {
//		if !m.lines.IsCompleted() {
//			m.unwinding = p
//			h := async.Self(m.onHeap(nil))
//			h.State = 3
//			if m.lines.OnCompleted(h) {
//				return nil
//			}
//		}
//		p = m.lines.After(p)
//	}
func (e *emitter) leaveLoops(b *strings.Builder) {
	if !e.f.LeavesStreams() {
		return // RunDeferred leaves the functions
	}
	for _, l := range slices.Backward(e.f.Loops) {
		it := e.iterator(l)
		if l.Left == nil {
			fmt.Fprintf(b, "p = %s.After(p)\n", it)
			continue
		}
		fmt.Fprintf(b, "if %[1]s.Open() {\nif !%[1]s.IsCompleted() {\n%[2]s.unwinding = p\n%[3]s\n}\np = %[1]s.After(p)\n}\n",
			it, e.f.Receiver, strings.Join(e.suspended(l.Left, it), "\n"))
	}
}

// iterator writes a loop's iterator where the function ends, outside of MoveNext.
func (e *emitter) iterator(l *ir.Loop) string {
	it := l.Iterator
	switch {
	case !it.Boxed:
		return e.f.Receiver + "." + it.Name
	case l.Left == nil:
		return fmt.Sprintf("%s(%s.%s)", async("UnboxedFunc"), e.f.Receiver, it.Field)
	default:
		return fmt.Sprintf("%s(%s.%s)", async("UnboxedStream"), e.f.Receiver, it.Field)
	}
}

// deferredAwait declares what keeps a deferred await:
//
//	type fDefer1 struct{ task async.Task[int] }
//
//	func (d fDefer1) after(p *async.Panic) (after *async.Panic) {
//		after = p
//		defer async.Recovered(&after)
//		d.task.GetResult()
//		return p
//	}
func (e *emitter) deferredAwait(d *ir.Defer) {
	e.out.Commentf("%s is a deferred await: %s.", d.Type, e.words(d.Await.Operand))
	e.out.Type().Id(d.Type).Add(raw(e.declared())).Struct(jen.Id("task").Add(raw(e.typ(d.Await.Type))))
	e.out.Line()
	e.out.Comment("after reads the result, for its panic takes the place of p.")
	e.out.Func().Params(jen.Id("d").Add(raw(d.Type + e.used()))).Id("after").
		Params(jen.Id("p").Op("*").Add(raw(async("Panic")))).
		Params(jen.Id("after").Op("*").Add(raw(async("Panic")))).
		Block(raw("after = p\ndefer " + async("Recovered") + "(&after)\nd.task.GetResult()\nreturn p"))
	e.out.Line()
}

// deferredAwaits:
//
//	for p = m.settle(p); len(m.defers) > 0; p = m.settle(p) {
//		last := len(m.defers) - 1
//		switch d := m.defers[last].(type) {
//		case fDefer1:
//			m.defers = m.defers[:last]
//			if !d.task.IsCompleted() {
//				m.unwinding = p
//				h := async.Self(m.onHeap(d.task.Header()))
//				h.State = 2
//				if h.awaiter.OnCompleted(d.task, &h.Header, h) {
//					return nil
//				}
//			}
//			p = d.after(p)
//		}
//	}
func (e *emitter) deferredAwaits(b *strings.Builder) {
	m := e.f.Receiver
	fmt.Fprintf(b, "for p = %[1]s.settle(p); len(%[1]s.defers) > 0; p = %[1]s.settle(p) {\n", m)
	fmt.Fprintf(b, "last := len(%[1]s.defers) - 1\nswitch d := %[1]s.defers[last].(type) {\n", m)
	for _, d := range e.f.Defers {
		if a := d.Await; a != nil {
			fmt.Fprintf(b, "case %s%s:\n%[3]s.defers = %[3]s.defers[:last]\n", d.Type, e.used(), m)
			fmt.Fprintf(b, "if !d.task.IsCompleted() {\n%s.unwinding = p\n%s\n}\np = d.after(p)\n", m, strings.Join(e.suspended(a, "d.task"), "\n"))
		}
	}
	b.WriteString("}\n}\n")
}

// settle writes what makes the deferred calls between two awaits of the end.
func (e *emitter) settle() {
	m := e.f.Receiver
	what := "makes the deferred calls"
	if e.f.DefersAwaits() {
		what += " behind the last deferred await"
	}
	e.out.Commentf("settle %s, and returns what panics after them.", what)
	e.method("settle").Params(jen.Id("p").Op("*").Add(raw(async("Panic")))).
		Params(jen.Id("after").Op("*").Add(raw(async("Panic")))).
		Block(raw(fmt.Sprintf("after = p.Exit()\ndefer %s(&after)\n%s.RunDeferred(p)\nreturn after", async("Recovered"), m)))
	e.out.Line()
	if !e.f.DefersAwaits() {
		return
	}
	var types []string
	for _, d := range e.f.Defers {
		if d.Await != nil {
			types = append(types, d.Type+e.used())
		}
	}
	e.out.Comment("deferredAwait reports whether what was deferred as the i-th is an await.")
	e.method("deferredAwait").Params(jen.Id("i").Int()).Bool().
		Block(raw(fmt.Sprintf("switch %s.defers[i].(type) {\ncase %s:\nreturn true\n}\nreturn false", m, strings.Join(types, ", "))))
	e.out.Line()
}

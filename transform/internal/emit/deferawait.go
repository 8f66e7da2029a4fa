package emit

import (
	"fmt"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file writes what a function needs that defers awaits. Its end may have to
// wait, so it goes in steps: the calls deferred behind the last deferred await,
// that await, the calls before it, and so on. What panics in one step is panicking
// in the next.

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

// unwind:
//
//	func (m *fMachine) Unwind(p *async.Panic) async.Continuation {
//		for p = m.settle(p); len(m.defers) > 0; p = m.settle(p) {
//			last := len(m.defers) - 1
//			switch d := m.defers[last].(type) {
//			case fDefer1:
//				m.defers = m.defers[:last]
//				if !d.task.IsCompleted() {
//					m.unwinding = p
//					h := async.Self(m.onHeap(d.task.Header()))
//					h.State = 2
//					if h.awaiter.OnCompleted(d.task, &h.Header, h) {
//						return nil
//					}
//				}
//				p = d.after(p)
//			}
//		}
//		p.End()
//		return m.Return()
//	}
func (e *emitter) unwind() {
	m := e.f.Receiver
	var b strings.Builder
	var types []string
	fmt.Fprintf(&b, "for p = %[1]s.settle(p); len(%[1]s.defers) > 0; p = %[1]s.settle(p) {\n", m)
	fmt.Fprintf(&b, "last := len(%[1]s.defers) - 1\nswitch d := %[1]s.defers[last].(type) {\n", m)
	for _, d := range e.f.Defers {
		if a := d.Await; a != nil {
			types = append(types, d.Type+e.used())
			fmt.Fprintf(&b, "case %s%s:\n%[3]s.defers = %[3]s.defers[:last]\n", d.Type, e.used(), m)
			fmt.Fprintf(&b, "if !d.task.IsCompleted() {\n%s.unwinding = p\n%s\n}\np = d.after(p)\n", m, strings.Join(e.suspended(a, "d.task"), "\n"))
		}
	}
	fmt.Fprintf(&b, "}\n}\np.End()\nreturn %s.Return()", m)
	e.out.Comment("Unwind makes the deferred calls and awaits, last first, while panicking with p if it is not nil.")
	e.method("Unwind").Params(jen.Id("p").Op("*").Add(raw(async("Panic")))).Add(raw(async("Continuation"))).Block(raw(b.String()))
	e.out.Line()

	e.out.Comment("settle makes the deferred calls behind the last deferred await, and returns what panics after them.")
	e.method("settle").Params(jen.Id("p").Op("*").Add(raw(async("Panic")))).
		Params(jen.Id("after").Op("*").Add(raw(async("Panic")))).
		Block(raw(fmt.Sprintf("after = p.Exit()\ndefer %s(&after)\n%s.RunDeferred(p)\nreturn after", async("Recovered"), m)))
	e.out.Line()

	e.out.Comment("deferredAwait reports whether what was deferred as the i-th is an await.")
	e.method("deferredAwait").Params(jen.Id("i").Int()).Bool().
		Block(raw(fmt.Sprintf("switch %s.defers[i].(type) {\ncase %s:\nreturn true\n}\nreturn false", m, strings.Join(types, ", "))))
	e.out.Line()
}

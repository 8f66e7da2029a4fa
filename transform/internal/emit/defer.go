package emit

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Defer writes how a defer statement keeps its call:
//
//	m.defers = append(m.defers, f.Close)
//	m.defers = append(m.defers, async.Deferred(m.stop))
//	m.defers = append(m.defers, handleDefer1{arg0: &m.err})
//	m.defers = append(m.defers, handleDefer2{}.with(pair()))
func (e *emitter) Defer(s *ast.DeferStmt) string {
	if e.f.Redeclares("append") {
		return fmt.Sprintf("%s.later(%s)", e.f.Receiver, e.kept(e.deferOf(s)))
	}
	return fmt.Sprintf("%[1]s.defers = append(%[1]s.defers, %s)", e.f.Receiver, e.kept(e.deferOf(s)))
}

func (e *emitter) deferOf(s *ast.DeferStmt) *ir.Defer {
	for _, d := range e.f.Defers {
		if d.Stmt == s {
			return d
		}
	}
	panic("emit: an unknown defer statement")
}

func (e *emitter) kept(d *ir.Defer) string {
	call := d.Stmt.Call
	if d.Await != nil {
		return d.Type + e.used() + "{" + e.awaitable(d.Await) + "}"
	}
	if d.Type == "" {
		fun := e.f.Expr(call.Fun, e)
		if e.neverNil(call.Fun) {
			return fun
		}
		return async("Deferred") + "(" + fun + ")"
	}
	var fields []string
	if !d.Static {
		fields = append(fields, "fn: "+e.f.Expr(call.Fun, e))
	}
	with := ""
	if e.several(d) {
		with = ".with(" + e.f.Expr(call.Args[0], e) + ")"
	} else {
		for i, arg := range e.keptArgs(d) {
			fields = append(fields, fmt.Sprintf("arg%d: %s", i, arg))
		}
	}
	return d.Type + e.used() + "{" + strings.Join(fields, ", ") + "}" + with
}

// several reports whether one call gives all the arguments.
func (e *emitter) several(d *ir.Defer) bool {
	args := d.Stmt.Call.Args
	if d.Await != nil || len(args) != 1 {
		return false
	}
	_, ok := e.f.Source.Info.TypeOf(args[0]).(*types.Tuple)
	return ok
}

// neverNil reports whether fun is a literal or a method value.
func (e *emitter) neverNil(fun ast.Expr) bool {
	switch x := ast.Unparen(fun).(type) {
	case *ast.FuncLit:
		return true
	case *ast.SelectorExpr:
		s := e.f.Source.Info.Selections[x]
		return s != nil && s.Kind() == types.MethodVal
	}
	return false
}

// keptArgs writes the arguments, those of a variadic parameter as a slice.
func (e *emitter) keptArgs(d *ir.Defer) []string {
	var args []string
	for _, arg := range d.Stmt.Call.Args {
		args = append(args, e.f.Expr(arg, e))
	}
	if d.Sig == nil || !d.Sig.Variadic() || d.Stmt.Call.Ellipsis.IsValid() {
		return args
	}
	n := d.Sig.Params().Len() - 1
	if len(args) == n {
		return append(args, "nil")
	}
	t := e.typ(d.Args[n])
	if e.f.Hides(d.Args[n]) {
		t = d.Type + "Rest" + e.used()
	}
	rest := t + "{" + strings.Join(args[n:], ", ") + "}"
	return append(args[:n:n], rest)
}

// deferTypes declares what keeps the deferred calls that are no plain func().
func (e *emitter) deferTypes() {
	for _, d := range e.f.Defers {
		if d.Type == "" {
			continue
		}
		if d.Await != nil {
			e.deferredAwait(d)
			continue
		}
		var fields []jen.Code
		if !d.Static {
			fields = append(fields, jen.Id("fn").Add(raw(e.typ(d.Sig))))
		}
		for i, t := range d.Args {
			fields = append(fields, jen.Id(fmt.Sprintf("arg%d", i)).Add(raw(e.typ(t))))
		}
		e.out.Commentf("%s is a deferred call: %s.", d.Type, e.words(d.Stmt.Call))
		e.out.Type().Id(d.Type).Add(raw(e.declared())).Struct(fields...)
		e.out.Line()
		if d.Sig != nil && d.Sig.Variadic() && e.f.Hides(d.Args[len(d.Args)-1]) {
			e.out.Commentf("%sRest is how the last of its arguments are kept.", d.Type)
			e.out.Type().Id(d.Type + "Rest").Add(raw(e.declared())).Add(raw(e.typ(d.Args[len(d.Args)-1])))
			e.out.Line()
		}
		if e.several(d) {
			e.with(d)
		}
	}
}

// with writes the method that takes the arguments which one call gives:
//
//	func (d fDefer1) with(arg0 int, arg1 string) fDefer1 {
//		d.arg0, d.arg1 = arg0, arg1
//		return d
//	}
func (e *emitter) with(d *ir.Defer) {
	var params []jen.Code
	var kept, args []string
	for i, t := range d.Args {
		arg := fmt.Sprintf("arg%d", i)
		text := e.typ(t)
		if d.Sig != nil && d.Sig.Variadic() && i == len(d.Args)-1 {
			text = "..." + e.typ(t.(*types.Slice).Elem())
		}
		params = append(params, jen.Id(arg).Add(raw(text)))
		kept, args = append(kept, "d."+arg), append(args, arg)
	}
	body := fmt.Sprintf("%s = %s\nreturn d", strings.Join(kept, ", "), strings.Join(args, ", "))
	own := raw(d.Type + e.used())
	e.out.Comment("with keeps the arguments.")
	e.out.Func().Params(jen.Id("d").Add(own)).Id("with").Params(params...).Add(own).Block(raw(body))
	e.out.Line()
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
		Params(aPanic("p")).Params(aPanic("after")).
		Block(raw("after = p\ndefer " + async("Recovered") + "(&after)\nd.task.GetResult()\nreturn p"))
	e.out.Line()
}

// later writes what keeps a deferred call where append means something else:
//
//	func (m *fMachine) later(call any) { m.defers = append(m.defers, call) }
func (e *emitter) later() {
	e.out.Comment("later keeps a deferred call, where append means something else.")
	e.method("later").Params(jen.Id("call").Any()).Block(raw(fmt.Sprintf("%[1]s.defers = append(%[1]s.defers, call)", e.f.Receiver)))
	e.out.Line()
}

// runDeferred:
//
//	func (m *fMachine) RunDeferred(p *async.Panic) {
//		defers := m.defers
//		m.defers = nil
//		for _, d := range defers {
//			switch d := d.(type) {
//			case func():
//				defer d()
//			case fDefer1:
//				defer handle(d.arg0)
//			}
//		}
//		defer m.iterator.Unwind(&p) // of a range over a function
//		p.Raise()
//	}
//
// Where awaits are deferred, defers are those behind the last of them that is left.
func (e *emitter) runDeferred() {
	m := e.f.Receiver
	does := "leaves the loops, innermost first"
	var b strings.Builder
	if len(e.f.Defers) > 0 {
		does = "runs the deferred calls, last first"
		e.replay(&b)
	}
	if e.f.LeavesStreams() { // Unwind leaves the loops
		if len(e.f.Defers) == 0 {
			does = "has no deferred calls to run"
		}
	} else {
		for _, l := range e.f.Loops {
			if it := l.Iterator; it.Boxed {
				fmt.Fprintf(&b, "defer %s(%s.%s, &p)\n", async("UnwindBoxed"), m, it.Field)
			} else {
				fmt.Fprintf(&b, "defer %s.%s.Unwind(&p)\n", m, it.Name)
			}
		}
	}
	b.WriteString("p.Raise()")
	e.out.Comment("RunDeferred " + does + ", while panicking with p if it is not nil.")
	e.method("RunDeferred").Params(aPanic("p")).Block(raw(b.String()))
	e.out.Line()
}

// replay makes real defers of the deferred calls.
func (e *emitter) replay(b *strings.Builder) {
	m := e.f.Receiver
	if e.f.DefersAwaits() {
		fmt.Fprintf(b, "n := len(%[1]s.defers)\nfor n > 0 && !%[1]s.deferredAwait(n-1) {\nn--\n}\n", m)
		fmt.Fprintf(b, "defers := %[1]s.defers[n:]\n%[1]s.defers = %[1]s.defers[:n]\n", m)
	} else {
		fmt.Fprintf(b, "defers := %[1]s.defers\n%[1]s.defers = nil\n", m)
	}
	fmt.Fprintf(b, "for _, d := range defers {\nswitch %sd.(type) {\n", e.bindsDeferred())
	plain := false
	for _, d := range e.f.Defers {
		if d.Await != nil {
			continue
		}
		if d.Type == "" {
			if !plain {
				fmt.Fprintf(b, "case func():\ndefer d()\n")
			}
			plain = true
			continue
		}
		fmt.Fprintf(b, "case %s%s:\ndefer %s\n", d.Type, e.used(), e.replayed(d))
	}
	fmt.Fprintf(b, "}\n}\n")
}

// bindsDeferred writes d := if any of the calls needs what was kept of it.
func (e *emitter) bindsDeferred() string {
	for _, d := range e.f.Defers {
		if d.Await == nil && (d.Type == "" || !d.Static || len(d.Args) > 0) {
			return "d := "
		}
	}
	return ""
}

// replayed writes the call with what was kept of it.
func (e *emitter) replayed(d *ir.Defer) string {
	fun := "d.fn"
	if d.Static {
		fun = e.f.Expr(d.Stmt.Call.Fun, e)
	}
	var args []string
	for i := range d.Args {
		args = append(args, fmt.Sprintf("d.arg%d", i))
	}
	list := strings.Join(args, ", ")
	if d.Sig != nil && d.Sig.Variadic() {
		list += "..."
	}
	return fun + "(" + list + ")"
}

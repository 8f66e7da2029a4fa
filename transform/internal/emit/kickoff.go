package emit

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// kickoff:
//
//	func CopyStreamAsync(ctx context.Context, …) (task async.Task[int64]) {
//		m := copyStreamMachine{ctx: ctx, …}
//		defer m.Catch(&task) // m.catch, if the function has something to do when it ends
//		m.MoveNext(nil)
//		if m.IsCompleted() {
//			return m.Result()
//		}
//		m.State = 1 // for catch
//		return m.Task()
//	}
//
// or, of a class:
//
//	func CopyStreamAsync(ctx context.Context, …) async.Task[int64] {
//		m := &copyStreamMachine{ctx: ctx, …}
//		async.Start(m, &m.Header, m.ctx)
//		return m.Task()
//	}
func (e *emitter) kickoff() {
	body, result := e.begin()
	name := e.what()
	if e.f.Suspends() {
		e.out.Commentf("%s starts %s; it returns at the first await that has to wait.", e.fn.Twin, name)
	} else {
		e.out.Commentf("%s runs %s, which awaits nothing: its task is finished.", e.fn.Twin, name)
	}
	decl := e.out.Func()
	if recv := e.f.Sig.Recv(); recv != nil {
		decl = decl.Params(jen.Id(e.paramName(recv)).Add(raw(e.typ(recv.Type()))))
	}
	decl = decl.Id(e.fn.Twin).Add(raw(e.declaredParams(e.ownTypeParams())))
	decl.Params(e.params()...).Add(result).Block(raw(body))
	e.out.Line()
	e.keepSource()
}

// begin writes the kickoff's body and result.
func (e *emitter) begin() (body string, result jen.Code) {
	m := e.f.Receiver
	if e.f.Class {
		return fmt.Sprintf("%[1]s := &%[2]s{%[3]s}\n%[4]s(%[1]s, &%[1]s.Header, %[5]s)\nreturn %[1]s.Task()",
			m, e.machineType(), e.captured(), async("Start"), e.ownContext(m)), raw(e.taskType())
	}
	task := e.unused("task")
	var b strings.Builder
	fmt.Fprintf(&b, "%s := %s{%s}\n", m, e.machineType(), e.captured())
	catch := "Catch"
	if e.f.Unwinds() {
		catch = "catch"
	}
	fmt.Fprintf(&b, "defer %s.%s(&%s)\n", m, catch, task)
	fmt.Fprintf(&b, "%s.MoveNext(nil)\n", m)
	if e.f.Suspends() {
		fmt.Fprintf(&b, "if %[1]s.IsCompleted() {\nreturn %[1]s.Result()\n}\n", m)
		if e.f.Unwinds() {
			fmt.Fprintf(&b, "%s.State = 1 // says to catch that it waits: else it would be a runtime.Goexit\n", m)
		}
		for _, a := range e.f.Awaits {
			if e.handsOn(a) {
				fmt.Fprintf(&b, "if %[1]s.HandedOn() {\nreturn %[1]s.%[2]s.Task(%[1]s.Awaited)\n}\n", m, a.Slot.Field)
				break
			}
		}
		fmt.Fprintf(&b, "return %s.Task()", m)
	} else {
		fmt.Fprintf(&b, "return %s.Result()", m)
	}
	return b.String(), jen.Params(jen.Id(task).Add(raw(e.taskType())))
}

// ownTypeParams are those that are not the receiver's: of a closure, which becomes a
// function, all.
func (e *emitter) ownTypeParams() []*types.TypeParam {
	return e.f.TypeParams()[e.f.Sig.RecvTypeParams().Len():]
}

// keepSource mentions a source form that is not exported, for linters would
// otherwise complain of it where only the async form is called:
//
//	var _ = copyStream
//	func _[T any]() { _ = (*stack[T]).pop }
func (e *emitter) keepSource() {
	name := e.f.Decl.Name.Name
	if e.f.Lit != nil || token.IsExported(name) {
		return
	}
	form := name
	if recv := e.f.Sig.Recv(); recv != nil {
		form = "(" + e.typ(recv.Type()) + ")." + name
	}
	form += e.usedParams(e.ownTypeParams())
	if params := e.declared(); params != "" {
		e.out.Add(raw("func _" + params + "() { _ = " + form + " }"))
	} else {
		e.out.Add(raw("var _ = " + form))
	}
	e.out.Line()
}

// unused returns name, or name with underscores that no parameter bears.
func (e *emitter) unused(name string) string {
	for {
		taken := e.f.Sig.Recv() != nil && e.f.Sig.Recv().Name() == name
		for v := range e.f.Sig.Params().Variables() {
			taken = taken || v.Name() == name
		}
		for _, v := range e.f.Params {
			taken = taken || v.Outer && v.Obj.Name() == name
		}
		if !taken {
			return name
		}
		name += "_"
	}
}

// params writes the parameters as the author has them; an unnamed context gets
// a name, for the machine wants it.
func (e *emitter) params() []jen.Code {
	var list []jen.Code
	sig := e.f.Sig
	syntax := e.f.Decl.Type.Params
	if e.f.Lit != nil {
		syntax = e.f.Lit.Type.Params
	}
	i := 0
	for _, field := range syntax.List {
		var names []string
		last := sig.Params().At(i)
		for range max(1, len(field.Names)) {
			last = sig.Params().At(i)
			name := e.paramName(last)
			if name == "" {
				name = "_"
			}
			names = append(names, name)
			i++
		}
		param := jen.Op(strings.Join(names, ", "))
		if sig.Variadic() && i == sig.Params().Len() {
			param = param.Op("...").Add(raw(e.typ(last.Type().(*types.Slice).Elem())))
		} else {
			param = param.Add(raw(e.typ(last.Type())))
		}
		list = append(list, param)
	}
	for _, v := range e.f.Params {
		if v.Outer {
			t := jen.Any()
			if !v.Boxed {
				t = raw(e.varType(v))
			}
			list = append(list, jen.Id(e.paramName(v.Obj)).Add(t))
		}
	}
	return list
}

func (e *emitter) paramName(v *types.Var) string {
	if e.f.Context != nil && e.f.Context.Obj == v && (v.Name() == "" || v.Name() == "_") {
		return e.unused("ctx")
	}
	switch name := v.Name(); {
	case name == "nil": // kickoff needs the real one
		return e.unused("none")
	case e.f.Class && name == e.f.Source.NameOf(ir.AsyncPath, "async"): // and this one
		return e.unused(name)
	}
	return v.Name()
}

// captured writes ctx: ctx, src: src; a parameter that keeps an identity gives
// its address.
func (e *emitter) captured() string {
	var list []string
	for _, v := range e.f.Params {
		value := e.paramName(v.Obj)
		if v.Cell && !v.Outer {
			value = "&" + value
		}
		list = append(list, v.Kept()+": "+value)
		if v == e.f.Context && v.Writes > 0 {
			list = append(list, e.f.Called+": "+e.paramName(v.Obj))
		}
	}
	return strings.Join(list, ", ")
}

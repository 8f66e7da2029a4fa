package emit

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
)

// machine writes all declarations of one function.
func (e *emitter) machine() {
	if e.fn.Struct != nil {
		e.resultStruct()
	}
	e.kickoff()
	e.shapes()
	e.localTypes()
	e.machineStruct()
	e.deferTypes()
	if e.f.Suspends() && !e.f.Class {
		e.onHeap()
	}
	if e.fn.Options.Pool {
		e.recycle()
	}
	e.finish()
	if e.f.Unwinds() {
		e.end()
	}
	e.moveNext()
	e.states()
	for _, child := range e.f.Children {
		c := &emitter{f: child, fn: closureFunc(child), pkg: e.pkg, out: e.out}
		c.machine()
	}
}

// closureFunc describes an async closure as load describes a declared function.
func closureFunc(f *ir.Func) *load.Func {
	fn := &load.Func{Decl: f.Decl, Twin: strings.TrimSuffix(f.Machine, "Machine")}
	for v := range f.Sig.Results().Variables() {
		fn.TaskResults = append(fn.TaskResults, v.Type())
	}
	if n := len(fn.TaskResults); n > 0 && types.Identical(fn.TaskResults[n-1], types.Universe.Lookup("error").Type()) {
		fn.TaskResults, fn.HasError = fn.TaskResults[:n-1], true
	}
	return fn
}

// resultStruct declares the results of a function with more than three values:
//
//	type fooResults struct {
//		R0 int
//		…
//	}
func (e *emitter) resultStruct() {
	s := e.fn.Struct
	var fields []jen.Code
	for i, name := range s.Fields {
		fields = append(fields, jen.Id(name).Add(raw(e.typ(e.fn.TaskResults[i]))))
	}
	e.out.Commentf("%s holds the results of %s.", s.Name, e.f.Decl.Name.Name)
	e.out.Type().Id(s.Name).Add(raw(e.declaredParams(e.f.NamedTypeParams()))).Struct(fields...)
	e.out.Line()
}

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
//	func CopyStreamAsync(ctx context.Context, …) (task async.Task[int64]) {
//		m := &copyStreamMachine{ctx: ctx, …}
//		m.Start(m, m.ctx)
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
		decl = decl.Params(jen.Id(recv.Name()).Add(raw(e.typ(recv.Type()))))
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
		return fmt.Sprintf("%[1]s := &%[2]s{%[3]s}\n%[1]s.Start(%[1]s, %[4]s)\nreturn %[1]s.Task()", m, e.machineType(), e.captured(), e.ownContext(m)), raw(e.taskType())
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

// what names the function in a comment.
func (e *emitter) what() string {
	if e.f.Lit != nil {
		return "the closure " + e.f.Name
	}
	return e.f.Decl.Name.Name
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
			list = append(list, jen.Id(v.Obj.Name()).Add(t))
		}
	}
	return list
}

func (e *emitter) paramName(v *types.Var) string {
	if e.f.Context != nil && e.f.Context.Obj == v && (v.Name() == "" || v.Name() == "_") {
		return e.unused("ctx")
	}
	if v.Name() == "nil" { // kickoff needs the real one
		return e.unused("none")
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

// machineStruct:
//
//	type copyStreamMachine struct {
//		async.Builder[int64]
//
//		ctx context.Context // parameters, then lifted locals
//		…
//		awaiter async.Awaiter[int] // what is awaited
//	}
func (e *emitter) machineStruct() {
	fields := []jen.Code{raw(e.builderType())}
	for i, v := range e.packed(e.lifted()) {
		if i == 0 {
			fields = append(fields, jen.Line())
		}
		if v.Boxed {
			fields = append(fields, jen.Id(v.Field).Any().Comment(v.Name+", whose type only MoveNext knows"))
			continue
		}
		fields = append(fields, jen.Id(v.Name).Add(raw(e.varType(v))))
		if v == e.f.Context && v.Writes > 0 {
			fields = append(fields, jen.Id(e.f.Called).Add(raw(e.typ(v.Type))).Comment("as the caller passed it"))
		}
	}
	if len(e.f.Defers) > 0 {
		fields = append(fields, jen.Line(), jen.Id("defers").Index().Any().Comment("calls to make at the end, as they were deferred"))
	}
	if e.f.EndWaits() {
		fields = append(fields, jen.Id("unwinding").Op("*").Add(raw(async("Panic"))).Comment("what panics while the end waits"))
	}
	for i, s := range e.f.Slots {
		if i == 0 {
			fields = append(fields, jen.Line())
		}
		t := jen.Any()
		if !s.Boxed {
			t = raw(e.slotType(s))
		}
		fields = append(fields, jen.Id(s.Field).Add(t).Comment("what is awaited"))
	}
	e.out.Commentf("%s is %s between its awaits.", e.f.Machine, e.name())
	e.out.Type().Id(e.f.Machine).Add(raw(e.declared())).Struct(fields...)
	e.out.Line()
}

// name names the function in a comment: F, T.M, or its closure.
func (e *emitter) name() string {
	if e.f.Lit != nil {
		return e.what()
	}
	return e.f.Name
}

// lifted returns the variables that are fields, one for each name.
func (e *emitter) lifted() []*ir.Var {
	return e.distinct((*ir.Var).Kept, func(v *ir.Var) bool { return v.Lifted })
}

// locals returns the variables that are MoveNext's own, one for each name.
func (e *emitter) locals() []*ir.Var {
	name := func(v *ir.Var) string { return v.Name }
	return e.distinct(name, func(v *ir.Var) bool { return !v.InMachine() && v.Alive() })
}

func (e *emitter) distinct(name func(*ir.Var) string, want func(*ir.Var) bool) []*ir.Var {
	seen := make(map[string]bool)
	var list []*ir.Var
	for _, v := range e.f.Vars {
		if want(v) && !seen[name(v)] {
			seen[name(v)] = true
			list = append(list, v)
		}
	}
	return list
}

// varType writes the type of the Go variable that v becomes.
func (e *emitter) varType(v *ir.Var) string {
	if v.Cell {
		return "*" + e.typ(v.Type)
	}
	return e.typ(v.Type)
}

// slotType: a task is kept as an awaiter, without room for an inline result.
func (e *emitter) slotType(s *ir.Slot) string {
	if s.Task == nil {
		return e.typ(s.Type)
	}
	var args []string
	for t := range s.Task.TypeArgs().Types() {
		args = append(args, e.typ(t))
	}
	return async("Awaiter"+strings.TrimPrefix(s.Task.Obj().Name(), "Task")) + bracketed(args)
}

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

func (e *emitter) method(name string) *jen.Statement {
	return e.out.Func().Params(jen.Id(e.f.Receiver).Op("*").Add(raw(e.machineType()))).Id(name)
}

// finish:
//
//	func (m *copyStreamMachine) finish(result int64, err error) async.Continuation {
//		m.ctx = nil
//		…
//		return m.SetResult(result, err)
//	}
func (e *emitter) finish() {
	m := e.f.Receiver
	var params []jen.Code
	var values []string
	err := "nil"
	results := e.f.Sig.Results()
	for i := range results.Len() {
		v := results.At(i)
		name := fmt.Sprintf("result%d", i)
		if len(e.fn.TaskResults) == 1 {
			name = "result"
		}
		if i == results.Len()-1 && e.fn.HasError {
			name, err = "err", "err"
		} else {
			values = append(values, name)
		}
		params = append(params, jen.Id(name).Add(raw(e.typ(v.Type()))))
	}
	if s := e.fn.Struct; s != nil {
		values = []string{e.carrierType() + "{" + strings.Join(values, ", ") + "}"}
	}
	var b strings.Builder
	for _, v := range e.lifted() {
		if e.fn.Options.Pool {
			break // Recycle clears them
		}
		if !v.Brief && (v.Cell || v.Boxed || ir.HasPointers(v.Type)) {
			fmt.Fprintf(&b, "%s.%s = %s\n", m, v.Kept(), e.nothing(v))
			if v == e.f.Context && v.Writes > 0 {
				fmt.Fprintf(&b, "%s.%s = nil\n", m, e.f.Called)
			}
		}
	}
	does := "completes the machine's"
	if b.Len() > 0 {
		does = "lets go of what the machine holds and completes its"
	}
	fmt.Fprintf(&b, "return %s.SetResult(%s)", m, strings.Join(append(values, err), ", "))
	e.out.Commentf("finish %s task.", does)
	e.method("finish").Params(params...).Add(raw(async("Continuation"))).Block(raw(b.String()))
	e.out.Line()
}

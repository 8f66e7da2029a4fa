package emit

import (
	"fmt"
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

// what names the function in a comment.
func (e *emitter) what() string {
	if e.f.Lit != nil {
		return "the closure " + e.f.Name
	}
	return e.f.Decl.Name.Name
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

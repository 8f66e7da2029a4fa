package explain

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"github.com/nothread/nothread/transform/internal/ir"
)

// locals lists what is not in the machine, and why.
func (e *explainer) locals() {
	for _, v := range e.f.Vars {
		if v.Lifted || v.Obj == nil || !v.Used && !v.Set && v.Kind != ir.Result {
			continue
		}
		e.local(v.Obj, e.whyLocal(v))
	}
	e.inStatements()
	e.unmentioned()
	slices.SortStableFunc(e.out.Locals, func(a, b Local) int { return a.Line - b.Line })
}

func (e *explainer) local(obj *types.Var, why string) {
	e.out.Locals = append(e.out.Locals, Local{Name: obj.Name(), Line: e.line(obj.Pos()), Why: why})
}

func (e *explainer) whyLocal(v *ir.Var) string {
	set, read := e.flow.afterAwaits(v)
	why := "not used after an await"
	switch {
	case !v.Used:
		why = "nothing reads it"
	case !read.IsValid() || !set.IsValid():
	case e.line(set) == e.line(read):
		why = fmt.Sprintf("set and used at :%d, with no await between", e.line(set))
	default:
		why = fmt.Sprintf("set at :%d, then used at :%d, with no await between", e.line(set), e.line(read))
	}
	if v.Cell {
		why += "; in a cell: " + whyCell(v)
	}
	return why
}

// inStatements adds the variables of statements that stay as they are, closures
// and async closures aside.
func (e *explainer) inStatements() {
	ast.Inspect(e.f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.Ident:
			if v, ok := e.f.Source.Info.Defs[n].(*types.Var); ok && !v.IsField() && n.Name != "_" && e.f.VarOf[v] == nil {
				e.local(v, "it lives in one statement, which has no await and stays as it is")
			}
		}
		return true
	})
}

// unmentioned adds the parameters that the machine has no field for.
func (e *explainer) unmentioned() {
	sig := e.f.Sig
	list := slices.Collect(sig.Params().Variables())
	if sig.Recv() != nil {
		list = append([]*types.Var{sig.Recv()}, list...)
	}
	for _, v := range list {
		if v.Name() != "" && v.Name() != "_" && e.f.VarOf[v] == nil {
			e.local(v, "nothing mentions it")
		}
	}
}

func whyCell(v *ir.Var) string {
	if v.Addressed {
		return "its address is taken"
	}
	return "a closure captures it, and it is assigned"
}

// allocations lists what a call costs beside what the author's own code
// allocates.
func (e *explainer) allocations() {
	add := func(line int, bytes Bytes, what, when, maybe string) {
		e.out.Allocations = append(e.out.Allocations, Allocation{What: what, When: when, Line: line, Maybe: maybe, Bytes: bytes})
	}
	switch {
	case e.f.Class:
		add(e.line(e.f.Start()), e.out.Machine.Bytes, "the machine", "at the call", "")
	case e.f.Suspends():
		maybe := ""
		if e.Pool {
			maybe = "its pool has one"
		}
		add(0, e.out.Machine.Bytes, "the machine", "at the first await that has to wait", maybe)
		e.out.Allocations[0].Pooled = e.Pool
	}
	for _, v := range e.f.Vars {
		if v.Lifted && v.Boxed && !v.Cell && e.boxed(v.Type) {
			add(0, e.of(v.Type), "the box of "+words{e.f}.Var(v, false)+": its type has no name here", "at each await that has to wait while it is alive", "")
		}
		if !v.Cell || v.Outer || !v.Alive() {
			continue
		}
		when, maybe := "each time it is declared", ""
		if v.Kind != ir.Local {
			when = "at the call"
		}
		if !v.Lifted {
			maybe = "gc can leave it on the stack"
		}
		add(e.line(varPos(v)), e.of(v.Type), "the cell of "+words{e.f}.Var(v, false)+": "+whyCell(v), when, maybe)
	}
	for _, s := range e.f.Slots {
		if s.Boxed && e.boxed(s.Type) {
			add(0, e.of(s.Type), "the box of "+s.Field+": the type of what is awaited has no name here", "at each await that has to wait", "")
		}
	}
	if len(e.f.Defers) > 0 {
		add(e.line(e.f.Defers[0].Stmt.Pos()), 0, "the list of deferred calls, and what they keep", "as calls are deferred", "")
	}
	for _, l := range e.f.Loops {
		if l.Left != nil {
			add(e.line(l.Left.Call.Pos()), 0, "the pass through a stream", "when the loop begins", "")
		}
	}
	for _, r := range e.ranges() {
		what := "the iterator of a range over a map"
		if r.function {
			what = "the coroutine of a range over a function"
		}
		add(e.line(r.over.Pos()), 0, what, "when the loop begins", "")
	}
	for _, child := range e.f.Children {
		what := "the machine of " + child.Name + ": see there"
		if child.Maker {
			what = "the function value " + child.Name
		}
		add(e.line(child.Lit.Pos()), 0, what, "when it is reached", "")
	}
}

// boxed reports whether a value of t as any is an allocation: gc keeps what is no more than
// a pointer in any itself, has all values of a byte already, and an interface has its box.
func (e *explainer) boxed(t types.Type) bool {
	switch size := e.of(t); {
	case types.IsInterface(t):
		return false
	case size == Bytes(e.Sizes.Sizeof(types.Typ[types.UnsafePointer])):
		return !ir.HasPointers(t)
	default:
		return size != 0 && size != 1
	}
}

// ranges lists the loops that need an object of the runtime's.
func (e *explainer) ranges() (list []runtimeRange) {
	for _, blk := range e.f.Blocks {
		for _, in := range blk.Instrs {
			code, ok := in.(*ir.Code)
			if !ok || len(code.Args) != 3 {
				continue
			}
			name, _ := code.Args[1].(ir.Name)
			over, _ := code.Args[2].(ast.Expr)
			if name.Path == ir.AsyncPath && over != nil {
				list = append(list, runtimeRange{over, name.Name != "RangeMap"})
			}
		}
	}
	return list
}

// A runtimeRange is a range over a map, or over a function.
type runtimeRange struct {
	over     ast.Expr
	function bool
}

// coroutines lists the ranges over functions whose bodies await.
func (e *explainer) coroutines() {
	for _, r := range e.ranges() {
		if r.function {
			e.out.Coroutines = append(e.out.Coroutines, Coroutine{Line: e.line(r.over.Pos()),
				Over: Short(oneLine(e.f.Source.Text(r.over.Pos(), r.over.End())), 60)})
		}
	}
}

// fastPaths says what this function is spared.
func (e *explainer) fastPaths() {
	add := func(format string, args ...any) {
		e.out.FastPaths = append(e.out.FastPaths, fmt.Sprintf(format, args...))
	}
	f := e.f
	switch {
	case !f.Suspends():
		add("it awaits nothing: its task is finished when the call returns")
	case f.Class:
		add("an await that finds its task complete goes straight on")
	default:
		add("an await that finds its task complete goes straight on; if all do, the machine never leaves the stack")
	}
	for _, s := range f.Slots {
		n := 0
		for _, a := range f.States() {
			if a.Slot == s {
				n++
			}
		}
		field := e.fields[s.Field]
		if field == nil {
			continue
		}
		if n > 1 {
			add("%d awaits of type %s share the field %s", n, e.typ(s.Type), s.Field)
		}
		if whole := e.of(s.Type); s.Task != nil && whole != Depends && field.Bytes != Depends && field.Bytes < whole {
			add("%s keeps a reference in %d bytes, not the task in %d: one that has to wait has no result inline", s.Field, field.Bytes, whole)
		}
	}
	if f.Suspends() && f.Context == nil {
		add("no parameter is a context.Context: it resumes wherever what it awaits completes, and is not posted")
	}
	if !f.Class && slices.ContainsFunc(f.Vars, func(v *ir.Var) bool { return v.Cell && v.Lifted }) {
		add("nothing pins the machine: what must stay in its place has a cell of its own, so that it can begin on the stack")
	}
	for _, a := range f.Awaits {
		if a.Tail && e.Pool {
			add("state %d only returns what it awaits: where nothing has waited before, and both resume alike, it hands the task on, and there is no machine", a.State)
		}
	}
	if e.Pool {
		add("finished machines are used again (//nothread:async pool)")
	}
	if f.Suspends() && !f.Unwinds() {
		add("nothing is deferred: a return completes the task at once")
	}
}

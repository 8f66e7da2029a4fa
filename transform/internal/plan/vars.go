package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// A usage is what the body does with one of its variables.
type usage struct {
	captured  bool // a closure mentions it
	addressed bool // its address is taken
	writes    int  // assignments besides its declaration

	firstCapture token.Pos // the literal that mentions it first
	lastWrite    token.Pos // the end of what assigns to it last
}

// writtenBy notes an assignment by what ends at end.
func (u *usage) writtenBy(end token.Pos) {
	u.writes++
	u.lastWrite = max(u.lastWrite, end)
}

func (b *builder) usageOf(obj types.Object) *usage {
	u := b.uses[obj]
	if u == nil {
		u = new(usage)
		b.uses[obj] = u
	}
	return u
}

// parameters makes variables of the receiver, the parameters and the named
// results.
func (b *builder) parameters() {
	sig := b.f.Sig
	param := func(v *types.Var) {
		isContext := b.f.Context == nil && v != sig.Recv() && isContextType(v.Type())
		if !isContext && (v.Name() == "" || v.Name() == "_" || b.uses[v] == nil) {
			return
		}
		w := b.newVar(v, ir.Param)
		if v.Name() == "" || v.Name() == "_" {
			w.Name = "ctx"
		}
		w.Lifted = true
		b.f.Params = append(b.f.Params, w)
		if isContext {
			b.f.Context = w
		}
	}
	if sig.Recv() != nil {
		param(sig.Recv())
	}
	for v := range sig.Params().Variables() {
		param(v)
	}
	b.results()
}

// results makes variables of the named results; of all, where deferred calls or
// pointers may see them between a return statement and the end.
func (b *builder) results() {
	seen := b.f.Unwinds()
	for v := range b.f.Sig.Results().Variables() {
		u := b.uses[v]
		seen = seen || u != nil && (u.addressed || u.captured && u.writes > 0)
	}
	for v := range b.f.Sig.Results().Variables() {
		var w *ir.Var
		switch {
		case hasName(v):
			w = b.newVar(v, ir.Result)
		case seen, v.Name() == "_" && b.f.Hides(v.Type()):
			w = b.temp("result", v.Type(), v.Pos())
			w.Kind = ir.Result
		}
		if w != nil {
			w.Lifted = b.f.Unwinds()
			b.emit(&ir.Declare{Var: w, Zero: true})
		}
		b.f.Results = append(b.f.Results, w)
	}
}

func isContextType(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

// newVar hoists obj.
func (b *builder) newVar(obj *types.Var, kind ir.VarKind) *ir.Var {
	u := b.usageOf(obj)
	v := &ir.Var{
		Name: obj.Name(), Type: obj.Type(), Obj: obj, Kind: kind,
		Captured: u.captured, Addressed: u.addressed, Writes: u.writes,
	}
	b.f.Vars = append(b.f.Vars, v)
	b.f.VarOf[obj] = v
	v.Boxed, v.Shape = b.shape(obj.Pos(), obj.Name(), obj.Type())
	return v
}

// temp makes a variable of ours.
func (b *builder) temp(name string, t types.Type, pos token.Pos) *ir.Var {
	if basic, ok := t.(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
	}
	v := &ir.Var{Name: name, Type: t, Kind: ir.Temp, Pos: pos}
	b.f.Vars = append(b.f.Vars, v)
	v.Boxed, v.Shape = b.shape(pos, name, t)
	return v
}

// declare hoists the variable that id defines, and emits its birth. zero says
// that no value follows. It returns nil if id defines none.
func (b *builder) declare(id *ast.Ident, zero bool) *ir.Var {
	obj, ok := b.info.Defs[id].(*types.Var)
	if !ok || id.Name == "_" {
		return nil
	}
	v := b.f.VarOf[obj]
	if v == nil {
		v = b.newVar(obj, ir.Local)
	}
	b.emit(&ir.Declare{Var: v, Zero: zero})
	return v
}

// scanUses notes how body uses its variables.
func (b *builder) scanUses(body ast.Node) {
	var lits, stack []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			if _, ok := stack[len(stack)-1].(*ast.FuncLit); ok {
				lits = lits[:len(lits)-1]
			}
			stack = stack[:len(stack)-1]
			return true
		}
		b.scanNode(n, lits)
		stack = append(stack, n)
		if _, ok := n.(*ast.FuncLit); ok {
			lits = append(lits, n)
		}
		return true
	})
}

// scanNode notes what n, within lits, does with variables.
func (b *builder) scanNode(n ast.Node, lits []ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		if v, ok := b.info.Uses[n].(*types.Var); ok && !v.IsField() {
			u := b.usageOf(v)
			if len(lits) > 0 && !u.captured {
				u.captured, u.firstCapture = true, lits[0].Pos()
			}
		}
	case *ast.AssignStmt:
		for _, lhs := range n.Lhs {
			b.scanWrite(lhs, n.End())
		}
	case *ast.ReturnStmt:
		if len(lits) > 0 || len(n.Results) == 0 {
			return
		}
		for v := range b.f.Sig.Results().Variables() {
			b.usageOf(v).writtenBy(n.End())
		}
	case *ast.IncDecStmt:
		b.scanWrite(n.X, n.End())
	case *ast.RangeStmt:
		for _, e := range []ast.Expr{n.Key, n.Value} {
			if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE && b.sharedLoopVars() {
				b.usageOf(b.info.Defs[id]).writtenBy(n.End()) // each iteration sets the same variable
			} else if n.Tok == token.ASSIGN {
				b.scanWrite(e, n.Body.Pos())
			}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			b.scanAddress(n.X)
		}
	case *ast.SliceExpr:
		if isArray(b.info.TypeOf(n.X)) {
			b.scanAddress(n.X)
		}
	case *ast.SelectorExpr:
		b.scanReceiver(n)
	case *ast.CallExpr:
		if awaitable, ok := check.IsAwait(b.info, n); ok && !check.Awaitable(awaitable) {
			b.scanAddress(ast.Unparen(n.Fun).(*ast.SelectorExpr).X) // by newAwait
		}
	}
}

// scanWrite notes an assignment, by what ends at end, to the variable that e is, or to a
// part of it.
func (b *builder) scanWrite(e ast.Expr, end token.Pos) {
	if v := b.rootVar(e); v != nil {
		b.usageOf(v).writtenBy(end)
	}
}

// scanAddress notes that the address of (a part of) a variable is taken.
func (b *builder) scanAddress(e ast.Expr) {
	if v := b.rootVar(e); v != nil {
		b.usageOf(v).addressed = true
	}
}

// scanReceiver notes method calls and values that take the address of their
// operand.
func (b *builder) scanReceiver(n *ast.SelectorExpr) {
	sel := b.info.Selections[n]
	if sel == nil || sel.Kind() != types.MethodVal {
		return
	}
	recv := sel.Obj().(*types.Func).Signature().Recv()
	if _, ok := recv.Type().Underlying().(*types.Pointer); !ok || types.IsInterface(recv.Type()) {
		return
	}
	if _, ok := sel.Recv().Underlying().(*types.Pointer); !ok && !throughPointer(sel) {
		b.scanAddress(n.X)
	}
}

// throughPointer reports whether the path to a promoted field or method goes through an
// embedded pointer: the operand's own address is not needed then.
func throughPointer(sel *types.Selection) bool {
	t := sel.Recv()
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	for _, i := range sel.Index()[:len(sel.Index())-1] {
		s, ok := t.Underlying().(*types.Struct)
		if !ok {
			return false
		}
		t = s.Field(i).Type()
		if _, ok := t.Underlying().(*types.Pointer); ok {
			return true
		}
	}
	return false
}

// rootVar returns the variable that holds e by value: x for x, x.f, x[i] of an
// array; nil if e is reached through a pointer.
func (b *builder) rootVar(e ast.Expr) *types.Var {
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := b.info.Uses[e].(*types.Var); ok {
			return v
		}
	case *ast.ParenExpr:
		return b.rootVar(e.X)
	case *ast.SelectorExpr:
		sel := b.info.Selections[e]
		if sel == nil || sel.Kind() != types.FieldVal || sel.Indirect() {
			return nil
		}
		return b.rootVar(e.X)
	case *ast.IndexExpr:
		if t := b.info.TypeOf(e.X); t != nil && isArray(t) {
			return b.rootVar(e.X)
		}
	}
	return nil
}

// isArray reports whether t is an array, or a type parameter that may be one.
func isArray(t types.Type) bool {
	return mayBe(t, func(t types.Type) bool { _, ok := t.(*types.Array); return ok })
}

// stringOrBytes reports whether t is a type parameter that may be a string, and may be
// a slice.
func stringOrBytes(t types.Type) bool {
	return mayBe(t, func(t types.Type) bool { _, ok := t.(*types.Slice); return ok }) &&
		mayBe(t, func(t types.Type) bool { basic, ok := t.(*types.Basic); return ok && basic.Info()&types.IsString != 0 })
}

// mayBe reports whether an underlying type that t has, or may have as a type parameter,
// is one of those.
func mayBe(t types.Type, is func(types.Type) bool) bool {
	if tp, ok := types.Unalias(t).(*types.TypeParam); ok {
		t = tp.Constraint()
	}
	switch u := t.Underlying().(type) {
	case *types.Union:
		for term := range u.Terms() {
			if mayBe(term.Type(), is) {
				return true
			}
		}
	case *types.Interface:
		for e := range u.EmbeddedTypes() {
			if mayBe(e, is) {
				return true
			}
		}
	default:
		return is(u)
	}
	return false
}

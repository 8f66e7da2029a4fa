package plan

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// defers lists what is to be done when the function ends: the functions that it
// ranges over are left, and the deferred calls are made. What each evaluates goes into
// the machine:
//
//	defer f.Close()        becomes        defers = append(defers, f.Close)
//	defer handle(&err)                    defers = append(defers, fDefer1{&err})
//
// A call that is deferred must be a real defer in the end, with the same callee:
// only so does recover work in it. So a callee with arguments is kept apart from
// them.
func (b *builder) defers() {
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.RangeStmt:
			if rangesOverFunc(b.info, n) && b.suspends(n) {
				b.loop(n)
			}
		case *ast.DeferStmt:
			b.f.Defers = append(b.f.Defers, b.deferOf(n))
		}
		return true
	})
}

func (b *builder) deferOf(s *ast.DeferStmt) *ir.Defer {
	if awaitable, ok := check.IsAwait(b.info, s.Call); ok {
		return &ir.Defer{Stmt: s, Await: b.newAwait(s.Call, awaitable)}
	}
	d := &ir.Defer{Stmt: s, Static: b.static(s.Call.Fun)}
	sig, ok := coreType(b.info.TypeOf(s.Call.Fun)).(*types.Signature)
	if tv := b.info.Types[s.Call.Fun]; !ok || tv.IsBuiltin() {
		for _, arg := range s.Call.Args {
			if several, ok := b.info.TypeOf(arg).(*types.Tuple); ok {
				for v := range several.Variables() {
					d.Args = append(d.Args, v.Type())
				}
				continue
			}
			d.Args = append(d.Args, defaultType(b.info.TypeOf(arg)))
		}
	} else {
		d.Sig = sig
		for v := range sig.Params().Variables() {
			d.Args = append(d.Args, v.Type())
		}
	}
	return d
}

// deferrable reports the deferred calls that keep what has no name here.
func (b *builder) deferrable() {
	for _, d := range b.f.Defers {
		if d.Await != nil {
			b.nameable(d.Stmt.Pos(), "the awaitable that is deferred here", d.Await.Type)
		}
		if d.Sig != nil && !d.Static {
			b.nameable(d.Stmt.Pos(), "what is deferred here", d.Sig)
		}
		for _, t := range d.Args {
			b.nameable(d.Stmt.Pos(), "an argument of what is deferred here", t)
		}
	}
}

// defersNeed reports whether a deferred call keeps anything of the type.
func (b *builder) defersNeed(obj *types.TypeName) bool {
	for _, d := range b.f.Defers {
		kept := slices.Clone(d.Args)
		if d.Sig != nil && !d.Static {
			kept = append(kept, d.Sig)
		}
		if d.Await != nil {
			kept = append(kept, d.Await.Type)
		}
		if slices.ContainsFunc(kept, func(t types.Type) bool { return b.leadsTo(t, obj) }) {
			return true
		}
	}
	return false
}

// defaultType is the type of a variable that takes a value of t: of an untyped
// nil, any.
func defaultType(t types.Type) types.Type {
	if t = types.Default(t); t == types.Typ[types.UntypedNil] {
		return types.Universe.Lookup("any").Type()
	}
	return t
}

// static reports whether e is a declared function or a predeclared one, which
// there is no need to keep.
func (b *builder) static(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if hidden(e) {
			return false
		}
		switch obj := b.info.Uses[e].(type) {
		case *types.Builtin:
			return true
		case *types.Func:
			return obj.Parent() == obj.Pkg().Scope()
		}
	case *ast.SelectorExpr:
		if b.info.Selections[e] != nil {
			return false
		}
		if id, ok := e.X.(*ast.Ident); ok && hidden(id) {
			return false
		}
		_, ok := b.info.Uses[e.Sel].(*types.Func)
		return ok
	case *ast.IndexExpr:
		return b.info.Types[e.Index].IsType() && b.static(e.X)
	case *ast.IndexListExpr:
		return b.static(e.X)
	}
	return false
}

// hidden reports whether the name means something else in RunDeferred, where the
// deferred calls are made.
func hidden(id *ast.Ident) bool {
	switch id.Name {
	case "d", "defers", "n", "p":
		return true
	}
	return false
}

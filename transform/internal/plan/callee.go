package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/nothread/nothread/transform/internal/ir"
)

// calleeEvents appends the events of what a call calls.
//
//	handlers[len(handlers)-1](await)
//	handlers[i](await)
//
// gc keeps what the first calls in a temporary before it evaluates the arguments, for
// there is a call or a receive in it, or a builtin that gc counts as one; the second
// it reads when it calls it (cmd/compile/internal/typecheck, RewriteNonNameCall). Of a
// method of an interface that goes for the interface. Any other receiver is an argument.
func (b *builder) calleeEvents(list []*event, e *ast.CallExpr) []*event {
	callee, way := e.Fun, embedded{}
	if sel, ok := b.generic(e.Fun).(*ast.SelectorExpr); ok {
		if s := b.info.Selections[sel]; s != nil && s.Kind() == types.MethodVal {
			_, param := types.Unalias(s.Recv()).(*types.TypeParam)
			if callee = sel.X; param || !isInterface(s.Obj().(*types.Func).Signature().Recv().Type()) {
				return b.exprEvents(list, callee)
			}
			way = b.embedded(s)
		}
	}
	list = b.exprEvents(list, callee)
	if len(list) > 0 && list[len(list)-1].expr == callee && way.path == nil && !way.unnamed || !b.callsOrReceives(callee) {
		return list
	}
	return append(list, &event{expr: callee, callee: len(e.Args) > 0, embedded: way})
}

// generic returns what e is an instance of; e if it is none. Its parentheses are left out.
func (b *builder) generic(e ast.Expr) ast.Expr {
	switch x := ast.Unparen(e).(type) {
	case *ast.IndexExpr:
		if b.info.Types[x.Index].IsType() {
			return ast.Unparen(x.X)
		}
	case *ast.IndexListExpr:
		return ast.Unparen(x.X)
	}
	return ast.Unparen(e)
}

// embedded is an interface in a struct, or in what that embeds: how to get there, and
// its type.
type embedded struct {
	path    []any // the names of the fields, as ir.Code has them; nil if it is the whole, or that does as well
	typ     types.Type
	unnamed bool // the way has no names here, and what is behind a pointer may change
}

// embedded finds the interface that has the method which is called.
func (b *builder) embedded(s *types.Selection) embedded {
	way, pointer := b.way(s)
	if way.unnamed {
		return embedded{unnamed: pointer}
	}
	return way
}

// way finds what has the method that s selects; pointer says whether a pointer leads there.
func (b *builder) way(s *types.Selection) (way embedded, pointer bool) {
	way.typ = s.Recv()
	for _, i := range s.Index()[:len(s.Index())-1] {
		if p, ok := way.typ.Underlying().(*types.Pointer); ok {
			way.typ, pointer = p.Elem(), true
		}
		f := way.typ.Underlying().(*types.Struct).Field(i)
		way.typ = f.Type()
		way.unnamed = way.unnamed || !f.Exported() && f.Pkg() != b.pkg.Types
		way.path = append(way.path, b.fieldName(f))
	}
	return way, pointer
}

// fieldName is the name of an embedded field: its type's, which may change if that is
// declared in the function.
func (b *builder) fieldName(f *types.Var) any {
	if local := b.f.Embedded(f); local != nil {
		return local
	}
	return f.Name()
}

// callsOrReceives reports whether gc finds something in e that calls or receives
// (callOrChan, but for new).
func (b *builder) callsOrReceives(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			called, isName := ast.Unparen(n.Fun).(*ast.Ident)
			isNew := isName && b.info.Uses[called] == types.Universe.Lookup("new")
			found = found || !b.info.Types[n].IsType() && b.info.Types[n].Value == nil && !b.info.Types[n.Fun].IsType() && !isNew
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// derived reports whether t has to do with a type parameter of the function's: then an
// assertion to t asks a dictionary, and gc does not do it ahead (ODYNAMICDOTTYPE).
func (b *builder) derived(t types.Type) bool {
	if !b.f.Generic() {
		return false
	}
	found, seen := false, make(map[types.Type]bool)
	var visit func(types.Type) bool
	visit = func(t types.Type) bool {
		switch t := t.(type) {
		case *types.TypeParam:
			found = true
		case *types.Named: // one that is declared in the function is another in each instance
			obj := t.Obj()
			found = found || obj.Pkg() != nil && obj.Parent() != obj.Pkg().Scope()
		case *types.Alias:
			ir.Components(types.Unalias(t), seen, visit)
		}
		return !found
	}
	ir.Components(t, seen, visit)
	return found
}

package inject

import (
	"go/ast"
	"go/token"
	"go/types"
)

// parts walks what x is made of, but does not wrap x itself.
func (w *walker) parts(x ast.Expr) {
	if tv, ok := w.in.p.Info.Types[x]; ok && (tv.Value != nil || tv.IsType()) {
		return
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		w.parts(x.X)
	case *ast.SelectorExpr:
		w.base(x)
	case *ast.StarExpr:
		w.value(x.X)
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			w.place(x.X)
			return
		}
		w.value(x.X)
	case *ast.BinaryExpr:
		w.value(x.X)
		w.value(x.Y)
	case *ast.IndexExpr:
		w.index(x)
	case *ast.SliceExpr:
		if _, ok := w.core(x.X).(*types.Array); ok {
			w.place(x.X)
		} else {
			w.value(x.X)
		}
		for _, bound := range []ast.Expr{x.Low, x.High, x.Max} {
			if bound != nil {
				w.value(bound)
			}
		}
	case *ast.TypeAssertExpr:
		w.value(x.X)
	case *ast.CompositeLit:
		w.literal(x)
	case *ast.CallExpr:
		w.call(x)
	}
}

// place walks x, which is assigned to, or whose address matters: x.f and x[i] of
// an array are places if x is; behind a pointer or a slice everything is a value.
func (w *walker) place(x ast.Expr) {
	switch x := x.(type) {
	case *ast.ParenExpr:
		w.place(x.X)
	case *ast.CompositeLit:
		w.literal(x)
	case *ast.SelectorExpr, *ast.StarExpr, *ast.IndexExpr:
		w.parts(x)
	}
}

// base walks the x of x.f.
func (w *walker) base(sel *ast.SelectorExpr) {
	if w.in.p.Info.Selections[sel] == nil {
		return // of a package
	}
	if tv := w.in.p.Info.Types[sel.X]; tv.IsType() {
		return // a method expression
	}
	switch w.core(sel.X).(type) {
	case *types.Pointer, *types.Interface:
		w.value(sel.X)
	default:
		w.place(sel.X)
	}
}

func (w *walker) index(x *ast.IndexExpr) {
	if tv := w.in.p.Info.Types[x.Index]; tv.IsType() {
		return
	}
	if _, ok := w.core(x.X).(*types.Array); ok {
		w.place(x.X)
	} else {
		w.value(x.X)
	}
	w.value(x.Index)
}

func (w *walker) literal(x *ast.CompositeLit) {
	_, isMap := w.core(x).(*types.Map)
	for _, elt := range x.Elts {
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			if isMap {
				w.value(kv.Key)
			}
			elt = kv.Value
		}
		w.value(elt)
	}
}

// call walks a call, and may turn it into an await of the callee's twin.
func (w *walker) call(x *ast.CallExpr) {
	name := w.twin(x)
	if name == nil || !w.chance(w.in.o.Calls) {
		w.callParts(x)
		return
	}
	w.awaits++
	w.callee(x)
	w.e.replace(name.Pos(), name.End(), prefix+name.Name+"Async")
	queue := "nothread_q"
	if len(x.Args) > 0 {
		queue += ", "
	}
	w.e.insert(x.Lparen+1, queue)
	w.arguments(x)
	w.e.insert(x.End(), ".Await()")
}

// twin returns the callee's name if its twin's Await gives the results of the
// call itself.
func (w *walker) twin(x *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(x.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	var name *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
		if s := w.in.p.Info.Selections[f]; s != nil && s.Kind() != types.MethodVal {
			return nil
		}
	default:
		return nil
	}
	fn, ok := w.in.p.Info.Uses[name].(*types.Func)
	if !ok || !w.in.chosen[fn.Origin()] {
		return nil
	}
	sig := fn.Signature()
	if sig.Results().Len() > 0 && !endsInError(sig) || sig.Results().Len() > 4 {
		return nil
	}
	if len(x.Args) == 1 {
		if _, several := w.in.p.Info.TypeOf(x.Args[0]).(*types.Tuple); several {
			return nil // f(g()) with several values: no room for the queue
		}
	}
	return name
}

// callParts walks callee and arguments.
func (w *walker) callParts(x *ast.CallExpr) {
	if tv := w.in.p.Info.Types[x.Fun]; tv.IsType() {
		w.value(x.Args[0])
		return
	}
	w.callee(x)
	w.arguments(x)
}

func (w *walker) callee(x *ast.CallExpr) {
	switch fun := ast.Unparen(x.Fun).(type) {
	case *ast.SelectorExpr:
		if s := w.in.p.Info.Selections[fun]; s != nil && s.Kind() == types.MethodVal {
			w.base(fun)
		} else {
			w.parts(fun)
		}
	case *ast.FuncLit:
	default:
		w.value(fun)
	}
}

func (w *walker) arguments(x *ast.CallExpr) {
	for i, arg := range x.Args {
		if i == 0 && w.inPlace(x) {
			w.place(arg)
			continue
		}
		w.value(arg)
	}
}

// inPlace reports builtins that look at their first operand's type or place:
// len and cap of an array, those of package unsafe.
func (w *walker) inPlace(x *ast.CallExpr) bool {
	tv := w.in.p.Info.Types[x.Fun]
	if !tv.IsBuiltin() {
		return false
	}
	switch w.core(x.Args[0]).(type) {
	case *types.Array, *types.Pointer:
		return true
	}
	return false
}

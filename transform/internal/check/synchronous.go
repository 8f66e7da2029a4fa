package check

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// synchronous warns of calls in fn of a function's synchronous form, F(ctx) in place of
// FAsync(ctx).Await(), and of what looks like an await but is none: where that has to wait it
// blocks who runs fn. In a plain literal it is as good as an await, for neither can suspend.
func synchronous(pkg *load.Package, fn *load.Func, diags *diag.List) {
	machines := make(map[*ast.FuncLit]bool)
	ast.Inspect(fn.Decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return machines[n]
		case *ast.CallExpr:
			if lit, ok := AsyncLiteral(pkg.Info, n); ok {
				machines[lit] = true
			}
			if breach := almostAwaits(pkg.Info, n); breach != "" {
				diags.Warnf(pkg.Fset.Position(n.Pos()), diag.Synchronous,
					"%s blocks where it has to wait, for its type is not quite awaitable: %s", types.ExprString(n.Fun), breach)
			}
			if callee, ok := typeutil.Callee(pkg.Info, n).(*types.Func); ok && hasTwin(callee) {
				diags.Warnf(pkg.Fset.Position(n.Pos()), diag.Synchronous,
					"%s blocks where it has to wait; await %sAsync, which suspends %s",
					types.ExprString(n.Fun), callee.Name(), fn.Decl.Name.Name)
			}
		}
		return true
	})
}

// almostAwaits says what keeps a call of a method Await from being an await, "" if it is
// one or has nothing to do with awaitables.
func almostAwaits(info *types.Info, call *ast.CallExpr) (breach string) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Await" || info.Selections[sel] == nil {
		return ""
	}
	selection := info.Selections[sel]
	breach, _ = patternOf(selection.Recv(), info.Types[sel.X].Addressable(), selection.Obj().Pkg())
	return breach
}

// hasTwin reports whether fn has an asynchronous form: of its name, with as many
// parameters, whose result is a task.
func hasTwin(fn *types.Func) bool {
	name, sig := fn.Name()+"Async", fn.Signature()
	var obj types.Object
	if recv := sig.Recv(); recv != nil {
		obj, _, _ = types.LookupFieldOrMethod(recv.Type(), true, fn.Pkg(), name)
	} else if fn.Pkg() != nil {
		obj = fn.Pkg().Scope().Lookup(name)
	}
	twin, ok := obj.(*types.Func)
	return ok && twin.Signature().Params().Len() == sig.Params().Len() &&
		twin.Signature().Results().Len() == 1 && Awaitable(twin.Signature().Results().At(0).Type())
}

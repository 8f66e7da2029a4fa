package check

import (
	"go/ast"
	"go/types"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// dropped warns of calls in fn whose task nobody takes: it may be meant, but as a rule
// an await was forgotten. What _ takes is meant.
func dropped(pkg *load.Package, fn *load.Func, diags *diag.List) {
	ast.Inspect(fn.Decl.Body, func(n ast.Node) bool {
		var call *ast.CallExpr
		switch n := n.(type) {
		case *ast.ExprStmt:
			call, _ = ast.Unparen(n.X).(*ast.CallExpr)
		case *ast.GoStmt:
			call = n.Call
		case *ast.DeferStmt:
			call = n.Call
		}
		if call != nil && Awaitable(pkg.Info.TypeOf(call)) {
			diags.Warnf(pkg.Fset.Position(n.Pos()), diag.Dropped,
				"nobody awaits %s, and so nobody hears when it ends or whether it failed; await it, or, if this is meant, give it to async.Forget or to _",
				types.ExprString(call))
		}
		return true
	})
}

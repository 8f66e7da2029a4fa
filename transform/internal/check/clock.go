package check

import (
	"go/ast"
	"go/types"
	"strconv"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// worldPath is the import path of Worlds.
const worldPath = "github.com/nothread/nothread/runtime/sim"

// worldly are the standard library's contexts that no World knows, and what a World has
// in their place, which is theirs where there is none.
var worldly = map[string]string{
	"WithCancel":        "ContextWithCancel",
	"WithCancelCause":   "ContextWithCancel",
	"WithDeadline":      "ContextWithTimeout",
	"WithDeadlineCause": "ContextWithTimeout",
	"WithTimeout":       "ContextWithTimeout",
	"WithTimeoutCause":  "ContextWithTimeout",
}

// contexts warns of contexts made by fn that end by another clock than a World's, in a
// package that has Worlds. They work, but one seed can give two traces then.
func contexts(pkg *load.Package, fn *load.Func, diags *diag.List) {
	ast.Inspect(fn.Decl.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return true
		}
		f, ok := pkg.Info.Uses[sel.Sel].(*types.Func)
		if !ok || f.Pkg() == nil || f.Pkg().Path() != "context" || worldly[f.Name()] == "" {
			return true
		}
		diags.Warnf(pkg.Fset.Position(call.Pos()), diag.RealTime, "a World does not know when a context made by context.%s ends, so that one seed can give two traces; use async.%s",
			f.Name(), worldly[f.Name()])
		return true
	})
}

// hasWorlds reports whether the package imports what Worlds are made by.
func hasWorlds(pkg *load.Package) bool {
	for _, file := range pkg.Syntax {
		for _, spec := range file.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && path == worldPath {
				return true
			}
		}
	}
	return false
}

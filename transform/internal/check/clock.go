package check

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// worldPath is the import path of Worlds.
const worldPath = "github.com/nothread/nothread/runtime/sim"

// worldly are the standard library's contexts that no World knows, and timely its time that
// is none of a World's; and what a World has in their place, which is theirs where there is
// none.
var worldly = map[string]string{
	"WithCancel":        "ContextWithCancel",
	"WithCancelCause":   "ContextWithCancel",
	"WithDeadline":      "ContextWithTimeout",
	"WithDeadlineCause": "ContextWithTimeout",
	"WithTimeout":       "ContextWithTimeout",
	"WithTimeoutCause":  "ContextWithTimeout",
}

var timely = map[string]string{
	"Now": "Now", "Since": "Now", "Until": "Now",
	"After": "Delay", "AfterFunc": "Delay", "NewTicker": "Delay", "NewTimer": "Delay", "Sleep": "Delay", "Tick": "Delay",
}

// realTime warns of what fn does by another clock than a World's, in a package that has
// Worlds: of contexts that it makes, and of time. They work, but one seed can give two
// traces then.
func realTime(pkg *load.Package, fn *load.Func, diags *diag.List) {
	ast.Inspect(fn.Decl.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			name := Called(pkg.Info, call, "context")
			if better := worldly[name]; better != "" {
				diags.Warnf(pkg.Fset.Position(call.Pos()), diag.RealTime,
					"a World does not know when a context made by context.%s ends, so that one seed can give two traces; use async.%s", name, better)
			}
			name = Called(pkg.Info, call, "time")
			if better := timely[name]; better != "" {
				diags.Warnf(pkg.Fset.Position(call.Pos()), diag.RealTime,
					"the time of time.%s is not a World's, so that one seed can give two traces; use async.%s", name, better)
			}
		}
		return true
	})
}

// hasWorlds reports whether the package imports what Worlds are made by.
func hasWorlds(pkg *load.Package) bool {
	return slices.ContainsFunc(pkg.Types.Imports(), func(p *types.Package) bool { return p.Path() == worldPath })
}

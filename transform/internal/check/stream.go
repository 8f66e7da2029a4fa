package check

import (
	"go/ast"
	"go/types"

	"github.com/nothread/nothread/transform/internal/load"
)

// RangesOverStream reports whether s ranges over a pass through a stream, x.Await(ctx),
// and returns that call and the type of the stream's values. It awaits each of them.
func RangesOverStream(info *types.Info, s *ast.RangeStmt) (call *ast.CallExpr, elem types.Type, ok bool) {
	call, ok = ast.Unparen(s.X).(*ast.CallExpr)
	if !ok {
		return nil, nil, false
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, nil, false
	}
	elem, ok = streamMethod(info, sel)
	return call, elem, ok && info.Selections[sel].Kind() == types.MethodVal
}

// streamMethod reports whether sel is the Await of a stream, and returns the type of its
// values.
func streamMethod(info *types.Info, sel *ast.SelectorExpr) (elem types.Type, ok bool) {
	selection := info.Selections[sel]
	if sel.Sel.Name != "Await" || selection == nil || selection.Kind() == types.FieldVal {
		return nil, false
	}
	recv, ok := selection.Obj().(*types.Func).Signature().Recv().Type().(*types.Named)
	if !ok || recv.Obj().Name() != "Stream" || recv.Obj().Pkg() == nil || recv.Obj().Pkg().Path() != load.AsyncPath {
		return nil, false
	}
	return recv.TypeArgs().At(0), true
}

package plan

import (
	"go/ast"
	"slices"

	"github.com/nothread/nothread/transform/internal/check"
)

// This file keeps the order in which gc evaluates the bounds of s[i:j:k]: it copies each
// before it evaluates the next, but a variable it reads late, as it reads s
// (cmd/compile/internal/walk, cheapExpr). What a machine keeps in a cell is no variable to
// gc any more: of s[i:f()] it is read behind the call all the same, for that is written as
// s[:f()][*i:] (ir/text.go). With three bounds it could not, without another panic.

func bounds(e *ast.SliceExpr) (list []ast.Expr) {
	for _, bound := range []ast.Expr{e.Low, e.High, e.Max} {
		if bound != nil {
			list = append(list, ast.Unparen(bound))
		}
	}
	return list
}

// boundsEvents: those of each bound, and the bound's own, if it is copied.
func (b *builder) boundsEvents(list []*event, e *ast.SliceExpr) []*event {
	for _, bound := range bounds(e) {
		list = b.exprEvents(list, bound)
		noted := len(list) > 0 && list[len(list)-1].expr == bound
		if !noted && b.spillable(bound) && !b.isVariable(bound) {
			list = append(list, &event{expr: bound})
		}
	}
	return list
}

// isVariable reports whether e names a variable, be it another package's.
func (b *builder) isVariable(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return b.info.Selections[e] == nil
	}
	return false
}

// lateBounds reports those with three bounds.
func (b *builder) lateBounds() {
	machines := make(map[ast.Node]bool) // which report their own
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if lit, ok := check.AsyncLiteral(b.info, n); ok {
				machines[lit] = true
			}
		case *ast.SliceExpr:
			if n.Slice3 {
				b.lateBoundsOf(bounds(n))
			}
		}
		return !machines[n]
	})
}

func (b *builder) lateBoundsOf(list []ast.Expr) {
	for i, bound := range list {
		if v := b.f.Variable(bound); v != nil && v.Cell && slices.ContainsFunc(list[i+1:], b.f.Calls) {
			b.errorf(bound.Pos(), "gc reads %s after the call to its right, and a machine would read it before that; assign what the call returns to a variable first", v.Name)
		}
	}
}

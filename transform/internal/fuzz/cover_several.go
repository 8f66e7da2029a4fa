package fuzz

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// severalMarks names what the operands of several assignments at once do that may panic.
func (c *checked) severalMarks(n *ast.AssignStmt, mark func(string, ast.Node)) {
	if x, y := n.Lhs, n.Rhs; len(x) == 2 && c.text(x[0]) == c.text(y[1]) && c.text(x[1]) == c.text(y[0]) && elements(x) {
		mark("swap of elements", n)
	}
	seen := make(map[string]bool)
	for _, e := range slices.Concat(n.Lhs, n.Rhs) {
		ast.Inspect(e, func(inner ast.Node) bool {
			if does := c.does(inner); does != "" && !seen[does] {
				seen[does] = true
				mark("several that "+does, n)
			}
			_, lit := inner.(*ast.FuncLit)
			return !lit
		})
	}
}

func elements(list []ast.Expr) bool {
	return !slices.ContainsFunc(list, func(e ast.Expr) bool {
		_, ok := e.(*ast.IndexExpr)
		return !ok
	})
}

// does says how a part of an expression may panic.
func (c *checked) does(n ast.Node) string {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		constant := c.info.Types[n.Y].Value != nil
		switch {
		case (n.Op == token.QUO || n.Op == token.REM) && !constant && shape(c.typeOf(n)) == "int":
			return "divide"
		case (n.Op == token.SHL || n.Op == token.SHR) && signed(c.typeOf(n.Y)):
			return "shift"
		case n.Op == token.EQL && types.IsInterface(c.typeOf(n.X)) && types.IsInterface(c.typeOf(n.Y)):
			return "compare"
		}
	case *ast.IndexExpr:
		if tv := c.info.Types[n.Index]; tv.IsValue() && shape(c.typeOf(n.X)) != "map" {
			return "index"
		}
	case *ast.SelectorExpr:
		if s := c.info.Selections[n]; s != nil && s.Kind() == types.FieldVal && s.Indirect() {
			return "dereference"
		}
	case *ast.TypeAssertExpr:
		return "assert"
	}
	return ""
}

// opMarks names op-assignments.
func (c *checked) opMarks(n *ast.AssignStmt, mark func(string, ast.Node)) {
	switch n.Tok {
	case token.QUO_ASSIGN, token.REM_ASSIGN:
		mark("op-assignment that divides", n)
	case token.SHL_ASSIGN, token.SHR_ASSIGN:
		mark("op-assignment that shifts", n)
	}
	if x, ok := n.Lhs[0].(*ast.IndexExpr); ok {
		if shape(c.typeOf(x.X)) == "map" {
			mark("op-assignment to a map", n)
		} else {
			mark("op-assignment to an element", n)
		}
	}
}

func signed(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsInteger != 0 && basic.Info()&(types.IsUnsigned|types.IsUntyped) == 0
}

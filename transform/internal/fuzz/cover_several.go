package fuzz

import (
	"cmp"
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
	for does := range c.all(slices.Concat(n.Lhs, n.Rhs)) {
		mark("several that "+does, n)
	}
}

// all is what the parts of expressions do that may panic.
func (c *checked) all(list []ast.Expr) map[string]bool {
	seen := make(map[string]bool)
	for _, e := range list {
		ast.Inspect(e, func(inner ast.Node) bool {
			if does := c.does(inner); does != "" {
				seen[does] = true
			}
			_, lit := inner.(*ast.FuncLit)
			return !lit
		})
	}
	return seen
}

// assigningMarks names what a range that assigns does.
func (c *checked) assigningMarks(n *ast.RangeStmt, mark func(string, ast.Node)) {
	mark("range that assigns", n)
	if n.Value == nil {
		if len(c.all([]ast.Expr{n.Key})) > 0 {
			mark("range over "+shape(c.typeOf(n.X))+" into an operand", n)
		}
		return
	}
	targets := []ast.Expr{n.Key, n.Value}
	for does := range c.all(targets) {
		mark("several of a range that "+does, n)
	}
	if len(c.all(targets[1:])) > 0 {
		mark("range over "+shape(c.typeOf(n.X))+" into operands", n)
		if !awaits(n) {
			mark("range into operands, without an await", n)
		}
	}
}

// sharedMarks names the returns of several values to results that a closure or a pointer
// of the function shares, where nothing is deferred.
func (c *checked) sharedMarks(what string, t *ast.FuncType, body *ast.BlockStmt, mark func(string, ast.Node)) {
	results := make(map[types.Object]bool)
	if t.Results != nil {
		for _, field := range t.Results.List {
			for _, id := range field.Names {
				results[c.info.Defs[id]] = true
			}
		}
	}
	shared, defers := "", false
	var returns []*ast.ReturnStmt
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ast.Inspect(n, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && results[c.info.Uses[id]] {
					shared = cmp.Or(shared, "captured")
				}
				return true
			})
			return false
		case *ast.UnaryExpr:
			if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND && results[c.info.Uses[id]] {
				shared = "addressed"
			}
		case *ast.DeferStmt:
			defers = true
		case *ast.ReturnStmt:
			returns = append(returns, n)
		}
		return true
	})
	for _, n := range returns {
		if shared == "" || defers || len(n.Results) < 2 {
			continue
		}
		for does := range c.all(n.Results) {
			mark(what+" whose "+shared+" results "+does, n)
		}
	}
}

// literalMarks names the literals which a function that defers calls gives to its results,
// if an element may panic.
func (c *checked) literalMarks(fn *ast.FuncDecl, mark func(string, ast.Node)) {
	results := make(map[types.Object]bool)
	for v := range c.info.Defs[fn.Name].(*types.Func).Signature().Results().Variables() {
		results[v] = true
	}
	fails := func(what string, n ast.Node, e ast.Expr) {
		if lit, ok := e.(*ast.CompositeLit); ok && len(c.all(lit.Elts)) > 0 {
			mark(what+" of a literal that may panic", n)
		}
	}
	defers := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			defers = true
		case *ast.ReturnStmt:
			if defers && len(n.Results) > 0 {
				fails("return", n, n.Results[0])
			}
		case *ast.AssignStmt:
			if id, ok := n.Lhs[0].(*ast.Ident); ok && defers && results[c.info.Uses[id]] {
				fails("result", n, n.Rhs[0])
			}
		}
		return true
	})
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

package explain

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Pos is where an instruction comes from, invalid if it has no place in the
// source.
func Pos(in ir.Instr) token.Pos {
	switch in := in.(type) {
	case *ir.Stmt:
		return in.Node.Pos()
	case *ir.Await:
		return in.Call.Rparen
	case *ir.Code:
		return codePos(in)
	case *ir.Declare:
		return varPos(in.Var)
	case *ir.Renew:
		return varPos(in.Var)
	}
	return token.NoPos
}

// TermPos is where a block's end comes from.
func TermPos(f *ir.Func, t ir.Term) token.Pos {
	switch t := t.(type) {
	case *ir.Branch:
		return Pos(t.Cond)
	case *ir.Switch:
		return t.Node.Pos()
	case *ir.Return:
		if t.Node != nil {
			return t.Node.Pos()
		}
		return f.Body.Rbrace
	}
	return token.NoPos
}

// codePos: an expression of the author's has a place; else the variable does
// that the code is about, which comes first.
func codePos(c *ir.Code) token.Pos {
	for _, arg := range c.Args {
		switch arg := arg.(type) {
		case ast.Expr:
			return arg.Pos()
		case ir.Value:
			return arg.Expr.Pos()
		}
	}
	for _, arg := range c.Args {
		if v, ok := arg.(*ir.Var); ok {
			return varPos(v)
		}
	}
	return token.NoPos
}

// varPos is where a variable is declared; for a temporary, what it stands for.
func varPos(v *ir.Var) token.Pos {
	if v.Obj != nil {
		return v.Obj.Pos()
	}
	return v.Pos
}

// readAt finds where v is read in the nodes of an instruction or a block's end.
func readAt(f *ir.Func, v *ir.Var, nodes ...ast.Node) token.Pos {
	found := token.NoPos
	for _, root := range nodes {
		if root == nil || found.IsValid() {
			continue
		}
		ast.Inspect(root, func(n ast.Node) bool {
			if found.IsValid() || n == nil {
				return false
			}
			if o, ok := f.Subst[n]; ok && n != root {
				if w, ok := o.(*ir.Var); ok && w == v {
					found = n.Pos()
				}
				return false
			}
			switch n := n.(type) {
			case *ast.Ident:
				if f.VarOf[f.Source.Info.Uses[n]] == v && f.Source.Info.Uses[n] != nil {
					found = n.Pos()
				}
			case *ast.ReturnStmt:
				if v.Kind == ir.Result { // it returns v, or sets it for those who see it
					found = n.Pos()
				}
			}
			return true
		})
	}
	return found
}

// useIn is where an instruction reads v, at worst where the instruction is.
func useIn(f *ir.Func, in ir.Instr, v *ir.Var) token.Pos {
	var nodes []ast.Node
	switch in := in.(type) {
	case *ir.Stmt:
		if s, ok := in.Node.(*ast.AssignStmt); ok {
			for _, e := range s.Rhs {
				nodes = append(nodes, operand(f, e, v))
			}
		}
		nodes = append(nodes, in.Node)
	case *ir.Await:
		nodes = append(nodes, operand(f, in.Operand, v))
	case *ir.Code:
		for _, arg := range in.Args {
			switch arg := arg.(type) {
			case ast.Expr:
				nodes = append(nodes, operand(f, arg, v))
			case ir.Value:
				nodes = append(nodes, arg.Expr)
			}
		}
	}
	if pos := readAt(f, v, nodes...); pos.IsValid() {
		return pos
	}
	return Pos(in)
}

// operand is e, or where it is replaced by v something that says so: readAt does
// not look at what replaces a root.
func operand(f *ir.Func, e ast.Expr, v *ir.Var) ast.Node {
	if o, ok := f.Subst[e]; ok && o == ir.Operand(v) {
		return &ast.ParenExpr{Lparen: e.Pos(), X: e, Rparen: e.End()}
	}
	return e
}

// useInTerm is where a block's end reads v.
func useInTerm(f *ir.Func, t ir.Term, v *ir.Var) token.Pos {
	if t, ok := t.(*ir.Branch); ok {
		return useIn(f, t.Cond, v)
	}
	if pos := readAt(f, v, termNodes(f, t, v)...); pos.IsValid() {
		return pos
	}
	return TermPos(f, t)
}

// termNodes lists what a return or a switch evaluates. What a clause receives
// into is not read there.
func termNodes(f *ir.Func, t ir.Term, v *ir.Var) []ast.Node {
	var nodes []ast.Node
	add := func(list ...ast.Expr) {
		for _, e := range list {
			nodes = append(nodes, operand(f, e, v))
		}
	}
	switch t := t.(type) {
	case *ir.Return:
		if t.Node != nil {
			add(t.Node.Results...)
		}
	case *ir.Switch:
		if t.Tag != nil {
			add(t.Tag)
		}
		if s, ok := t.Node.(*ast.TypeSwitchStmt); ok {
			add(ir.TypeSwitchOperand(s))
		}
		for _, c := range t.Clauses {
			switch n := c.Node.(type) {
			case *ast.CaseClause:
				add(n.List...)
			case *ast.CommClause:
				if assign, ok := n.Comm.(*ast.AssignStmt); ok {
					add(assign.Rhs...)
				} else if n.Comm != nil {
					nodes = append(nodes, n.Comm)
				}
			}
		}
	}
	return nodes
}

// setInTerm is where a clause sets v, invalid if none does.
func setInTerm(f *ir.Func, s *ir.Switch, v *ir.Var) token.Pos {
	for _, c := range s.Clauses {
		if c.Bind == v || slices.Contains(c.Recv, v) {
			return c.Node.Pos()
		}
		if comm, ok := c.Node.(*ast.CommClause); ok {
			if assign, ok := comm.Comm.(*ast.AssignStmt); ok && c.Recv == nil {
				for _, lhs := range assign.Lhs {
					if f.Variable(lhs) == v {
						return lhs.Pos()
					}
				}
			}
		}
	}
	return token.NoPos
}

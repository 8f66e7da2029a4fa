package ir

import (
	"go/ast"
	"go/token"
	"slices"
)

// Refs calls read for each hoisted variable whose value an instruction needs,
// and then write for each that it sets as a whole without having needed it.
// Variables that keep an identity are never written in this sense: their cell
// lives on.
func (f *Func) Refs(in Instr, read, write func(*Var)) {
	switch in := in.(type) {
	case *Stmt:
		f.stmtRefs(in, read, write)
	case *Code:
		for _, arg := range in.Args {
			switch arg := arg.(type) {
			case *Var:
				if !slices.Contains(in.Defs, arg) || arg.Cell {
					read(arg)
				}
			case ast.Expr:
				f.exprRefs(arg, read)
			case Value:
				f.valueRefs(arg.Expr, read)
			case *Await:
				if arg.Stream != nil { // its result is read of the iterator
					read(arg.Stream)
				}
			}
		}
		for _, v := range in.Defs {
			if !v.Cell {
				write(v)
			}
		}
	case *Declare:
		write(in.Var)
	case *Renew:
		read(in.Var)
	case *Await:
		if in.Stream != nil {
			read(in.Stream)
			return
		}
		f.exprRefs(in.Operand, read)
	}
}

// stmtRefs: of an assignment, the plain variables on the left are written; of
// any larger statement, every variable mentioned counts as read.
func (f *Func) stmtRefs(in *Stmt, read, write func(*Var)) {
	assign, ok := in.Node.(*ast.AssignStmt)
	if !ok || assign.Tok != token.ASSIGN && assign.Tok != token.DEFINE {
		f.nodeRefs(in, read)
		return
	}
	var written []*Var
	for _, lhs := range assign.Lhs {
		if v := f.Variable(lhs); v != nil && !v.Cell {
			written = append(written, v)
			continue
		}
		f.exprRefs(lhs, read)
	}
	for _, rhs := range assign.Rhs {
		f.exprRefs(rhs, read)
	}
	for _, v := range written {
		write(v)
	}
}

func (f *Func) nodeRefs(in *Stmt, read func(*Var)) {
	for _, n := range in.nodes() {
		f.valueRefs(n, read)
	}
}

// Uses calls use for each hoisted variable that Go takes for used by an
// instruction: one that is only assigned to in a whole statement is not.
func (f *Func) Uses(in Instr, use func(*Var)) {
	assigned := make(map[*Var]int)
	if s, ok := in.(*Stmt); ok {
		f.assigned(s, func(v *Var) { assigned[v]++ })
	}
	f.Refs(in, func(v *Var) {
		if assigned[v]--; assigned[v] < 0 {
			use(v)
		}
	}, func(*Var) {})
}

// assigned calls target for each time that a larger statement assigns to a plain
// variable.
func (f *Func) assigned(in *Stmt, target func(*Var)) {
	if _, ok := in.Node.(*ast.AssignStmt); ok {
		return // Refs tells
	}
	to := func(list ...ast.Expr) {
		for _, e := range list {
			if v := f.Variable(e); v != nil && !v.Cell {
				target(v)
			}
		}
	}
	for _, n := range in.nodes() {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok == token.ASSIGN {
					to(n.Lhs...)
				}
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					to(n.Key, n.Value)
				}
			}
			return true
		})
	}
}

// nodes are the parts of the statement that are still to be done.
func (in *Stmt) nodes() []ast.Node {
	if !in.NoInit {
		return []ast.Node{in.Node}
	}
	s := in.Node.(*ast.IfStmt)
	if s.Else == nil {
		return []ast.Node{s.Cond, s.Body}
	}
	return []ast.Node{s.Cond, s.Body, s.Else}
}

// Variable returns the hoisted variable that e is, nil if it is anything else.
func (f *Func) Variable(e ast.Expr) *Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	if obj := f.Source.Info.Uses[id]; obj != nil {
		return f.VarOf[obj]
	}
	return f.VarOf[f.Source.Info.Defs[id]]
}

// Calls reports whether evaluating e may do more than read: where an await stood, it is
// over.
func (f *Func) Calls(e ast.Expr) (calls bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if _, over := f.Subst[n]; over {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			fun := f.Source.Info.Types[n.Fun]
			calls = calls || !fun.IsType() && !fun.IsBuiltin()
		case *ast.UnaryExpr:
			calls = calls || n.Op == token.ARROW
		}
		return !calls
	})
	return calls
}

func (f *Func) exprRefs(e ast.Expr, read func(*Var)) {
	if o, ok := f.Subst[e]; ok {
		if v, ok := o.(*Var); ok {
			read(v)
		}
		return
	}
	f.valueRefs(e, read)
}

func (f *Func) valueRefs(root ast.Node, read func(*Var)) { f.refsBelow(root, false, read) }

// refsBelow visits root; inside says that it is part of a closure, whose returns
// are its own.
func (f *Func) refsBelow(root ast.Node, inside bool, read func(*Var)) {
	info := f.Source.Info
	ast.Inspect(root, func(n ast.Node) bool {
		if o, ok := f.Subst[n]; ok && n != root {
			if v, ok := o.(*Var); ok {
				read(v)
			}
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			f.refsBelow(n.Type, true, read) // the length of an array may be made of one
			f.refsBelow(n.Body, true, read)
			return false
		case *ast.Ident:
			if v := f.VarOf[info.ObjectOf(n)]; v != nil {
				read(v)
			}
		case *ast.ReturnStmt:
			if !inside {
				f.resultRefs(n, read)
			}
		}
		return true
	})
}

// TermRefs calls read for each hoisted variable that a block's end needs.
func (f *Func) TermRefs(t Term, read func(*Var)) {
	switch t := t.(type) {
	case *Branch:
		f.Refs(t.Cond, read, func(*Var) {})
	case *Return:
		f.returnRefs(t, read)
	case *Switch:
		if t.Tag != nil {
			f.exprRefs(t.Tag, read)
		}
		f.clauseRefs(t, read)
	}
}

func (f *Func) returnRefs(t *Return, read func(*Var)) {
	if t.Node != nil {
		for _, e := range t.Node.Results {
			f.exprRefs(e, read)
		}
	}
	f.resultRefs(t.Node, read)
}

// resultRefs: a return without values reads the results; one with values sets
// those that others can see through their cells.
func (f *Func) resultRefs(ret *ast.ReturnStmt, read func(*Var)) {
	for _, v := range f.Results {
		if v != nil && (v.Cell || ret == nil || len(ret.Results) == 0) {
			read(v)
		}
	}
}

func (f *Func) clauseRefs(t *Switch, read func(*Var)) {
	if ts, ok := t.Node.(*ast.TypeSwitchStmt); ok {
		f.exprRefs(TypeSwitchOperand(ts), read)
	}
	for _, c := range t.Clauses {
		switch n := c.Node.(type) {
		case *ast.CaseClause:
			for _, e := range n.List {
				f.exprRefs(e, read)
			}
		case *ast.CommClause:
			assign, ok := n.Comm.(*ast.AssignStmt)
			switch {
			case !ok && n.Comm != nil:
				f.valueRefs(n.Comm, read)
			case ok:
				for _, lhs := range assign.Lhs {
					if v := f.Variable(lhs); c.Recv == nil && (v == nil || v.Cell) {
						f.exprRefs(lhs, read)
					}
				}
				f.exprRefs(assign.Rhs[0], read)
			}
		}
	}
}

// SetBy lists the variables that a clause sets as a whole when it is chosen.
func (f *Func) SetBy(c *Clause) []*Var {
	var list []*Var
	add := func(v *Var) {
		if v != nil && !v.Cell {
			list = append(list, v)
		}
	}
	add(c.Bind)
	for _, v := range c.Recv {
		add(v)
	}
	if comm, ok := c.Node.(*ast.CommClause); ok && c.Recv == nil {
		if assign, ok := comm.Comm.(*ast.AssignStmt); ok {
			for _, lhs := range assign.Lhs {
				add(f.Variable(lhs))
			}
		}
	}
	return list
}

// TypeSwitchOperand returns x of switch v := x.(type).
func TypeSwitchOperand(ts *ast.TypeSwitchStmt) ast.Expr {
	var e ast.Expr
	switch s := ts.Assign.(type) {
	case *ast.AssignStmt:
		e = s.Rhs[0]
	case *ast.ExprStmt:
		e = s.X
	}
	return ast.Unparen(e).(*ast.TypeAssertExpr).X
}

// LeapsOf lists the blocks that a whole statement may jump to.
func (f *Func) LeapsOf(in Instr) []*Block {
	s, ok := in.(*Stmt)
	if !ok || len(f.Leaps) == 0 {
		return nil
	}
	var to []*Block
	ast.Inspect(s.Node, func(n ast.Node) bool {
		if br, ok := n.(*ast.BranchStmt); ok && f.Leaps[br] != nil {
			to = append(to, f.Leaps[br])
		}
		return true
	})
	return to
}

// Captures lists the hoisted variables that closures in the instruction
// capture, in order of appearance.
func (f *Func) Captures(in Instr) []*Var {
	switch in := in.(type) {
	case *Stmt:
		return f.captures(in.nodes()...)
	case *Await:
		if in.Stream != nil {
			return nil
		}
		return f.captures(in.Operand)
	case *Code:
		var list []*Var
		for _, arg := range in.Args {
			switch arg := arg.(type) {
			case ast.Expr:
				if f.Subst[arg] == nil {
					list = f.capturesBelow(list, arg)
				}
			case Value:
				list = f.capturesBelow(list, arg.Expr)
			}
		}
		return list
	}
	return nil
}

// TermCaptures is Captures for a block's end.
func (f *Func) TermCaptures(t Term) []*Var {
	switch t := t.(type) {
	case *Branch:
		return f.Captures(t.Cond)
	case *Return:
		if t.Node != nil {
			return f.captures(t.Node)
		}
	case *Switch:
		var nodes []ast.Node
		if t.Tag != nil {
			nodes = append(nodes, t.Tag)
		}
		if ts, ok := t.Node.(*ast.TypeSwitchStmt); ok {
			nodes = append(nodes, TypeSwitchOperand(ts))
		}
		for _, c := range t.Clauses {
			switch n := c.Node.(type) {
			case *ast.CaseClause:
				for _, e := range n.List {
					nodes = append(nodes, e)
				}
			case *ast.CommClause:
				assign, ok := n.Comm.(*ast.AssignStmt)
				switch {
				case ok && c.Recv != nil: // the clause sets its left side, in a statement of its own
					nodes = append(nodes, assign.Rhs[0])
				case n.Comm != nil:
					nodes = append(nodes, n.Comm)
				}
			}
		}
		return f.captures(nodes...)
	}
	return nil
}

func (f *Func) captures(nodes ...ast.Node) []*Var {
	var list []*Var
	for _, root := range nodes {
		if f.Subst[root] == nil {
			list = f.capturesBelow(list, root)
		}
	}
	return list
}

func (f *Func) capturesBelow(list []*Var, root ast.Node) []*Var {
	ast.Inspect(root, func(n ast.Node) bool {
		if _, ok := f.Subst[n]; ok && n != root {
			return false
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			child := f.ChildOf[n]
			if child == nil || child.Maker {
				return true
			}
			for _, arg := range n.Args { // what the closure captures is passed to it
				if ast.Unparen(arg) != ast.Expr(child.Lit) {
					list = f.capturesBelow(list, arg)
				}
			}
			return false
		case *ast.FuncLit:
			f.valueRefs(n, func(v *Var) {
				if !slices.Contains(list, v) {
					list = append(list, v)
				}
			})
			return false
		}
		return true
	})
	return list
}

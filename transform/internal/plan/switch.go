package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/nothread/nothread/transform/internal/ir"
)

// switchStmt:
//
//	switch tag {               becomes          switch tag {
//	case a:                                     case a:
//		body a                                      goto case1
//	default:                                    default:
//		body d                                      goto case2
//	}                                           }
//	                                     case1: body a
//	                                            goto done
//	                                     case2: body d
//	                                     done:
//
// With awaits among the cases, the tag is kept and compared with one after the
// other, stopping at the first that matches.
func (b *builder) switchStmt(s *ast.SwitchStmt, label string) {
	if s.Init != nil {
		b.stmt(s.Init, "")
	}
	if s.Tag != nil {
		b.hoist(s.Tag)
	}
	done := b.block("done")
	var clauses []*ir.Clause
	casesSuspend := false
	for _, c := range s.Body.List {
		clause := c.(*ast.CaseClause)
		clauses = append(clauses, &ir.Clause{Node: clause, To: b.block("clause")})
		for _, e := range clause.List {
			casesSuspend = casesSuspend || b.suspends(e)
		}
	}
	if casesSuspend {
		b.chain(s, clauses, done)
	} else {
		b.end(&ir.Switch{Node: s, Tag: s.Tag, Clauses: clauses, Else: orElse(clauses, done)})
	}
	b.bodies(s, label, clauses, done, s.Body.Rbrace)
}

// orElse returns done unless one of the clauses is the default.
func orElse(clauses []*ir.Clause, done *ir.Block) *ir.Block {
	if defaultOf(clauses) != nil {
		return nil
	}
	return done
}

func defaultOf(clauses []*ir.Clause) *ir.Clause {
	for _, c := range clauses {
		switch n := c.Node.(type) {
		case *ast.CaseClause:
			if n.List == nil {
				return c
			}
		case *ast.CommClause:
			if n.Comm == nil {
				return c
			}
		}
	}
	return nil
}

// chain compares the tag with the cases one by one, in source order.
func (b *builder) chain(s *ast.SwitchStmt, clauses []*ir.Clause, done *ir.Block) {
	var tag *ir.Var
	if s.Tag != nil {
		tag = b.temp("tag", b.info.TypeOf(s.Tag), s.Tag.Pos())
		b.code([]*ir.Var{tag}, "%v = %v", tag, s.Tag)
	}
	for _, c := range clauses {
		for _, e := range c.Node.(*ast.CaseClause).List {
			b.hoist(e)
			operand := "%v"
			if _, binary := e.(*ast.BinaryExpr); hasLiteral(e) || binary && tag != nil {
				operand = "(%v)" // a brace would open the body of the if, an operator take the tag as its own
			}
			test := snippet(operand, e)
			switch {
			case tag != nil:
				test = snippet("%v == "+operand, tag, e)
			case isInterface(b.info.TypeOf(e)): // without a tag it may be any that can hold a bool
				test = snippet("%v == "+operand, "true", e)
			}
			otherwise := b.block("")
			b.end(&ir.Branch{Cond: test, Then: c.To, Else: otherwise})
			b.start(otherwise)
		}
	}
	if d := defaultOf(clauses); d != nil {
		done = d.To
	}
	b.end(&ir.Jump{To: done})
}

func hasLiteral(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, lit := n.(*ast.CompositeLit)
		found = found || lit
		return !found
	})
	return found
}

// bodies plans the bodies of the clauses one after the other.
func (b *builder) bodies(s ast.Stmt, label string, clauses []*ir.Clause, done *ir.Block, rbrace token.Pos) {
	for i, c := range clauses {
		var body []ast.Stmt
		switch n := c.Node.(type) {
		case *ast.CaseClause:
			body = n.Body
		case *ast.CommClause:
			body = n.Body
		}
		t := &target{stmt: s, label: label, brk: done}
		end := rbrace
		if i+1 < len(clauses) {
			t.next = clauses[i+1].To
			end = clauses[i+1].Node.Pos()
		}
		b.before(c.Node.Pos())
		b.start(c.To)
		b.assignReceived(c)
		b.enter(t)
		b.stmts(body, end)
		b.leave()
		b.end(&ir.Jump{To: done})
	}
	b.lastLine = b.f.Source.Line(rbrace)
	b.start(done)
}

// typeSwitchStmt is a switch whose clauses each bind a variable of their own.
func (b *builder) typeSwitchStmt(s *ast.TypeSwitchStmt, label string) {
	if s.Init != nil {
		b.stmt(s.Init, "")
	}
	b.hoist(ir.TypeSwitchOperand(s))
	done := b.block("done")
	var clauses []*ir.Clause
	for _, c := range s.Body.List {
		clause := &ir.Clause{Node: c, To: b.block("clause")}
		if obj, ok := b.info.Implicits[c].(*types.Var); ok && b.uses[obj] != nil {
			clause.Bind = b.newVar(obj, ir.Local)
			b.emit(&ir.Declare{Var: clause.Bind})
		}
		clauses = append(clauses, clause)
	}
	b.end(&ir.Switch{Node: s, Clauses: clauses, Else: orElse(clauses, done)})
	b.bodies(s, label, clauses, done, s.Body.Rbrace)
}

// selectStmt evaluates channels and values in source order, then selects. A
// left side is evaluated in the clause, after the receive.
func (b *builder) selectStmt(s *ast.SelectStmt, label string) {
	b.selectOperands(s)
	done := b.block("done")
	var clauses []*ir.Clause
	for _, c := range s.Body.List {
		comm := c.(*ast.CommClause)
		clause := &ir.Clause{Node: comm, To: b.block("clause")}
		if assign, ok := comm.Comm.(*ast.AssignStmt); ok {
			b.declareAll(assign)
			clause.Recv = b.receivedApart(assign)
		}
		clauses = append(clauses, clause)
	}
	b.end(&ir.Switch{Node: s, Clauses: clauses})
	b.bodies(s, label, clauses, done, s.Body.Rbrace)
}

// selectOperands spills every operand if one of them suspends.
func (b *builder) selectOperands(s *ast.SelectStmt) {
	var operands []ast.Expr
	for _, c := range s.Body.List {
		switch comm := c.(*ast.CommClause).Comm.(type) {
		case *ast.SendStmt:
			operands = append(operands, comm.Chan, comm.Value)
		case *ast.ExprStmt:
			operands = append(operands, receiveOperand(comm.X))
		case *ast.AssignStmt:
			operands = append(operands, receiveOperand(comm.Rhs[0]))
		}
	}
	last := -1
	for i, e := range operands {
		if b.suspends(e) {
			last = i
		}
	}
	for i, e := range operands {
		if i > last {
			return
		}
		b.hoist(e)
		if tv := b.info.Types[e]; tv.Value == nil && !tv.IsNil() {
			b.spill(e)
		}
	}
}

// receivedApart returns temporaries for what a clause receives, if awaits on its
// left side must come after the receive; nil if there are none.
func (b *builder) receivedApart(s *ast.AssignStmt) []*ir.Var {
	apart := b.isLate(s)
	for _, lhs := range s.Lhs {
		apart = apart || b.suspends(lhs)
	}
	if !apart {
		return nil
	}
	elem := coreType(b.info.TypeOf(receiveOperand(s.Rhs[0]))).(*types.Chan).Elem()
	recv := []*ir.Var{b.temp("received", elem, s.Pos())}
	if len(s.Lhs) > 1 {
		recv = append(recv, b.temp("ok", types.Typ[types.Bool], s.Pos()))
	}
	return recv
}

// assignReceived sets the left side of a clause to what it has received.
func (b *builder) assignReceived(c *ir.Clause) {
	if c.Recv == nil {
		return
	}
	lhs := c.Node.(*ast.CommClause).Comm.(*ast.AssignStmt).Lhs
	b.stores(lhs...)
	b.hoist(exprs(lhs)...)
	if len(lhs) == 1 {
		b.code(nil, "%v = %v", lhs[0], c.Recv[0])
		return
	}
	if comm := c.Node.(*ast.CommClause).Comm; b.isLate(comm) {
		b.spillEvents(lhs)
		b.allInOrder(comm, []*ir.Code{snippet("%v", c.Recv[0]), snippet("%v", c.Recv[1])}, func() {})
		return
	}
	b.code(nil, "%v, %v = %v, %v", lhs[0], lhs[1], c.Recv[0], c.Recv[1])
}

func receiveOperand(e ast.Expr) ast.Expr {
	return ast.Unparen(e).(*ast.UnaryExpr).X
}

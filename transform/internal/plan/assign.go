package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file keeps what several assignments at once have done where one of their operands
// panics (cmd/compile/internal/walk.ascompatee is the reference).
//
// gc evaluates an operand after the assignments to its left, unless one of them could
// change it:
//
//	s[0], s[1] = 5, 1/n // where n is 0, s[0] is 5
//
// It judges by where variables are: what is assigned to s[0] cannot change a variable
// that has no address, but it could change one that a machine keeps. So there the
// operand gets copies of its variables. Only where deferred calls see a result that
// is assigned to, gc evaluates all operands to its right before.

// A lateOperand is an operand that may panic although it reads no memory: what it does is
// seen by whether it comes before the assignments to its left.
type lateOperand struct {
	expr   ast.Expr
	vars   []*ast.Ident // that it reads
	before bool         // it is evaluated before all assignments
}

// keepLate makes the late operands of s, whose awaits have been hoisted, be evaluated when
// gc would evaluate those of the source.
func (b *builder) keepLate(s ast.Stmt) {
	settled := false
	for _, o := range b.lateOperands(s) {
		if o.before {
			if !settled {
				b.settle(s)
				settled = true
			}
			b.spill(o.expr)
			continue
		}
		for _, id := range o.vars {
			b.spill(id)
		}
	}
}

// settle spills what is left of the events of s.
func (b *builder) settle(s ast.Stmt) {
	var nodes []ast.Expr
	switch s := s.(type) {
	case *ast.AssignStmt:
		nodes = append(append(nodes, s.Lhs...), s.Rhs...)
	case *ast.ReturnStmt:
		nodes = s.Results
	}
	var events []*event
	for _, n := range nodes {
		events = b.exprEvents(events, n)
	}
	b.spillBefore(events, &ast.BadExpr{})
}

// findLate notes the statements that have late operands: they are taken apart as if they
// held an await.
func (b *builder) findLate() {
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && len(b.lateOperands(s)) > 0 {
			b.late = append(b.late, s)
		}
		_, isLit := n.(*ast.FuncLit)
		return !isLit
	})
}

// holdsLate reports whether one of these is n, or below it.
func (b *builder) holdsLate(n ast.Node) bool {
	return slices.ContainsFunc(b.late, func(s ast.Stmt) bool { return within(s, n) })
}

// lateOperands are those of a statement that assigns several values.
func (b *builder) lateOperands(s ast.Stmt) (late []lateOperand) {
	var targets, values []ast.Expr
	switch s := s.(type) {
	case *ast.AssignStmt:
		targets, values = s.Lhs, s.Rhs
	case *ast.ReturnStmt:
		values = s.Results
	}
	if len(values) < 2 || targets != nil && len(targets) != len(values) || targets == nil && len(b.f.Defers) == 0 {
		return nil
	}
	seen, before := false, false // there was an assignment that a panic leaves behind; to a result
	assigned := make(map[types.Object]bool)
	for i, value := range values {
		operands := []ast.Expr{value}
		if targets != nil {
			operands = append(operandsOf(b.info, targets[i]), value)
		}
		for _, e := range operands {
			if r := (localReader{b: b, assigned: assigned}); (seen || before) && r.reads(e) && r.panics {
				late = append(late, lateOperand{e, r.vars, before})
			}
		}
		switch v, blank := b.assignedVar(targets, i); {
		case blank:
		case targets == nil || v != nil && b.isResult(v) && len(b.f.Defers) > 0:
			before = true
		case v == nil || b.inMemory(v):
			seen = true
		default:
			assigned[v] = true
		}
	}
	return late
}

// assignedVar is the variable that the target with that index is, or is a part of, nil if
// it is reached through a pointer.
func (b *builder) assignedVar(targets []ast.Expr, i int) (v *types.Var, blank bool) {
	if targets == nil {
		return nil, false
	}
	e := ast.Unparen(targets[i])
	for {
		inner := partOf(b.info, e)
		if inner == nil {
			break
		}
		e = ast.Unparen(inner)
	}
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil, false
	}
	v, _ = b.info.ObjectOf(id).(*types.Var)
	return v, id.Name == "_"
}

// partOf is what e is a part of, an array or a struct; nil if it is none.
func partOf(info *types.Info, e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.IndexExpr:
		if _, ok := coreType(info.TypeOf(e.X)).(*types.Array); ok {
			return e.X
		}
	case *ast.SelectorExpr:
		if sel := info.Selections[e]; sel != nil && sel.Kind() == types.FieldVal && !sel.Indirect() {
			return e.X
		}
	}
	return nil
}

// operandsOf are the operands of the target e of an assignment.
func operandsOf(info *types.Info, e ast.Expr) (operands []ast.Expr) {
	e = ast.Unparen(e)
	inner := partOf(info, e)
	switch x := e.(type) {
	case *ast.IndexExpr:
		if inner != nil {
			return append(operandsOf(info, inner), x.Index)
		}
		return []ast.Expr{x.X, x.Index}
	case *ast.SelectorExpr:
		if inner != nil {
			return operandsOf(info, inner)
		}
		return []ast.Expr{x.X}
	case *ast.StarExpr:
		return []ast.Expr{x.X}
	}
	return nil
}

func (b *builder) isResult(v *types.Var) bool {
	for r := range b.f.Sig.Results().Variables() {
		if r == v {
			return true
		}
	}
	return false
}

// inMemory reports whether an assignment through a pointer could change v in the source, as
// far as gc knows: it is the package's, a closure's that captures it, or has an address.
func (b *builder) inMemory(v *types.Var) bool {
	if v.Parent() == nil || v.Parent() == v.Pkg().Scope() || b.f.Lit != nil && (v.Pos() < b.f.Lit.Pos() || b.f.Lit.End() <= v.Pos()) {
		return true
	}
	u := b.uses[v]
	return u != nil && (u.addressed || u.captured && u.writes > 0)
}

// A localReader looks for what an expression reads.
type localReader struct {
	b        *builder
	assigned map[types.Object]bool // by the same statement, before
	vars     []*ast.Ident          // local variables that were found
	panics   bool                  // what it computes of them can panic
}

// reads reports whether e reads nothing but local variables without an address, and what
// gc has in temporaries.
func (r *localReader) reads(e ast.Expr) bool {
	e = ast.Unparen(e)
	info := r.b.info
	if tv := info.Types[e]; tv.Value != nil || tv.IsNil() {
		return true
	}
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if !ok || r.b.inMemory(v) || r.assigned[v] {
			return false
		}
		r.vars = append(r.vars, e)
		return true
	case *ast.SelectorExpr:
		inner := partOf(info, e)
		return inner != nil && r.reads(inner)
	case *ast.UnaryExpr:
		switch e.Op {
		case token.ADD, token.SUB, token.XOR:
			return r.reads(e.X)
		}
		return e.Op == token.ARROW
	case *ast.BinaryExpr:
		return r.arithmetic(e)
	case *ast.TypeAssertExpr:
		if !pointerShaped(info.TypeOf(e)) {
			return true // in a temporary
		}
		r.panics = true
		return r.reads(e.X)
	case *ast.CallExpr:
		if tv := info.Types[e.Fun]; !tv.IsType() {
			return true // in a temporary
		}
		to, from := info.TypeOf(e), info.TypeOf(e.Args[0])
		basic, ok := coreType(to).(*types.Basic)
		plain := ok && basic.Info()&types.IsNumeric != 0 || isInterface(to) || types.Identical(to.Underlying(), from.Underlying())
		return plain && !(isInterface(to) && r.b.neverWritten(e.Args[0])) && r.reads(e.Args[0])
	}
	return false
}

// neverWritten reports whether e is a variable that keeps what it was declared with: if
// that is a constant, gc has an interface of it in memory.
func (b *builder) neverWritten(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	for p := range b.f.Sig.Params().Variables() {
		if p == b.info.Uses[id] {
			return false
		}
	}
	u := b.uses[b.info.Uses[id]]
	return u != nil && u.writes == 0
}

func (r *localReader) arithmetic(e *ast.BinaryExpr) bool {
	info := r.b.info
	switch y := info.Types[e.Y]; e.Op {
	case token.QUO, token.REM:
		r.panics = r.panics || y.Value == nil && !isFloat(info.TypeOf(e))
	case token.SHL, token.SHR:
		basic, ok := coreType(y.Type).(*types.Basic)
		r.panics = r.panics || y.Value == nil && ok && basic.Info()&types.IsUnsigned == 0
	case token.ADD, token.SUB, token.MUL, token.AND, token.OR, token.XOR, token.AND_NOT:
		if isString(info.TypeOf(e)) {
			return false
		}
	default:
		return false
	}
	return r.reads(e.X) && r.reads(e.Y)
}

func isFloat(t types.Type) bool {
	basic, ok := coreType(t).(*types.Basic)
	return ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}

package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// This file keeps what several assignments at once have done where one of their operands
// panics, and which panic is seen (cmd/compile/internal/walk.ascompatee is the reference).
//
// gc evaluates an operand early, before all assignments, if one to its left could change
// it; else late, after those:
//
//	s[0], s[1] = 5, 1/n // where n is 0, s[0] is 5
//
// It judges by where variables are: what is assigned to s[0] cannot change a variable
// that has no address, but it could change one that a machine keeps. So where that makes
// a difference, the assignments are made one by one, as gc would make those of the source:
//
//	m.s[0] = 5
//	m.s[1] = 1 / m.n
//
// What gc evaluates early is spilled before.

// An assignment is one of several that a statement makes at once.
type assignment struct {
	target   ast.Expr // nil if a return statement makes it
	value    ast.Expr // nil if a call has several, or a loop
	operands []*operand
	pieces   bool // see pieces.go
}

// sides are those of the assignments that n makes; a return statement has no targets.
func sides(info *types.Info, n ast.Node) (targets, values []ast.Expr) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs, n.Rhs
	case *ast.ReturnStmt:
		return nil, n.Results
	case *ast.ValueSpec:
		for _, id := range n.Names {
			targets = append(targets, id)
		}
		return targets, n.Values
	case *ast.RangeStmt: // its values are the loop's, and do not panic; of one over a function gc makes two statements
		if n.Tok == token.ASSIGN && n.Value != nil && !rangesOverFunc(info, n) {
			return []ast.Expr{n.Key, n.Value}, nil
		}
	}
	return nil, nil
}

// assignments are those that a node makes, and whether the machine would make them, if they
// are several, or the parts of one, in another order than the source.
func (b *builder) assignments(node ast.Node) (list []assignment, differ bool) {
	targets, values := sides(b.info, node)
	n := max(len(targets), len(values))
	if n < 2 && !slices.ContainsFunc(values, b.isComposite) {
		return nil, false
	}
	o := &order{b: b, returns: targets == nil, assigned: make(map[*types.Var]bool)}
	o.passes = o.returns && len(b.f.Defers) == 0 && !b.sharesResult()
	pieces := false
	for i := range n {
		var a assignment
		if targets != nil {
			a.target = targets[i]
			for _, e := range operandsOf(b.info, a.target) {
				a.operands = append(a.operands, b.operand(e))
			}
		}
		if len(values) == n {
			a.value = values[i]
			a.operands = append(a.operands, b.operand(a.value))
		}
		if !o.returns || !b.returnsItself(a.value, i) {
			for _, x := range a.operands {
				o.evaluate(x)
			}
			o.assign(a.target, i)
		}
		if a.value != nil && !a.operands[len(a.operands)-1].early {
			a.pieces = b.inPieces(a.target, i, a.value)
			pieces = pieces || a.pieces
		}
		list = append(list, a)
	}
	return list, o.differs && n > 1 || pieces
}

// returnsItself reports whether e is the result with that index.
func (b *builder) returnsItself(e ast.Expr, i int) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	return ok && b.info.Uses[id] == b.f.Sig.Results().At(i)
}

// An order compares the order of evaluation in the source with that in the machine.
type order struct {
	b        *builder
	returns  bool                // the results are assigned to
	passes   bool                // or are the arguments of a call
	late     panics              // of what is evaluated late
	hastened panics              // of that which the machine may evaluate early
	assigned map[*types.Var]bool // variables that have no address
	written  bool                // so is memory, in the source
	kept     bool                // or in the machine
	seen     bool                // so is a result that deferred calls see
	differs  bool
}

// evaluate notes that x comes next.
func (o *order) evaluate(x *operand) {
	x.early = o.seen || o.written && x.memory || slices.ContainsFunc(x.vars, func(v *types.Var) bool { return o.assigned[v] })
	other := o.kept && (x.memory || slices.ContainsFunc(x.vars, o.b.kept)) // in the machine it may be early
	if x.early {
		other = o.seen && !x.memory // or late
	}
	switch another := o.late.differ(x.panics); {
	case x.panics == 0:
	case o.passes: // of its arguments gc makes copies if they may panic, but for shifts
		o.differs = o.differs || another && (x.early || o.late&shifts != 0)
	case other:
		o.differs = o.differs || another || o.written || o.seen
		o.hastened |= x.panics
	case x.early: // in the source, before what the machine may have come to by now
		o.differs = o.differs || o.hastened.differ(x.panics)
	}
	if !x.early {
		o.late |= x.panics
	}
}

// assign notes that the target with that index is assigned to next.
func (o *order) assign(target ast.Expr, i int) {
	v, blank := o.b.assignedVar(target, i)
	switch {
	case blank:
	case v != nil && o.b.isResult(v) && len(o.b.f.Defers) > 0:
		o.seen, o.kept = true, true
	case o.returns && !hasName(v):
	case v == nil || o.b.inMemory(v):
		o.written, o.kept = true, true
	default:
		o.assigned[v] = true
		o.kept = o.kept || o.b.kept(v)
	}
	o.late |= storePanics(o.b.info, target)
}

// findAwaits notes where the function awaits.
func (b *builder) findAwaits() {
	b.inspect(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.CallExpr:
			if _, ok := check.IsAwait(b.info, n); ok {
				b.awaits = append(b.awaits, n.Pos())
			}
		case *ast.RangeStmt:
			if call, _, ok := check.RangesOverStream(b.info, n); ok {
				b.awaits = append(b.awaits, call.Pos())
			}
		}
	})
}

// findLate notes the statements whose assignments the machine would make in another
// order: they are taken apart as if they held an await.
func (b *builder) findLate() {
	b.inspect(func(n ast.Node) {
		if _, differ := b.assignments(n); differ {
			b.late = append(b.late, n)
		}
	})
}

// inspect visits what is the function's own.
func (b *builder) inspect(visit func(ast.Node)) {
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		if n != nil {
			visit(n)
		}
		_, isLit := n.(*ast.FuncLit)
		return !isLit
	})
}

// isLate reports whether n is one of these.
func (b *builder) isLate(n ast.Node) bool { return slices.Contains(b.late, n) }

// holdsLate reports whether one of these is n, or below it.
func (b *builder) holdsLate(n ast.Node) bool {
	return slices.ContainsFunc(b.late, func(late ast.Node) bool { return within(late, n) })
}

// oneByOne makes the assignments of a node, whose awaits have been hoisted, in the order of
// the source, if that would be another; declare declares what the node does.
func (b *builder) oneByOne(n ast.Node, declare func()) bool {
	if !b.isLate(n) {
		return false
	}
	b.allInOrder(n, b.settle(sides(b.info, n)), declare)
	return true
}

// allInOrder is oneByOne of these values, where no events are left.
func (b *builder) allInOrder(n ast.Node, values []*ir.Code, declare func()) {
	list, _ := b.assignments(n)
	for _, a := range list {
		for _, x := range a.operands {
			if x.early {
				b.spillOperand(x)
			}
		}
	}
	declare()
	for i, a := range list {
		if a.target != nil {
			b.assignOne(a, b.f.Variable(a.target), values[i])
		} else if !b.returnsItself(a.value, i) {
			b.assignOne(a, b.f.Results[i], values[i])
		}
	}
}

// settle spills what is left of the events, and says what is assigned then: if one call
// has all values, temporaries.
func (b *builder) settle(targets, values []ast.Expr) (settled []*ir.Code) {
	if targets == nil || len(targets) == len(values) {
		b.spillEvents(append(slices.Clone(targets), values...))
		for _, e := range values {
			settled = append(settled, snippet("%v", e))
		}
		return settled
	}
	b.spillEvents(targets)
	var temps []*ir.Var
	var args []any
	tuple := b.info.TypeOf(values[0]).(*types.Tuple)
	for v := range tuple.Variables() {
		t := b.temp("value", v.Type(), values[0].Pos())
		temps, args, settled = append(temps, t), append(args, t), append(settled, snippet("%v", t))
	}
	b.code(temps, strings.Repeat(", %v", len(temps))[2:]+" = %v", append(args, values[0])...)
	return settled
}

func (b *builder) spillEvents(list []ast.Expr) {
	var events []*event
	for _, e := range list {
		events = b.exprEvents(events, e)
	}
	b.spillBefore(events, &ast.BadExpr{})
}

func (b *builder) spillOperand(x *operand) {
	if b.spillable(x.expr) {
		b.spill(x.expr)
	}
}

// assignOne makes one of several assignments; v is the whole of its target, nil if that is
// no variable of ours.
func (b *builder) assignOne(a assignment, v *ir.Var, value *ir.Code) {
	switch {
	case a.pieces:
		b.setPieces(v, ast.Unparen(a.value).(*ast.CompositeLit))
		return
	case v != nil:
		b.set([]*ir.Var{v}, v, value)
		return
	}
	if x, ok := ast.Unparen(a.target).(*ast.IndexExpr); ok && a.value != nil && b.operand(a.value).panics != 0 {
		if _, ok := coreType(b.info.TypeOf(x.X)).(*types.Map); ok {
			// Of several, gc looks for the key before it evaluates the value.
			b.code(nil, "%v, _ = "+value.Format+", 0", append([]any{a.target}, value.Args...)...)
			return
		}
	}
	b.set(nil, a.target, value)
}

// set sets a target to a value, and so defines these variables.
func (b *builder) set(defs []*ir.Var, target any, value *ir.Code) {
	b.code(defs, "%v = "+value.Format, append([]any{target}, value.Args...)...)
}

// returnInOrder evaluates what s returns, if that must be in another order than from left
// to right, and says what is left to return: nothing, once it has assigned to the results.
func (b *builder) returnInOrder(s *ast.ReturnStmt) *ast.ReturnStmt {
	if !b.isLate(s) {
		return s
	}
	list, _ := b.assignments(s)
	if len(b.f.Defers) == 0 && b.sharesResult() || slices.ContainsFunc(list, func(a assignment) bool { return a.pieces }) {
		b.allInOrder(s, b.settle(sides(b.info, s)), func() {})
		return nil
	}
	b.spillEvents(s.Results)
	for _, early := range []bool{true, false} {
		for _, a := range list {
			if x := a.operands[0]; x.early == early {
				b.spillOperand(x)
			}
		}
	}
	return s
}

// sharesResult reports whether a closure or a pointer sees a result as it is set.
func (b *builder) sharesResult() bool {
	for v := range b.f.Sig.Results().Variables() {
		if hasName(v) && b.inMemory(v) {
			return true
		}
	}
	return false
}

// assignedVar is the variable that the target with that index is, or is a part of, nil if
// it is reached through a pointer.
func (b *builder) assignedVar(target ast.Expr, i int) (v *types.Var, blank bool) {
	if target == nil {
		return b.f.Sig.Results().At(i), false
	}
	e := ast.Unparen(target)
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

func hasName(v *types.Var) bool { return v.Name() != "" && v.Name() != "_" }

func (b *builder) isResult(v *types.Var) bool { return isOneOf(b.f.Sig.Results(), v) }

func isOneOf(t *types.Tuple, v *types.Var) bool {
	for w := range t.Variables() {
		if w == v {
			return true
		}
	}
	return false
}

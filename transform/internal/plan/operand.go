package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// This file says of an operand of several assignments at once what gc goes by: what it
// reads (cmd/compile/internal/walk.readsMemory is the reference), and how it panics.

// An operand is evaluated for an assignment: its value, or what its target is found by.
type operand struct {
	expr   ast.Expr
	early  bool         // before all assignments
	memory bool         // gc takes it to read what has an address
	vars   []*types.Var // local ones without an address that it reads
	panics panics
}

// panics are kinds of panics.
type panics int

const (
	nilDereference panics = 1 << iota
	divides
	shifts
	others // which say more than their kind: an index, a type
)

// differ reports whether one can see which of two panics comes first.
func (p panics) differ(q panics) bool {
	return p != 0 && q != 0 && (p|q)&(p|q-1) != 0 || p&q&others != 0
}

// storePanics is how an assignment to e panics, once its operands are evaluated.
func storePanics(info *types.Info, e ast.Expr) panics {
	e = ast.Unparen(e)
	inner := partOf(info, e)
	switch e := e.(type) {
	case *ast.StarExpr:
		return nilDereference
	case *ast.SelectorExpr:
		if inner == nil && info.Selections[e] != nil {
			return nilDereference
		}
	case *ast.IndexExpr:
		if inner == nil || info.Types[e.Index].Value == nil {
			return others
		}
	}
	if inner == nil {
		return 0
	}
	return storePanics(info, inner)
}

// kept reports whether a machine may keep v: an await is in its scope.
func (b *builder) kept(v *types.Var) bool {
	if v.Parent() == nil || v == b.f.Sig.Recv() || b.isParameter(v) || b.isResult(v) {
		return true
	}
	return slices.ContainsFunc(b.awaits, v.Parent().Contains)
}

// inMemory reports whether an assignment through a pointer could change v in the source, as
// far as gc knows: it is the package's, a closure's that captures it, or has an address.
func (b *builder) inMemory(v *types.Var) bool {
	if v.Parent() == nil || v.Parent() == v.Pkg().Scope() || b.f.Lit != nil && (v.Pos() < b.f.Lit.Pos() || b.f.Lit.End() <= v.Pos()) {
		return true
	}
	u := b.uses[v]
	return u != nil && (u.addressed || u.captured && (b.reassigned(v, u) || !b.fitsClosure(v)))
}

// reassigned reports whether a captured variable is assigned to after closures have begun
// to capture it: of what comes before that, in no loop of its own, they have copies
// (cmd/compile/internal/escape, OCLOSURE).
func (b *builder) reassigned(v *types.Var, u *usage) bool {
	return u.writes > 0 && (u.lastWrite > u.firstCapture || b.loopsAround(v.Pos()) != b.loopsAround(u.firstCapture))
}

// loopsAround counts the loops of the function around a position, those of gotos too: each
// of these begins at a label, and does not end.
func (b *builder) loopsAround(pos token.Pos) (count int) {
	labels := make(map[string]token.Pos)
	in := func(n ast.Node) bool { return n.Pos() <= pos && pos < n.End() }
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			if in(n) && (n.Init == nil || !in(n.Init)) {
				count++
			}
		case *ast.RangeStmt:
			if in(n) && !in(n.X) {
				count++
			}
		case *ast.LabeledStmt:
			labels[n.Label.Name] = n.Pos()
		case *ast.BranchStmt:
			if n.Tok == token.GOTO {
				if at, back := labels[n.Label.Name]; back && at <= pos {
					count++
				}
				delete(labels, n.Label.Name)
			}
		}
		return true
	})
	return count
}

// fitsClosure reports whether a closure that captures v has a copy of it if nothing is
// assigned to it.
func (b *builder) fitsClosure(v *types.Var) bool {
	return b.derived(v.Type()) || sizes.Sizeof(v.Type()) <= 128
}

func (b *builder) operand(e ast.Expr) *operand {
	x := &operand{expr: e}
	b.reads(x, e)
	return x
}

// reads adds what e reads to x. What is an event has a temporary by then.
func (b *builder) reads(x *operand, e ast.Expr) {
	e = ast.Unparen(e)
	info := b.info
	if tv := info.Types[e]; tv.Value != nil || tv.IsNil() || tv.IsType() {
		return
	}
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := info.Uses[e].(*types.Var); !ok {
			return
		} else if b.inMemory(v) {
			x.memory = true
		} else {
			x.vars = append(x.vars, v)
		}
	case *ast.SelectorExpr:
		b.readsSelector(x, e)
	case *ast.StarExpr:
		x.memory = true
		x.panics |= nilDereference
		b.reads(x, e.X)
	case *ast.IndexExpr:
		b.readsElement(x, e)
	case *ast.IndexListExpr:
		b.reads(x, e.X)
	case *ast.UnaryExpr:
		if e.Op == token.ARROW {
			return
		}
		x.memory = x.memory || e.Op == token.AND || e.Op == token.NOT
		b.reads(x, e.X)
	case *ast.BinaryExpr:
		if e.Op != token.LAND && e.Op != token.LOR {
			b.computes(x, e)
			b.reads(x, e.X)
			b.reads(x, e.Y)
		}
	case *ast.TypeAssertExpr:
		t := info.TypeOf(e)
		if dynamic := b.derived(t); pointerShaped(t) || dynamic {
			x.panics |= others
			x.memory = x.memory || dynamic
			b.reads(x, e.X)
		}
	case *ast.CompositeLit:
		if _, ok := literalType(info.TypeOf(e)).(*types.Map); ok {
			return
		}
		x.memory = true
		for _, elt := range e.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				elt = kv.Value
			}
			b.reads(x, elt)
		}
	case *ast.CallExpr:
		b.readsCall(x, e)
	case *ast.FuncLit:
		x.memory = true
	}
}

func (b *builder) readsSelector(x *operand, e *ast.SelectorExpr) {
	sel := b.info.Selections[e]
	switch {
	case sel == nil:
		_, isVar := b.info.Uses[e.Sel].(*types.Var)
		x.memory = x.memory || isVar
	case sel.Kind() == types.MethodExpr:
	case partOf(b.info, e) == nil: // through a pointer, or a method
		x.memory = true
		x.panics |= nilDereference
		b.reads(x, e.X)
	default:
		b.reads(x, e.X)
	}
}

func (b *builder) readsElement(x *operand, e *ast.IndexExpr) {
	if tv := b.info.Types[e.Index]; tv.IsType() { // of a generic function, or method
		b.reads(x, e.X)
		return
	}
	x.memory = true
	switch t := coreType(b.info.TypeOf(e.X)).(type) {
	case *types.Map:
		if holdsInterface(t.Key()) {
			x.panics |= others
		}
	case *types.Array:
		if b.info.Types[e.Index].Value == nil {
			x.panics |= others
		}
	default:
		x.panics |= others
	}
	b.reads(x, e.X)
	b.reads(x, e.Index)
}

func (b *builder) readsCall(x *operand, e *ast.CallExpr) {
	to := b.info.Types[e.Fun].Type
	if !b.info.Types[e.Fun].IsType() || convertsEarly(to, b.info.TypeOf(e.Args[0])) {
		return
	}
	arg := e.Args[0]
	basic, ok := coreType(to).(*types.Basic)
	number := ok && basic.Info()&types.IsNumeric != 0
	switch from := b.info.TypeOf(arg); {
	case isInterface(to):
		x.memory = x.memory || b.neverWritten(arg)
	case !number && !types.Identical(to.Underlying(), from.Underlying()):
		x.memory = true
		if _, ok := coreType(from).(*types.Slice); ok && !isString(to) {
			x.panics |= others // an array
		}
	}
	b.reads(x, arg)
}

// neverWritten reports whether e is a variable that keeps what it was declared with: if
// that is a constant, gc has an interface of it in memory.
func (b *builder) neverWritten(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := b.info.Uses[id].(*types.Var)
	if !ok || b.isParameter(v) {
		return false
	}
	u := b.uses[v]
	return u != nil && u.writes == 0
}

func (b *builder) isParameter(v *types.Var) bool { return isOneOf(b.f.Sig.Params(), v) }

// computes adds to x how the operator of e panics, and whether gc takes it to read memory.
func (b *builder) computes(x *operand, e *ast.BinaryExpr) {
	y := b.info.Types[e.Y]
	switch t := b.info.TypeOf(e); e.Op {
	case token.QUO, token.REM:
		if y.Value == nil && !isFloat(t) {
			x.panics |= divides
		}
	case token.SHL, token.SHR:
		if basic, ok := coreType(y.Type).(*types.Basic); y.Value == nil && ok && basic.Info()&types.IsUnsigned == 0 {
			x.panics |= shifts
		}
	case token.ADD, token.SUB, token.MUL, token.AND, token.OR, token.XOR, token.AND_NOT:
		x.memory = x.memory || isString(t)
	default: // comparisons
		x.memory = true
		if holdsInterface(b.info.TypeOf(e.X)) && holdsInterface(b.info.TypeOf(e.Y)) {
			x.panics |= others
		}
	}
}

// holdsInterface reports whether values of t may be such as cannot be compared.
func holdsInterface(t types.Type) bool { return hasPart(t, types.IsInterface) }

func isFloat(t types.Type) bool {
	basic, ok := coreType(t).(*types.Basic)
	return ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}

package plan

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strconv"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file keeps what a literal has given to a result by the time an operand of it panics
// (cmd/compile/internal/walk.oaslit is the reference).
//
// gc makes a literal of a struct or an array in the variable that it is assigned to, if
// nobody has the variable's address. After a panic only a result is read, by the caller of a
// function that has recovered:
//
//	return pair{5, 1 / n} // where n is 0, the caller gets pair{5, 0}
//
// A result that a machine keeps is no such variable: gc would make the literal elsewhere. So
// its parts are set one by one:
//
//	m.result = pair{}
//	m.result.a = 5
//	m.result.b = 1 / m.n

// inPieces reports whether gc makes value, which is assigned to the target with that index,
// in a result that the caller may see after a panic in between.
func (b *builder) inPieces(target ast.Expr, i int, value ast.Expr) bool {
	if !b.isComposite(value) || !b.mayRecover() {
		return false
	}
	var v *types.Var
	if target == nil {
		v = b.f.Sig.Results().At(i)
	} else if id, ok := ast.Unparen(target).(*ast.Ident); ok {
		v, _ = b.info.Uses[id].(*types.Var)
	}
	return v != nil && b.isResult(v) && types.Identical(v.Type(), b.info.TypeOf(value)) && b.operand(value).panics != 0 &&
		!(hasName(v) && b.inMemory(v)) && !b.mentions(value, v) && !b.loopsOverFunc(v)
}

// isComposite reports whether e is a literal of a struct or an array.
func (b *builder) isComposite(e ast.Expr) bool {
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	if !ok {
		return false
	}
	switch coreType(b.info.TypeOf(lit)).(type) {
	case *types.Struct, *types.Array:
		return true
	}
	return false
}

// mayRecover reports whether a deferred call may recover: a literal does not if it does not
// call recover itself.
func (b *builder) mayRecover() bool {
	for _, d := range b.f.Defers {
		lit, ok := ast.Unparen(d.Stmt.Call.Fun).(*ast.FuncLit)
		found := !ok && d.Await == nil
		if ok {
			ast.Inspect(lit.Body, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				found = found || ok && b.info.Uses[id] == types.Universe.Lookup("recover")
				_, inner := n.(*ast.FuncLit)
				return !inner
			})
		}
		if found {
			return true
		}
	}
	return false
}

// mentions reports whether v is named in n.
func (b *builder) mentions(n ast.Node, v *types.Var) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && b.info.Uses[id] == v
		return !found
	})
	return found
}

// loopsOverFunc reports whether the body of a loop over a function, which is a closure to
// gc, names the result v or returns.
func (b *builder) loopsOverFunc(v *types.Var) bool {
	found := false
	b.inspect(func(n ast.Node) {
		loop, ok := n.(*ast.RangeStmt)
		if !ok || !rangesOverFunc(b.info, loop) {
			return
		}
		found = found || returns(loop.Body) || b.mentions(loop, v)
	})
	return found
}

// setPieces sets the parts of v to those of a literal.
func (b *builder) setPieces(v *ir.Var, lit *ast.CompositeLit) {
	zero := snippet("%v{}", lit.Type)
	if t, ok := lit.Type.(*ast.ArrayType); ok && t.Len != nil {
		n := coreType(b.info.TypeOf(lit)).(*types.Array).Len()
		zero = snippet("[%v]%v{}", strconv.FormatInt(n, 10), t.Elt)
	}
	b.set([]*ir.Var{v}, v, zero)
	p := pieces{b, v}
	path := "%v"
	if v.Captured || v.Addressed {
		path = "(%v)"
	}
	if len(lit.Elts) > 4 { // gc copies the constants from where it keeps them
		p.set(path, lit, func(constant bool) bool { return constant })
		p.set(path, lit, func(constant bool) bool { return !constant })
		return
	}
	p.set(path, lit, func(bool) bool { return true })
}

// pieces are the parts of a variable.
type pieces struct {
	b *builder
	v *ir.Var
}

// set sets those parts of what path says that are chosen.
func (p pieces) set(path string, lit *ast.CompositeLit, chosen func(constant bool) bool) {
	info := p.b.info
	next := int64(0)
	for i, value := range lit.Elts {
		var key ast.Expr
		if kv, ok := value.(*ast.KeyValueExpr); ok {
			key, value = kv.Key, kv.Value
		}
		at := ""
		var t types.Type
		switch u := coreType(info.TypeOf(lit)).(type) {
		case *types.Struct:
			var f *types.Var
			if key == nil {
				f = u.Field(i)
			} else { // it may be promoted, as of Go 1.27
				f = info.Uses[key.(*ast.Ident)].(*types.Var)
			}
			at, t = "."+f.Name(), f.Type()
		case *types.Array:
			if key != nil {
				next = indexOf(info.Types[key])
			}
			at, t = fmt.Sprintf("[%d]", next), u.Elem()
			next++
		}
		switch isConst := info.Types[value].Value != nil && !types.IsInterface(t); {
		case p.b.isComposite(value) && types.Identical(info.TypeOf(value), t):
			p.set(path+at, ast.Unparen(value).(*ast.CompositeLit), chosen)
		case !chosen(isConst):
		case at == "._":
			p.b.code(nil, "_ = %v", value)
		default:
			p.b.code(nil, path+at+" = %v", p.v, value)
		}
	}
}

func indexOf(key types.TypeAndValue) int64 {
	i, _ := constant.Int64Val(constant.ToInt(key.Value))
	return i
}

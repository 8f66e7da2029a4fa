package plan

import (
	"go/ast"
	"go/types"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file knows where gc copies a value because it needs its address: for a
// conversion to an interface, as the key of a map, and for a comparison of structs
// or arrays. What has an address
// already is read where it is used, late; anything else is copied at once, and
// so is an event.

// want notes what type the expression's context wants; where that is an
// interface, an implicit conversion takes place.
type want map[ast.Expr]types.Type

// wantArguments notes the types of the parameters.
func (b *builder) wantArguments(call *ast.CallExpr) {
	sig, ok := coreType(b.info.TypeOf(call.Fun)).(*types.Signature)
	if !ok || b.info.Types[call.Fun].IsBuiltin() {
		return
	}
	n := sig.Params().Len()
	for i, arg := range call.Args {
		switch {
		case sig.Variadic() && i >= n-1 && !call.Ellipsis.IsValid():
			b.want[arg] = sig.Params().At(n - 1).Type().(*types.Slice).Elem()
		case i < n:
			b.want[arg] = sig.Params().At(i).Type()
		}
	}
}

// literalType is the core type of what a literal is of type t: T where &T is elided in
// a literal of []*T.
func literalType(t types.Type) types.Type {
	if p, ok := coreType(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	return coreType(t)
}

// wantElements notes the types of a literal's elements, fields or entries.
func (b *builder) wantElements(lit *ast.CompositeLit) {
	t := literalType(b.info.TypeOf(lit))
	for i, elt := range lit.Elts {
		kv, keyed := elt.(*ast.KeyValueExpr)
		value := elt
		if keyed {
			value = kv.Value
		}
		switch t := t.(type) {
		case *types.Slice:
			b.want[value] = t.Elem()
		case *types.Array:
			b.want[value] = t.Elem()
		case *types.Map:
			b.want[value] = t.Elem()
			b.want[kv.Key] = t.Key()
		case *types.Struct:
			if !keyed {
				b.want[value] = t.Field(i).Type()
			} else if field, ok := b.info.Uses[kv.Key.(*ast.Ident)].(*types.Var); ok {
				b.want[value] = field.Type()
			}
		}
	}
}

// wantAssigned notes the types of what values are assigned to.
func (b *builder) wantAssigned(lhs, rhs []ast.Expr) {
	if len(lhs) == len(rhs) {
		for i := range lhs {
			b.want[rhs[i]] = b.info.TypeOf(lhs[i])
		}
	}
}

// wantReturned notes the types of the results.
func (b *builder) wantReturned(values []ast.Expr) {
	if results := b.f.Sig.Results(); results.Len() == len(values) {
		for i, e := range values {
			b.want[e] = results.At(i).Type()
		}
	}
}

// boxedEarly reports whether e is converted to an interface by its context in a
// way that copies it at once.
func (b *builder) boxedEarly(e ast.Expr) bool {
	to, from := b.want[e], b.info.TypeOf(e)
	if to == nil || from == nil || !isInterface(to) || isInterface(from) {
		return false
	}
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return false // makes no difference
	}
	tv := b.info.Types[e]
	return tv.IsValue() && !tv.IsNil() && tv.Value == nil && needsAddress(from) && !b.hasAddress(e)
}

// comparedByAddress reports whether gc copies an operand of the comparison e once
// both operands' calls are done.
func (b *builder) comparedByAddress(e *ast.BinaryExpr, operand ast.Expr) bool {
	if isInterface(b.info.TypeOf(e.X)) || isInterface(b.info.TypeOf(e.Y)) || b.hasAddress(operand) {
		return false
	}
	switch b.info.TypeOf(operand).Underlying().(type) {
	case *types.Struct, *types.Array:
		lit, ok := ast.Unparen(operand).(*ast.CompositeLit)
		return !ok || len(lit.Elts) > 0
	}
	return false
}

// isInterface reports whether values of t are interfaces; of a type parameter
// they are not.
func isInterface(t types.Type) bool {
	_, param := types.Unalias(t).(*types.TypeParam)
	return !param && types.IsInterface(t)
}

// sizes are those of one platform: what is generated must not depend on where.
var sizes = types.SizesFor("gc", "amd64")

// needsAddress reports whether gc's conversion of a t to an interface takes its
// address (cmd/compile/internal/walk, dataWordFuncName).
func needsAddress(t types.Type) bool {
	if parametric(t) {
		return false
	}
	size, align := sizes.Sizeof(t), sizes.Alignof(t)
	switch {
	case size == 2 && align == 2:
		return false
	case (size == 4 || size == 8) && align == size && !ir.HasPointers(t):
		return false
	}
	switch u := soleComponent(t).Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString == 0
	case *types.Slice:
		return false
	}
	return true
}

// parametric reports whether t's size depends on a type parameter.
func parametric(t types.Type) bool {
	return hasPart(t, func(t types.Type) bool { _, ok := types.Unalias(t).(*types.TypeParam); return ok })
}

// hasPart reports whether t is such, or an array's element or a struct's field in it.
func hasPart(t types.Type, is func(types.Type) bool) bool {
	if is(t) {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return hasPart(u.Elem(), is)
	case *types.Struct:
		for f := range u.Fields() {
			if hasPart(f.Type(), is) {
				return true
			}
		}
	}
	return false
}

// soleComponent takes t out of structs of one field and arrays of one element.
func soleComponent(t types.Type) types.Type {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		if u.NumFields() == 1 {
			return soleComponent(u.Field(0).Type())
		}
	case *types.Array:
		if u.Len() == 1 {
			return soleComponent(u.Elem())
		}
	}
	return t
}

// hasAddress reports whether e is a variable, or part of one, or behind a
// pointer.
func (b *builder) hasAddress(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return b.hasAddress(e.X)
	case *ast.Ident:
		_, ok := b.info.Uses[e].(*types.Var)
		return ok
	case *ast.StarExpr:
		return true
	case *ast.SelectorExpr:
		sel := b.info.Selections[e]
		if sel == nil {
			_, ok := b.info.Uses[e.Sel].(*types.Var)
			return ok
		}
		return sel.Kind() == types.FieldVal && (sel.Indirect() || isPointer(b.info.TypeOf(e.X)) || b.hasAddress(e.X))
	case *ast.IndexExpr:
		switch coreType(b.info.TypeOf(e.X)).(type) {
		case *types.Slice, *types.Pointer:
			return true
		case *types.Array:
			return b.hasAddress(e.X)
		}
	}
	return false
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func isString(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

func isByte(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Kind() == types.Uint8
}

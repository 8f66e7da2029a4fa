package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file finds the types that have no name where the machine stands, and what
// the compiler can infer them from: see ir.Shape.

// nameable reports a type that has no name here, of what a deferred call keeps.
func (b *builder) nameable(pos token.Pos, what string, t types.Type) {
	if len(b.unnamed(t)) > 0 {
		b.errorf(pos, "%s has type %s, which this package has no name for; defer a closure that makes the call, or give it a type that has a name, an interface say",
			what, b.typeString(t))
	}
}

func (b *builder) unnameable(pos token.Pos, what string, t types.Type) {
	b.errorf(pos, "%s has type %s, which this package has no name for, and nothing here tells the compiler of it; give it a type that has a name, an interface say",
		what, b.typeString(t))
}

func (b *builder) typeString(t types.Type) string {
	return types.TypeString(t, types.RelativeTo(b.f.Source.Pkg))
}

// shape returns how MoveNext comes by t. It adds a diagnostic if there is no way.
func (b *builder) shape(pos token.Pos, what string, t types.Type) (boxed bool, shape *ir.Shape) {
	if len(b.unnamed(t)) == 0 {
		return false, nil
	}
	if shape = b.shapeOf(t); shape == nil {
		b.unnameable(pos, what, t)
	}
	return shape != nil, shape
}

// shapeOf returns how to come by t; nil if there is no way.
func (b *builder) shapeOf(t types.Type) *ir.Shape {
	shape := new(ir.Shape)
	for _, part := range b.unnamed(t) {
		if !b.infer(shape, part) || constrained(t, part) {
			return nil
		}
	}
	return shape
}

// infer adds to shape what part can be inferred from.
func (b *builder) infer(shape *ir.Shape, part types.Type) bool {
	if b.known(shape, part) {
		return true
	}
	shape.Parts = append(shape.Parts, part)
	w := b.witness(shape, part)
	if w == nil || constrained(w.Type, part) {
		return false
	}
	shape.Witnesses = append(shape.Witnesses, w)
	for _, other := range b.unnamed(w.Type) {
		if !b.known(shape, other) {
			shape.Parts = append(shape.Parts, other)
		}
	}
	return true
}

func (b *builder) known(shape *ir.Shape, part types.Type) bool {
	return slices.ContainsFunc(shape.Parts, func(t types.Type) bool { return types.Identical(t, part) })
}

// witness finds in the function the first value from which part can be inferred.
func (b *builder) witness(shape *ir.Shape, part types.Type) *ir.Witness {
	var found *ir.Witness
	ast.Inspect(b.f.Root().Body, func(n ast.Node) bool {
		if found != nil {
			return false
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			if sel, ok := n.(*ast.SelectorExpr); ok && b.info.Selections[sel] != nil {
				found = b.selected(shape, b.info.Selections[sel], part)
			}
			return found == nil
		}
		if w := b.declared(id); w != nil && b.tells(w.Type, part) {
			found = w
		}
		return found == nil
	})
	return found
}

// declared makes a witness of a mention of what a package declares.
func (b *builder) declared(id *ast.Ident) *ir.Witness {
	obj := b.info.Uses[id]
	if obj == nil || obj.Pkg() == nil || obj.Parent() != obj.Pkg().Scope() {
		return nil
	}
	w := &ir.Witness{Obj: obj, Type: obj.Type()}
	switch obj.(type) {
	case *types.Var:
		w.Type = types.NewPointer(obj.Type())
	case *types.Func:
		if inst, ok := b.info.Instances[id]; ok {
			w.Type = inst.Type
			for t := range inst.TypeArgs.Types() {
				if len(b.unnamed(t)) > 0 {
					return nil
				}
				w.Args = append(w.Args, t)
			}
		}
	case *types.Const:
	default:
		return nil
	}
	return w
}

// selected makes a witness for part of a field or method that is selected.
func (b *builder) selected(shape *ir.Shape, sel *types.Selection, part types.Type) *ir.Witness {
	recv := sel.Recv()
	if _, pointer := recv.Underlying().(*types.Pointer); sel.Kind() == types.FieldVal && pointer {
		recv = recv.Underlying().(*types.Pointer).Elem()
	} else if sel.Kind() == types.MethodVal && !pointer && !types.IsInterface(recv) {
		recv = types.NewPointer(recv)
	}
	w := &ir.Witness{Obj: sel.Obj(), Recv: recv}
	unnamed := len(b.unnamed(recv)) > 0
	switch sel.Kind() {
	case types.FieldVal:
		if throughPointer(sel) { // of a zero value, that is nil
			return nil
		}
		w.Type = types.NewPointer(sel.Type())
		if unnamed {
			w.Type = sel.Type()
			if w.Zero = b.zeroOf(recv); w.Zero == nil {
				return nil
			}
		}
	case types.MethodVal:
		sig := sel.Type().(*types.Signature)
		if !b.tells(sig, part) || b.tells(recv, part) {
			return nil
		}
		if unnamed {
			return b.chained(shape, sel, sig)
		}
		params := []*types.Var{types.NewParam(token.NoPos, nil, "", recv)}
		for v := range sig.Params().Variables() {
			params = append(params, v)
		}
		w.Type = types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())
	default:
		return nil
	}
	if !b.tells(w.Type, part) {
		return nil
	}
	return w
}

// zeroOf returns how to come by a value of type t; nil if there is no way but
// through what is being looked for.
func (b *builder) zeroOf(t types.Type) *ir.Shape {
	if slices.ContainsFunc(b.sought, func(other types.Type) bool { return types.Identical(t, other) }) {
		return nil
	}
	b.sought = append(b.sought, t)
	defer func() { b.sought = b.sought[:len(b.sought)-1] }()
	return b.shapeOf(t)
}

// chained makes a witness of a method whose receiver has no name either: the compiler
// infers from the method set of the part that has the method, else from that of a pointer.
func (b *builder) chained(shape *ir.Shape, sel *types.Selection, sig *types.Signature) *ir.Witness {
	recv := sel.Recv()
	if !sel.Obj().Exported() {
		return nil
	}
	for _, part := range b.unnamed(recv) {
		if holds(sig, part) || !b.infer(shape, part) {
			return nil
		}
	}
	w := &ir.Witness{Obj: sel.Obj(), Recv: recv, Type: sig, Part: true}
	if pointer, ok := types.Unalias(recv).(*types.Pointer); ok {
		w.Recv = pointer.Elem()
	}
	if b.known(shape, w.Recv) && types.NewMethodSet(w.Recv).Lookup(w.Obj.Pkg(), w.Obj.Name()) != nil {
		return w
	}
	if w.Zero = b.zeroOf(w.Recv); w.Zero == nil {
		return nil
	}
	return w
}

// constrained reports whether part is the argument of a type parameter in t that
// does not take any type: what is inferred for has parameters that do.
func constrained(t, part types.Type) bool {
	found := false
	ir.Components(t, make(map[types.Type]bool), func(t types.Type) bool {
		if named, ok := t.(*types.Named); ok {
			for i, arg := range ir.TypeArgs(named.TypeArgs()) {
				constraint := named.TypeParams().At(i).Constraint().Underlying().(*types.Interface)
				found = found || types.Identical(arg, part) && !constraint.Empty() && !types.Identical(constraint, ofAnyComparable)
			}
		}
		return !found
	})
	return found
}

var ofAnyComparable = types.Universe.Lookup("comparable").Type().Underlying()

// tells reports whether part can be inferred from a value of type t: whether it is among
// the components that are to be seen there. What is within another that has no name is not.
func (b *builder) tells(t, part types.Type) bool {
	return slices.ContainsFunc(b.unnamed(t), func(other types.Type) bool { return types.Identical(other, part) })
}

// holds reports whether t has part among its components.
func holds(t, part types.Type) bool {
	found := false
	ir.Components(t, make(map[types.Type]bool), func(t types.Type) bool {
		found = found || types.Identical(t, part)
		return !found
	})
	return found
}

// unnamed lists the components of t that have no name at the package's top level.
func (b *builder) unnamed(t types.Type) []types.Type {
	var list []types.Type
	seen := make(map[types.Type]bool)
	var visit func(t types.Type) bool
	visit = func(t types.Type) bool {
		if b.named(t) {
			return true
		}
		if alias, ok := t.(*types.Alias); ok {
			ir.Components(types.Unalias(alias), seen, visit)
			return false
		}
		if !slices.ContainsFunc(list, func(other types.Type) bool { return types.Identical(t, other) }) {
			list = append(list, t)
		}
		return false
	}
	ir.Components(t, seen, visit)
	return list
}

// named reports whether t itself, its components aside, can be written.
func (b *builder) named(t types.Type) bool {
	foreign := func(obj types.Object) bool { return !obj.Exported() && obj.Pkg() != b.f.Source.Pkg }
	switch t := t.(type) {
	case *types.Basic: // unless the package gives its name another meaning
		_, here := b.f.Source.Pkg.Scope().Lookup(t.Name()).(*types.TypeName)
		return !here || t.Kind() == types.UnsafePointer
	case *types.Named:
		return b.reachable(t.Obj())
	case *types.Alias:
		return b.reachable(t.Obj())
	case *types.Struct:
		for v := range t.Fields() {
			if foreign(v) {
				return false
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if foreign(m) {
				return false
			}
		}
	}
	return true
}

func (b *builder) reachable(obj *types.TypeName) bool {
	switch {
	case obj.Pkg() == nil || b.f.LocalType(obj) != nil:
		return true // predeclared, or declared in the body
	case obj.Parent() != obj.Pkg().Scope():
		return false // local to a function
	case obj.Pkg() == b.f.Source.Pkg:
		return true
	default:
		return obj.Exported() && importable(obj.Pkg().Path(), b.pkg.PkgPath)
	}
}

// importable reports whether the go command lets a package import path: what lies
// below a folder internal is for the packages around that folder.
func importable(path, from string) bool {
	if path == "internal" || strings.HasPrefix(path, "internal/") {
		return false // the standard library's
	}
	i := strings.LastIndex("/"+path+"/", "/internal/")
	if i < 0 {
		return true
	}
	around := path[:max(i-1, 0)]
	from = strings.TrimSuffix(from, "_test")
	return from == around || strings.HasPrefix(from, around+"/")
}

package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// placeTypes decides where the types declared in the body go. One that is the
// only one of its name becomes a type of the package's; another stays a type of
// MoveNext's, and so keeps its name all the same, unless something outside of
// MoveNext needs it.
func (b *builder) placeTypes() {
	slices.SortStableFunc(b.f.Types, func(t, u *ir.LocalType) int { return int(t.Spec.Pos() - u.Spec.Pos()) })
	slices.SortStableFunc(b.f.Consts, func(c, d *ast.GenDecl) int { return int(c.Pos() - d.Pos()) })
	generic := func(t *ir.LocalType) bool { return t.Spec.TypeParams != nil && b.f.Generic() }
	for _, t := range b.f.Types {
		t.Inside = !t.Sole || generic(t) // whose parameters would mix with the function's
	}
	for _, t := range b.f.Types {
		for _, other := range b.f.Types {
			t.Inside = t.Inside || other.Inside && b.leadsTo(t.Obj.Type(), other.Obj)
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range b.f.Types {
			if t.Inside && !b.staysInside(t.Obj) {
				t.Inside, changed = false, true
			}
		}
	}
	for _, t := range b.f.Types {
		if generic(t) && !t.Inside {
			b.errorf(t.Spec.Pos(), "the generic type %s, declared in a generic async function, is needed by a closure or a deferred call too; move it to the package level",
				t.Obj.Name())
		}
	}
	for _, v := range b.f.Vars {
		v.Boxed = v.Boxed || b.holdsInside(v.Type)
	}
	for _, a := range b.f.Awaits {
		a.Boxed = a.Boxed || b.holdsInside(a.Type)
	}
}

// localType moves a type out of the statements.
func (b *builder) localType(spec *ast.TypeSpec) {
	if obj := b.info.Defs[spec.Name].(*types.TypeName); obj.Name() != "_" && b.f.LocalType(obj) == nil {
		b.f.Types = append(b.f.Types, &ir.LocalType{Spec: spec, Obj: obj, Sole: b.soleName(obj.Name())})
	}
}

// typesBelow moves those types out of a whole statement that async closures in it
// or deferred calls need, and what these are made of; types that async closures declare are theirs.
func (b *builder) typesBelow(s ast.Stmt) {
	var decls []*ast.GenDecl
	closures := make(map[*ast.FuncLit]bool)
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if lit, ok := check.AsyncLiteral(b.info, n); ok {
				closures[lit] = true
			}
		case *ast.FuncLit:
			return !closures[n]
		case *ast.GenDecl:
			if n.Tok == token.TYPE {
				decls = append(decls, n)
			}
		}
		return true
	})
	needed := func(decl *ast.GenDecl) bool {
		return slices.ContainsFunc(decl.Specs, func(spec ast.Spec) bool {
			obj := b.info.Defs[spec.(*ast.TypeSpec).Name].(*types.TypeName)
			return b.defersNeed(obj) || b.closuresNeed(obj) || slices.ContainsFunc(b.f.Types, func(t *ir.LocalType) bool { return b.leadsTo(t.Obj.Type(), obj) })
		})
	}
	for i := 0; i < len(decls); i++ {
		if decl := decls[i]; needed(decl) {
			for _, spec := range decl.Specs {
				b.localType(spec.(*ast.TypeSpec))
			}
			decls = slices.Delete(decls, i, i+1)
			i = -1 // what it is made of may stand before it
		}
	}
}

// holdsInside reports whether t has a component that only MoveNext knows.
func (b *builder) holdsInside(t types.Type) bool {
	found := false
	ir.Components(t, make(map[types.Type]bool), func(t types.Type) bool {
		if alias, ok := t.(*types.Alias); ok && b.f.LocalType(alias.Obj()) != nil {
			found = found || b.holdsInside(types.Unalias(t))
		}
		if named, ok := t.(*types.Named); ok {
			local := b.f.LocalType(named.Obj())
			found = found || local != nil && local.Inside
		}
		return !found
	})
	return found
}

// staysInside reports whether MoveNext alone needs to know a type: no async
// closure, no deferred call, no type that goes to the package level; and its name
// means nothing else there.
func (b *builder) staysInside(obj *types.TypeName) bool {
	for _, t := range b.f.Types {
		if !t.Inside && t.Obj != obj && b.leadsTo(t.Obj.Type(), obj) {
			return false
		}
	}
	for _, v := range b.f.Vars {
		if v.Shape != nil && b.leadsTo(v.Type, obj) {
			return false
		}
	}
	return !b.defersNeed(obj) && !b.closuresNeed(obj) && !b.ambiguous(obj)
}

// leadsTo reports whether t is made of obj's type, however deep.
func (b *builder) leadsTo(t types.Type, obj *types.TypeName) bool {
	seen := make(map[types.Type]bool)
	found := false
	var visit func(types.Type) bool
	visit = func(t types.Type) bool {
		switch t := t.(type) {
		case *types.Named:
			found = found || t.Obj() == obj
			if b.f.LocalType(t.Obj()) != nil && !found {
				ir.Components(t.Underlying(), seen, visit)
			}
		case *types.Alias:
			ir.Components(types.Unalias(t), seen, visit)
		}
		return !found
	}
	ir.Components(t, seen, visit)
	return found
}

// closuresNeed reports whether an async closure mentions the type, or anything of
// it.
func (b *builder) closuresNeed(obj *types.TypeName) bool {
	needed := false
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !needed
		}
		if lit, ok := check.AsyncLiteral(b.info, call); ok {
			ast.Inspect(lit, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok && !needed {
					t := b.info.TypeOf(e)
					needed = t != nil && b.leadsTo(t, obj)
				}
				return !needed
			})
		}
		return !needed
	})
	return needed
}

// ambiguous reports whether the name of a type means something else in the
// function, or to what is generated.
func (b *builder) ambiguous(obj *types.TypeName) bool {
	if b.typeParamNamed(obj.Name()) || types.Universe.Lookup(obj.Name()) != nil || slices.Contains(slices.Collect(maps.Values(b.f.Source.Imports)), obj.Name()) {
		return true
	}
	for _, t := range b.f.Types {
		if t.Obj == obj {
			break
		}
		if t.Inside && t.Spec.TypeParams != nil && t.Obj.Name() == obj.Name() {
			return true // no alias in a function has parameters
		}
	}
	found := false
	ast.Inspect(b.f.Root().Decl, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == obj.Name() {
			other := b.info.ObjectOf(id)
			found = found || other != nil && other.Parent() == b.pkg.Types.Scope()
		}
		return !found
	})
	return found
}

// typeParamNamed reports whether the machine has a type parameter of that name.
func (b *builder) typeParamNamed(name string) bool {
	return slices.ContainsFunc(b.f.TypeParams(), func(p *types.TypeParam) bool { return p.Obj().Name() == name })
}

// soleName reports whether a type declared in the body can keep its name at the
// package level: nothing there, no import and no type in any other function's
// body bears it.
func (b *builder) soleName(name string) bool {
	if b.typeParamNamed(name) || b.pkg.Types.Scope().Lookup(name) != nil || types.Universe.Lookup(name) != nil {
		return false
	}
	bearers := 0
	for _, file := range b.pkg.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if n.Name.Name == name {
					bearers++
				}
			case *ast.ImportSpec:
				obj := b.info.Implicits[n]
				if n.Name != nil {
					obj = b.info.Defs[n.Name]
				}
				if obj != nil && obj.Name() == name {
					bearers += 2
				}
			}
			return true
		})
	}
	return bearers == 1
}

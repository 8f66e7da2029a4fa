package emit

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// typ writes a type, as it is named where the output stands.
func (e *emitter) typ(t types.Type) string {
	if i := slices.IndexFunc(e.parts, func(part types.Type) bool { return types.Identical(t, part) }); i >= 0 {
		return e.partName(i)
	}
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			return mark("unsafe", "Pointer")
		}
		return t.Name()
	case *types.Alias:
		obj := t.Obj()
		if obj.Pkg() != nil && (obj.Parent() != obj.Pkg().Scope() || obj.Pkg() != e.pkg.Types && !obj.Exported()) {
			return e.typ(types.Unalias(t))
		}
		return e.named(t.Obj(), t.TypeArgs())
	case *types.Named:
		return e.named(t.Obj(), t.TypeArgs())
	case *types.TypeParam:
		return e.paramTypeName(t)
	case *types.Pointer:
		return "*" + e.typ(t.Elem())
	case *types.Slice:
		return "[]" + e.typ(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]%s", t.Len(), e.typ(t.Elem()))
	case *types.Map:
		return "map[" + e.typ(t.Key()) + "]" + e.typ(t.Elem())
	case *types.Chan:
		return e.chanType(t)
	case *types.Signature:
		return "func" + e.signature(t)
	case *types.Struct:
		return e.structType(t)
	case *types.Interface:
		return e.interfaceType(t)
	case *types.Union:
		return e.union(t)
	}
	panic(fmt.Sprintf("emit: a type of kind %T", t))
}

func (e *emitter) named(obj *types.TypeName, args *types.TypeList) string {
	name := obj.Name()
	switch local := e.f.LocalType(obj); {
	case local != nil && local.Inside:
		name = local.Name
	case local != nil:
		name = local.Name + e.used() // if it has any, the type has no arguments of its own
	case obj.Pkg() != nil && obj.Pkg() != e.pkg.Types:
		name = mark(obj.Pkg().Path(), name)
	}
	var list []string
	for t := range args.Types() {
		list = append(list, e.typ(t))
	}
	return name + bracketed(list)
}

// paramTypeName writes a type parameter; a blank one gets a name that means nothing else.
func (e *emitter) paramTypeName(p *types.TypeParam) string {
	if name := p.Obj().Name(); name != "_" {
		return name
	}
	i := slices.Index(e.f.TypeParams(), p)
	if i < 0 { // of a type that is declared in the body
		i = p.Index()
	}
	name := fmt.Sprintf("T%d", i)
	for e.pkg.Types.Scope().Lookup(name) != nil || e.f.Redeclares(name) {
		name += "_"
	}
	return name
}

func (e *emitter) chanType(t *types.Chan) string {
	elem := e.typ(t.Elem())
	switch t.Dir() {
	case types.SendOnly:
		return "chan<- " + elem
	case types.RecvOnly:
		return "<-chan " + elem
	}
	if inner, ok := t.Elem().(*types.Chan); ok && inner.Dir() == types.RecvOnly {
		elem = "(" + elem + ")"
	}
	return "chan " + elem
}

// signature writes (int, ...string) (bool, error).
func (e *emitter) signature(t *types.Signature) string {
	var params []string
	for i := range t.Params().Len() {
		v := t.Params().At(i).Type()
		if t.Variadic() && i == t.Params().Len()-1 {
			params = append(params, "..."+e.typ(v.(*types.Slice).Elem()))
			continue
		}
		params = append(params, e.typ(v))
	}
	text := "(" + strings.Join(params, ", ") + ")"
	var results []string
	for v := range t.Results().Variables() {
		results = append(results, e.typ(v.Type()))
	}
	switch len(results) {
	case 0:
		return text
	case 1:
		return text + " " + results[0]
	}
	return text + " (" + strings.Join(results, ", ") + ")"
}

func (e *emitter) structType(t *types.Struct) string {
	var fields []string
	for i := range t.NumFields() {
		f := t.Field(i)
		text := e.typ(f.Type())
		if !f.Embedded() {
			text = f.Name() + " " + text
		}
		if tag := t.Tag(i); tag != "" {
			text += " " + strconv.Quote(tag)
		}
		fields = append(fields, text)
	}
	return "struct{" + strings.Join(fields, "; ") + "}"
}

func (e *emitter) interfaceType(t *types.Interface) string {
	if t.NumMethods() == 0 && t.NumEmbeddeds() == 0 {
		return "interface{}"
	}
	var parts []string
	for m := range t.ExplicitMethods() {
		parts = append(parts, m.Name()+e.signature(m.Signature()))
	}
	for embedded := range t.EmbeddedTypes() {
		parts = append(parts, e.typ(embedded))
	}
	return "interface{" + strings.Join(parts, "; ") + "}"
}

func (e *emitter) union(t *types.Union) string {
	var terms []string
	for term := range t.Terms() {
		text := e.typ(term.Type())
		if term.Tilde() {
			text = "~" + text
		}
		terms = append(terms, text)
	}
	return strings.Join(terms, " | ")
}

// constraint writes a type parameter's constraint, without the interface that
// the language leaves out: ~int | ~string.
func (e *emitter) constraint(t types.Type) string {
	if i, ok := t.(*types.Interface); ok && i.NumMethods() == 0 && i.NumEmbeddeds() == 1 {
		if text := e.typ(i.EmbeddedType(0)); text[0] != '*' { // [P *T] would be an array's length
			return text
		}
	}
	return e.typ(t)
}

// zero writes the zero value of t.
func (e *emitter) zero(t types.Type) string {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return "*new(" + e.typ(t) + ")"
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsBoolean != 0:
			return "false"
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsNumeric != 0:
			return "0"
		}
		return "nil" // an unsafe.Pointer
	case *types.Struct, *types.Array:
		return e.typ(t) + "{}"
	}
	return "nil"
}

// localTypes declares what the author declared in the body.
func (e *emitter) localTypes() {
	for _, t := range e.f.Types {
		if t.Obj.IsAlias() || t.Inside {
			continue
		}
		e.out.Commentf("%s is the type %s of %s.", t.Name, t.Obj.Name(), e.f.Name)
		params := e.declared()
		if named, ok := t.Obj.Type().(*types.Named); ok && named.TypeParams().Len() > 0 {
			params = e.declaredParams(slices.Collect(named.TypeParams().TypeParams()))
		}
		e.out.Type().Id(t.Name).Add(raw(params)).Add(raw(e.typ(t.Obj.Type().Underlying())))
		e.out.Line()
	}
}

// insideType declares a type in MoveNext, and returns 1 if it begins a block for that.
// Where two have one name, the rest of MoveNext stands in a block of the second's:
//
//	type pair struct{ a, b int }
//	type fPair = pair
//	{
//		type pair [2]string
//		…
//	}
func (e *emitter) insideType(t *ir.LocalType, declared map[string]bool) (open int) {
	own, name := t.Obj.Name(), t.Name
	if declared[own] {
		e.line("{")
		open = 1
	}
	declared[own] = true
	t.Name = own // in its own declaration
	e.line("type %s", e.f.Node(t.Spec, t.Spec.Pos(), t.Spec.End(), e))
	t.Name = name
	if name != own {
		e.line("type %s = %s", name, own)
	}
	return open
}

// packed puts variables in the order in which their fields waste no padding, if that
// of appearance does: what needs the widest boundary first. Sizes are those of one
// platform, for what is generated must not depend on where.
func (e *emitter) packed(vars []*ir.Var) []*ir.Var {
	if e.used() != "" { // sizes are the instances'
		return vars
	}
	sizes := types.SizesFor("gc", "amd64")
	kept := func(v *ir.Var) types.Type {
		switch {
		case v.Boxed:
			return types.Universe.Lookup("any").Type()
		case v.Cell:
			return types.NewPointer(v.Type)
		}
		return v.Type
	}
	size := func(vars []*ir.Var) int64 {
		var fields []*types.Var
		for i, v := range vars {
			fields = append(fields, types.NewField(token.NoPos, nil, fmt.Sprintf("f%d", i), kept(v), false))
		}
		return sizes.Sizeof(types.NewStruct(append(fields, types.NewField(token.NoPos, nil, "awaiter", types.Typ[types.Uintptr], false)), nil))
	}
	narrowing := slices.Clone(vars)
	slices.SortStableFunc(narrowing, func(a, b *ir.Var) int {
		return cmp.Compare(sizes.Alignof(kept(b)), sizes.Alignof(kept(a)))
	})
	if size(narrowing) < size(vars) {
		return narrowing
	}
	return vars
}

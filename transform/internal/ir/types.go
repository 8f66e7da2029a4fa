package ir

import "go/types"

// Components visits t and what its name is written with, until visit returns
// false.
func Components(t types.Type, seen map[types.Type]bool, visit func(types.Type) bool) {
	if seen[t] || !visit(t) {
		return
	}
	seen[t] = true
	below := func(list ...types.Type) {
		for _, t := range list {
			Components(t, seen, visit)
		}
	}
	switch t := t.(type) {
	case *types.Named:
		below(TypeArgs(t.TypeArgs())...)
	case *types.Alias:
		below(TypeArgs(t.TypeArgs())...)
	case *types.Pointer:
		below(t.Elem())
	case *types.Slice:
		below(t.Elem())
	case *types.Array:
		below(t.Elem())
	case *types.Chan:
		below(t.Elem())
	case *types.Map:
		below(t.Key(), t.Elem())
	case *types.Signature:
		below(t.Params(), t.Results())
	case *types.Tuple:
		for v := range t.Variables() {
			below(v.Type())
		}
	case *types.Struct:
		for v := range t.Fields() {
			below(v.Type())
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			below(m.Type())
		}
		for e := range t.EmbeddedTypes() {
			below(e)
		}
	}
}

// TypeArgs is a list of type arguments, nil if there are none.
func TypeArgs(list *types.TypeList) []types.Type {
	var types []types.Type
	for t := range list.Types() {
		types = append(types, t)
	}
	return types
}

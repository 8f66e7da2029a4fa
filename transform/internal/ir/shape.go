package ir

import "go/types"

// A Shape is how MoveNext comes by a type that the package has no name for: that
// another package does not export, say. The compiler infers it, for a generic
// function, from a value that has to do with it:
//
//	v := other.New()        becomes        func fType1[P any](func() *P) (zero *P) { return }
//
//	                                       v := fType1(other.New)
type Shape struct {
	Parts     []types.Type // that have no name, the larger ones first
	Witnesses []*Witness   // of which the parts can be inferred
}

// A Witness is a value whose type holds a part that has no name. It is never used,
// only looked at by the compiler: a function is not called, a variable not read.
type Witness struct {
	Obj  types.Object // a function, variable or constant of a package; or a field or method of Recv
	Args []types.Type // of a generic function
	Recv types.Type   // nil for an object of a package
	Type types.Type   // of the witness as it is written

	// Recv has no name either, and its own witness comes before.
	Part bool   // the witness is its method set, or that of a pointer to it
	Zero *Shape // how to come by a value of it, whose field is the witness; or, for its method, by a pointer to one
}

// Kept returns the name of the field that keeps v, which is lifted.
func (v *Var) Kept() string {
	if v.Boxed {
		return v.Field
	}
	return v.Name
}

// Alive reports whether v is still mentioned: a local unless its block was pruned,
// others always.
func (v *Var) Alive() bool { return v.Used || v.Set || v.Kind == Param || v.Kind == Result }

// InMachine reports whether v is a field of the machine itself, not a variable of
// MoveNext that is put there while it waits.
func (v *Var) InMachine() bool { return v.Lifted && !v.Boxed }

// HasPointers reports whether a value of t may hold on to memory.
func HasPointers(t types.Type) bool {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0 || u.Kind() == types.UnsafePointer
	case *types.Array:
		return u.Len() > 0 && HasPointers(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if HasPointers(f.Type()) {
				return true
			}
		}
		return false
	}
	return true
}

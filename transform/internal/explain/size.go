package explain

import (
	"go/types"
	"strconv"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Bytes is a size; [Depends] if it is one for each instantiation.
type Bytes int64

// Depends is the size of what depends on type parameters.
const Depends Bytes = -1

// String writes the number, or "?".
func (b Bytes) String() string {
	if b == Depends {
		return "?"
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalJSON writes the number, or null.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if b == Depends {
		return []byte("null"), nil
	}
	return strconv.AppendInt(nil, int64(b), 10), nil
}

// plus adds two sizes.
func (b Bytes) plus(c Bytes) Bytes {
	if b == Depends || c == Depends {
		return Depends
	}
	return b + c
}

// A measure measures types for the platform that is compiled for.
type measure struct{ sizes types.Sizes }

func (m measure) of(t types.Type) Bytes {
	if depends(t, make(map[types.Type]bool)) {
		return Depends
	}
	return Bytes(m.sizes.Sizeof(t))
}

// depends reports whether a value of t holds one of a type parameter.
func depends(t types.Type, seen map[types.Type]bool) bool {
	t = types.Unalias(t)
	if seen[t] {
		return false
	}
	seen[t] = true
	if _, ok := t.(*types.TypeParam); ok {
		return true
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return u.Len() > 0 && depends(u.Elem(), seen)
	case *types.Struct:
		for field := range u.Fields() {
			if depends(field.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// machine finds the machine's struct among what was generated.
func machine(proved *types.Package, f *ir.Func) (named *types.Named, fields *types.Struct, ok bool) {
	obj := proved.Scope().Lookup(f.Machine)
	if obj == nil {
		return nil, nil, false
	}
	named, ok = types.Unalias(obj.Type()).(*types.Named)
	if !ok {
		return nil, nil, false
	}
	fields, ok = named.Underlying().(*types.Struct)
	return named, fields, ok
}

// offsets are where a struct's fields begin, Depends from the first on that
// comes after one without a size.
func (m measure) offsets(s *types.Struct) []Bytes {
	var sized []*types.Var
	for i := range s.NumFields() {
		if m.of(s.Field(i).Type()) == Depends {
			break
		}
		sized = append(sized, s.Field(i))
	}
	list := make([]Bytes, s.NumFields())
	for i := range list {
		list[i] = Depends
	}
	for i, at := range m.sizes.Offsetsof(sized) {
		list[i] = Bytes(at)
	}
	return list
}

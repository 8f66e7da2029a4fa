package plan

import (
	"go/ast"
	"go/types"
	"slices"
)

// This file says when gc reads the key of m[k], and m itself, where an await follows.

// keyIsCopied reports whether gc copies the key before it goes on: for maps without a
// fast path it needs the key's address, and on those paths a struct or an array becomes
// what is hashed in its place (cmd/compile/internal/walk, mapKeyTemp). For a key whose type
// is a parameter's it depends on the argument; here it is as for most types.
func (b *builder) keyIsCopied(m *types.Map, key ast.Expr) bool {
	tv := b.info.Types[key]
	if tv.Value != nil || tv.IsNil() || !tv.IsValue() {
		return false
	}
	converted := !types.Identical(tv.Type, m.Key()) // and so without an address
	if parametric(m.Key()) || !hashedFast(m) {
		return converted || !b.hasAddress(key)
	}
	switch m.Key().Underlying().(type) {
	case *types.Struct, *types.Array:
		return true
	}
	return false
}

// hashedFast reports whether gc has a fast path for the map; an element whose size depends
// on type parameters counts as small.
func hashedFast(m *types.Map) bool {
	if !parametric(m.Elem()) && sizes.Sizeof(m.Elem()) > 128 {
		return false
	}
	size := sizes.Sizeof(m.Key())
	hashed := hashOf(m.Key())
	return hashed == asString || hashed == asMemory && (size == 4 || size == 8)
}

// A hashing is how gc compares and hashes values (cmd/compile/internal/types, AlgKind).
type hashing int

const (
	otherwise hashing = iota
	asMemory          // values are equal when their bytes are
	asString
)

func hashOf(t types.Type) hashing {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case isString(u):
			return asString
		case u.Info()&(types.IsInteger|types.IsBoolean) != 0 || u.Kind() == types.UnsafePointer:
			return asMemory
		}
	case *types.Pointer, *types.Chan:
		return asMemory
	case *types.Array:
		hashed := hashOf(u.Elem())
		if u.Len() == 1 || hashed == asMemory {
			return hashed
		}
		if u.Len() == 0 {
			return asMemory
		}
	case *types.Struct:
		return hashOfStruct(u)
	}
	return otherwise
}

func hashOfStruct(t *types.Struct) hashing {
	if t.NumFields() == 1 && t.Field(0).Name() != "_" {
		return hashOf(t.Field(0).Type())
	}
	var packed int64
	for f := range t.Fields() {
		if f.Name() == "_" || hashOf(f.Type()) != asMemory {
			return otherwise
		}
		packed += sizes.Sizeof(f.Type())
	}
	if packed < sizes.Sizeof(t) { // there is padding
		return otherwise
	}
	return asMemory
}

// convertsBytesKey reports m[string(b)]: gc reads the map at once, so that the
// bytes cannot change under the key.
func (b *builder) convertsBytesKey(e *ast.IndexExpr) bool {
	m, ok := coreType(b.info.TypeOf(e.X)).(*types.Map)
	return ok && b.convertsBytes(e.Index, m.Key())
}

// convertsBytes reports string(b) where a t is wanted, or a literal with one within
// (cmd/compile/internal/walk, mapKeyReplaceStrConv). What is converted once more, to an
// interface say, is neither.
func (b *builder) convertsBytes(e ast.Expr, t types.Type) bool {
	if t == nil || !types.Identical(b.info.TypeOf(e), t) {
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if !b.info.Types[e.Fun].IsType() {
			return false
		}
		to, ok := coreType(t).(*types.Basic)
		from, slice := coreType(b.info.TypeOf(e.Args[0])).(*types.Slice)
		return ok && slice && isString(to) && isByte(from.Elem())
	case *ast.CompositeLit:
		b.wantElements(e)
		return slices.ContainsFunc(e.Elts, func(value ast.Expr) bool {
			if kv, ok := value.(*ast.KeyValueExpr); ok {
				value = kv.Value
			}
			return b.convertsBytes(value, b.want[value])
		})
	}
	return false
}

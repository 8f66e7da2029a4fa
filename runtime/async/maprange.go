package async

import "reflect"

// A MapRange is a range over a map that an await may interrupt: it keeps the
// language's promises about entries that are added and removed meanwhile. Only
// generated code uses it.
type MapRange[K comparable, V any] struct{ iter *reflect.MapIter }

// RangeMap starts a range over m.
func RangeMap[M ~map[K]V, K comparable, V any](m M) MapRange[K, V] {
	return MapRange[K, V]{reflect.ValueOf(m).MapRange()}
}

// Next goes on to the next entry and reports whether there is one.
func (r MapRange[K, V]) Next() bool { return r.iter.Next() }

// Key returns the entry's key.
func (r MapRange[K, V]) Key() (k K) {
	reflect.ValueOf(&k).Elem().SetIterKey(r.iter)
	return k
}

// Value returns the entry's value, as it is when it is first asked for.
func (r MapRange[K, V]) Value() (v V) {
	reflect.ValueOf(&v).Elem().SetIterValue(r.iter)
	return v
}

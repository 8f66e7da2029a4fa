package h

import "iter"

// Types that programs cannot name lead to each other: by fields, methods, type arguments.
type (
	hidden struct {
		N    int
		Sub  part
		Ptr  *part
		List []part
		deep
		*far
	}
	deep       struct{ Deep leaf }
	far        struct{ Far level }
	leaf       int
	level      int
	part       struct{ S string }
	kind       uint8
	box[T any] struct{ V T }
	face       interface{ Link() leaf }
)

// Kind and Var are of such types.
const Kind kind = 3

var Var = Hidden(1)

// Hidden returns one by value, HiddenPtr by reference, HiddenTwo among others.
func Hidden(n int) hidden {
	return hidden{n, part{"sub"}, &part{"ptr"}, []part{{"a"}, {"b"}}, deep{leaf(n)}, &far{level(n)}}
}
func HiddenPtr(n int) *hidden   { v := Hidden(n); return &v }
func HiddenTwo() (hidden, kind) { return Hidden(2), Kind }

func (v *hidden) Next() *hidden { return HiddenPtr(v.N + 1) }
func (v *hidden) Part() *part   { v.N++; return &v.Sub }
func (v hidden) Chain() part    { return part{"chain"} }
func (p part) Link() leaf       { return leaf(len(p.S)) }
func (l leaf) Back() hidden     { return Hidden(int(l)) }

// Each and Pairs are what a range goes over.
func (v hidden) Each() iter.Seq[part] {
	return func(yield func(part) bool) {
		for _, p := range v.List {
			if !yield(p) {
				return
			}
		}
	}
}
func (v hidden) Pairs() iter.Seq2[kind, *part] {
	return func(yield func(kind, *part) bool) {
		for i := range v.List {
			if !yield(kind(i), &v.List[i]) {
				return
			}
		}
	}
}

// Box is generic.
func Box[T any](v T) box[T]       { return box[T]{v} }
func (b box[T]) Get() T           { return b.V }
func (b *box[T]) Set(v T) *box[T] { b.V = v; return b }

// HiddenMap, HiddenChan, HiddenFunc and Face have such types within theirs.
func HiddenMap() map[kind]hidden { return map[kind]hidden{Kind: Hidden(3)} }
func HiddenChan() chan part {
	c := make(chan part, 2)
	c <- part{"c1"}
	c <- part{"c2"}
	close(c)
	return c
}
func HiddenFunc() func(part) (leaf, error) {
	return func(p part) (leaf, error) { return p.Link(), nil }
}
func Face() face { return part{"face"} }

// Open has fields of such types, one of which shows another only in its own name.
type Open struct {
	B box[part]
	H hidden
	M map[string]*part
}

// Holder is exported, and holds what is not.
type Holder[T any] struct{ v T }

func Held() Holder[hidden]             { return Holder[hidden]{Hidden(7)} }
func (o Holder[T]) Sub() part          { return part{"held"} }
func (o *Holder[T]) Link() leaf        { return 5 }
func (o Holder[T]) Value() T           { return o.v }
func (o Holder[T]) Two() (leaf, *part) { return 6, &part{"two"} }

package semantics

import "fmt"

// measured has operands that no row of the table names, or that depend on what
// becomes of them. The names say what gc 1.26 does.
var measured = []test{
	{"late: method value of a value", methodOfValue, methodOfValueAsync},
	{"late: method value of a pointer", methodOfPointer, methodOfPointerAsync},
	{"late: method value of an interface", methodOfInterface, methodOfInterfaceAsync},
	{"late: method value of a nil interface", methodOfNil, methodOfNilAsync},
	{"late: method value of a nil pointer", methodOfNilPointer, methodOfNilPointerAsync},
	{"early: called method value", calledMethodValue, calledMethodValueAsync},
	{"early: v.(*T) to an interface", assertedToAny, assertedToAnyAsync},
	{"early: v.(*T) as an element of []any", assertedElement, assertedElementAsync},
	{"early: v.(I)", assertedInterface, assertedInterfaceAsync},
	{"late: v.(*T).f", assertedField, assertedFieldAsync},
	{"late: &T{x}", addressOfLiteral, addressOfLiteralAsync},
	{"early: &T{x} to an interface", literalToAny, literalToAnyAsync},
	{"late: slice literal, function literal", literals, literalsAsync},
	{"early: map literal as an argument", mapLiteral, mapLiteralAsync},
	{"late: string(b), conversions of numbers", conversions, conversionsAsync},
	{"early: []rune(s), len(string(b))", moreConversions, moreConversionsAsync},
	{"early: cap, max, complex, real", moreBuiltins, moreBuiltinsAsync},
	{"late: s[i], s[i:] of a string", stringParts, stringPartsAsync},
	{"late: slices of arrays", arraySlices, arraySlicesAsync},
	{"late: comparisons", comparisons, comparisonsAsync},
	{"late: variadic arguments", variadics, variadicsAsync},
}

func field(p *pair, n int) int         { return p.a*100 + n }
func first(list []int, n int) int      { return list[0]*100 + n }
func get(m map[int]int, n int) int     { return m[0]*100 + n }
func gotten(g getter, n int) int       { return g.get()*100 + n }
func result(f func() int, n int) int   { return f()*100 + n }
func anyOf(p any, n int) int           { return p.(*pair).a*100 + n }
func joined(n int, list ...any) string { return fmt.Sprint(n, list) }

//nothread:async
func methodOfValue(r *run) any {
	p := pair{1, 1}
	return result(p.get, after(r, func() int { p.a = 10; return 2 }).Await())
}

//nothread:async
func methodOfPointer(r *run) any {
	p := &pair{1, 1}
	return result(p.get, after(r, func() int { p = &pair{10, 10}; return 2 }).Await())
}

//nothread:async
func methodOfInterface(r *run) any {
	var g getter = pair{1, 1}
	return result(g.get, after(r, func() int { g = pair{10, 10}; return 2 }).Await())
}

//nothread:async
func methodOfNil(r *run) any {
	var g getter
	return result(g.get, value(r, 2).Await())
}

//nothread:async
func methodOfNilPointer(r *run) any {
	var p *pair
	return result(p.get, value(r, 2).Await())
}

//nothread:async
func calledMethodValue(r *run) any {
	p := pair{1, 1}
	f := p.get
	return f() + p.get() + after(r, func() int { p.a = 10; return 2 }).Await()
}

//nothread:async
func assertedToAny(r *run) any {
	var v any = &pair{1, 1}
	return anyOf(v.(*pair), after(r, func() int { v = &pair{10, 10}; return 2 }).Await())
}

//nothread:async
func assertedElement(r *run) any {
	var v any = &pair{1, 1}
	return fmt.Sprint([]any{v.(*pair), after(r, func() int { v = &pair{10, 10}; return 2 }).Await()}[0])
}

//nothread:async
func assertedInterface(r *run) any {
	var v any = &pair{1, 1}
	return gotten(v.(getter), after(r, func() int { v = &pair{10, 10}; return 2 }).Await())
}

//nothread:async
func assertedField(r *run) any {
	var v any = &pair{1, 1}
	return v.(*pair).a + after(r, func() int { v = &pair{10, 10}; return 100 }).Await()
}

//nothread:async
func addressOfLiteral(r *run) any {
	x := 1
	a := field(&pair{x, 0}, after(r, func() int { x = 10; return 2 }).Await())
	b := (&pair{x, 0}).sum(after(r, func() int { x = 20; return 2 }).Await())
	c, d := &pair{x, 0}, after(r, func() int { x = 30; return 2 }).Await()
	e := (&pair{x, 0}).a + after(r, func() int { x = 40; return 2 }).Await()
	return both(both(a, b), both(c.a, both(d, e)))
}

//nothread:async
func literalToAny(r *run) any {
	x := 1
	return anyOf(&pair{x, 0}, after(r, func() int { x = 10; return 2 }).Await())
}

//nothread:async
func literals(r *run) any {
	x := 1
	a := first([]int{x}, after(r, func() int { x = 10; return 2 }).Await())
	b := []int{x, 5}[0] + after(r, func() int { x = 20; return 2 }).Await()
	c := [2]int{x, 5}[0] + after(r, func() int { x = 30; return 2 }).Await()
	d := append([]int{x}, after(r, func() int { x = 40; return 2 }).Await())
	e := result(func() int { return x }, after(r, func() int { x = 50; return 2 }).Await())
	return both(both(a, b), both(c, both(d, e)))
}

//nothread:async
func mapLiteral(r *run) any {
	x := 1
	return get(map[int]int{0: x}, after(r, func() int { x = 10; return 2 }).Await())
}

//nothread:async
func conversions(r *run) any {
	var i int8 = 1
	b, x := []byte("a"), 1.5
	text := string(b) + after(r, func() string { b[0] = 'z'; return "!" }).Await()
	sum := int(i) + after(r, func() int { i = 10; return 2 }).Await()
	return both(text, both(sum, int(-x)+after(r, func() int { x = 9; return 100 }).Await()))
}

//nothread:async
func moreConversions(r *run) any {
	s, b := "a", []byte("ab")
	letter := []rune(s)[0] + after(r, func() rune { s = "z"; return 0 }).Await()
	n := len(string(b)) + after(r, func() int { b = nil; return 100 }).Await()
	return both(letter, n)
}

//nothread:async
func moreBuiltins(r *run) any {
	list, x, c := make([]int, 2, 3), 1, complex(1, 2)
	n := cap(list) + after(r, func() int { list = nil; return 100 }).Await()
	m := max(x, 0) + after(r, func() int { x = 50; return 100 }).Await()
	z := complex(float64(x), 0) + after(r, func() complex128 { x = 3; return 100 }).Await()
	re := real(c) + after(r, func() float64 { c = 7; return 100 }).Await()
	return both(both(n, m), both(z, re))
}

//nothread:async
func stringParts(r *run) any {
	s := "abc"
	letter := s[0] + after(r, func() byte { s = "xyz"; return 1 }).Await()
	return both(letter, s[1:]+after(r, func() string { s = "123"; return "!" }).Await())
}

//nothread:async
func arraySlices(r *run) any {
	arr := [3]int{1, 2, 3}
	return first(arr[1:], after(r, func() int { arr[1] = 10; return 2 }).Await())
}

//nothread:async
func comparisons(r *run) any {
	x, p := 1, pair{1, 2}
	var v any = 1
	a := x == after(r, func() int { x = 10; return 10 }).Await()
	b := p == pair{after(r, func() int { p.a = 5; return 5 }).Await(), 2}
	c := v == any(after(r, func() int { v = 7; return 7 }).Await())
	d := v != nil && v == after(r, func() any { v = "text"; return "text" }).Await()
	return both(both(a, b), both(c, d))
}

//nothread:async
func variadics(r *run) any {
	x := 1
	return joined(x, x, after(r, func() int { x = 10; return 2 }).Await(), x)
}

package semantics

import "fmt"

var tests = [][]test{table, measured, expressions, statements, functions, once, shared}

// table has the rows of what gc reads late and what it reads early around a
// call. In each case the await changes what stands to its left.
var table = []test{
	{"late: locals", lateLocals, lateLocalsAsync},
	{"late: globals", lateGlobals, lateGlobalsAsync},
	{"late: p.f, *p", lateFields, lateFieldsAsync},
	{"late: s[i], m[k], arr[x]", lateIndices, lateIndicesAsync},
	{"late: operands", lateOperands, lateOperandsAsync},
	{"late: conversions to interfaces", lateInterfaces, lateInterfacesAsync},
	{"late: elements of literals", lateElements, lateElementsAsync},
	{"late: array and struct arguments", lateCopies, lateCopiesAsync},
	{"late: the callee in a variable", lateCallee, lateCalleeAsync},
	{"late: return x, await", lateReturn, lateReturnAsync},
	{"late: a, b := x, await", lateDefine, lateDefineAsync},
	{"late: left sides of op-assign", lateOpAssign, lateOpAssignAsync},
	{"late: targets of assignments", lateTargets, lateTargetsAsync},
	{"late: append's slice", lateAppend, lateAppendAsync},
	{"early: calls and receives", earlyCalls, earlyCallsAsync},
	{"early: v.(T) not pointer-shaped", earlyAssertion, earlyAssertionAsync},
	{"late: v.(T) pointer-shaped", latePointerAssertion, latePointerAssertionAsync},
	{"early: len, min", earlyBuiltins, earlyBuiltinsAsync},
	{"early: []byte(s), m[string(b)]", earlyConversions, earlyConversionsAsync},
	{"early: slice expressions", earlySlices, earlySlicesAsync},
	{"early: left of && and ||", earlyLogic, earlyLogicAsync},
	{"early: switch tags", earlyTags, earlyTagsAsync},
	{"early: the callee that is a call", earlyCallee, earlyCalleeAsync},
	{"early: range expressions", earlyRange, earlyRangeAsync},
	{"early: callee and arguments of defer and go, late within them", earlyStatement, earlyStatementAsync},
	{"early: method values when formed, deferred ones too", earlyMethodValue, earlyMethodValueAsync},
}

type pair struct{ a, b int }

func (p pair) sum(n int) int   { return p.a + p.b + n }
func (p *pair) add(n int) int  { p.a += n; return p.a }
func (p pair) get() int        { return p.a }
func both(x, y any) string     { return fmt.Sprint(x, " ", y) }
func sums(p pair, n int) int   { return p.a*100 + n }
func ints(a [2]int, n int) int { return a[0]*100 + n }

//nothread:async
func lateLocals(r *run) any {
	x, y := 1, 2
	f := func() { y = 20 }
	return x*100 + y + after(r, func() int { f(); return 3 }).Await()
}

var global int

//nothread:async
func lateGlobals(r *run) any {
	global = 1
	return global + after(r, func() int { global = 10; return 100 }).Await()
}

//nothread:async
func lateFields(r *run) any {
	p, n := &pair{1, 2}, 3
	q := &n
	first := p.a + after(r, func() int { p.a = 10; return 100 }).Await()
	second := *q + after(r, func() int { n = 30; return 100 }).Await()
	third := p.b + after(r, func() int { p = &pair{b: 7}; return 100 }).Await()
	return both(first, both(second, third))
}

//nothread:async
func lateIndices(r *run) any {
	s, m, arr, i := []int{1, 2}, map[string]int{"k": 3}, [2]int{4, 5}, 0
	first := s[i] + after(r, func() int { s[1], i = 20, 1; return 100 }).Await()
	second := m["k"] + after(r, func() int { m["k"] = 30; return 100 }).Await()
	third := arr[i] + after(r, func() int { arr[0], i = 40, 0; return 100 }).Await()
	return both(first, both(second, third))
}

//nothread:async
func lateOperands(r *run) any {
	x, s := 1, "a"
	sum := (x+1)*2 - after(r, func() int { x = 10; return 1 }).Await()
	less := x < after(r, func() int { x = 100; return 50 }).Await()
	shift := x << after(r, func() uint { x = 3; return 1 }).Await()
	text := s + "b" + after(r, func() string { s = "z"; return "c" }).Await()
	return both(both(sum, less), both(shift, text))
}

//nothread:async
func lateInterfaces(r *run) any {
	x := 1
	return both(any(x), after(r, func() int { x = 10; return 2 }).Await())
}

//nothread:async
func lateElements(r *run) any {
	x, y, z := 1, 2, 3
	list := []int{x, after(r, func() int { x = 10; return 0 }).Await()}
	set := map[int]int{y: 1, after(r, func() int { y = 20; return 0 }).Await(): y}
	made := pair{z, after(r, func() int { z = 30; return 0 }).Await()}
	return both(list, both(set, made))
}

//nothread:async
func lateCopies(r *run) any {
	p, a := pair{1, 2}, [2]int{3, 4}
	first := sums(p, after(r, func() int { p.a = 10; return 5 }).Await())
	second := ints(a, after(r, func() int { a[0] = 30; return 6 }).Await())
	third := p.sum(after(r, func() int { p.b = 20; return 7 }).Await())
	return both(first, both(second, third))
}

//nothread:async
func lateCallee(r *run) any {
	f := func(n int) int { return n }
	return f(after(r, func() int { f = func(n int) int { return -n }; return 5 }).Await())
}

//nothread:async
func lateReturn(r *run) any {
	a, b, _ := returnBothAsync(r).Await()
	return both(a, b)
}

//nothread:async
func returnBoth(r *run) (int, int) {
	x := 1
	return x, after(r, func() int { x = 10; return 2 }).Await()
}

//nothread:async
func lateDefine(r *run) any {
	x := 1
	a, b := x, after(r, func() int { x = 10; return 2 }).Await()
	return both(a, b)
}

//nothread:async
func lateOpAssign(r *run) any {
	x, p, m, k := 1, &pair{2, 0}, map[string]int{"k": 3, "l": 50}, "k"
	x += after(r, func() int { x = 10; return 100 }).Await()
	p.a -= after(r, func() int { p.a = 20; return 100 }).Await()
	m[k] += after(r, func() int { m["k"], k = 30, "l"; return 100 }).Await()
	return both(both(x, p.a), m)
}

//nothread:async
func lateTargets(r *run) any {
	a, i, n, p := []int{0, 0}, 0, 0, &pair{}
	q, old := &n, a
	a[i] = after(r, func() int { a, i = []int{7, 7, 7}, 2; return 1 }).Await()
	*q = after(r, func() int { q = new(int); return 2 }).Await()
	before := p
	p.a = after(r, func() int { p = &pair{}; return 3 }).Await()
	return both(both(a, old), both(both(n, *q), both(*p, *before)))
}

//nothread:async
func lateAppend(r *run) any {
	s := []int{1}
	return append(s, after(r, func() int { s = []int{8, 9}; return 2 }).Await())
}

//nothread:async
func earlyCalls(r *run) any {
	x, c := 1, make(chan int, 1)
	c <- 5
	get := func() int { return call(r, x) }
	first := get() + after(r, func() int { x = 10; return 100 }).Await() + get()
	return both(first, <-c+after(r, func() int { r.note(len(c)); return 100 }).Await())
}

//nothread:async
func earlyAssertion(r *run) any {
	var v any = 1
	return v.(int) + after(r, func() int { v = 10; return 100 }).Await()
}

//nothread:async
func latePointerAssertion(r *run) any {
	var v any = &pair{1, 1}
	return field(v.(*pair), after(r, func() int { v = &pair{2, 2}; return 100 }).Await())
}

//nothread:async
func earlyBuiltins(r *run) any {
	s, x := []int{1, 2}, 5
	first := len(s) + after(r, func() int { s = nil; return 100 }).Await()
	second := min(x, 7) + after(r, func() int { x = 1; return 100 }).Await()
	return both(first, second)
}

//nothread:async
func earlyConversions(r *run) any {
	s, b, m := "ab", []byte("k"), map[string]int{"k": 1, "l": 2}
	first := both([]byte(s), after(r, func() int { s = "z"; return 0 }).Await())
	second := m[string(b)] + after(r, func() int { b[0] = 'l'; return 100 }).Await()
	return both(first, second)
}

//nothread:async
func earlySlices(r *run) any {
	s, i := []int{1, 2, 3}, 1
	return both(s[i:], after(r, func() int { s, i = []int{7, 8, 9}, 2; return 0 }).Await())
}

//nothread:async
func earlyLogic(r *run) any {
	t, f := true, false
	and := t && after(r, func() bool { t = false; return true }).Await()
	or := f || after(r, func() bool { f = true; return false }).Await()
	skipped := f && value(r, true).Await() || t || value(r, false).Await()
	return both(and, both(or, skipped))
}

//nothread:async
func earlyTags(r *run) any {
	x := 1
	switch x {
	case after(r, func() int { x = 10; return 10 }).Await():
		return "read late"
	case value(r, 1).Await():
		return "read early"
	}
	return "neither"
}

//nothread:async
func earlyCallee(r *run) any {
	x := 1
	f := func(n int) func(int) int { r.note("f"); return func(m int) int { return 10*n + m } }
	return f(x)(after(r, func() int { x = 5; return 2 }).Await())
}

//nothread:async
func earlyRange(r *run) any {
	s, sum := []int{1, 2, 3}, 0
	for i, v := range s {
		sum += v*10 + i + after(r, func() int { s = append(s, 9); return 0 }).Await()
	}
	return both(sum, s)
}

//nothread:async
func earlyStatement(r *run) any {
	f := func(a, b int) { r.note("f ", a, " ", b) }
	x := 1
	defer f(x, after(r, func() int { x = 10; return 2 }).Await())
	done := make(chan int)
	g := func(a, b int) { done <- a*10 + b }
	go g(x, after(r, func() int { x = 20; g = func(a, b int) { done <- -1 }; return 2 }).Await())
	f, x = nil, 30
	return <-done + value(r, x).Await()
}

//nothread:async
func earlyMethodValue(r *run) any {
	p := pair{1, 2}
	formed := p.get
	q := &p
	defer func(f func() int) { r.note(f()) }(p.get)
	defer q.add(value(r, 3).Await())
	p.a = 10
	value(r, 4).Await()
	q = &pair{100, 100}
	defer func() { r.note(p.a, " ", q.a) }()
	return formed() + value(r, 5).Await()
}

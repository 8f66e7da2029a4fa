package semantics

// expressions has the cases 1 to 19.
var expressions = []test{
	{"1 operand", operand, operandAsync},
	{"2 elements, results and values", elements, elementsAsync},
	{"3 index operands", indexOperands, indexOperandsAsync},
	{"4 op-assign", opAssign, opAssignAsync},
	{"5 index target", indexTarget, indexTargetAsync},
	{"6 pointer targets", pointerTargets, pointerTargetsAsync},
	{"7 target that panics: index", targetIndex, targetIndexAsync},
	{"7 target that panics: nil map", targetMap, targetMapAsync},
	{"7 target that panics: nil pointer", targetPointer, targetPointerAsync},
	{"8 operand that panics: index", operandIndex, operandIndexAsync},
	{"8 operand that panics: division", operandDivision, operandDivisionAsync},
	{"8 operand that panics: nil pointer", operandPointer, operandPointerAsync},
	{"9 panic before: assertion", panicAssertion, panicAssertionAsync},
	{"9 panic before: slice", panicSlice, panicSliceAsync},
	{"10 indices and values", indicesAndValues, indicesAndValuesAsync},
	{"11 first target assigned", firstTarget, firstTargetAsync},
	{"12 old index", oldIndex, oldIndexAsync},
	{"12 swap", swap, swapAsync},
	{"13 value receiver", valueReceiver, valueReceiverAsync},
	{"14 method value", methodValue, methodValueAsync},
	{"14 method value of nil", methodValueOfNil, methodValueOfNilAsync},
	{"15 nil func", nilFunc, nilFuncAsync},
	{"15 nil interface", nilInterface, nilInterfaceAsync},
	{"15 nil embedded pointer", nilEmbedded, nilEmbeddedAsync},
	{"16 replaced callee", replacedCallee, replacedCalleeAsync},
	{"17 array argument, len", arrayArgument, arrayArgumentAsync},
	{"18 shifts", shifts, shiftsAsync},
	{"19 untyped operands", untyped, untypedAsync},
}

//nothread:async
func operand(r *run) any {
	x := 1
	f := func() int { x = 10; return 5 }
	return x + after(r, f).Await()
}

//nothread:async
func elements(r *run) any {
	x := 1
	list := []int{x, after(r, func() int { x = 10; return 0 }).Await()}
	a, b := x, after(r, func() int { x = 100; return 0 }).Await()
	c, d, _ := pairOfAsync(r, x).Await()
	return both(list, both(both(a, b), both(c, d)))
}

//nothread:async
func pairOf(r *run, x int) (int, int) {
	return x, after(r, func() int { x = 1000; return 0 }).Await()
}

//nothread:async
func indexOperands(r *run) any {
	m, s := map[int]int{0: 1}, []int{1}
	a := m[0] + after(r, func() int { m[0] = 10; return 0 }).Await()
	return a*1000 + s[0] + after(r, func() int { s[0] = 10; return 0 }).Await()
}

//nothread:async
func opAssign(r *run) any {
	x, p, m, k := 1, &pair{1, 1}, map[int]int{0: 1}, 0
	x += after(r, func() int { x = 10; return 1 }).Await()
	p.a += after(r, func() int { p = &pair{20, 20}; return 1 }).Await()
	m[k] += after(r, func() int { k = 5; return 1 }).Await()
	x <<= after(r, func() int { x++; return 1 }).Await()
	return both(both(x, *p), m)
}

//nothread:async
func indexTarget(r *run) any {
	a, i := []int{0, 0}, 0
	b := a
	a[i] = after(r, func() int { i = 1; return 1 }).Await()
	a[i] = after(r, func() int { a = []int{0, 0}; return 2 }).Await()
	return both(a, b)
}

type outer struct{ in struct{ g int } }

//nothread:async
func pointerTargets(r *run) any {
	n, p := new(int), new(outer)
	m, q := n, p
	*n = after(r, func() int { n = new(int); return 1 }).Await()
	p.in.g = after(r, func() int { p = new(outer); return 2 }).Await()
	return both(both(*n, *m), both(*p, *q))
}

//nothread:async
func targetIndex(r *run) any {
	s := []int{1}
	s[9] = value(r, 1).Await()
	return s
}

//nothread:async
func targetMap(r *run) any {
	var m map[string]int
	m["k"] = value(r, 1).Await()
	return m
}

//nothread:async
func targetPointer(r *run) any {
	var p *pair
	p.a = value(r, 1).Await()
	return p
}

//nothread:async
func operandIndex(r *run) any {
	s := []int{1}
	return s[9%len(s)+7] + value(r, 1).Await()
}

//nothread:async
func operandDivision(r *run) any {
	z := 0
	return 1/z + value(r, 1).Await()
}

//nothread:async
func operandPointer(r *run) any {
	var p *pair
	return p.a + value(r, 1).Await()
}

//nothread:async
func panicAssertion(r *run) any {
	var v any = "text"
	return v.(int) + value(r, 1).Await()
}

//nothread:async
func panicSlice(r *run) any {
	s := []int{1}
	return both(s[5:], value(r, 1).Await())
}

//nothread:async
func indicesAndValues(r *run) any {
	a, b := make([]int, 2), make([]int, 3)
	a[value(r, 1).Await()], b[value(r, 2).Await()] = value(r, 30).Await(), value(r, 40).Await()
	return both(a, b)
}

//nothread:async
func firstTarget(r *run) any {
	x := 1
	defer func() { r.note("x is ", x) }()
	var p *pair
	x, p.a = value(r, 2).Await(), value(r, 3).Await()
	return x
}

//nothread:async
func oldIndex(r *run) any {
	i, a := 0, []int{5, 6}
	i, a[i] = value(r, 1).Await(), value(r, 9).Await()
	return both(i, a)
}

//nothread:async
func swap(r *run) any {
	a, i, j := []int{1, 2}, 0, 1
	a[i], a[j] = a[j], value(r, 9).Await()
	return a
}

//nothread:async
func valueReceiver(r *run) any {
	p := pair{1, 2}
	x := p.sum(after(r, func() int { p.a = 10; return 100 }).Await())
	return both(x, pair.sum(p, after(r, func() int { p.a = 20; return 100 }).Await()))
}

type getter interface{ get() int }

//nothread:async
func methodValue(r *run) any {
	p := pair{1, 2}
	f := p.get
	p.a = value(r, 10).Await()
	return f() + p.get()
}

//nothread:async
func methodValueOfNil(r *run) any {
	var g getter
	f := g.get
	return value(r, 1).Await() + f()
}

//nothread:async
func nilFunc(r *run) any {
	var f func(int) int
	return f(value(r, 1).Await())
}

type adder interface{ add(int) int }

//nothread:async
func nilInterface(r *run) any {
	var a adder
	return a.add(value(r, 1).Await())
}

//nothread:async
func nilEmbedded(r *run) any {
	var e struct{ *pair }
	return e.sum(value(r, 1).Await())
}

//nothread:async
func replacedCallee(r *run) any {
	f := func(n int) func(int) int { return func(m int) int { return n*10 + m } }
	g := f(1)
	first := g(after(r, func() int { g = f(2); return 5 }).Await())
	return both(first, f(call(r, 3))(value(r, 6).Await()))
}

//nothread:async
func arrayArgument(r *run) any {
	arr, s := [2]int{1, 2}, []int{1, 2}
	first := ints(arr, after(r, func() int { arr[0] = 10; return 5 }).Await())
	return both(first, both(len(s), after(r, func() int { s = nil; return 6 }).Await()))
}

//nothread:async
func shifts(r *run) any {
	var a uint64 = 1 << value(r, 40).Await()
	var b uint8 = 1 << value(r, 9).Await()
	var c int8 = 1<<value(r, 7).Await() + 1
	var d = uint64(1<<value(r, 63).Await()) >> value(r, 62).Await()
	return both(both(a, b), both(c, d))
}

type flag bool

//nothread:async
func untyped(r *run) any {
	var a flag = value(r, 3).Await() == 3
	var b any = value(r, "x").Await() != "x"
	c := both(nil, value(r, 1).Await())
	d := 2.5 * value(r, 2.0).Await()
	var e byte = 'a' + value(r, byte(1)).Await()
	var f flag = 1 < 2 && value(r, flag(true)).Await() && value(r, 1).Await() < 2
	return both(both(a, b), both(c, both(d, both(e, f))))
}

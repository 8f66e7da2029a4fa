package fuzz

import "strings"

// This file makes code that is likely to panic in the middle of a statement, most of all
// where that assigns several values: what was assigned before, and which panic is seen,
// is what is compared.

// Of 100 operands so many panic: of the many that a body has, and of those of a statement
// where it matters most.
const (
	bad   = 12
	worse = 35
)

// parts are those of an array and a struct. If these became interfaces as a whole, gc would
// take their addresses where it finds that they escape: so nobody could say what is evaluated
// early afterwards.
const parts = "a[0], a[1], a[2], t.A, t.L"

// fragile makes an annotated function that is likely to panic.
func (g *generator) fragile(f *fn) string {
	g.fn, g.loops, g.defers, g.depth = f, nil, 0, 1
	f.recovers = true
	f.capture = []int{0, 15, 60}[g.n(3)]
	g.scopes = g.scopes[:1]
	g.push()
	f.results = []*typ{tInt, tInt}
	results, shared, recovers := "int, int", "", g.p(85)
	if g.p(40) {
		f.whole = []*typ{tArray, tU, tT}[g.n(3)]
	}
	if g.p(60) {
		f.names = []string{"r", "q"}
		results = "r, q int"
		if g.p(60) {
			shared, recovers = g.shared(), g.p(10)
		}
	}
	for _, name := range f.names {
		*g.declare(name, tInt).used = true
	}
	body := shared + g.breaking(recovers)
	g.bad = worse
	values := g.fallible() + ", " + g.fallible()
	if f.whole != nil {
		f.results = append([]*typ{f.whole}, f.results...)
		values = g.fallibleLiteral(f.whole) + ", " + values
		if results = f.whole.text + ", " + results; len(f.names) > 0 {
			results = "whole " + results
		}
	}
	return g.f("//nothread:async\nfunc %s() (%s) {\n%sreturn %s\n}\n", f.name, results, body, values)
}

// fallibleLiteral is a literal whose elements may panic.
func (g *generator) fallibleLiteral(t *typ) string {
	switch t {
	case tU:
		return g.f("U{X: %s, B: uint8(%s)}", g.fallible(), g.fallible())
	case tT:
		return g.f("T{A: %s, In: U{%s, 5}, L: []int{%s}, S: %q}", g.fallible(), g.fallible(), g.fallible(), "made")
	}
	return g.f([]string{"[3]int{%s, %s, 6}", "[3]int{2: %s, 0: %s}", "[...]int{%s, 2: %s}"}[g.n(3)], g.fallible(), g.fallible())
}

// shared shows the results to whoever looks after a panic: h.Seen does.
func (g *generator) shared() string {
	what := strings.Join(g.fn.names, ", ")
	if g.p(40) {
		return g.f("pr := &%s\nh.See(func() []any { return []any{*pr} })\n", g.fn.names[0])
	}
	return g.f("h.See(func() []any { return []any{%s} })\n", what)
}

// fragileClosure awaits an async closure that is likely to panic, and recovers.
func (g *generator) fragileClosure() string {
	if !g.fn.recovers || g.hidden("context") || g.hidden("async") || g.hidden("error") {
		return ""
	}
	outer, loops, defers := g.fn, g.loops, g.defers
	g.fn, g.loops = &fn{capture: outer.capture, recovers: true}, nil
	g.push()
	defer func() {
		g.pop()
		g.fn, g.loops, g.defers = outer, loops, defers
	}()
	const closure = "async.Go(h.Ctx(), func(context.Context) %s {\n%sreturn %s, %s\n}).Await()"
	if g.p(50) {
		return g.f(closure, "(int, error)", g.breaking(true), g.fallible(), "nil")
	}
	g.fn.names = []string{"r", "e"} // of which breaking knows no more than one
	shared := g.shared()
	g.fn.names = g.fn.names[:1]
	*g.declare("r", tInt).used = true
	body := shared + g.breaking(false)
	g.bad = worse
	failure := g.f("[]error{nil, e, h.Err(%s)}[%s]", g.say(), []string{g.position(), g.awaitInt() + "&1"}[g.n(2)])
	inner := g.f(closure, "(r int, e error)", body, g.fallible(), failure)
	return g.f("async.Go(h.Ctx(), func(context.Context) (int, error) {\n"+
		"defer func() {\nh.Caught(%s, recover())\nh.Seen(%s)\n}()\nreturn %s\n}).Await()", g.say(), g.say(), inner)
}

// breaking is the body of what is likely to panic, in a scope of its own.
func (g *generator) breaking(recovers bool) string {
	l := new(list)
	var said []string
	local := func(text, name string, t *typ, fixed bool) {
		v := g.declare(name, t)
		v.fixed, v.frozen = fixed, fixed
		l.add(text, v)
		if g.p(40) {
			said = append(said, v.read())
		}
	}
	zero := []string{"z := 0", "z := h.Do(func() int { return 0 }).Await()", "var z int"}[g.n(3)]
	local(zero, "z", tInt, true)
	local("one := z + 1", "one", tInt, true)
	local("s := []int{1, 2, 3}", "s", tInts, false)
	local("a := [3]int{4, 5, 6}", "a", tArray, false)
	local("t := T{A: 7, L: []int{8, 9, 10}}", "t", tT, false)
	local("p := &T{A: 11, L: []int{12, 13, 14}}", "p", tPT, true)
	local("var np *T", "np", tPT, true)
	local(`m := map[string]int{"k": 15}`, "m", tMap, false)
	local("var nm map[string]int", "nm", tMap, true)
	local("var v, w any = 16, &T{A: 17}", "v", tAny, true)
	*g.declare("w", tAny).used = true
	local("var u any = s", "u", tAny, true)
	l.add("_, _ = v, w")
	local(`c := []rune("abc")`, "c", tRunes, false)
	local("x := 18", "x", tInt, false)
	local("y, ok := 19, true", "y", tInt, false)
	*g.declare("ok", tBool).used = true
	l.add("_ = ok")
	if g.p(20) {
		local("ip := &x", "ip", tPInt, true)
	} else {
		local("ip := new(int)", "ip", tPInt, true)
	}
	if recovers {
		said = append(said, g.fn.names...)
		l.add(g.f("defer func() {\nh.Caught(%s, recover())\nh.Say(%s)\n}()", g.say(), strings.Join(append([]string{g.say()}, said...), ", ")))
	}
	g.bad = bad
	for range g.between(g.n(2), 4) {
		l.add(g.breakable())
	}
	if g.p(70) {
		l.add(g.f("h.Say(%s, %s, x, y, s, %s, c, *p, m, ok)", g.say(), g.awaitInt(), parts))
	}
	return l.String()
}

// breakable is a statement of such a body.
func (g *generator) breakable() string {
	if g.fn.whole != nil && len(g.fn.names) > 0 && g.p(35) {
		return "whole = " + g.fallibleLiteral(g.fn.whole)
	}
	switch s := g.several(); g.n(9) {
	case 0:
		return g.f("for range 2 {\n%s\n}", s)
	case 1:
		return g.f("if one > z {\n%s\n} else {\n%s\n}", s, g.several())
	case 2, 3:
		return g.assigningRange(s)
	default:
		return s
	}
}

// assigningRange is a range that assigns to operands.
func (g *generator) assigningRange(body string) string {
	g.bad = worse
	defer func() { g.bad = bad }()
	key, value := g.assignable(), g.assignable()
	x := ""
	switch g.n(6) {
	case 0:
		x = []string{"s", "t.L", "p.L", "([]int{20, 21})", g.f("s[%s:]", g.position())}[g.n(5)]
	case 1:
		x = []string{"a", "([...]int{20, 21})", "[3]int(s)"}[g.n(3)]
	case 2:
		x = []string{"&a", "(&[...]int{20, 21})"}[g.n(2)]
	case 3:
		x, value = `"xy"`, []string{"_", g.f("c[%s]", g.position()), g.f("c[%s]", g.position())}[g.n(3)]
	case 4:
		x = "(map[int]int{1: 20})"
	case 5:
		x, value = []string{"2", "one + 1"}[g.n(2)], ""
	}
	if value != "" && g.p(85) {
		key += ", " + value
	}
	body = []string{body, g.awaitInt(), "if x > 9 {\ncontinue\n}"}[g.n(3)]
	return g.f("for %s = range %s {\n%s\nh.Say(%s, x, y, s, %s, c)\n}", key, x, body, g.say(), parts)
}

// several is mostly a statement that assigns several values.
func (g *generator) several() string {
	switch g.n(13) {
	case 0:
		a, b := g.two()
		return g.f("{\n%s, %s := %s, %s\nh.Say(%s, %s, %s, %s)\n}", a, b, g.fallible(), g.fallible(), g.say(), a, b, g.literal(tInt))
	case 1:
		a, b := g.two()
		return g.f("{\nvar %s, %s = %s, %s\nh.Say(%s, %s, %s, %s)\n}", a, b, g.fallible(), g.fallible(), g.say(), a, b, g.awaitInt())
	case 2:
		from := []string{"h.Do2(func() (int, int) { return 5, 6 }).Await()", g.f("h.Pair(%s, 7, 8)", g.say())}[g.n(2)]
		return g.f("%s, %s = %s", g.assignable(), g.assignable(), from)
	case 3:
		from := []string{`m["k"]`, "v.(int)", "w.(int)", g.f("m[h.Do(func() string { h.Say(%s); return \"k\" }).Await()]", g.say())}[g.n(4)]
		return g.f("%s, %s = %s", g.assignable(), []string{"ok", "_"}[g.n(2)], from)
	case 4:
		x := []string{"s", "a", "t.L", "p.L"}[g.n(4)]
		i, j := g.position(), g.position()
		return g.f("%[1]s[%[2]s], %[1]s[%[3]s] = %[1]s[%[3]s], %[1]s[%[2]s]", x, i, j)
	case 5, 7:
		op := []string{"+=", "-=", "/=", "%=", "<<=", ">>=", "&^="}[g.n(7)]
		x := g.assignable()
		if x == "_" {
			x = "x"
		}
		return g.f("%s %s %s", x, op, g.fallible())
	case 6:
		return g.f("%s, ok, %s = %s, %s == %s, %s", g.assignable(), g.assignable(), g.fallible(), g.comparable(), g.comparable(), g.fallible())
	}
	n := g.between(2, 4)
	targets, values := make([]string, n), make([]string, n)
	for i := range n {
		targets[i], values[i] = g.assignable(), g.fallible()
	}
	return strings.Join(targets, ", ") + " = " + strings.Join(values, ", ")
}

// either is one or the other, if that is bad.
func (g *generator) either(good, panics string) string {
	if g.p(g.bad) {
		return panics
	}
	return good
}

// position is an index of three elements.
func (g *generator) position() string {
	switch g.n(6) {
	case 0:
		return g.awaitInt() + "&1"
	case 1:
		return []string{"x", "y"}[g.n(2)] + "&1"
	case 2:
		return g.f("one/%s", g.either("one", "z"))
	}
	return g.either([]string{"0", "z", "one", "z+2"}[g.n(4)], []string{"one+8", "z+9"}[g.n(2)])
}

// assignable is a target of type int.
func (g *generator) assignable() string {
	if len(g.fn.names) > 0 && g.p(25) {
		return g.fn.names[g.n(len(g.fn.names))]
	}
	switch g.n(12) {
	case 0, 1, 2:
		return []string{"x", "y"}[g.n(2)]
	case 3:
		return g.f("a[%s]", g.position())
	case 4:
		return "t.A"
	case 5:
		return g.f("%s.L[%s]", g.either("t", "np"), g.position())
	case 6:
		return g.either("p", "np") + ".A"
	case 7:
		return g.f(`%s["k"]`, g.either("m", "nm"))
	case 8:
		return []string{"*ip", "_", g.f("g%da", g.id)}[g.n(3)]
	case 9:
		return g.f("%s.(*T).A", g.either("w", "v"))
	}
	return g.f("s[%s]", g.position())
}

// fallible is an operand of type int.
func (g *generator) fallible() string {
	a := []string{"x", "y", "7", "one", "a[0]", "t.A"}[g.n(6)]
	if len(g.fn.names) > 0 && g.p(15) {
		a = g.fn.names[0]
	}
	switch g.n(18) {
	case 0, 1:
		return g.f("%s %s %s", a, []string{"/", "%"}[g.n(2)], g.either("one", "z"))
	case 2:
		return g.f("%s << (%s - 1)", a, g.either("one", "z"))
	case 3:
		return g.f("%s >> (%s - 1)", a, g.either("one", "z"))
	case 4, 5:
		return g.f("%s[%s]", []string{"s", "t.L", "p.L"}[g.n(3)], g.position())
	case 6:
		return g.f("a[%s]", g.position())
	case 7:
		return g.either("p", "np") + ".A"
	case 8:
		return g.f("%s.(int)", g.either("v", "w"))
	case 9:
		return g.f("%s.(*T).A", g.either("w", "v"))
	case 10:
		s := []string{"s", "s", g.f("h.Do(%s).Await()", g.action(tInts))}[g.n(3)]
		return g.f("[%s]int(%s)[%s]", g.either("3", "9"), s, []string{"z", "one"}[g.n(2)])
	case 11:
		return g.f("s[%s:][z]", g.position())
	case 12:
		return g.f("int(float64(%s / %s))", a, g.either("one", "z"))
	case 13:
		return g.f("%s + %s/%s", g.awaitInt(), a, g.either("one", "z"))
	case 14:
		return g.expr(tInt, 1)
	case 15:
		return `m["k"]`
	case 16:
		return g.awaitInt()
	}
	return a
}

// comparable is an operand of type any, which may hold what cannot be compared.
func (g *generator) comparable() string {
	return []string{"v", "w", "any(x)", g.either("v", "u"), "u"}[g.n(5)]
}

// awaitInt awaits an int.
func (g *generator) awaitInt() string { return g.f("h.Do(%s).Await()", g.action(tInt)) }

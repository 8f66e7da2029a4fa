package fuzz

import (
	"slices"
)

// operations are the operators, conversions and calls that make a t.
func (g *generator) operations(t *typ, d int) []option {
	switch t.kind {
	case integer:
		return append(g.arithmetic(t, d), g.integers(t, d)...)
	case float, complexes:
		return g.floats(t, d)
	case text:
		return g.texts(t, d)
	case boolean:
		return g.booleans(d)
	case slice:
		return g.slices(t, d)
	case array, mapping, structure, generic:
		return g.composites(t, d)
	case pointer:
		return g.pointers(t, d)
	case anything:
		return []option{{3, func() string {
			u := allTypes[g.n(len(allTypes))]
			if u.kind == function {
				return ""
			}
			return g.f("any(%s)", g.typed(u, d-1))
		}}}
	case valuer:
		return []option{{3, func() string {
			u := []*typ{tN, tU, tT, tPT}[g.n(4)]
			return g.f("I(%s)", g.typed(u, d-1))
		}}}
	case function:
		return g.functions(d)
	case opaque:
		return []option{{1, func() string { return g.opaque(t) }}}
	}
	if t.constraint == numeric {
		return g.arithmetic(t, d)[:2]
	}
	return []option{{1, func() string { return g.atom(t) }}}
}

// arithmetic is what all integers have.
func (g *generator) arithmetic(t *typ, d int) []option {
	two := func() (string, string) {
		a, b := g.paren(g.nonconst(t, d-1)), g.paren(g.expr(t, d-1))
		if g.p(30) {
			return b, a
		}
		return a, b
	}
	return []option{
		{2, func() string {
			a, b := g.raced(of(t))
			if a == "" {
				return ""
			}
			return g.f("%s %s %s", a, []string{"+", "-", "*"}[g.n(3)], b)
		}},
		{6, func() string {
			a, b := two()
			return g.f("%s %s %s", a, []string{"+", "-", "*", "&", "|", "^", "&^"}[g.n(7)], b)
		}},
		{1, func() string {
			a := g.paren(g.nonconst(t, d-1))
			op := []string{"/", "%"}[g.n(2)]
			if !g.p(g.fn.risk * 3) {
				return g.f("%s %s %s", a, op, g.literal(t))
			}
			return g.f("%s %s %s", a, op, g.paren(g.nonconst(t, d-1)))
		}},
		{1, func() string {
			return g.f("%s %s (%s & 7)", g.paren(g.nonconst(t, d-1)), []string{"<<", ">>"}[g.n(2)], g.paren(g.nonconst([]*typ{tUint8, tInt}[g.n(2)], d-1)))
		}},
		{1, func() string {
			return g.f("%s(1 << (%s & 7))", t, g.paren(g.nonconst(tUint8, d-1)))
		}},
		{1, func() string {
			x := g.paren(g.nonconst(t, d-1))
			if x[0] == '-' || x[0] == '+' { // else they would be one token
				x = "(" + x + ")"
			}
			return []string{"-", "^", "+"}[g.n(3)] + x
		}},
		{2, func() string {
			u := []*typ{tInt, tUint8, tUint64, tInt8, tRune, tN}[g.n(6)]
			return g.f("%s(%s)", t, g.nonconst(u, d-1))
		}},
		{1, func() string { return g.least(t, d) }},
	}
}

// least is the least of two values, or the greatest.
func (g *generator) least(t *typ, d int) string {
	if g.hidden("min") {
		return ""
	}
	if g.p(30) {
		return g.f("%s(%s, %s, %s)", []string{"min", "max"}[g.n(2)], g.expr(t, d-1), g.nonconst(t, d-1), g.expr(t, d-1))
	}
	return g.f("%s(%s, %s)", []string{"min", "max"}[g.n(2)], g.nonconst(t, d-1), g.nonconst(t, d-1))
}

// integers is what only some have.
func (g *generator) integers(t *typ, d int) []option {
	switch t {
	case tUint8:
		return []option{{2, func() string { return g.f("%s[%d]", g.operand(tString, d-1), g.n(1)) }}}
	case tInt:
	default:
		return nil
	}
	return slices.Concat(g.reached(d), []option{
		{2, func() string {
			if g.hidden("len") {
				return ""
			}
			u := []*typ{tInts, tString, tMap, tArray, tStrings, tPArray}[g.n(6)]
			return g.f("len(%s)", g.expr(u, d-1))
		}},
		{1, func() string {
			if g.hidden("cap") {
				return ""
			}
			return g.f("cap(%s[:2:2])", g.operand(tInts, d-1))
		}},
		{3, func() string { return g.method(d) }},
		{2, func() string {
			x := g.place(tGrid)
			if x == "" {
				x = g.operand(tGrid, d-1)
			}
			return g.f("%s[%s][%s&1]", x, g.index(d), g.paren(g.nonconst(tInt, d-1)))
		}},
		{1, func() string { return g.f("copy(%s, %s)", g.expr(tBytes, d-1), g.expr(tString, d-1)) }},
		{2, func() string {
			if g.plain > 0 {
				return ""
			}
			return g.f("%s(%s)", g.operand(tFunc, d-1), g.expr(tInt, d-1))
		}},
		{3, func() string { return g.elementCall() }},
		{1, func() string {
			if g.plain > 0 {
				return ""
			}
			return g.f("[...]func(int) int{%s, %s}[%s&1](%s)", g.expr(tFunc, d-1), g.expr(tFunc, d-1), g.paren(g.nonconst(tInt, d-1)), g.expr(tInt, d-1))
		}},
		{1, func() string { return g.exitingCall(d) }},
	}, g.literalCalls(d), []option{
		{1, func() string {
			return g.f("int(%s)", g.nonconst(tFloat, d-1))
		}},
		{1, func() string {
			if v := g.variable(of(tG)); v != nil && !v.constant {
				return g.use(v) + ".Get()"
			}
			return ""
		}},
		{1, func() string {
			return g.f("<-func() chan int { c := make(chan int, 1); c <- %s; return c }()", g.plainExpr(tInt))
		}},
	})
}

// literalCalls call literals.
func (g *generator) literalCalls(d int) []option {
	return []option{
		{1, func() string {
			if g.hidden("len") {
				return ""
			}
			return g.f("h.V(func(a int, s string) (int, error) { return a + len(s), nil }(h.Pair(%s, %s, %s)))",
				g.say(), g.typed(tInt, d-1), g.typed(tString, d-1))
		}},
		{1, func() string {
			if g.plain > 0 || g.hidden("len") {
				return ""
			}
			return g.f("func(a int, s string) int { return a - len(s) }(h.Do2(%s).Await())", g.action2(tInt, tString))
		}},
		{1, func() string {
			if g.hidden("len") {
				return ""
			}
			return g.f("func(a int, b ...int) int { return a + len(b) }(%s, %s, %s)", g.expr(tInt, d-1), g.expr(tInt, d-1), g.expr(tInt, d-1))
		}},
		{1, func() string {
			if g.hidden("len") {
				return ""
			}
			return g.f("func(a int, b ...int) int { return a + len(b) }(%s, %s...)", g.expr(tInt, d-1), g.operand(tInts, d-1))
		}},
	}
}

// reached are ints behind unsafe pointers and in values of types without a name.
func (g *generator) reached(d int) []option {
	return []option{
		{1, func() string {
			if g.plain > 0 {
				return ""
			}
			return g.f("*(*int)(%s)", g.operand(tUnsafe, d-1))
		}},
		{2, func() string {
			x := g.place(tSecret)
			if x == "" {
				return ""
			}
			return x + []string{".V", g.f(".Get(%s)", g.expr(tInt, d-1))}[g.n(2)]
		}},
	}
}

// plainExpr is an expression without an await, for the inside of a literal.
func (g *generator) plainExpr(t *typ) (s string) {
	g.closure(func() string { s = g.expr(t, 1); return "" })
	return s
}

// action2 is an action with two results.
func (g *generator) action2(a, b *typ) string {
	var values string
	body := g.closure(func() string {
		muts := g.mutations()
		values = g.expr(a, 1) + ", " + g.expr(b, 1)
		return muts
	})
	return g.f("func() (%s, %s) { %sreturn %s }", a, b, body, values)
}

// method calls a method with one argument.
func (g *generator) method(d int) string {
	arg := func() string { return g.expr(tInt, d-1) }
	if x := g.place(tDerived); x != "" && g.p(60) {
		return g.applied(x, arg())
	}
	switch g.n(14) {
	case 13:
		if x := g.place(tG); x != "" {
			return g.applied(x, arg())
		}
	case 8:
		return g.f("I.Val(%s, %s)", g.typed(tI, d-1), arg())
	case 9:
		return g.f("%s.Val(%s)", g.operand(tEI, d-1), arg())
	case 10:
		if x := g.place(tEG); x != "" {
			return []string{x + ".Get()", g.f("(*G[int]).Get(%s.G)", x), g.f("EG.Get(%s)", x)}[g.n(3)]
		}
	case 11:
		if v := g.variable(func(v *variable) bool { return v.t.constraint == "I" }); v != nil {
			return g.f("%s.Val(%s)", g.use(v), arg())
		}
	case 12:
		if v := g.variable(func(v *variable) bool { return v.t.constraint == numeric }); v != nil {
			return g.f("int(%s)", g.expr(v.t, d-1))
		}
	case 0:
		return g.f("%s.Val(%s)", g.operand(tT, d-1), arg())
	case 1:
		if x := g.place(tT); x != "" {
			return g.f("%s.Ptr(%s)", x, arg())
		}
	case 2:
		return g.f("%s.%s(%s)", g.operand(tPT, d-1), []string{"Ptr", "Val"}[g.n(2)], arg())
	case 3:
		return g.f("%s.Val(%s)", g.operand(tI, d-1), arg())
	case 4:
		return g.f("T.Val(%s, %s)", g.expr(tT, d-1), arg())
	case 5:
		return g.f("%s.%s(%s)", g.operand(tE, d-1), []string{"Ptr", "Val"}[g.n(2)], arg())
	case 6:
		return g.f("(*T).Ptr(%s, %s)", g.expr(tPT, d-1), arg())
	case 7:
		if x := g.place(tU); x != "" {
			return g.f("%s.Add(%s).Val(%s)", x, arg(), arg())
		}
	}
	return ""
}

// applied has a method value of x, a G, beside what changes x.
func (g *generator) applied(x, arg string) string {
	return g.f("Apply(%s.More, Bump(&%[1]s, %[2]s))", x, arg)
}

func (g *generator) floats(t *typ, d int) []option {
	options := []option{{4, func() string {
		return g.f("%s %s %s", g.paren(g.nonconst(t, d-1)), []string{"+", "-", "*"}[g.n(3)], g.paren(g.expr(t, d-1)))
	}}}
	if t == tFloat {
		return append(options,
			option{1, func() string { return g.least(t, d) }},
			option{1, func() string {
				return g.f("float64(%s)", g.nonconst(tInt, d-1))
			}},
			option{3, func() string {
				if g.hidden("real") {
					return ""
				}
				return g.f("%s(%s)", []string{"real", "imag"}[g.n(2)], g.nonconst(tComplex, d-1))
			}})
	}
	return append(options, option{2, func() string {
		return g.f("complex(%s, %s)", g.nonconst(tFloat, d-1), g.expr(tFloat, d-1))
	}})
}

// sliced has a bound that what comes behind it changes.
func (g *generator) sliced(t *typ, d int) string {
	from, change := g.racing(of(tInt))
	if from == "" {
		return ""
	}
	to := change + "()"
	if g.p(50) {
		to = "h.Do(" + change + ").Await()"
	}
	switch g.n(4) {
	case 0:
		return g.f("%s[%s:%s]", g.operand(t, d-1), from, to)
	case 1:
		return g.f("%s[%s:%s&1+1]", g.operand(t, d-1), from, to)
	}
	return g.f("%s[%s&1:%s&1+1]", g.operand(t, d-1), from, to)
}

func (g *generator) texts(t *typ, d int) []option {
	return []option{
		{1, func() string {
			a, b := g.raced(of(t))
			if a == "" {
				return ""
			}
			return a + " + " + b
		}},
		{4, func() string { return g.f("%s + %s", g.nonconst(t, d-1), g.expr(t, d-1)) }},
		{1, func() string {
			return g.f("%s + %s + %s", g.nonconst(t, d-1), g.expr(t, d-1), g.expr(t, d-1))
		}},
		{1, func() string {
			return g.f("%s[%s:]", g.operand(t, d-1), []string{"0", "1"}[g.n(2)])
		}},
		{1, func() string { return g.sliced(t, d) }},
		{1, func() string { return g.f("string(%s)", g.expr(tBytes, d-1)) }},
		{1, func() string { return g.least(t, d) }},
		{1, func() string { return g.f("string(%s)", g.typed(tRune, d-1)) }},
	}
}

func (g *generator) booleans(d int) []option {
	compare := func(name string, types []*typ, ops []string) func() string {
		return func() string {
			t := types[g.n(len(types))]
			a, b := g.nonconst(t, d-1), g.expr(t, d-1)
			return g.f("(%s %s %s)", g.paren(a), ops[g.n(len(ops))], g.paren(b))
		}
	}
	both := []string{"==", "!="}
	return []option{
		{3, compare("comparison of numeric", []*typ{tInt, tUint8, tString, tFloat, tN}, []string{"<", "<=", ">", ">=", "==", "!="})},
		{1, compare("comparison of structs, arrays", []*typ{tU, tArray, tW}, both)},
		{1, compare("comparison of bools", []*typ{tBool}, both)},
		{1, func() string {
			t := []*typ{tError, tPT, tFunc, tMap, tInts}[g.n(5)]
			return g.f("(%s %s nil)", g.operand(t, d-1), both[g.n(2)])
		}},
		{1, func() string {
			return g.f("(%s == any(%s))", g.nonconst(tInt, d-1), g.typed([]*typ{tInt, tString}[g.n(2)], d-1))
		}},
		{4, func() string {
			return g.f("(%s %s %s)", g.expr(tBool, d-1), []string{"&&", "||"}[g.n(2)], g.expr(tBool, d-1))
		}},
		{1, func() string { return "!" + g.operand(tBool, d-1) }},
	}
}

func (g *generator) slices(t *typ, d int) []option {
	return []option{
		{3, func() string {
			return g.f("%s{%s, %s, %s}", t, g.expr(t.elem, d-1), g.expr(t.elem, d-1), g.expr(t.elem, d-1))
		}},
		{2, func() string {
			if g.hidden("append") {
				return ""
			}
			return g.f("h.Clip(append(%s, %s))", g.typed(t, d-1), g.expr(t.elem, d-1))
		}},
		{1, func() string {
			u := t
			if t == tBytes && g.p(50) {
				u = tString
			}
			return g.f("h.Clip(append(%s, %s...))", g.typed(t, d-1), g.operand(u, d-1))
		}},
		{1, func() string {
			return g.f("%s[:%s]", g.operand(t, d-1), []string{"3", "2", "2:3"}[g.n(3)])
		}},
		{1, func() string { return g.sliced(t, d) }},
		{2, func() string {
			if t != tInts {
				return ""
			}
			if v := g.variable(func(v *variable) bool { return v.t == tArray && !v.constant }); v != nil && g.p(30) {
				return g.use(v) + "[:]"
			}
			// What a generic call returns is converted: else gc 1.26 fails ("bad ptr to array in slice").
			return g.f("(*[3]int)(%s)[:]", g.expr(tPArray, d-1))
		}},
		{1, func() string {
			if t == tBytes {
				return g.f("h.Clip([]byte(%s))", g.nonconst(tString, d-1))
			}
			return g.f("make(%s, %s&3+3)", t, g.paren(g.nonconst(tInt, d-1)))
		}},
	}
}

func (g *generator) composites(t *typ, d int) []option {
	return []option{{4, func() string {
		switch t.kind {
		case array:
			return g.f("%s{%s, 2: %s}", t, g.expr(t.elem, d-1), g.expr(t.elem, d-1))
		case mapping:
			if t.key == tInt {
				return g.f("%s{%s: %s}", t, g.nonconst(tInt, d-1), g.expr(t.elem, d-1))
			}
			return g.f("%s{%s: %s, %s: %s}", t, g.nonconst(t.key, d-1), g.expr(t.elem, d-1), knownKey(t), g.expr(t.elem, d-1))
		case generic:
			if t == tG {
				return g.f("Of(%s)", g.typed(t.elem, d-1))
			}
			return g.f("%s{V: %s, C: %s}", t, g.expr(t.elem, d-1), g.expr(tInt, d-1))
		}
		switch t {
		case tU:
			return g.f("U{X: %s, B: %s}", g.expr(tInt, d-1), g.expr(tUint8, d-1))
		case tW:
			return g.f("W{%s}", g.expr(tString, d-1))
		case tE:
			return g.f("E{%s, %s}", g.expr(tPT, d-1), g.expr(tInt, d-1))
		case tEI:
			return g.f("EI{%s, %s}", g.typed(tI, d-1), g.expr(tInt, d-1))
		case tEG:
			return g.f("EG{&G[int]{V: %s}, %s}", g.expr(tInt, d-1), g.expr(tInt, d-1))
		case tT:
		default:
			return g.f("%s{%s, %s}", t, g.expr(tInt, d-1), g.expr(tString, d-1))
		}
		return g.f("T{A: %s, S: %s, In: %s, L: %s}", g.expr(tInt, d-1), g.expr(tString, d-1), g.expr(tU, d-1), g.expr(tInts, d-1))
	}}, {1, func() string {
		switch {
		case t == tU:
			return g.f("U(struct {\nX int\nB uint8\n}{%s, %s})", g.expr(tInt, d-1), g.expr(tUint8, d-1))
		case t.local:
			return g.f("%s(%s)", t, g.operand(tAnon, d-1))
		}
		return ""
	}}}
}

func (g *generator) pointers(t *typ, d int) []option {
	return []option{
		{3, func() string {
			if x := g.place(t.elem); x != "" && x[0] != 'm' {
				return "&" + x
			}
			return ""
		}},
		{2, func() string {
			if t == tPInt {
				if x := g.place(tT); x != "" {
					return "&" + x + ".A"
				}
				return ""
			}
			if t.elem.kind == structure {
				if lit := g.composites(t.elem, d)[0].make(); lit != "" {
					return "&" + lit
				}
			}
			return ""
		}},
		{3, func() string {
			x := g.place([]*typ{tInts, tArray}[g.n(2)])
			if t != tPInt || x == "" || d < 1 {
				return ""
			}
			return g.f("&%s[%s&1]", x, g.paren(g.nonconst(tInt, d-1)))
		}},
		{1, func() string { return g.f("new(%s)", g.typed(t.elem, d-1)) }},
		{1, func() string {
			if g.p(g.fn.risk * 4) {
				return "nil"
			}
			return ""
		}},
	}
}

// elementCall calls an element, or its method, with what changes the elements: when
// the element is read depends on whether its index calls anything.
func (g *generator) elementCall() string {
	elements, method := tFuncs, ""
	if g.p(40) {
		elements, method = tIs, ".Val"
	}
	x, awaited := g.raced(of(elements))
	if x == "" || g.hidden("len") {
		return ""
	}
	index := []string{"0", "len(" + x + ")-1", "h.Id(" + g.say() + ", 1)"}[g.n(3)]
	return g.f("%s[%s]%s(len(%s))", x, index, method, awaited)
}

func (g *generator) functions(d int) []option {
	if g.plain > 0 {
		return []option{{1, func() string { return g.literal(tFunc) }}}
	}
	return []option{
		{3, func() string {
			return g.f("%s.Val", g.operand([]*typ{tT, tU, tN, tI, tPT}[g.n(5)], d-1))
		}},
		{1, func() string { return g.f("%s.Ptr", g.operand(tPT, d-1)) }},
		{3, func() string {
			var body, value string
			body = g.closure(func() string {
				g.declare("x", tInt)
				muts := ""
				if s := g.change(func(v *variable) bool { return v.changeable() && v.t.kind != function }); s != "" && g.p(50) {
					muts = s + "; "
				}
				value = g.expr(tInt, 2)
				return muts
			})
			return g.f("func(x int) int { %sreturn %s }", body, value)
		}},
	}
}

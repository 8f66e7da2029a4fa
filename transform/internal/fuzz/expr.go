package fuzz

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

func (g *generator) f(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// expr makes an expression of type t, with at most d operations in depth.
func (g *generator) expr(t *typ, d int) string {
	if d <= 0 {
		return g.atom(t)
	}
	common := []option{
		{4, func() string { return g.atom(t) }},
		{1, func() string {
			return g.f("h.Id(%s, %s)", g.say(), g.typed(t, d-1))
		}},
		{1, func() string { return g.fromStruct(t, d) }},
		{1, func() string { return g.fromPointer(t, d) }},
		{1, func() string { return g.fromElement(t, d) }},
		{1, func() string {
			return g.f("any(%s).(%s)", g.typed(t, d-1), t)
		}},
		{1, func() string { return g.immediate(t, d) }},
	}
	if g.plain == 0 {
		common = append(common,
			option{6, func() string { return g.await(t, d) }},
			option{2, func() string { return g.twin(t, d) }})
	}
	if s := g.choose(append(common, g.operations(t, d)...)); s != "" {
		return s
	}
	return g.atom(t)
}

// typed is an expression that has type t by itself, not by its place.
func (g *generator) typed(t *typ, d int) string {
	s := g.expr(t, d)
	switch t.kind {
	case integer, float, complexes, text, boolean:
		if t != tInt && t != tString && t != tBool || strings.HasPrefix(s, "1 <<") {
			return t.text + "(" + s + ")"
		}
	case anything, failure, valuer, pointer, slice, mapping, function:
		if s == "nil" || t.kind == anything || t.kind == failure || t.kind == valuer || t.kind == function {
			return "(" + t.text + ")(" + s + ")"
		}
	}
	return s
}

// atom makes an expression without operands.
func (g *generator) atom(t *typ) string {
	if v := g.variable(of(t)); v != nil && g.p(80) && (t.kind != function || g.plain == 0) {
		return g.use(v)
	}
	if t == tInt && g.fn != nil && g.fn.recv != "" && g.p(15) {
		if v := g.variable(func(v *variable) bool { return v.name == "m" }); v != nil && v.t.text == g.fn.recv {
			return "m.A"
		}
	}
	return g.literal(t)
}

// nonconst is an operand that is no constant.
func (g *generator) nonconst(t *typ, d int) string {
	s := g.expr(t, d)
	if !literalOnly(s) {
		return s
	}
	if v := g.variable(func(v *variable) bool { return v.t == t && !v.constant }); v != nil {
		return g.use(v)
	}
	return g.f("h.Id(%s, %s(%s))", g.say(), t, g.literal(t))
}

var words = regexp.MustCompile(`"[^"]*"|\b(u?int\d*|rune|N|string|float64|bool|true|false|complex128)\b|\d+i`)

// literalOnly reports whether an expression may be constant.
func literalOnly(s string) bool {
	rest := words.ReplaceAllString(s, "")
	return !strings.ContainsFunc(rest, unicode.IsLetter)
}

// literal is a value of t.
func (g *generator) literal(t *typ) string {
	switch t.kind {
	case integer:
		return g.f("%d", g.n(9)+1)
	case float:
		return g.f("%d.5", g.n(9))
	case complexes:
		return g.f("(%d+%di)", g.n(5), g.n(5)+1)
	case text:
		return g.f("%q", "abcdefgh"[g.n(3):4+g.n(4)])
	case boolean:
		return []string{"true", "false"}[g.n(2)]
	case slice:
		items := make([]string, g.between(3, 4))
		for i := range items {
			items[i] = g.literal(t.elem)
		}
		return g.f("%s{%s}", t, strings.Join(items, ", "))
	case array:
		return g.f("%s{%s, %s, %s}", t, g.literal(t.elem), g.literal(t.elem), g.literal(t.elem))
	case mapping:
		return g.f("%s{%s: %s}", t, knownKey(t), g.literal(t.elem))
	case structure:
		return g.structLiteral(t)
	case pointer:
		switch {
		case t == tPInt:
			return "new(int)"
		default:
			return "&" + g.literal(t.elem)
		}
	case anything:
		return g.literal([]*typ{tInt, tString, tU, tInts}[g.n(4)])
	case failure:
		return g.f("h.Err(%q)", g.f("e%d", g.n(5)))
	case valuer:
		return []string{"N(3)", "U{X: 2}", "&T{A: 4}", "T{A: 5}"}[g.n(4)]
	case function:
		return g.f("func(x int) int { return x + %d }", g.n(5))
	case generic:
		return g.f("%s{V: %s}", t, g.literal(t.elem))
	case opaque:
		return g.opaque(t)
	}
	return g.f("*new(%s)", t)
}

func (g *generator) structLiteral(t *typ) string {
	switch t {
	case tU:
		return g.f("U{X: %d, B: %d}", g.n(9), g.n(9))
	case tW:
		return g.f("W{%s}", g.literal(tString))
	case tT:
		return g.f("T{A: %d, S: %s, P: &T{A: %d}, L: []int{%d, 2, 3}}", g.n(9), g.literal(tString), g.n(9), g.n(9))
	}
	switch t {
	case tEI:
		return g.f("EI{%s, %d}", g.literal(tI), g.n(9))
	case tEG:
		return g.f("EG{&G[int]{V: %d}, %d}", g.n(9), g.n(9))
	}
	if t == tE {
		return g.f("E{T: &T{A: %d}, K: %d}", g.n(9), g.n(9))
	}
	return g.f("%s{%d, %s}", t, g.n(9), g.literal(tString))
}

// opaque makes what there is one way to make.
func (g *generator) opaque(t *typ) string {
	switch t {
	case tOp:
		return g.f("h.Do(%s)", g.action(tInt))
	case tTask:
		return g.f("h.Quiet(%d)", g.n(9))
	case tContext:
		return "h.Ctx()"
	case tUnsafe:
		if x := g.place(tInt); x != "" && g.plain == 0 {
			return g.f("unsafe.Pointer(&%s)", x)
		}
		return "unsafe.Pointer(new(int))"
	}
	return g.f("*new(%s)", t)
}

// index is an index that is mostly in range of three elements.
func (g *generator) index(d int) string {
	switch {
	case g.p(g.fn.risk):
		return g.nonconst(tInt, d-1)
	case g.p(40) && d > 0:
		return g.f("%s&1", g.paren(g.nonconst(tInt, d-1)))
	}
	return g.f("%d", g.n(3))
}

func (g *generator) paren(s string) string {
	if strings.ContainsAny(s, " ") {
		return "(" + s + ")"
	}
	return s
}

// place is an addressable or at least selectable expression of t that is not
// computed: a variable, mostly.
func (g *generator) place(t *typ) string {
	if v := g.variable(func(v *variable) bool { return v.t == t && !v.constant && !v.fixed }); v != nil {
		return g.use(v)
	}
	return ""
}

// fromStruct selects a field.
func (g *generator) fromStruct(t *typ, d int) string {
	owners := []*typ{tT, tU, tW, tE, tPT, tPU, tEI, tEG, tAnon}
	if v := g.variable(func(v *variable) bool { return v.t.local }); v != nil {
		owners = append(owners, v.t, v.t)
	}
	owner := owners[g.n(len(owners))]
	s := owner
	if owner.kind == pointer {
		s = owner.elem
	}
	for _, i := range g.r.Perm(len(s.fields)) {
		f := s.fields[i]
		if f.t != t {
			continue
		}
		x := ""
		if g.p(60) {
			x = g.place(owner)
		} else if owner.kind == pointer && g.fn.risk == 0 {
			x = "(" + g.literal(owner) + ")"
			if g.plain == 0 && g.p(30) {
				x = g.f("h.Do(func() %s { return %s }).Await()", owner, x)
			}
		} else {
			x = g.operand(owner, d-1)
		}
		if x == "" {
			return ""
		}
		return x + "." + f.name
	}
	return ""
}

// operand is an expression that a selector, index or call may follow.
func (g *generator) operand(t *typ, d int) string {
	s := g.typed(t, d)
	if strings.HasPrefix(s, "&") || strings.HasPrefix(s, "*") || strings.HasPrefix(s, "func") || strings.HasPrefix(s, "<-") || strings.HasPrefix(s, "-") || strings.HasPrefix(s, "^") {
		return "(" + s + ")"
	}
	if i := strings.Index(s, "{"); i >= 0 || strings.Contains(s, " ") {
		return "(" + s + ")"
	}
	return s
}

// fromPointer dereferences.
func (g *generator) fromPointer(t *typ, d int) string {
	for _, p := range []*typ{tPT, tPU, tPInt, tPArray} {
		if p.elem != t {
			continue
		}
		x := g.place(p)
		if x == "" || g.p(30) && g.fn.risk > 0 {
			x = g.operand(p, d-1)
		}
		return "*" + x
	}
	return ""
}

// fromElement indexes.
func (g *generator) fromElement(t *typ, d int) string {
	owners := append([]*typ{tInts, tInts, tArray, tStrings, tBytes, tTs, tIntMap, tPArray, tFuncs, tIs, tGrid}, intMaps[2:]...)
	for _, i := range g.r.Perm(len(owners)) {
		o := owners[i]
		elem := o.elem
		if o == tPArray {
			elem = tInt
		}
		if elem != t {
			continue
		}
		x := g.place(o)
		if x == "" || g.p(25) {
			x = g.operand(o, d-1)
		}
		if o.kind == mapping {
			return g.f("%s[%s]", x, g.key(o, d))
		}
		return g.f("%s[%s]", x, g.index(d))
	}
	return ""
}

// key is a key of a map.
func (g *generator) key(m *typ, d int) string {
	if m.key == tInt {
		return g.index(d)
	}
	if g.p(15) && !g.hidden("string") && (m.key == tString || m.key == tW) {
		bytes := g.f("string(%s)", g.expr(tBytes, d-1))
		if m.key == tW {
			return g.f("W{%s}", bytes)
		}
		return bytes
	}
	if g.p(50) {
		return knownKey(m)
	}
	if m.key == tAny { // converted, mostly
		return g.typed([]*typ{tAny, tI, tError, tString, tU}[g.n(5)], d-1)
	}
	return g.expr(m.key, d-1)
}

// knownKey is one that the literals of a map have.
func knownKey(m *typ) string {
	switch m.key {
	case tInt:
		return "1"
	case tString, tAny:
		return `"k"`
	case tU:
		return "U{X: 1}"
	case tW:
		return `W{"k"}`
	}
	return m.key.text + "{}"
}

// immediate calls a literal on the spot.
func (g *generator) immediate(t *typ, d int) string {
	if g.plain > 1 || !g.p(40) {
		return ""
	}
	return g.f("%s()", g.action(t))
}

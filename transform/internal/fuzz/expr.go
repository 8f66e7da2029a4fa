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
			return g.mark("call of a function with an effect", g.f("h.Id(%s, %s)", g.say(), g.typed(t, d-1)))
		}},
		{1, func() string { return g.fromStruct(t, d) }},
		{1, func() string { return g.fromPointer(t, d) }},
		{1, func() string { return g.fromElement(t, d) }},
		{1, func() string {
			return g.mark("type assertion", g.f("any(%s).(%s)", g.typed(t, d-1), t))
		}},
		{1, func() string { return g.immediate(t, d) }},
	}
	if g.plain == 0 {
		common = append(common,
			option{6, func() string { return g.await(t, d) }},
			option{2, func() string { return g.twin(t, d) }})
	}
	return g.choose(append(common, g.operations(t, d)...))
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
		return v.read()
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
		return v.read()
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
		key := `"k"`
		if t.key == tInt {
			key = "1"
		}
		return g.f("%s{%s: %s}", t, key, g.literal(t.elem))
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
		return g.typed0([]*typ{tInt, tString, tU, tInts}[g.n(4)])
	case failure:
		return g.f("h.Err(%q)", g.f("e%d", g.n(5)))
	case valuer:
		return []string{"N(3)", "U{X: 2}", "&T{A: 4}", "T{A: 5}"}[g.n(4)]
	case function:
		return g.f("func(x int) int { return x + %d }", g.n(5))
	case generic:
		return g.f("%s{V: %s}", t, g.literal(t.elem))
	}
	return g.f("*new(%s)", t)
}

func (g *generator) typed0(t *typ) string {
	return g.literal(t)
}

func (g *generator) structLiteral(t *typ) string {
	switch t {
	case tU:
		return g.f("U{X: %d, B: %d}", g.n(9), g.n(9))
	case tT:
		return g.f("T{A: %d, S: %s, P: &T{A: %d}, L: []int{%d, 2, 3}}", g.n(9), g.literal(tString), g.n(9), g.n(9))
	}
	return g.f("E{T: &T{A: %d}, K: %d}", g.n(9), g.n(9))
}

// index is an index that is mostly in range of three elements.
func (g *generator) index(d int) string {
	switch {
	case g.p(g.fn.risk):
		return g.expr(tInt, d-1)
	case g.p(40) && d > 0:
		return g.mark("index computed", g.f("%s&1", g.paren(g.nonconst(tInt, d-1))))
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
		return v.read()
	}
	return ""
}

// fromStruct selects a field.
func (g *generator) fromStruct(t *typ, d int) string {
	owners := []*typ{tT, tU, tE, tPT, tPU}
	owner := owners[g.n(len(owners))]
	s := owner
	if owner.kind == pointer {
		s = owner.elem
	}
	for _, i := range g.r.Perm(len(fields[s])) {
		f := fields[s][i]
		if f.t != t {
			continue
		}
		x := ""
		if g.p(60) {
			x = g.place(owner)
		} else if owner.kind == pointer && g.fn.risk == 0 {
			x = g.literal(owner)
			x = "(" + x + ")"
		} else {
			x = g.operand(owner, d-1)
		}
		if x == "" {
			return ""
		}
		return g.mark("field of "+g.shape(owner), x+"."+f.name)
	}
	return ""
}

func (g *generator) shape(t *typ) string {
	return [...]string{"integer", "float", "complex", "string", "bool", "slice", "array", "map", "struct", "pointer",
		"any", "error", "interface", "func", "type parameter", "generic"}[t.kind]
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
		return g.mark("dereference", "*"+x)
	}
	return ""
}

// fromElement indexes.
func (g *generator) fromElement(t *typ, d int) string {
	owners := []*typ{tInts, tInts, tArray, tMap, tStrings, tBytes, tTs, tIntMap, tPArray}
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
			return g.mark("index of map", g.f("%s[%s]", x, g.key(o, d)))
		}
		return g.mark("index of "+g.shape(o), g.f("%s[%s]", x, g.index(d)))
	}
	return ""
}

// key is a key of a map.
func (g *generator) key(m *typ, d int) string {
	if m.key == tInt {
		return g.index(d)
	}
	if g.p(15) && !g.hidden("string") {
		return g.mark("map index by bytes", g.f("string(%s)", g.expr(tBytes, d-1)))
	}
	if g.p(50) {
		return `"k"`
	}
	return g.expr(tString, d-1)
}

// immediate calls a literal on the spot.
func (g *generator) immediate(t *typ, d int) string {
	if g.plain > 1 || !g.p(40) {
		return ""
	}
	return g.mark("call of a literal", g.f("%s()", g.action(t, true)))
}

// await awaits an operation with one result.
func (g *generator) await(t *typ, d int) string {
	g.marks["await of one value"]++
	switch {
	case g.p(10) && t.kind != parameter:
		return g.mark("await of a task", g.f("h.V(h.Task(%s).Await())", g.failing(t)))
	case g.p(5):
		return g.mark("await of a finished task", g.f("h.V(h.Done(%s, nil).Await())", g.typed(t, d-1)))
	case g.p(15):
		return g.mark("await with an awaited operand", g.f("h.Do(h.Id(%s, %s)).Await()", g.say(), g.action(t, true)))
	}
	return g.f("h.Do(%s).Await()", g.action(t, true))
}

// failing is an action with an error.
func (g *generator) failing(t *typ) string {
	err := "nil"
	if g.p(30) {
		err = g.literal(tError)
	}
	var value string
	body := g.closure(func() string {
		muts := g.mutations()
		value = g.expr(t, 1)
		return muts
	})
	return g.f("func() (%s, error) { %sreturn %s, %s }", t, body, value, err)
}

// action is what an operation does: it may change variables, and returns a t.
func (g *generator) action(t *typ, quiet bool) string {
	var value string
	body := g.closure(func() string {
		muts := g.mutations()
		if g.p(g.fn.risk / 2) {
			muts += g.mark("panic in an operation", g.f("if h.Id(%s, true) { panic(%s) }; ", g.say(), g.panicValue()))
		}
		if g.p(40) {
			muts += g.f("h.Say(%s); ", g.say())
		}
		if g.p(50) {
			value = g.literal(t)
		} else {
			value = g.expr(t, 1)
		}
		return muts
	})
	return g.f("func() %s { %sreturn %s }", t, body, value)
}

func (g *generator) panicValue() string {
	if g.p(30) {
		return g.literal(tError)
	}
	return g.literal(tString)
}

// closure makes the body of a function literal.
func (g *generator) closure(body func() string) string {
	g.plain++
	loops := g.loops
	g.loops = nil
	g.push()
	s := body()
	g.pop()
	g.loops = loops
	g.plain--
	return s
}

// mutations are statements that change what is visible: captured variables if
// the function's style says so, globals and what is reachable else.
func (g *generator) mutations() string {
	var b strings.Builder
	for range g.n(3) {
		if !g.p(60) {
			continue
		}
		var s string
		if g.p(g.fn.capture) {
			s = g.change(func(v *variable) bool { return v.t.kind != parameter && !v.constant })
		} else {
			s = g.change(func(v *variable) bool { return v.name[0] == 'g' && !v.constant })
		}
		if s != "" {
			b.WriteString(s + "; ")
		}
	}
	return b.String()
}

// change is a statement that changes a variable or what it refers to.
func (g *generator) change(want func(*variable) bool) string {
	v := g.variable(want)
	if v == nil {
		return ""
	}
	*v.used = true
	name := v.name
	if v.fixed {
		if v.t == tInt && !v.frozen {
			return name + "++"
		}
		return ""
	}
	switch {
	case v.t.kind == integer && g.p(60):
		return name + []string{"++", " += 3", " ^= 5", "--"}[g.n(4)]
	case v.t.kind == text && g.p(50):
		return name + ` += "+"`
	case v.t == tT || v.t == tPT && g.fn.risk > 0:
		if g.p(50) {
			return name + "." + []string{"A++", `S += "-"`, "In.X = 7", "In = U{X: 9}"}[g.n(4)]
		}
	case v.t.kind == mapping && g.p(60):
		if v.t.key == tInt {
			return g.f("%s[1] = %s", name, g.literal(v.t.elem))
		}
		return g.f("%s[\"k\"] = %s", name, g.literal(v.t.elem))
	case (v.t.kind == slice || v.t.kind == array) && g.p(50) && v.t.elem.kind == integer:
		return g.f("%s[%d]++", name, g.n(3))
	}
	return g.f("%s = %s", name, g.literal(v.t))
}

// twin awaits another annotated function.
func (g *generator) twin(t *typ, d int) string {
	for range 3 {
		if len(g.funcs) == 0 {
			return ""
		}
		f := g.funcs[g.n(len(g.funcs))]
		if len(f.results) != 1 {
			continue
		}
		if f.results[0] != t && (f.results[0].kind != parameter || t.kind == parameter) {
			continue
		}
		return g.mark("await of a twin", g.f("h.V(%s.Await())", g.start(f, t, d)))
	}
	return ""
}

// start starts a generated function; v is its type argument.
func (g *generator) start(f *fn, v *typ, d int) string {
	var args []string
	for _, p := range f.params {
		switch {
		case p.t.kind == parameter:
			args = append(args, g.typed(v, d-1))
		case p.fixed:
			args = append(args, g.f("%d", g.n(3)))
		default:
			args = append(args, g.expr(p.t, d-1))
		}
	}
	name := f.name + "Async"
	if f.recv != "" {
		r := g.f("M%d{A: %s, L: %s}", g.id, g.expr(tInt, d-1), g.expr(tInts, 0))
		if strings.HasPrefix(f.recv, "*") {
			r = "&" + r
		}
		return g.mark("await of a method's twin", g.f("(%s).%s(%s)", r, name, strings.Join(args, ", ")))
	}
	if f.generic && g.p(60) {
		name += "[" + v.text + "]"
	}
	return g.f("%s(%s)", name, strings.Join(args, ", "))
}

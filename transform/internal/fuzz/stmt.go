package fuzz

import (
	"slices"
	"strings"
)

// A list is a block in the making: its statements, and which variables each
// declares.
type list struct {
	text  []string
	after map[int][]*variable
}

func (l *list) add(s string, vars ...*variable) {
	if l.after == nil {
		l.after = make(map[int][]*variable)
	}
	l.after[len(l.text)] = vars
	l.text = append(l.text, s)
}

// String joins the statements and uses what nothing uses.
func (l *list) String() string {
	var b strings.Builder
	for i, s := range l.text {
		b.WriteString(s + "\n")
		for _, v := range l.after[i] {
			if !*v.used && !v.constant {
				b.WriteString("_ = " + v.name + "\n")
			}
		}
	}
	return b.String()
}

// block makes the inside of braces.
func (g *generator) block(n int) string {
	g.push()
	defer g.pop()
	s, ended := g.statements(n)
	if label := g.outermost(); label != "" && !ended && g.p(35) {
		s += g.f("if %s {\ngoto %s\n}\n", g.cond(g.nonconst(tBool, 2)), label)
	}
	return s
}

// outermost is a label behind a statement around the one that break would leave.
func (g *generator) outermost() string {
	for i, l := range g.loops {
		if l.jump != "" && i < len(g.loops)-1 {
			return l.jump
		}
	}
	return ""
}

// braces makes a block.
func (g *generator) braces(n int) string { return "{\n" + g.block(n) + "}" }

// statements makes up to n statements, and says whether the last leaves.
func (g *generator) statements(n int) (string, bool) {
	l := new(list)
	for range n {
		if g.left <= 0 {
			break
		}
		g.left--
		g.statement(l)
		if g.p(3) && len(g.scopes) > 3 {
			if s := g.leaves(); s != "" {
				l.add(s)
				return l.String(), true
			}
		}
	}
	if g.p(60) {
		if s := g.sayVars(); s != "" {
			l.add(s)
		}
	}
	return l.String(), false
}

// sayVars traces some variables.
func (g *generator) sayVars() string {
	vars := g.visible(func(v *variable) bool { return v.t.kind != function })
	if len(vars) == 0 {
		return ""
	}
	s := "h.Say(" + g.say()
	for range g.between(1, 3) {
		s += ", " + vars[min(g.n(len(vars)), g.n(len(vars)))].read()
	}
	return s + ")"
}

// statement adds one statement, or a few that belong together.
func (g *generator) statement(l *list) {
	g.recent = nil
	nested := len(g.scopes) < 8
	options := []option{
		{10, func() string { return g.declaration(l) }},
		{8, func() string { return g.assignment() }},
		{5, func() string {
			return g.f("h.Say(%s, %s, %s)", g.say(), g.expr(allTypes[g.n(len(allTypes))], g.depth), g.expr(allTypes[g.n(len(allTypes))], g.depth))
		}},
		{3, func() string {
			a, b := g.raced(func(v *variable) bool { return v.t.kind != function })
			if a == "" {
				return ""
			}
			return g.f([]string{"h.Say(%s, %s, %s)", "h.Say(%s, []any{%s, %s})"}[g.n(2)], g.say(), a, b)
		}},
		{3, func() string { return g.bare() }},
		{3, func() string { return g.changeStatement() }},
		{3, func() string { return g.sayVars() }},
		{2, func() string { return g.deferred() }},
		{2, func() string { return g.leavesSometimes() }},
		{4, func() string { return g.exitStatement() }},
	}
	if nested {
		options = append(options,
			option{6, func() string { return g.ifs() }},
			option{2, func() string { return g.braces(4) }},
			option{7, func() string { return g.loopStatement() }},
			option{4, func() string { return g.switches() }},
			option{3, func() string { return g.typeSwitch() }},
			option{3, func() string { return g.channels() }},
			option{2, func() string { return g.gotos() }},
			option{2, func() string { return g.recursion() }},
			option{3, func() string { return g.perIteration() }},
			option{1, func() string { return g.fragileClosure() }},
			option{1, func() string { return g.recursiveClosure() }},
			option{1, func() string { return g.started() }},
			option{2, func() string { return g.redeclared() }},
		)
	}
	if s := g.choose(options); s != "" && s != added {
		l.add(s)
	}
}

// added says that a maker has added its statement itself.
const added = "added"

// declaration declares variables.
func (g *generator) declaration(l *list) string {
	t := allTypes[g.n(len(allTypes))]
	if g.fn.generic && g.p(15) {
		t = g.fn.results[0]
	}
	add := func(s string, vars ...*variable) string {
		l.add(s, vars...)
		return added
	}
	if g.fn.generic && g.p(25) {
		name, c := g.fresh(), g.expr(tInt, 1)
		add(g.f("%s := G[V]{C: %s}", name, c), g.declare(name, tDerived))
		return g.f("h.Say(%s, %s)", g.say(), g.applied(name, g.expr(tInt, g.depth)))
	}
	switch g.n(15) {
	case 14:
		x := g.expr(tInt, g.depth)
		name := g.fresh()
		return add(g.f("%s := h.Secret(%s)%s", name, x, []string{"", ".In"}[g.n(2)]), g.declare(name, tSecret))
	case 12:
		return g.localType(l)
	case 13:
		if t != tInt || len(g.scopes) > 6 {
			return ""
		}
		x := g.literalMachine(tInt, "arg")
		name := g.fresh()
		return add(g.f("%s := async.Func1(%s)", name, x), g.declare(name, tMachine))
	case 0:
		name := g.fresh()
		return add(g.f("var %s %s", name, t), g.declare(name, t))
	case 1, 2:
		x := g.expr(t, g.depth)
		name := g.fresh()
		return add(g.f("var %s %s = %s", name, t, x), g.declare(name, t))
	case 3:
		u := allTypes[g.n(len(allTypes))]
		x, y := g.typed(t, g.depth), g.typed(u, g.depth)
		a, b := g.two()
		if g.p(50) {
			return add(g.f("var %s, %s = %s, %s", a, b, x, y), g.declare(a, t), g.declare(b, u))
		}
		return add(g.f("%s, %s := %s, %s", a, b, x, y), g.declare(a, t), g.declare(b, u))
	case 4:
		name := g.fresh()
		measured := g.variable(func(v *variable) bool { return v.t == tArray || v.t == tGrid || v.t == tPArray })
		v := g.declare(name, tInt)
		v.constant = true
		switch {
		case g.p(40):
			return add(g.f("const (\n_ = iota * %d\n%s\n)", g.n(9)+1, name), v)
		case measured != nil && !g.hidden("len") && g.p(70):
			return add(g.f("const %s = len(%s) + %d", name, measured.read(), g.n(5)), v)
		}
		return add(g.f("const %s = %d", name, g.n(9)+1), v)
	case 5:
		return g.defineTwo(add)
	}
	x := g.typed(t, g.depth)
	name := g.fresh()
	return add(g.f("%s := %s", name, x), g.declare(name, t))
}

// localType declares a type and a variable of it.
func (g *generator) localType(l *list) string {
	g.names++
	t := &typ{text: g.f("L%d_%d", g.id, g.names), kind: structure, local: true, fields: fields[tAnon]}
	l.add(g.f("type %s struct {\nA int\nS string\n}", t))
	x := g.expr(t, g.depth)
	name := g.fresh()
	l.add(g.f("%s := %s", name, x), g.declare(name, t))
	return added
}

func (g *generator) two() (string, string) {
	for {
		if a, b := g.fresh(), g.fresh(); a != b {
			return a, b
		}
	}
}

// defineTwo defines two variables from one operation.
func (g *generator) defineTwo(add func(s string, vars ...*variable) string) string {
	x, t, u := g.twoValues()
	if x == "" {
		return ""
	}
	a, b := g.two()
	return add(g.f("%s, %s := %s", a, b, x), g.declare(a, t), g.declare(b, u))
}

// twoValues is an expression of two values.
func (g *generator) twoValues() (x string, t, u *typ) {
	t, u = allTypes[g.n(len(allTypes))], allTypes[g.n(len(allTypes))]
	switch g.n(6) {
	case 0:
		m := intMaps[g.n(len(intMaps))]
		return g.f("%s[%s]", g.operand(m, g.depth), g.key(m, g.depth)), tInt, tBool
	case 1:
		if t.kind == anything || t.kind == valuer || t.kind == failure {
			t = tInt
		}
		return g.f("%s.(%s)", g.operand(tAny, g.depth), t), t, tBool
	case 2:
		return g.f("<-func() chan int { c := make(chan int, 1); c <- %s; return c }()", g.plainExpr(tInt)), tInt, tBool
	case 3:
		return g.f("h.Pair(%s, %s, %s)", g.say(), g.typed(t, g.depth), g.typed(u, g.depth)), t, u
	case 4:
		if len(g.funcs) > 0 {
			f := g.funcs[g.n(len(g.funcs))]
			if len(f.results) == 1 && !f.generic {
				return g.f("%s.Await()", g.start(f, tInt, g.depth)), f.results[0], tError
			}
		}
	}
	return g.f("h.Do2(%s).Await()", g.action2(t, u)), t, u
}

// target is what can be assigned to, of type t.
func (g *generator) target(t *typ) string {
	switch g.n(6) {
	case 0:
		if t == tInt && g.p(50) {
			if x := g.place([]*typ{tInts, tArray}[g.n(2)]); x != "" {
				return g.f("%s[%s]", x, g.index(2))
			}
			if x := g.place(tGrid); x != "" {
				return g.f("%s[%s][%s]", x, g.index(2), g.index(2))
			}
		}
		m := intMaps[g.n(len(intMaps))]
		if x := g.place(m); t == tInt && x != "" {
			return g.f("%s[%s]", x, g.key(m, 2))
		}
	case 1:
		owners := []*typ{tT, tPT, tU, tE, tEI, tEG, tAnon}
		if v := g.variable(func(v *variable) bool { return v.t.local }); v != nil {
			owners = append([]*typ{v.t}, owners...)
		}
		for _, o := range owners {
			s := o
			if o.kind == pointer {
				s = o.elem
			}
			for _, f := range s.fields {
				if f.t == t && g.p(50) {
					if x := g.place(o); x != "" {
						return x + "." + f.name
					}
				}
			}
		}
	case 2:
		for _, p := range []*typ{tPT, tPU, tPInt, tPArray} {
			if p.elem == t {
				if g.p(40) {
					return "*" + g.operand(p, 2)
				}
				if x := g.place(p); x != "" {
					return "*" + x
				}
			}
		}
	}
	return g.settable(t)
}

// settable is a variable that may be assigned.
func (g *generator) settable(t *typ) string {
	if v := g.variable(func(v *variable) bool { return v.t == t && !v.constant && !v.fixed }); v != nil {
		*v.used = true
		return v.name
	}
	return ""
}

// assignment assigns.
func (g *generator) assignment() string {
	t := allTypes[g.n(len(allTypes))]
	u := allTypes[g.n(len(allTypes))]
	switch g.n(8) {
	case 0, 1:
		x := g.target(tInt)
		if x == "" {
			return ""
		}
		if g.p(20) {
			return g.f("%s %s %s&7", x, []string{"<<=", ">>="}[g.n(2)], g.paren(g.nonconst(tUint8, g.depth)))
		}
		op := []string{"+=", "-=", "*=", "^=", "|=", "&=", "&^="}[g.n(7)]
		return g.f("%s %s %s", x, op, g.expr(tInt, g.depth))
	case 2:
		x := g.target(tString)
		if x == "" {
			return ""
		}
		return g.f("%s += %s", x, g.expr(tString, g.depth))
	case 3:
		x, y := g.target(t), g.target(u)
		if x == "" || y == "" {
			return ""
		}
		return g.f("%s, %s = %s, %s", x, y, g.expr(t, g.depth), g.expr(u, g.depth))
	case 4:
		x, y := g.target(tInt), g.target(tInt)
		if x == "" || y == "" {
			return ""
		}
		return g.f("%s, %s = %s, %s", x, y, y, g.paren(g.expr(tInt, 2)))
	case 5:
		v, t, u := g.twoValues()
		x, y := g.target(t), g.target(u)
		if x == "" || v == "" {
			return ""
		}
		if y == "" || g.p(10) {
			y = "_"
		}
		return g.f("%s, %s = %s", x, y, v)
	}
	x := g.target(t)
	if x == "" {
		return ""
	}
	return g.f("%s = %s", x, g.expr(t, g.depth))
}

// bare is an await whose result nobody wants.
func (g *generator) bare() string {
	switch g.n(6) {
	case 4:
		x := g.place(tInts)
		if x == "" {
			return ""
		}
		return g.f("copy(%s, %s)", x, g.expr(tInts, g.depth))
	case 5:
		x := g.place(tMap)
		if x == "" {
			return ""
		}
		if y := g.place(tInts); y != "" && g.p(30) {
			return g.f("clear(%s)", y)
		}
		return []string{g.f("delete(%s, %s)", x, g.expr(tString, g.depth)), g.f("clear(%s)", x)}[g.n(2)]
	case 0:
		if len(g.funcs) > 0 {
			f := g.funcs[g.n(len(g.funcs))]
			return g.start(f, tInt, g.depth) + ".Await()"
		}
	case 1:
		return g.f("h.Do(%s).Await()", g.action(tInt))
	case 2:
		return g.f("_ = %s", g.typed(allTypes[g.n(len(allTypes))], g.depth))
	}
	body := g.closure(func() string { return g.mutations() + g.f("h.Say(%s)", g.say()) })
	return g.f("h.Do0(func() { %s }).Await()", body)
}

func (g *generator) changeStatement() string {
	if x := g.target(tInt); x != "" && g.p(60) {
		return x + []string{"++", "--"}[g.n(2)]
	}
	return g.change(func(v *variable) bool { return v.changeable() && !v.fixed })
}

// recursion awaits the function itself.
func (g *generator) recursion() string {
	f := g.fn
	if !f.recurses || g.hidden("n") && g.variable(func(v *variable) bool { return v.name == "n" }) != f.params[g.nParam()] {
		return ""
	}
	f.recurses = false
	var args []string
	for i, p := range f.params {
		switch {
		case i == g.nParam():
			args = append(args, "n-1")
		default:
			args = append(args, g.literal(p.t))
			if p.t.kind == parameter {
				args[i] = "*new(V)"
			}
		}
	}
	call := g.f("%sAsync(%s).Await()", f.name, strings.Join(args, ", "))
	if f.recv != "" {
		if g.hiddenReceiver() {
			return ""
		}
		call = "m." + call
	}
	return g.f("if n > 0 {\n%s\n}", call)
}

func (g *generator) nParam() int {
	return slices.IndexFunc(g.fn.params, func(p *variable) bool { return p.frozen })
}

func (g *generator) hiddenReceiver() bool {
	v := g.variable(func(v *variable) bool { return v.name == "m" })
	return v == nil || v.t.text != g.fn.recv
}

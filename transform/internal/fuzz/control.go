package fuzz

import (
	"slices"
	"strings"
)

// ifs makes an if with all that may belong to it.
func (g *generator) ifs() string {
	g.push()
	defer g.pop()
	head := ""
	if g.p(25) {
		t := []*typ{tInt, tBool, tAny, tString}[g.n(4)]
		x := g.typed(t, 2)
		name := g.fresh()
		v := g.declare(name, t)
		head = g.f("%s := %s; ", name, x)
		*v.used = true
		cond := g.expr(tBool, 2)
		return g.f("if %s%s {\n_ = %s\n%s}%s", head, g.cond(cond), name, g.block(4), g.elses())
	}
	return g.f("if %s %s%s", g.cond(g.expr(tBool, g.depth)), g.braces(4), g.elses())
}

// cond protects a composite literal in a statement's head.
func (g *generator) cond(s string) string {
	if strings.Contains(s, "{") {
		return "(" + s + ")"
	}
	return s
}

func (g *generator) elses() string {
	switch g.n(5) {
	case 4:
		g.push()
		defer g.pop()
		t := []*typ{tInt, tBool, tAny, tString}[g.n(4)]
		x := g.typed(t, 2)
		name := g.fresh()
		*g.declare(name, t).used = true
		return g.f(" else if %s := %s; %s {\n_ = %s\n%s}%s", name, g.cond(x), g.cond(g.expr(tBool, 2)), name, g.block(3), g.elses())
	case 0:
		return " else " + g.braces(4)
	case 1:
		return g.f(" else if %s %s", g.cond(g.expr(tBool, 2)), g.braces(3))
	}
	return ""
}

// switches makes a switch over values or conditions.
func (g *generator) switches() string {
	g.push()
	defer g.pop()
	g.loops = append(g.loops, &loop{})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	use := ""
	t := []*typ{tInt, tString, tUint8, tAny, tBool}[g.n(5)]
	tag := ""
	if t != tBool {
		tag = g.cond(g.typed(t, 2)) + " "
	} else if g.p(30) {
		tag = g.cond(g.nonconst(tBool, 2)) + " "
	}
	if g.p(15) {
		tag = g.f("h.Say(%s, %s); ", g.say(), g.expr(tInt, 2)) + tag
	} else if g.p(20) {
		x := g.typed(t, 2)
		name := g.fresh()
		*g.declare(name, t).used = true
		use = "_ = " + name + "\n"
		tag = g.f("%s := %s; ", name, g.cond(x)) + []string{name + " ", g.cond(g.nonconst(t, 2)) + " "}[g.n(2)]
	}
	var b strings.Builder
	n := g.between(1, 4)
	def := g.n(6)
	for i := range n {
		if i == def {
			b.WriteString("default:\n")
		} else {
			var list []string
			for range g.between(1, 2) {
				list = append(list, g.nonconst(t, 2))
			}
			b.WriteString("case " + strings.Join(list, ", ") + ":\n")
		}
		body := use + g.block(3)
		b.WriteString(body)
		if i < n-1 && g.p(20) && !ends(body) {
			b.WriteString("fallthrough\n")
		}
	}
	return g.label(g.f("switch %s{\n%s}", tag, b.String()))
}

// ends reports whether the last line of a block leaves it.
func ends(body string) bool {
	lines := strings.Split(strings.TrimSpace(body), "\n")
	last := lines[len(lines)-1]
	for _, word := range []string{"break", "continue", "goto", "return", "panic"} {
		if strings.HasPrefix(last, word) {
			return true
		}
	}
	return false
}

// label puts the label before a statement that a branch wants to leave.
func (g *generator) label(s string) string {
	if l := g.loops[len(g.loops)-1]; l.label != "" {
		return l.label + ":\n" + s
	}
	return s
}

// typeSwitch makes a type switch.
func (g *generator) typeSwitch() string {
	g.push()
	defer g.pop()
	g.loops = append(g.loops, &loop{})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	init, used := "", ""
	if g.p(15) {
		y := g.typed(tInt, 2)
		first := g.fresh()
		*g.declare(first, tInt).used = true
		init, used = g.f("%s := %s; ", first, g.cond(y)), "_ = "+first+"\n"
	}
	x := g.operand(tAny, 2)
	types := []*typ{tInt, tString, tU, tInts, tPT, tArray, tT, tN, tFloat}
	if v := g.variable(func(v *variable) bool { return v.t.text == "V" }); v != nil && g.p(50) {
		x, types[0] = "any("+g.use(v)+")", v.t
	}
	bind := g.p(60)
	name, head := "", ""
	if bind {
		name = g.fresh()
		head = name + " := "
	}
	var b strings.Builder
	order := g.r.Perm(len(types))
	bound := false
	for i := range g.between(1, 4) {
		t := types[order[i]]
		clause, of := t.text, t
		switch {
		case i == 2 && g.p(40):
			clause, of = "default", tAny
		case i == 3 && g.p(50):
			clause, of = "I, error", tAny
		case i == 0 && g.p(40):
			clause, of = t.text+", nil", tAny
		}
		if clause != "default" {
			clause = "case " + clause
		}
		g.push()
		use := ""
		if bind {
			v := g.declare(name, of)
			if g.p(70) || !bound {
				use = g.f("h.Say(%s, %s)\n", g.say(), v.read())
				bound = true
			}
		}
		body, _ := g.statements(3)
		g.pop()
		b.WriteString(clause + ":\n" + used + use + body)
	}
	return g.label(g.f("switch %s%s%s.(type) {\n%s}", init, head, g.cond(x), b.String()))
}

// leavesSometimes leaves on a condition.
func (g *generator) leavesSometimes() string {
	s := g.leaves()
	if s == "" {
		return ""
	}
	return g.f("if %s {\n%s\n}", g.cond(g.nonconst(tBool, 2)), s)
}

// leaves makes a statement after which nothing comes.
func (g *generator) leaves() string {
	options := []option{
		{2, func() string { return strings.TrimSpace(g.returns(g.depth)) }},
		{1, func() string {
			if !g.p(20 + g.fn.risk*10) {
				return ""
			}
			return g.f("panic(%s)", g.expr([]*typ{tString, tInt, tAny, tError}[g.n(4)], 2))
		}},
		{1, func() string {
			if !g.fn.exits {
				return ""
			}
			return "h.Exit()\n" + strings.TrimSpace(g.returns(0))
		}},
	}
	if len(g.loops) > 0 {
		options = append(options, option{6, func() string { return g.branch() }})
	}
	return g.choose(options)
}

// branch is a break or continue.
func (g *generator) branch() string {
	i := len(g.loops) - 1 - min(g.n(len(g.loops)), g.n(len(g.loops)))
	l := g.loops[i]
	if l.jump != "" {
		return "goto " + l.jump
	}
	word := "break"
	if l.ranges && g.p(50) {
		word = "continue"
	}
	plain := !slices.ContainsFunc(g.loops[i+1:], func(inner *loop) bool { return inner.jump == "" })
	if word == "continue" && !plain {
		plain = true
		for _, inner := range g.loops[i+1:] {
			plain = plain && !inner.ranges
		}
	}
	if plain && g.p(70) {
		return word
	}
	if l.named {
		return ""
	}
	if l.label == "" {
		l.label = g.newLabel("L")
	}
	return word + " " + l.label
}

// newLabel is a label that the program has not used; it may be called as something else.
func (g *generator) newLabel(prefix string) string {
	g.labels++
	if i := g.labels - 1; i < len(labelled) && g.p(40) {
		return labelled[i]
	}
	return g.f("%s%d", prefix, g.labels)
}

// labelled are names that labels may have, too.
var labelled = []string{"loop", "m", "int", "task", "h", "nil", "x1", "async", "done", "T"}

// gotos makes a forward or a backward goto over statements.
func (g *generator) gotos() string {
	label := g.newLabel("G")
	if g.p(50) {
		g.loops = append(g.loops, &loop{jump: label})
		first := g.block(3)
		g.loops = g.loops[:len(g.loops)-1]
		return g.f("{\n%sif %s {\ngoto %s\n}\n%s}\n%s:\nh.Say(%s)",
			first, g.cond(g.nonconst(tBool, 2)), label, g.block(3), label, g.say())
	}
	g.names++
	n := g.f("n%d", g.names)
	g.push()
	defer g.pop()
	v := g.declare(n, tInt)
	v.fixed = true
	*v.used = true
	body, ended := g.statements(3)
	if ended {
		return ""
	}
	return g.f("{\n%s := 0\n%s:\n%s%s++\nif %s < %d {\ngoto %s\n}\n}", n, label, "h.Say("+g.say()+")\n"+body, n, n, g.between(2, 3), label)
}

// returns makes a return statement with operands of depth d.
func (g *generator) returns(d int) string {
	f := g.fn
	types := append([]*typ{}, f.results...)
	if f.fails {
		types = append(types, tError)
	}
	if len(types) == 0 {
		return "return\n"
	}
	if len(f.names) > 0 && g.p(40) && g.namesStand() {
		return "return\n"
	}
	if len(types) == 2 && types[0].kind != parameter && g.p(10) {
		return g.f("return h.Pair(%s, %s, %s)\n", g.say(), g.typed(types[0], d), g.typed(types[1], d))
	}
	if len(types) == 2 && types[0].kind != parameter && g.p(10) {
		return g.f("return h.Do2(%s).Await()\n", g.action2(types[0], types[1]))
	}
	var values []string
	for i, t := range types {
		if i == len(f.results) && g.p(60) {
			values = append(values, "nil")
			continue
		}
		values = append(values, g.expr(t, d))
	}
	return "return " + strings.Join(values, ", ") + "\n"
}

// namesStand reports whether no result is shadowed.
func (g *generator) namesStand() bool {
	own := g.scopes[1]
	for _, name := range g.fn.names {
		v := g.variable(func(v *variable) bool { return v.name == name })
		stands := false
		for _, o := range own.vars {
			stands = stands || o == v
		}
		if !stands {
			return false
		}
	}
	return true
}

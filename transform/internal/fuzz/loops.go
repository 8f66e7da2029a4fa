package fuzz

import "strings"

// loopStatement makes a for statement of any form.
func (g *generator) loopStatement() string {
	g.push()
	defer g.pop()
	g.loops = append(g.loops, &loop{ranges: true})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	s := g.choose([]option{
		{4, g.forClause},
		{2, g.forCondition},
		{1, g.forEver},
		{10, g.ranges},
	})
	if s == "" {
		return ""
	}
	return g.label(s)
}

// forClause is for init; cond; post.
func (g *generator) forClause() string {
	bound, form, x := g.between(1, 3), g.n(10), ""
	if form == 0 {
		x = g.expr(tInt, 2)
	}
	name := g.fresh()
	v := g.declare(name, tInt)
	v.fixed = true
	*v.used = true
	post := name + "++"
	cond := g.f("%s < %d", name, bound)
	switch g.n(6) {
	case 0:
		post = g.f("%s += h.Do(func() int { return 1 }).Await()", name)
	case 1:
		post = g.f("%s += h.Id(%s, 1)", name, g.say())
	case 2:
		cond = g.f("%s < %d && h.Do(%s).Await() != 77", name, bound, g.action(tInt))
	}
	switch form {
	case 0:
		second := g.fresh()
		*g.declare(second, tInt).used = true
		post = g.f("%s, %s = %s+1, %s", name, second, name, g.expr(tInt, 2))
		return g.f("for %s, %s := 0, %s; %s; %s %s", name, second, x, cond, post, g.f("{\n_ = %s\n%s}", second, g.block(4)))
	case 1:
		return g.wrap(g.f("%s := 5", name), g.f("for %s = h.Id(%s, 0); %s; %s %s", name, g.say(), cond, post, g.braces(4)))
	case 2:
		return g.f("for %s := 0; ; %s {\nif %s >= %d {\nbreak\n}\n%s}", name, post, name, bound, g.block(4))
	}
	init := g.f("%s := h.Id(%s, 0)", name, g.say())
	if g.p(30) {
		init = g.f("%s := h.Do(func() int { return 0 }).Await()", name)
	} else if g.p(50) {
		init = g.f("%s := 0", name)
	}
	return g.f("for %s; %s; %s %s", init, cond, post, g.braces(4))
}

// forCondition is for cond.
func (g *generator) forCondition() string {
	g.names++
	name := g.f("i%d", g.names)
	v := g.declare(name, tInt)
	v.fixed = true
	*v.used = true
	cond := g.f("%s < %d", name, g.between(1, 3))
	if g.p(50) {
		cond += g.f(" && h.Do(%s).Await() != 99", g.action(tInt))
	}
	return g.wrap(name+" := 0", g.f("for %s {\n%s++\n%s}", cond, name, g.block(4)))
}

// wrap puts a declaration before a loop that may have a label.
func (g *generator) wrap(before, s string) string {
	l := g.loops[len(g.loops)-1]
	if l.label != "" {
		s = l.label + ":\n" + s
		l.label = ""
	}
	return "{\n" + before + "\n" + s + "\n}"
}

// forEver is for without anything.
func (g *generator) forEver() string {
	g.names++
	name := g.f("i%d", g.names)
	v := g.declare(name, tInt)
	v.fixed = true
	*v.used = true
	return g.wrap(name+" := 0", g.f("for {\n%s++\nif %s > %d {\nbreak\n}\n%s}", name, name, g.between(1, 2), g.block(4)))
}

// over is something to range over, and the types of its key and value.
type over struct {
	name     string
	x        func() string
	key, val *typ
}

func (g *generator) rangeForms() []over {
	return []over{
		{"range over int", func() string {
			if g.p(50) {
				return g.f("%d", g.between(1, 3))
			}
			return g.f("%s&1 + 2", g.paren(g.nonconst(tInt, 2)))
		}, tInt, nil},
		{"range over named int", func() string { return g.f("%s&1 + 1", g.paren(g.nonconst(tN, 2))) }, tN, nil},
		{"range over typed constant", func() string { return g.f("N(%d)", g.between(1, 3)) }, tN, nil},
		{"range over typed constant", func() string { return g.f("uint8(%d)", g.between(1, 3)) }, tUint8, nil},
		{"range over function", func() string { return g.f("h.Seq0(%s, %d)", g.say(), g.n(4)) }, nil, nil},
		{"range over slice", func() string { return g.operandOf(tInts, tTs, tStrings) }, tInt, tInt},
		{"range over array", func() string { return g.operand(tArray, 2) }, tInt, tInt},
		{"range over pointer to array", func() string { return g.operand(tPArray, 2) }, tInt, tInt},
		{"range over string", func() string { return g.f("%s[:1] + %q", g.operand(tString, 2), "\xffé\xc3") }, tInt, tRune},
		{"range over map", func() string { return g.f("map[string]int{%s: %s}", g.expr(tString, 2), g.expr(tInt, 2)) }, tString, tInt},
		{"range over channel", func() string {
			return g.f("func() chan int { c := make(chan int, 3); c <- %s; c <- 2; close(c); return c }()", g.plainExpr(tInt))
		}, tInt, nil},
		{"range over function", func() string { return g.f("h.Seq(%s, %d)", g.say(), g.n(4)) }, tInt, nil},
		{"range over function", func() string { return g.f("h.SeqEnding(%s, %d, %d)", g.say(), g.n(4), g.way()) }, tInt, nil},
		{"range over stream", func() string {
			what, n, way := g.say(), g.n(4), g.way()
			if g.fn.exits { // a goroutine that exits waits for nothing
				way += 10
			}
			return g.f("h.Stream(%s, %d, %d).Await(h.Ctx())", what, n, way)
		}, tInt, tError},
		{"range over function", func() string { return g.f("h.Seq2(%s, %s)", g.say(), g.expr(tString, 2)) }, tInt, tString},
	}
}

// ranges is a range of any form.
func (g *generator) ranges() string {
	forms := g.rangeForms()
	o := forms[g.n(len(forms))]
	x := o.x()
	if o.name == "range over slice" {
		x = g.operand(tInts, 2)
		if g.p(30) {
			x, o.val = g.operand(tTs, 2), tT
		}
		x = g.operandSlice(x)
	}
	if o.name == "range over map" {
		x = "(" + x + ")"
	} else {
		x = g.cond(x)
	}
	var vars []string
	head := ""
	assign := g.p(15)
	if o.key != nil && !g.p(10) {
		types := []*typ{o.key}
		if o.val != nil && g.p(75) {
			types = append(types, o.val)
		}
		g.push()
		defer g.pop()
		for i, t := range types {
			if assign {
				s := g.target(t)
				if s == "" {
					s = "_"
				}
				vars = append(vars, s)
				continue
			}
			if i == 0 && len(types) == 2 && g.p(25) {
				vars = append(vars, "_")
				continue
			}
			name := g.fresh()
			v := g.declare(name, t)
			*v.used = true
			vars = append(vars, name)
		}
		op := " := "
		if assign {
			op = " = "
		}
		head = strings.Join(vars, ", ") + op
	}
	use := ""
	if head != "" && !assign {
		for _, v := range vars {
			if v != "_" {
				use += "_ = " + v + "\n"
			}
		}
		if g.p(50) {
			use = g.f("h.Say(%s, %s)\n", g.say(), strings.Trim(strings.Join(vars, ", "), "_, "))
		}
	}
	return g.f("for %srange %s {\n%s%s}", head, x, use, g.block(4))
}

func (g *generator) operandOf(types ...*typ) string { return "" }

// operandSlice bounds what a loop ranges over.
func (g *generator) operandSlice(x string) string {
	if g.p(50) {
		return x
	}
	return x + "[:2]"
}

// perIteration collects closures over a loop's variables and calls them after.
func (g *generator) perIteration() string {
	g.push()
	defer g.pop()
	g.loops = append(g.loops, &loop{ranges: true})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	g.names++
	fs := g.f("fs%d", g.names)
	i := g.f("i%d", g.names)
	v := g.declare(i, tInt)
	v.fixed = true
	*v.used = true
	head := g.f("for %s := 0; %s < 3; %s++", i, i, i)
	if g.p(35) {
		head = g.f("for %s := range 3", i)
		if g.p(50) {
			head = g.f("for %s := range []int{4, 5, 6}", i)
		}
	}
	g.push()
	y := g.fresh()
	w := g.declare(y, tInt)
	*w.used = true
	first := ""
	if g.p(60) {
		first = g.f("%s += h.Do(%s).Await()\n", y, g.action(tInt))
	}
	body, _ := g.statements(3)
	body = first + body
	g.pop()
	s := g.f("%s {\n%s := %s\n%s = append(%s, func() int { %s += 10; return %s + %s })\n%s}", head, y, i, fs, fs, y, y, i, body)
	s = g.wrap("var "+fs+" []func() int", s)
	s = strings.TrimSuffix(s, "}") + g.f("for _, f := range %s {\nh.Say(%s, f(), f())\n}\n}", fs, g.say())
	return s
}

package fuzz

// channels makes statements about a channel of their own.
func (g *generator) channels() string {
	g.push()
	defer g.pop()
	g.names++
	c := g.f("c%d", g.names)
	return g.choose([]option{
		{2, func() string {
			return g.f("{\n%s := make(chan int, 2)\n%s <- %s\n%s <- %s\n%sh.Say(%s, <-%s + %s, <-%s)\n}",
				c, c, g.expr(tInt, g.depth), c, g.expr(tInt, 2), g.block(2), g.say(), c, g.paren(g.expr(tInt, 2)), c)
		}},
		{2, func() string {
			return g.f("{\n%s := make(chan int, 1)\ngo func(x int) { %s <- x + 1 }(%s)\n%sh.Say(%s, <-%s)\n}",
				c, c, g.expr(tInt, g.depth), g.block(2), g.say(), c)
		}},
		{5, func() string { return g.selects(c) }},
	})
}

// selects makes a select of which one case at most is ready.
func (g *generator) selects(c string) string {
	full := g.n(3) // 0: empty, 1: holds one, 2: closed
	l := g.f("%s := make(chan int, 1)\nvar %s0 chan int\n_ = %s0\n", c, c, c)
	switch full {
	case 1:
		l += g.f("%s <- %s\n", c, g.expr(tInt, 2))
	case 2:
		l += g.f("close(%s)\n", c)
	}
	g.loops = append(g.loops, &loop{})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	operand := func(ch string) string {
		switch g.n(4) {
		case 0:
			return g.f("h.Do(func() chan int { h.Say(%s); return %s }).Await()", g.say(), ch)
		case 1:
			return g.f("h.Id(%s, %s)", g.say(), ch)
		}
		return ch
	}
	clauses := ""
	if full != 0 {
		clauses += g.receive(operand(c))
	} else {
		clauses += g.f("case %s <- %s:\n%s", operand(c), g.expr(tInt, 2), g.block(3))
	}
	for range g.n(3) {
		if g.p(50) {
			clauses += g.receive(operand(c + "0"))
		} else {
			clauses += g.f("case %s <- %s:\n%s", operand(c+"0"), g.expr(tInt, 2), g.block(2))
		}
	}
	if g.p(30) {
		clauses = g.f("default:\n%s", g.block(2)) + clauses
	}
	return g.f("{\n%s%s\n}", l, g.label(g.f("select {\n%s}", clauses)))
}

// receive is a clause that receives.
func (g *generator) receive(ch string) string {
	switch g.n(4) {
	case 0:
		return g.f("case <-%s:\n%s", ch, g.block(2))
	case 1:
		g.push()
		defer g.pop()
		name, ok := g.two()
		v, w := g.declare(name, tInt), g.declare(ok, tBool)
		*v.used, *w.used = true, true
		return g.f("case %s, %s := <-%s:\nh.Say(%s, %s, %s)\n%s", name, ok, ch, g.say(), name, ok, g.clause(2))
	case 2:
		if x := g.target(tInt); x != "" {
			return g.f("case %s = <-%s:\n%s", x, ch, g.block(2))
		}
	}
	g.push()
	defer g.pop()
	name := g.fresh()
	v := g.declare(name, tInt)
	*v.used = true
	return g.f("case %s := <-%s:\n_ = %s\n%s", name, ch, name, g.clause(2))
}

// clause is the body of a clause that declares variables.
func (g *generator) clause(n int) string {
	s, _ := g.statements(n)
	return s
}

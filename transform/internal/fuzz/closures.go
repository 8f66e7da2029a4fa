package fuzz

// recursiveClosure calls a closure that calls itself, by the variable that it captures.
func (g *generator) recursiveClosure() string {
	g.push()
	defer g.pop()
	g.names++
	name := g.f("rec%d", g.names)
	number := func(v *variable) { v.fixed, v.frozen, *v.used = true, true, true }
	if g.p(40) {
		var last, more string
		body := g.closure(func() string {
			number(g.declare("x", tInt))
			last, more = g.expr(tInt, 1), g.paren(g.expr(tInt, 1))
			return g.mutations()
		})
		return g.f("{\nvar %[1]s func(int) int\n%[1]s = func(x int) int {\n%[2]s\nif x <= 0 {\nreturn %[3]s\n}\nreturn %[1]s(x-1) - %[4]s\n}\n%[5]sh.Say(%[6]s, %[1]s(%[7]s&3))\n}",
			name, body, last, more, g.braces(2)+"\n", g.say(), g.paren(g.nonconst(tInt, 2)))
	}
	g.declare(name, tMachine).fixed = true
	machine := g.machine(tInt, []string{"x"}, func() string {
		number(g.variable(func(v *variable) bool { return v.name == "x" }))
		return g.f("%sif x <= 0 {\nreturn %s, nil\n}\nreturn h.V(%s(ctx, x-1).Await()) + %s, nil\n",
			g.braces(2)+"\n", g.expr(tInt, 1), name, g.paren(g.expr(tInt, 2)))
	})
	return g.f("{\nvar %[1]s Machine\n%[1]s = async.Func1(%[2]s)\n%[3]sh.Say(%[4]s, h.V(%[1]s(h.Ctx(), %[5]d).Await()))\n}", name, machine, g.braces(2)+"\n", g.say(), g.n(4))
}

// started starts machines in a loop, which capture its variables while they wait, and
// awaits them after. What changes while they wait, and what they do later, nobody sees:
// the source form has ended them by then.
func (g *generator) started() string {
	g.push()
	defer g.pop()
	g.loops = append(g.loops, &loop{ranges: true})
	defer func() { g.loops = g.loops[:len(g.loops)-1] }()
	g.names++
	ts, i, y := g.f("ts%d", g.names), g.f("i%d", g.names), g.f("y%d", g.names)
	head := []string{"for %[1]s := 0; %[1]s < 3; %[1]s++", "for %[1]s := range 3", "for %[1]s := range []int{4, 5, 6}",
		"for %[1]s := range h.Seq(" + g.say() + ", 3)"}[g.n(4)]
	x := ""
	for _, name := range []string{i, y} {
		v := g.declare(name, tInt)
		v.fixed, v.frozen, *v.used = true, true, true
		if name == i {
			x = g.expr(tInt, 2)
		}
	}
	s := g.f(head+" {\n%[2]s := %[3]s\n%[4]s = append(%[4]s, async.Go(h.Ctx(), func(ctx context.Context) (int, error) {\n"+
		"h.Say(%[5]s, %[1]s, %[2]s)\nreturn h.V(h.Quiet(%[6]d).Await()) + %[2]s*10 + %[1]s, nil\n}))\n%[7]s}",
		i, y, x, ts, g.say(), g.n(9), g.braces(3)+"\n")
	s = g.wrap("var "+ts+" []Task", s)
	return s[:len(s)-1] + g.f("for _, t := range %s {\nh.Say(%s, h.V(t.Await()))\n}\n}", ts, g.say())
}

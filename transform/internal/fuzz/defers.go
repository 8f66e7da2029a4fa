package fuzz

import "strings"

// recovering defers a recovery at the start of a function.
func (g *generator) recovering() string {
	set := ""
	if len(g.fn.names) > 0 {
		for i, t := range g.fn.results {
			if i < len(g.fn.names) && t.kind != parameter && g.p(60) {
				set += g.f("%s = %s\n", g.fn.names[i], g.literal(t))
			}
		}
	}
	return g.f("defer func() {\nh.Caught(%s, recover())\n%s}()\n", g.say(), set)
}

// deferred makes a defer statement.
func (g *generator) deferred() string {
	if g.defers++; g.defers > 6 {
		return ""
	}
	options := []option{
		{3, func() string {
			return g.f("defer h.Say(%s, %s, %s)", g.say(), g.expr(tInt, 2), g.expr(allTypes[g.n(len(allTypes))], 2))
		}},
		{3, func() string {
			body := g.closure(func() string {
				s := ""
				for range g.between(1, 2) {
					if c := g.change(func(v *variable) bool { return v.changeable() && v.t.kind != function }); c != "" {
						s += c + "\n"
					}
				}
				if v := g.variable(func(v *variable) bool { return v.t.kind != function }); v != nil {
					s += g.f("h.Say(%s, %s)\n", g.say(), v.read())
				}
				return s
			})
			return g.f("defer func() {\n%s}()", body)
		}},
		{2, func() string {
			return g.f("defer func(x int) {\nh.Say(%s, x)\n}(%s)", g.say(), g.expr(tInt, 2))
		}},
		{1, func() string {
			if x := g.place([]*typ{tPT, tT}[g.n(2)]); x != "" {
				return g.f("defer %s.%s(%s)", x, []string{"Ptr", "Val"}[g.n(2)], g.expr(tInt, 2))
			}
			return ""
		}},
		{1, func() string {
			if g.fn.exits && !g.fn.dies || !g.p(30+g.fn.risk*10) {
				return ""
			}
			return g.f("defer func() { panic(%s) }()", g.literal(tString))
		}},
		{1, func() string {
			if x := g.place(tFunc); x != "" {
				return g.f("defer %s(%s)", x, g.expr(tInt, 2))
			}
			return g.f("defer []func(int){func(x int) { h.Say(%s, x) }}[0](%s)", g.say(), g.expr(tInt, 2))
		}},
		{1, func() string { return "defer recover()" }},
		{1, func() string {
			x := g.f("h.Do2(%s).Await()", g.action2(tInt, tString))
			if g.p(50) {
				x = g.f("h.Pair(%s, %s, %s)", g.say(), g.typed(tInt, 2), g.typed(tString, 2))
			}
			return g.f("defer func(%s) { h.Say(%s, a) }(%s)", []string{"a int, _ string", "a ...any"}[g.n(2)], g.say(), x)
		}},
		{1, func() string { return g.deferredAwait() }},
	}
	if g.fn.recovers {
		options = append(options,
			option{2, func() string { return g.f("defer func() {\nh.Caught(%s, recover())\n}()", g.say()) }},
			option{1, func() string {
				return g.f("defer func() {\nif v := recover(); v != nil {\nh.Caught(%s, v)\npanic(v)\n}\n}()", g.say())
			}})
	}
	if g.fn.exits {
		options = append(options,
			option{2, func() string { return g.f("defer func() {\n%s}()", g.exitingBody(2)) }},
			option{1, func() string { return "defer h.Exit()" }})
	}
	return g.choose(options)
}

// deferredAwait defers an await. Where a function that another awaits may exit, only
// the root does: what a caller has deferred does not wait for an exiting callee's awaits.
func (g *generator) deferredAwait() string {
	if g.exits != noExits && g.exits != diesInRoot && !g.fn.root {
		return ""
	}
	switch g.n(3) {
	case 0:
		return g.f("defer h.Do(%s).Await()", g.action(tInt))
	case 1:
		return g.f("defer h.Do0(func() { h.Say(%s) }).Await()", g.say())
	}
	// The closure goes on while the function does: nobody may see when.
	before := g.closure(g.mutations)
	return g.f("defer async.Go(h.Ctx(), func(ctx context.Context) (int, error) {\nh.Say(%s)\n%s\nreturn h.Quiet(%s).Await()\n}).Await()",
		g.say(), strings.TrimSuffix(before, "; "), g.literal(tInt))
}

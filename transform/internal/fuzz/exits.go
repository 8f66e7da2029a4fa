package fuzz

import "strings"

// This file makes runtime.Goexit, and panics while one goes on. Such a panic is kept by
// the task of a machine that had to wait; who awaits it in another machine, and recovers,
// goes on where Go would exit. So no function that awaits one which may panic so recovers
// anything: either nobody does, or only the one that nobody awaits panics so, or one that
// awaits no other.

// An exiting says who may exit in a program.
type exiting int

const (
	noExits       exiting = iota
	exitsAnywhere         // but nobody panics meanwhile
	diesInRoot            // exits, and panics meanwhile
	diesInFirst           // of the functions, which awaits no other
	diesAnywhere
)

// ending decides how a function may end.
func (g *generator) ending(f *fn) {
	first := len(g.funcs) == 0 && !f.root
	switch g.exits {
	case noExits:
		f.recovers = true
	case exitsAnywhere:
		f.exits, f.recovers = true, true
	case diesInRoot:
		f.exits, f.dies, f.recovers = f.root, f.root, true
	case diesInFirst:
		f.exits, f.dies, f.recovers = first, first, first
		f.recurses = f.recurses && !first
	case diesAnywhere:
		f.exits, f.dies = true, true
	}
}

// inner is how a closure of f may end, whose task f awaits.
func (g *generator) inner(f *fn) fn {
	if g.exits == diesInRoot || g.exits == diesInFirst {
		return fn{recovers: f.recovers}
	}
	return fn{exits: f.exits, dies: f.dies, recovers: f.recovers}
}

// exitStatement calls what is likely to exit.
func (g *generator) exitStatement() string {
	if !g.fn.exits {
		return ""
	}
	s := g.choose([]option{
		{1, func() string { return "h.Exit()" }},
		{2, func() string { return g.f("func() {\n%s}()", g.exitingBody(2)) }},
		{1, func() string { return g.f("h.Say(%s, %s)", g.say(), g.exitingCall(2)) }},
	})
	if g.p(75) {
		return g.f("if %s {\n%s\n}", g.cond(g.nonconst(tBool, 2)), s)
	}
	return s
}

// exitingCall calls a function that is not async, and exits for some arguments.
func (g *generator) exitingCall(d int) string {
	if !g.fn.exits || g.plain > 0 {
		return ""
	}
	return g.f("e%d(%s)", g.id, g.expr(tInt, d-1))
}

// exitingFunction is what exitingCall calls.
func (g *generator) exitingFunction() string {
	if g.exits == noExits {
		return ""
	}
	g.fn = &fn{exits: true, dies: g.exits != exitsAnywhere}
	g.scopes = g.scopes[:1]
	g.push()
	body := g.closure(func() string {
		*g.declare("x", tInt).used = true
		return g.f("if x&%d == 1 {\n%s}\nreturn x + 1\n", []int{1, 3, 7}[g.n(3)], g.exitingBody(2))
	})
	return g.f("\nfunc e%d(x int) int {\n%s}\n", g.id, body)
}

// exitingBody is the inside of a function that is not async and is likely to exit, and to
// panic meanwhile.
func (g *generator) exitingBody(d int) string {
	var b strings.Builder
	for range g.between(0, 3) {
		b.WriteString(g.exitingDefer(d) + "\n")
	}
	if g.p(30) {
		b.WriteString(g.closure(g.mutations) + "\n")
	}
	switch {
	case d > 0 && g.p(25):
		b.WriteString(g.f("func() {\n%s}()\nh.Say(%s)\n", g.exitingBody(d-1), g.say()))
	case g.fn.dies && g.p(15):
		b.WriteString(g.f("panic(%s)\n", g.panicValue()))
	case g.p(85):
		b.WriteString("h.Exit()\n")
	}
	return b.String()
}

// exitingDefer defers a call in such a function.
func (g *generator) exitingDefer(d int) string {
	options := []option{
		{2, func() string { return g.f("defer h.Say(%s)", g.say()) }},
		{2, func() string { return g.f("defer func() {\nh.Caught(%s, recover())\n}()", g.say()) }},
		{1, func() string { return "defer h.Exit()" }},
	}
	if d > 0 {
		options = append(options, option{2, func() string { return g.f("defer func() {\n%s}()", g.exitingBody(d-1)) }})
	}
	if g.fn.dies {
		options = append(options,
			option{4, func() string { return g.f("defer func() { panic(%s) }()", g.panicValue()) }},
			option{1, func() string {
				return g.f("defer func() {\nif v := recover(); v != nil {\nh.Caught(%s, v)\npanic(%s)\n}\n}()", g.say(), []string{"v", g.panicValue()}[g.n(2)])
			}})
	}
	return g.choose(options)
}

// way is how the iterator of a range ends.
func (g *generator) way() int {
	ways := []int{0}
	if g.fn.recovers {
		ways = append(ways, 1, 2, 3, 6)
	}
	if g.fn.dies || !g.fn.exits {
		ways = append(ways, 4)
	}
	if g.fn.exits {
		ways = append(ways, 5)
	}
	if g.fn.dies {
		ways = append(ways, 7, 8)
	}
	return ways[g.n(len(ways))]
}

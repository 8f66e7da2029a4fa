package fuzz

import "strings"

// await awaits an operation with one result.
func (g *generator) await(t *typ, d int) string {
	switch {
	case g.p(10) && t.kind != parameter:
		configured := []string{"", "", ".ConfigureAwait(false)"}[g.n(3)]
		return g.f("h.V(h.Task(%s)%s.Await())", g.failing(t), configured)
	case g.p(5):
		return g.f("h.Waiter[%s](h.Do(%s)).Await()", t, g.action(t))
	case g.p(4):
		return g.f("(struct {\nh.Op[%s]\nN int\n}{h.Do(%s), %s}).Await()", t, g.action(t), g.expr(tInt, d-1))
	case g.p(25) && t == tInt:
		if x := g.place(tOp); x != "" {
			return x + ".Await()"
		}
	case g.p(30) && t == tInt:
		if x := g.place(tTask); x != "" {
			return g.f("h.V(%s.Await())", x)
		}
	case g.p(5) && len(g.scopes) < 8 && t.kind != parameter:
		return g.f("h.V(async.Go(h.Ctx(), %s).Await())", g.literalMachine(t))
	case g.p(30) && t == tInt:
		if x := g.place(tMachine); x != "" {
			return g.f("h.V(%s(h.Ctx(), %s).Await())", x, g.expr(tInt, d-1))
		}
	case g.p(5) && len(g.scopes) < 8 && t.kind != parameter:
		if g.p(50) {
			return g.f("h.V(async.Func0(%s)(h.Ctx()).Await())", g.literalMachine(t))
		}
		return g.f("h.V(async.Func2(%s)(h.Ctx(), %s, %s).Await())", g.literalMachine(t, "arg", "arg2"),
			g.expr(tInt, d-1), g.expr(tInt, d-1))
	case g.p(5):
		return g.f("h.V(h.Done(%s, nil).Await())", g.typed(t, d-1))
	case g.p(15):
		return g.f("h.Do(h.Id(%s, %s)).Await()", g.say(), g.action(t))
	}
	return g.f("h.Do(%s).Await()", g.action(t))
}

// raced names a variable and awaits what changes it, so that it shows whether the
// variable is read before or after.
func (g *generator) raced(want func(*variable) bool) (read, awaited string) {
	read, change := g.racing(want)
	if read != "" {
		awaited = "h.Do(" + change + ").Await()"
	}
	return read, awaited
}

// racing names a variable and a function that changes it.
func (g *generator) racing(want func(*variable) bool) (read, change string) {
	captures := g.p(g.fn.capture)
	v := g.variable(func(v *variable) bool {
		return v.changeable() && !v.fixed && (captures || v.name[0] == 'g') && want(v)
	})
	if v == nil || g.plain > 0 {
		return "", ""
	}
	var set string
	g.closure(func() string {
		set = g.change(func(u *variable) bool { return u == v })
		return ""
	})
	return g.use(v), g.f("func() %s { %s; return %s }", v.t, set, g.literal(v.t))
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
func (g *generator) action(t *typ) string {
	var value string
	body := g.closure(func() string {
		muts := g.mutations()
		if g.p(g.fn.risk / 2) {
			muts += g.f("if h.Id(%s, true) { panic(%s) }; ", g.say(), g.panicValue())
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
		captures := g.p(g.fn.capture)
		may := func(v *variable) bool { return v.changeable() && (captures || v.name[0] == 'g') }
		s := ""
		if n := len(g.recent); n > 0 && g.p(60) {
			v := g.recent[g.n(n)]
			s = g.change(func(u *variable) bool { return u == v && may(u) })
		} else {
			s = g.change(may)
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
		return g.f("%s[%s] = %s", name, knownKey(v.t), g.literal(v.t.elem))
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
		if f.results[0].kind == parameter && !f.admits(t) {
			continue
		}
		return g.f("h.V(%s.Await())", g.start(f, t, d))
	}
	return ""
}

// start starts a generated function; v is its type argument.
func (g *generator) start(f *fn, v *typ, d int) string {
	if !f.admits(v) {
		v = tN
	}
	var args []string
	for _, p := range f.params {
		switch {
		case p.t.kind == parameter:
			args = append(args, g.typed(v, d-1))
		case p.fixed:
			args = append(args, g.f("%d", g.n(3)))
		case p.t == tContext:
			args = append(args, g.atom(tContext))
		default:
			args = append(args, g.expr(p.t, d-1))
		}
	}
	if f.variadic {
		args = append(args, []string{g.expr(tInt, d-1), g.expr(tInts, d-1) + "...", g.literal(tInt) + ", " + g.expr(tInt, d-1)}[g.n(3)])
	}
	name := f.name + "Async"
	if f.recv != "" {
		of := strings.TrimPrefix(f.recv, "*")
		if f.generic {
			of = g.f("K%d[%s]", g.id, v)
		}
		a := g.expr(tInt, d-1)
		if g.plain == 0 && g.p(20) {
			a = g.awaitInt()
		}
		r := g.f("%s{A: %s, L: %s}", of, a, g.expr(tInts, 0))
		if strings.HasPrefix(f.recv, "*") {
			r = "&" + r
		}
		return g.startMethod(f, of, r, name, args)
	}
	named := g.p(10)
	if f.generic && (named || g.p(60)) {
		name += "[" + v.text + "]"
	}
	if named {
		name = g.f("h.Id(%s, %s)", g.say(), name)
	}
	return g.f("%s(%s)", name, strings.Join(args, ", "))
}

// startMethod starts a method of a receiver, whose type is of without a pointer.
func (g *generator) startMethod(f *fn, of, receiver, name string, args []string) string {
	if strings.HasPrefix(f.recv, "*") {
		of = "*" + of
	}
	list := strings.Join(args, ", ")
	switch g.n(5) {
	case 0:
		return g.f("(%s).%s(%s)", of, name, strings.Join(append([]string{receiver}, args...), ", "))
	case 1:
		return g.f("(struct{ %s }{%s}).%s(%s)", of, receiver, name, list)
	case 2:
		return g.f("h.Id(%s, (%s).%s)(%s)", g.say(), receiver, name, list)
	}
	return g.f("(%s).%s(%s)", receiver, name, list)
}

// literalMachine is a literal that becomes a machine of its own.
func (g *generator) literalMachine(t *typ, ints ...string) string {
	return g.machine(t, ints, nil)
}

// machine is such a literal; all makes its statements, if it is not nil.
func (g *generator) machine(t *typ, ints []string, all func() string) string {
	outer, loops, defers := g.fn, g.loops, g.defers
	inner := g.inner(outer)
	inner.results, inner.fails, inner.capture, inner.risk = []*typ{t}, true, outer.capture, outer.risk
	g.fn = &inner
	g.loops = nil
	g.push()
	g.declare("ctx", tContext)
	params := "ctx context.Context"
	for _, param := range ints {
		*g.declare(param, tInt).used = true
		params += ", " + param + " int"
	}
	body := ""
	if inner.recovers && g.p(30) {
		body = g.recovering()
	}
	if all != nil {
		body += all()
	} else {
		more, ended := g.statements(3)
		if body += more; !ended {
			body += g.returns(1)
		}
	}
	g.pop()
	g.fn, g.loops, g.defers = outer, loops, defers
	return g.f("func(%s) (%s, error) {\n%s}", params, t, body)
}

package fuzz

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A Program is a generated file: globals, types and annotated functions, and
// how its root is called.
type Program struct {
	ID     int
	Source string
}

// A generator makes one program.
type generator struct {
	r      *rand.Rand
	id     int
	scopes []*scope
	funcs  []*fn       // callable
	fn     *fn         // being made
	recent []*variable // what the statement has named so far
	names  int
	labels int
	says   int
	left   int // statements that may still be made
	loops  []*loop
	plain  int // depth of function literals, where there is no await
	depth  int // of expressions
	defers int
	bad    int // of 100 operands that may panic, how many do
	exits  exiting
}

// A fn is an annotated function.
type fn struct {
	name     string // F12b, or a method's name
	recv     string // "M12", "*M12" or ""
	params   []*variable
	results  []*typ // without the error
	names    []string
	fails    bool // the last result is an error
	generic  bool
	root     bool
	peer     string // that it calls, and that calls it
	recurses bool
	capture  int // of 100 actions, how many change what is captured
	risk     int // of 100 operands, how many may panic
	variadic bool
	whole    *typ // of the first result, to which literals are assigned
	exits    bool // may call runtime.Goexit
	dies     bool // may panic while it exits
	recovers bool
}

// A loop is what break and continue may leave.
type loop struct {
	label  string // "" until one is needed
	ranges bool   // continue is possible
	named  bool
	jump   string // a label behind it, for goto; "" if none
}

// Generate makes the program of a seed.
func Generate(seed uint64, id int) Program {
	g := &generator{r: rand.New(rand.NewPCG(seed, uint64(id))), id: id}
	if g.p(45) {
		g.exits = exiting(g.between(1, 4))
	}
	source := g.program()
	return Program{ID: id, Source: source}
}

func (g *generator) n(n int) int          { return g.r.IntN(n) }
func (g *generator) p(p int) bool         { return g.r.IntN(100) < p }
func (g *generator) between(a, b int) int { return a + g.n(b-a+1) }

// An option is one way to go on, with a weight.
type option struct {
	weight int
	make   func() string
}

// choose makes one of the options; "" means that it could not.
func (g *generator) choose(options []option) string {
	for range 8 {
		total := 0
		for _, o := range options {
			total += o.weight
		}
		at := g.n(total)
		for _, o := range options {
			if at -= o.weight; at < 0 {
				if s := o.make(); s != "" {
					return s
				}
				break
			}
		}
	}
	return ""
}

// say is a number for a trace line.
func (g *generator) say() string {
	g.says++
	return fmt.Sprintf("%q", fmt.Sprintf("s%d", g.says))
}

// globals are the variables of the file: name, type, start.
func (g *generator) globals() (decls string) {
	g.push()
	var decl, reset strings.Builder
	for i, t := range []*typ{tInt, tInts, tPT, tMap, tString, tArray, tT} {
		v := g.declare(fmt.Sprintf("g%d%c", g.id, 'a'+i), t)
		fmt.Fprintf(&decl, "\t%s %s\n", v.name, t)
		fmt.Fprintf(&reset, "\t%s = %s\n", v.name, g.literal(t))
	}
	return fmt.Sprintf("var (\n%s)\n\nfunc reset%d() {\n%s}\n", decl.String(), g.id, reset.String())
}

// program makes a file.
func (g *generator) program() string {
	var b strings.Builder
	globals := g.globals()
	var methods string
	if g.p(50) {
		methods = fmt.Sprintf("\ntype M%[1]d struct {\n\tA int\n\tL []int\n}\n\ntype K%[1]d[V any] struct {\n\tA int\n\tL []int\n}\n", g.id)
	}
	var funcs strings.Builder
	funcs.WriteString(g.exitingFunction())
	for i := range g.between(0, 2) {
		f := &fn{name: fmt.Sprintf("F%d%c", g.id, 'a'+i), generic: g.p(20), recurses: g.p(25)}
		if methods != "" && g.p(70) {
			f.recv = fmt.Sprintf("M%d", g.id)
			if f.generic {
				f.recv = fmt.Sprintf("K%d[V]", g.id)
			}
			if g.p(50) {
				f.recv = "*" + f.recv
			}
		}
		funcs.WriteString("\n" + g.function(f, g.between(3, 8)))
		g.funcs = append(g.funcs, f)
	}
	if g.p(25) {
		x, y := fmt.Sprintf("F%dx", g.id), fmt.Sprintf("F%dy", g.id)
		for _, f := range []*fn{{name: x, peer: y}, {name: y, peer: x}} {
			funcs.WriteString("\n" + g.function(f, g.between(2, 5)))
			g.funcs = append(g.funcs, f)
		}
	}
	if g.exits != diesInFirst && g.exits != diesAnywhere && g.p(35) {
		f := &fn{name: fmt.Sprintf("F%dz", g.id)}
		funcs.WriteString("\n" + g.fragile(f))
		g.funcs = append(g.funcs, f)
	}
	root := &fn{name: fmt.Sprintf("F%d", g.id), root: true}
	funcs.WriteString("\n" + g.function(root, g.between(4, 16)))
	call := g.rootCall(root)
	fmt.Fprintf(&b, "package p\n\nimport (\n\t\"context\"\n\t\"unsafe\"\n\n\t\"fuzzed/h\"\n\t\"github.com/nothread/nothread/runtime/async\"\n)\n\n//call: %s\n\n%s%s%s", call, globals, methods, funcs.String())
	return b.String()
}

// rootCall is the call of the root with literal arguments.
func (g *generator) rootCall(f *fn) string {
	g.scopes = g.scopes[:1]
	var args []string
	for _, p := range f.params {
		args = append(args, g.literal(p.t))
	}
	return fmt.Sprintf("%s(%s)", f.name, strings.Join(args, ", "))
}

var resultTypes = []*typ{tInt, tInt, tString, tInts, tT, tAny, tBool, tArray, tPT, tFloat}

// numeric is the constraint of type parameters that have operators.
const numeric = "interface{ ~int | ~uint8 }"

// admits reports whether t satisfies the constraint of the type parameter, if there is one.
func (f *fn) admits(t *typ) bool {
	if !f.generic || f.recv != "" {
		return true
	}
	switch f.results[0].constraint {
	case "I":
		return t == tN || t == tU || t == tT || t == tPT
	case numeric:
		return t == tInt || t == tUint8 || t == tN
	}
	return true
}

// signature chooses parameters and results and declares them.
func (g *generator) signature(f *fn) string {
	if f.peer != "" {
		p := g.declare("n", tInt)
		p.fixed, p.frozen = true, true
		f.params, f.results, f.fails = []*variable{p}, []*typ{tInt}, true
		return "(n int) (int, error)"
	}
	tparams, params := "", []string{}
	if g.p(25) {
		f.params = append(f.params, g.declare("ctx", tContext))
		params = append(params, "ctx context.Context")
	}
	v := &typ{text: "V", kind: parameter}
	if f.generic {
		if f.recv == "" {
			v.constraint = []string{"any", "any", "I", numeric}[g.n(4)]
			tparams = g.f("[V %s]", v.constraint)
		}
		p := g.declare("v", v)
		f.params = append(f.params, p)
		params = append(params, "v V")
	}
	if f.recurses {
		p := g.declare("n", tInt)
		p.fixed, p.frozen = true, true
		f.params = append(f.params, p)
		params = append(params, "n int")
	}
	for range g.between(0, 3) {
		t := allTypes[g.n(len(allTypes))]
		p := g.declare(g.fresh(), t)
		f.params = append(f.params, p)
		name := p.name
		if g.p(5) {
			name, p.name = "_", "_"
			s := g.scopes[len(g.scopes)-1]
			s.vars = s.vars[:len(s.vars)-1]
		}
		params = append(params, name+" "+t.text)
	}
	if g.p(15) {
		f.variadic = true
		name := g.fresh()
		g.declare(name, tInts)
		params = append(params, name+" ...int")
	}
	return fmt.Sprintf("%s(%s) %s", tparams, strings.Join(params, ", "), g.results(f, v))
}

// results chooses the results; v is the type parameter of a generic function.
func (g *generator) results(f *fn, v *typ) string {
	count := []int{0, 1, 1, 1, 1, 2, 2, 3}[g.n(8)]
	if f.generic {
		f.results = append(f.results, v)
		count = min(count, 1)
	}
	for range count {
		f.results = append(f.results, resultTypes[g.n(len(resultTypes))])
	}
	f.fails = g.p(45)
	named := g.p(50)
	var results []string
	for i, t := range append(append([]*typ{}, f.results...), tError) {
		if i == len(f.results) && !f.fails {
			break
		}
		if !named {
			results = append(results, t.text)
			continue
		}
		p := g.declare(g.fresh(), t)
		*p.used = true
		f.names = append(f.names, p.name)
		results = append(results, p.name+" "+t.text)
	}
	list := strings.Join(results, ", ")
	if len(results) > 1 || named && len(results) > 0 {
		list = "(" + list + ")"
	}
	return list
}

// function makes an annotated function of about size statements.
func (g *generator) function(f *fn, size int) string {
	g.fn, g.left, g.loops, g.defers = f, size, nil, 0
	g.ending(f)
	g.depth = g.between(1, 3)
	f.capture = []int{0, 15, 60}[g.n(3)]
	f.risk = []int{0, 0, 1, 4}[g.n(4)]
	g.scopes = g.scopes[:1]
	g.push()
	recv := ""
	if f.recv != "" {
		v := g.declare("m", &typ{text: f.recv, kind: parameter})
		v.fixed = true
		recv = fmt.Sprintf("(m %s) ", f.recv)
	}
	signature := g.signature(f)
	if f.recv != "" {
		f.name = "F" + f.name[len(f.name)-1:]
	}
	var b strings.Builder
	option := ""
	switch n := g.n(100); {
	case n < 10:
		option = " pool"
	case n < 20:
		option = " class"
	}
	fmt.Fprintf(&b, "//nothread:async%s\nfunc %s%s%s {\n", option, recv, f.name, signature)
	if f.recovers && g.p(35) {
		b.WriteString(g.recovering())
	}
	if last := len(g.funcs) - 1; f.root && last >= 0 && strings.HasSuffix(g.funcs[last].name, "z") {
		z := g.funcs[last]
		fmt.Fprintf(&b, "defer h.Seen(%s)\nh.Say(%s, h.List(%d)(%sAsync().Await())...)\n", g.say(), g.say(), len(z.results), z.name)
	}
	body, ended := g.statements(size)
	b.WriteString(body)
	if !ended && f.peer != "" {
		fmt.Fprintf(&b, "if n > 0 {\nh.Say(%s, h.V(%sAsync(n-1).Await()))\n}\n", g.say(), f.peer)
	}
	if !ended {
		b.WriteString(g.returns(2))
	}
	b.WriteString("}\n")
	return b.String()
}

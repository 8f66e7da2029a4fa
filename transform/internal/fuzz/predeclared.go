package fuzz

import "regexp"

// names of the universe and the file, which mean something else in a block.
var predeclared = []string{"any", "append", "bool", "byte", "cap", "clear", "close", "complex", "complex128", "copy", "delete",
	"error", "false", "float64", "imag", "int", "int8", "iota", "len", "make", "max", "min", "new", "nil", "panic", "print", "real", "recover",
	"rune", "string", "true", "uint64", "uint8", "uintptr", "T", "U", "N", "I", "E", "G", "Of", "Op", "Task", "Machine", "async", "context", "unsafe"}

// redeclared gives a name that everything else uses to a variable that lives across
// awaits. What is made besides must do without the name.
func (g *generator) redeclared() string {
	x := g.expr(tInt, 2)
	g.push()
	defer g.pop()
	t := allTypes[g.n(len(allTypes))]
	awaited := g.expr(t, g.depth)
	body := ""
	if g.p(50) {
		body = g.braces(2) + "\n"
	}
	for _, i := range g.r.Perm(len(predeclared)) {
		name := predeclared[i]
		word := regexp.MustCompile(`\b` + name + `\b`)
		if word.MatchString(awaited + body) {
			continue
		}
		n := g.n(9)
		return g.f("{\n%[1]s := %[2]s\n%[3]sh.Say(%[4]s, %[1]s, %[5]s, h.Do(h.Nine).Await())\n%[1]s += %[6]d\nh.Say(%[4]s, %[1]s)\n}", name, x, body, g.say(), awaited, n)
	}
	return ""
}

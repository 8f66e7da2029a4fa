package emit

import (
	"fmt"
	"go/ast"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// states declares what dumps, traces and panics say of a machine:
//
//	var copyStreamMachineStates = async.States{
//		Func: "CopyStream", File: "copystream.go", Line: 21, Code: 75,
//		Lines: "14:1 16:4 22-28:4 …",
//		At: []async.State{
//			1: {Line: 5, Awaits: "src.ReadAsync(ctx, buf)", Needs: "ctx src dst buf copied"},
//			2: {Line: 13, Awaits: "dst.WriteAsync(ctx, buf[:n])", Needs: "ctx src dst buf copied n"},
//		},
//	}
//
//	func (m *copyStreamMachine) States() (*async.States, int) { return &copyStreamMachineStates, int(m.State) }
//
// Of one that never waits only panics do: it has no states.
func (e *emitter) states() {
	var b strings.Builder
	fmt.Fprintf(&b, "var %s = %s{\n", e.f.Table, async("States"))
	first := e.f.Source.Line(e.f.Start())
	fmt.Fprintf(&b, "Func: %q, File: %q, Line: %d, Code: 0,\nLines: \"\",\n", e.f.Name, e.f.Source.Base, first)
	if !e.f.Suspends() {
		b.WriteString("}")
		e.out.Commentf("%s says from where the lines of MoveNext come.", e.f.Table)
		e.out.Add(raw(b.String()))
		e.out.Line()
		return
	}
	fmt.Fprintf(&b, "At: []%s{\n", async("State"))
	for _, a := range e.f.States() {
		fmt.Fprintf(&b, "%d: {Line: %d, Awaits: %q, Needs: %q},\n", a.State, e.f.Source.Line(a.Call.Rparen)-first, e.awaited(a), strings.Join(e.needed(a), " "))
	}
	b.WriteString("},\n}")
	which := "are needed after"
	if e.f.Class {
		which = "may be set"
	}
	e.out.Commentf("%s says of each state its line, counted from Line, what is awaited, and which fields %s.", e.f.Table, which)
	e.out.Add(raw(b.String()))
	e.out.Line()

	e.out.Commentf("States says where %s waits, to whoever looks at it.", e.name())
	e.method("States").Params().Params(jen.Op("*").Add(raw(async("States"))), jen.Int()).
		Block(raw(fmt.Sprintf("return &%s, int(%s.State)", e.f.Table, e.f.Receiver)))
	e.out.Line()
}

// know writes what makes the file's tables known to who reads stacks:
//
//	func init() {
//		async.Know("copyStreamMachine", &copyStreamMachineStates)
//	}
func know(out *jen.File, funcs []*ir.Func) {
	var calls []string
	var list func(funcs []*ir.Func)
	list = func(funcs []*ir.Func) {
		for _, f := range funcs {
			calls = append(calls, fmt.Sprintf("%s(%q, &%s)", async("Know"), f.Machine, f.Table))
			list(f.Children)
		}
	}
	list(funcs)
	out.Comment("Panics name the source's lines by the tables of the machines.")
	out.Func().Id("init").Params().Block(raw(strings.Join(calls, "\n")))
}

// awaited says what is awaited at a.
func (e *emitter) awaited(a *ir.Await) string {
	return a.What(e.words(a.Operand))
}

// words is n as the author wrote it, on one line and cut to what fits there. No
// line numbers: they would change with every line above.
func (e *emitter) words(n ast.Node) string {
	const most = 60
	text := []rune(strings.Join(strings.Fields(e.f.Source.Text(n.Pos(), n.End())), " "))
	if len(text) > most {
		return string(text[:most-1]) + "…"
	}
	return string(text)
}

// needed lists the fields that a machine waiting at a still needs.
func (e *emitter) needed(a *ir.Await) []string {
	var names []string
	for _, v := range e.f.Kept(a) {
		names = append(names, v.Kept())
	}
	return names
}

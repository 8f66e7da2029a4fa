package emit

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// moveNext writes the engine.
func (e *emitter) moveNext() {
	open := e.declarations()
	e.here = 0
	if e.marker = markerPrefix(e.f.Source.Base); strings.Contains(string(e.f.Source.Content), e.marker) {
		e.marker = "" // the source has such a text itself: it keeps that, and has no table
	}
	e.localVars()
	e.dispatch()
	e.unbox(e.f.Params)
	for i, blk := range e.f.Blocks {
		e.block(blk, e.f.After(i))
	}
	e.here = 0
	e.line("%s", strings.Repeat("}\n", open))
	e.out.Commentf("MoveNext runs %s until it has to wait, or to its end.", e.name())
	e.method("MoveNext").Params(jen.Op("*").Add(raw(async("Executor")))).Add(raw(async("Continuation"))).
		Block(raw(strings.TrimSpace(e.b.String())))
}

func (e *emitter) line(format string, args ...any) {
	if e.here > 0 { // each of our lines; those of an argument follow one upon the other
		mark := e.Mark(e.here)
		e.b.WriteString(mark)
		format = strings.ReplaceAll(format, "\n", "\n"+strings.ReplaceAll(mark, "%", "%%"))
	}
	fmt.Fprintf(&e.b, format+"\n", args...)
}

// localVars declares what does not live in the machine.
func (e *emitter) localVars() {
	var specs, inferred, unused []string
	declare := func(name string, shape *ir.Shape, t types.Type, text string) {
		if shape != nil {
			inferred = append(inferred, name+" := "+e.inferred(shape, text, t))
			return
		}
		specs = append(specs, name+" "+text)
	}
	for _, v := range e.locals() {
		text := ""
		if v.Shape == nil {
			text = e.varType(v)
		} else if v.Cell {
			text = "*"
		}
		declare(v.Name, v.Shape, v.Type, text)
		if !e.read(v) {
			unused = append(unused, v.Name)
		}
	}
	for _, s := range e.f.Slots {
		text := ""
		if s.Shape == nil {
			text = e.typ(s.Type)
		}
		declare(s.Local, s.Shape, s.Type, text)
	}
	switch len(specs) {
	case 0:
	case 1:
		e.line("var %s", specs[0])
	default:
		e.line("var (\n%s\n)", strings.Join(specs, "\n"))
	}
	for _, line := range inferred {
		e.line("%s", line)
	}
	for _, name := range unused {
		e.line("_ = %s", name)
	}
}

// read reports whether anything reads the Go variable that v shares.
func (e *emitter) read(v *ir.Var) bool {
	for _, w := range e.f.Vars {
		if w.Name == v.Name && w.InMachine() == v.InMachine() && w.Used {
			return true
		}
	}
	return false
}

// dispatch:
//
//	switch m.State {
//	case 1:
//		task = m.awaiter.Task(m.Awaited)
//		goto readDone // src.ReadAsync(ctx, buf)
//	case 2:
//		goto linesNext // lines.Await(ctx)
//	case 3: // the close of lines.Await(ctx), where the function ends
//		return m.Unwind(m.stream.After(m.unwinding))
//	case 4: // unlock(), deferred
//		task = m.awaiter.Task(m.Awaited)
//		return m.Unwind(fDefer1{task}.after(m.unwinding))
//	}
func (e *emitter) dispatch() {
	if !e.f.Suspends() {
		return
	}
	m := e.f.Receiver
	e.line("switch %s.State {", m)
	for _, a := range e.f.Awaits {
		e.line("case %d:", a.State)
		e.restore(a.Slot)
		e.unbox(a.Live)
		e.line("goto %s // %s", a.Resume, e.awaited(a))
	}
	for _, l := range e.f.Loops {
		if l.Left != nil {
			e.line("case %d: // %s, where the function ends", l.Left.State, e.awaited(l.Left))
			e.unwindAfter(l.Left, e.iterator(l)+".After")
		}
	}
	for _, d := range e.f.Defers {
		if d.Await != nil {
			e.line("case %d: // %s, deferred", d.Await.State, e.words(d.Await.Operand))
			e.restore(d.Await.Slot)
			e.unwindAfter(d.Await, fmt.Sprintf("%s%s{%s}.after", d.Type, e.used(), d.Await.Slot.Local))
		}
	}
	e.line("}\n")
}

// unwindAfter goes on with the end of the function, behind an await there. What panics in
// that await comes from where it stands in the source.
func (e *emitter) unwindAfter(a *ir.Await, after string) {
	e.at(a.Call.Rparen)
	e.line("return %[1]s.Unwind(%[2]s(%[1]s.unwinding))", e.f.Receiver, after)
	e.here = 0
}

// box puts into the machine what is boxed of what lives across an await; unbox
// takes it out again.
func (e *emitter) box(vars []*ir.Var) {
	for _, v := range vars {
		if v.Boxed {
			e.line("%s.%s = %s", e.f.Receiver, v.Field, v.Name)
		}
	}
}

func (e *emitter) unbox(vars []*ir.Var) {
	for _, v := range vars {
		if v.Boxed {
			e.line("%[1]s = %[2]s(%[3]s.%[4]s, %[1]s)", v.Name, async("Unboxed"), e.f.Receiver, v.Field)
		}
	}
}

// restore takes the awaitable out of the machine again. A stream's iterator has no slot: it
// stays where it is.
func (e *emitter) restore(s *ir.Slot) {
	m := e.f.Receiver
	switch {
	case s == nil:
	case s.Boxed:
		e.line("%[1]s, %[2]s.%[3]s = %[4]s(%[2]s.%[3]s, %[1]s), nil", s.Local, m, s.Field, async("Unboxed"))
	case s.Task != nil:
		e.line("%[1]s = %[2]s.%[3]s.Task(%[2]s.Awaited)", s.Local, m, s.Field)
	case ir.HasPointers(s.Type):
		e.line("%[1]s, %[2]s.%[3]s = %[2]s.%[3]s, %[4]s", s.Local, m, s.Field, e.zero(s.Type))
	default:
		e.line("%s = %s.%s", s.Local, m, s.Field)
	}
}

func (e *emitter) block(blk, next *ir.Block) {
	instrs := blk.Instrs
	if blk.Label != "" {
		if len(instrs) > 0 {
			if blank, ok := instrs[0].(*ir.Blank); ok { // it stands above the label, which belongs to what follows
				e.instr(blank)
				instrs = instrs[1:]
			}
		}
		e.line("%s:", blk.Label)
	}
	for _, in := range instrs {
		e.at(placeOf(in))
		e.instr(in)
	}
	e.at(placeOfTerm(e.f, blk.Term))
	e.term(blk.Term, next)
}

func (e *emitter) instr(in ir.Instr) {
	switch in := in.(type) {
	case *ir.Stmt:
		e.closed(e.f.Captures(in), func() { e.line("%s", e.stmt(in)) })
	case *ir.Code:
		e.closed(e.f.Captures(in), func() { e.line("%s", e.code(in)) })
		for _, v := range in.Defs {
			if e.f.Iterates(v) { // RunDeferred needs it at any time
				e.box([]*ir.Var{v})
			}
		}
	case *ir.Declare:
		e.declare(in)
	case *ir.Renew:
		e.renew(in.Var)
	case *ir.Await:
		e.await(in)
	case *ir.Comment:
		text := in.Text
		if in.Trailing {
			text = strings.TrimRight(e.b.String(), "\n") + " " + text
			e.b.Reset()
		}
		e.here = 0
		e.line("\t%s", text) // not in the first column: a //line comment means something there
	case *ir.Blank:
		e.here = 0
		e.line("")
	}
}

// closed writes something in which closures capture hoisted variables. They
// get copies of their own, of the value or of the pointer to the cell:
//
//	{
//		n := m.n
//		f = func() int { return n }
//	}
func (e *emitter) closed(captured []*ir.Var, write func()) {
	if len(captured) == 0 {
		write()
		return
	}
	e.line("{")
	for _, v := range captured {
		e.line("%s := %s", e.Var(v, true), e.Var(v, false))
	}
	write()
	e.line("}")
}

func (e *emitter) stmt(in *ir.Stmt) string {
	if s, ok := in.Node.(*ast.IfStmt); ok && in.NoInit {
		return "if " + e.f.Node(s, s.Cond.Pos(), s.End(), e)
	}
	return e.f.Node(in.Node, in.Node.Pos(), in.Node.End(), e)
}

// code fills in the arguments of an instruction of ours.
func (e *emitter) code(c *ir.Code) string {
	return e.format(c.Format, c.Args)
}

func (e *emitter) format(format string, args []any) string {
	var texts []any
	behind := strings.Split(format, "%v")[1:]
	for i, arg := range args {
		text := e.arg(arg)
		if strings.HasPrefix(text, "*") && strings.HasPrefix(behind[i], ".") {
			text = "(" + text + ")" // a variable in a cell
		}
		texts = append(texts, text)
	}
	return fmt.Sprintf(format, texts...)
}

func (e *emitter) arg(arg any) string {
	switch arg := arg.(type) {
	case *ir.Var:
		if arg.Cell {
			return "*" + e.Var(arg, false)
		}
		return e.Var(arg, false)
	case *ir.Await:
		return e.Operand(arg)
	case ir.Value:
		return e.f.Value(arg.Expr, e)
	case ir.Name:
		return mark(arg.Path, arg.Name)
	case *ir.LocalType:
		return arg.Name
	case ast.Expr:
		return e.f.Expr(arg, e)
	case string:
		return arg
	}
	panic(fmt.Sprintf("emit: an argument of type %T", arg))
}

func (e *emitter) declare(d *ir.Declare) {
	switch v := d.Var; {
	case v.Cell && v.Shape != nil:
		e.line("%[1]s = %[2]s(%[1]s)", v.Name, async("NewOf"))
	case v.Cell:
		e.line("%s = new(%s)", e.Var(v, false), e.typ(v.Type))
	case d.Zero && v.Zeroed && v.Shape != nil:
		e.line("%[1]s = %[2]s(%[1]s)", v.Name, async("ZeroOf"))
	case d.Zero && v.Zeroed:
		e.line("%s = %s", e.Var(v, false), e.zero(v.Type))
	}
}

// renew:
//
//	{
//		fresh := *m.i
//		m.i = &fresh
//	}
func (e *emitter) renew(v *ir.Var) {
	if !v.Cell {
		return
	}
	fresh := "fresh"
	if v.Name == fresh {
		fresh = "renewed"
	}
	e.line("{\n%s := *%s\n%s = &%s\n}", fresh, e.Var(v, false), e.Var(v, false), fresh)
}

// await:
//
//	task = m.src.ReadAsync(m.ctx, m.buf)
//	if !task.IsCompleted() {
//		h := async.Self(m.onHeap(task.Header()))
//		h.State = 1
//		if h.awaiter.OnCompleted(task, &h.Header, h) {
//			return nil
//		}
//	}
//	readDone:
//
// In a pooled machine, where nothing is left to do after, it first asks
//
//	if m.awaiter.HandsOn(task, m.ctx, &m.Header) {
//		return nil // its task is the caller's
//	}
//
// An awaitable that is no task is kept whole:
//
//	h.awaiter = answer
//	if answer.OnCompleted(h) {
//		return nil
//	}
//
// What is awaited of a stream is its iterator's, which the machine has already:
//
//	if !m.lines.IsCompleted() {
//		h := async.Self(m.onHeap(nil))
//		h.State = 1
//		if m.lines.OnCompleted(h) {
//			return nil
//		}
//	}
//	linesNext:
func (e *emitter) await(a *ir.Await) {
	m, awaited := e.f.Receiver, e.awaitedAs(a)
	if a.Stream == nil {
		e.closed(e.f.Captures(a), func() { e.line("%s = %s", awaited, e.awaitable(a)) })
	}
	e.line("if !%s.IsCompleted() {", awaited)
	e.box(a.Live)
	if e.handsOn(a) {
		e.line("if %[1]s.%[2]s.HandsOn(%[3]s, %[4]s, &%[1]s.Header) {\nreturn nil // its task is the caller's\n}",
			m, a.Slot.Field, awaited, e.ownContext(m))
	}
	for _, line := range e.suspended(a, awaited) {
		e.line("%s", line)
	}
	e.line("}\n%s:", a.Resume)
}

// awaitedAs writes what MoveNext calls the awaitable.
func (e *emitter) awaitedAs(a *ir.Await) string {
	if a.Stream != nil {
		return e.arg(a.Stream)
	}
	return a.Slot.Local
}

// suspended writes how a machine suspends itself: see await, of which it is all within
// the first braces. Of a task it keeps no more than what is needed to have it again; of
// another awaitable, all.
func (e *emitter) suspended(a *ir.Await, awaitable string) []string {
	s, h := a.Slot, e.f.OnHeap
	isTask := s != nil && s.Task != nil && !s.Boxed
	awaited := "nil"
	if isTask {
		awaited = awaitable + ".Header()"
	}
	var lines []string
	if !e.f.Class { // else it is there already
		lines = append(lines, fmt.Sprintf("%s := %s(%s.onHeap(%s))", h, async("Self"), e.f.Receiver, awaited))
	}
	lines = append(lines, fmt.Sprintf("%s.State = %d", h, a.State))
	lines = append(lines, e.letGo(a)...)
	stored := fmt.Sprintf("%s.OnCompleted(%s)", awaitable, h)
	switch {
	case isTask:
		stored = fmt.Sprintf("%[1]s.%[2]s.OnCompleted(%[3]s, &%[1]s.Header, %[1]s)", h, s.Field, awaitable)
	case s != nil:
		lines = append(lines, fmt.Sprintf("%s.%s = %s", h, s.Field, awaitable))
	}
	return append(lines, "if "+stored+" {", "return nil", "}")
}

func (e *emitter) awaitable(a *ir.Await) string {
	if !a.Address {
		return e.f.Expr(a.Operand, e)
	}
	addr := &ast.UnaryExpr{OpPos: a.Operand.Pos(), Op: token.AND, X: a.Operand}
	if v := e.f.Variable(a.Operand); v != nil && v.Cell {
		return e.f.Value(addr, e)
	}
	return "&" + e.f.Expr(a.Operand, e)
}

func (e *emitter) term(t ir.Term, next *ir.Block) {
	switch t := t.(type) {
	case *ir.Jump:
		e.jump(t.To, next)
	case *ir.Branch:
		e.branch(t, next)
	case *ir.Return:
		e.closed(e.f.TermCaptures(t), func() { e.line("%s", e.Return(t.Node)) })
	case *ir.Switch:
		e.closed(e.f.TermCaptures(t), func() { e.switchTerm(t) })
		if t.Else != nil {
			e.jump(t.Else, next)
		}
	}
}

func (e *emitter) jump(to, next *ir.Block) {
	if to != next {
		e.line("goto %s", to.Label)
	}
}

func (e *emitter) branch(t *ir.Branch, next *ir.Block) {
	write := func(cond string, to *ir.Block) {
		e.closed(e.f.TermCaptures(t), func() { e.line("if %s {\ngoto %s\n}", cond, to.Label) })
	}
	switch {
	case t.Then == next && t.Else == next: // it makes no difference, but may panic
		e.closed(e.f.TermCaptures(t), func() { e.line("_ = %s", e.code(t.Cond)) })
	case t.Then == next:
		write(e.negated(t.Cond), t.Else)
	default:
		write(e.code(t.Cond), t.Then)
		e.jump(t.Else, next)
	}
}

// switchTerm writes the author's switch, type switch or select with a jump in
// place of each body.
func (e *emitter) switchTerm(t *ir.Switch) {
	switch s := t.Node.(type) {
	case *ast.SwitchStmt:
		tag := ""
		if t.Tag != nil {
			tag = e.f.Expr(t.Tag, e) // a literal has its author's parentheses
		}
		e.line("switch %s {", tag)
	case *ast.TypeSwitchStmt:
		bind := ""
		for _, c := range t.Clauses {
			if c.Bind != nil {
				bind = e.f.Bound + " := "
			}
		}
		operand := e.f.Expr(ir.TypeSwitchOperand(s), e)
		if operand[0] == '*' { // a variable in a cell
			operand = "(" + operand + ")"
		}
		e.line("switch %s%s.(type) {", bind, operand)
	case *ast.SelectStmt:
		e.line("select {")
	}
	for _, c := range t.Clauses {
		e.clause(c)
	}
	e.line("}")
}

func (e *emitter) clause(c *ir.Clause) {
	e.at(c.Node.Pos())
	switch n := c.Node.(type) {
	case *ast.CaseClause:
		if n.List == nil {
			e.line("default:")
		} else {
			e.line("case %s:", e.f.List(n.List, e))
		}
	case *ast.CommClause:
		switch {
		case n.Comm == nil:
			e.line("default:")
		case c.Recv != nil:
			var list []string
			for _, v := range c.Recv {
				list = append(list, e.arg(v))
			}
			receive := n.Comm.(*ast.AssignStmt).Rhs[0]
			e.line("case %s = %s:", strings.Join(list, ", "), e.f.Expr(receive, e))
		default:
			e.line("case %s:", e.f.Node(n.Comm, n.Comm.Pos(), n.Comm.End(), e))
		}
	}
	if c.Bind != nil {
		e.line("%s = %s", e.arg(c.Bind), e.f.Bound)
	}
	e.line("goto %s", c.To.Label)
}

// negated writes the opposite of a condition.
func (e *emitter) negated(c *ir.Code) string {
	switch c.Format {
	case "%v":
		if x, ok := c.Args[0].(ast.Expr); ok && e.f.Subst[x] == nil {
			return e.opposite(x)
		}
		return "!" + e.code(c)
	case "%v.Next()":
		return "!" + e.code(c)
	case "%v < %v", "%v < len(%v)":
		return e.format(strings.Replace(c.Format, "<", ">=", 1), c.Args)
	case "%v == %v", "%v == (%v)":
		return e.format(strings.Replace(c.Format, "==", "!=", 1), c.Args)
	}
	return "!(" + e.code(c) + ")"
}

var opposites = map[token.Token]token.Token{
	token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LSS: token.GEQ, token.GEQ: token.LSS,
	token.GTR: token.LEQ, token.LEQ: token.GTR,
}

func hasLiteral(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		_, literal := n.(*ast.CompositeLit)
		found = found || literal
		return !found
	})
	return found
}

func (e *emitter) opposite(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.ParenExpr:
		switch {
		case e.f.Subst[x.X] != nil:
			return "!" + e.f.Expr(x.X, e)
		case hasLiteral(x.X): // whose brace would begin the if's block
			return "(" + e.opposite(x.X) + ")"
		}
		return e.opposite(x.X)
	case *ast.BinaryExpr:
		if op, ok := opposites[x.Op]; ok && (op == token.EQL || op == token.NEQ || e.ordered(x.X) && e.ordered(x.Y)) {
			return e.f.Expr(x.X, e) + " " + op.String() + " " + e.f.Expr(x.Y, e)
		}
		return "!(" + e.f.Value(x, e) + ")"
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return e.f.Expr(x.X, e)
		}
	}
	return "!" + e.f.Expr(x, e)
}

// ordered reports whether x is of a totally ordered type: floats are not, for
// the opposite of < is not >= there.
func (e *emitter) ordered(x ast.Expr) bool {
	if _, ok := types.Unalias(e.f.Source.Info.TypeOf(x)).(*types.TypeParam); ok {
		return false
	}
	basic, ok := e.f.Source.Info.TypeOf(x).Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsInteger|types.IsString) != 0
}

package ir

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// String prints the function: its variables and where they live, then its
// blocks.
//
//	func CopyStream
//	  lifted  src *overlapped.File
//	  local   n int
//
//	b0:
//	  buf = make([]byte, 0x1000)
//	b1 loop:
//	  await 1 src.ReadAsync(ctx, buf)    copystream.go:17
//	  …
func (f *Func) String() string {
	p := &printer{f: f}
	p.line("func %s", f.Name)
	for _, v := range f.Vars {
		p.line("  %-7s %s %s", place(v), v.Name, types.TypeString(v.Type, types.RelativeTo(f.Source.Pkg)))
	}
	for i, blk := range f.Blocks {
		p.line("")
		p.line("b%d%s:", i, prefixed(" ", blk.Hint))
		for _, in := range blk.Instrs {
			p.instr(in)
		}
		p.term(blk.Term)
	}
	for _, child := range f.Children {
		p.b.WriteString("\n" + child.String())
	}
	return p.b.String()
}

// place says where a variable lives.
func place(v *Var) string {
	where := "local"
	if v.Lifted {
		where = "lifted"
	}
	if v.Cell {
		where += "*"
	}
	return where
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// A printer writes ir for people; it is a Style without a machine.
type printer struct {
	f *Func
	b strings.Builder
}

// Mark writes nothing.
func (p *printer) Mark(int) string { return "" }

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, format+"\n", args...)
}

// indented writes text of several lines two columns in.
func (p *printer) indented(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		p.line("  %s", line)
	}
}

func (p *printer) instr(in Instr) {
	switch in := in.(type) {
	case *Stmt:
		if s, ok := in.Node.(*ast.IfStmt); ok && in.NoInit {
			p.indented("if " + p.f.Node(s, s.Cond.Pos(), s.End(), p))
			return
		}
		p.indented(p.f.Node(in.Node, in.Node.Pos(), in.Node.End(), p))
	case *Code:
		p.indented(p.code(in))
	case *Declare:
		if in.Zero || in.Var.Cell {
			p.line("  declare %s", in.Var.Name)
		}
	case *Renew:
		p.line("  renew %s", in.Var.Name)
	case *Await:
		operand := ""
		switch {
		case in.Leaves:
			operand = in.What(in.Stream.Name)
		case in.Stream != nil:
			operand = "the next of " + in.Stream.Name
		default:
			operand = p.f.Expr(in.Operand, p)
		}
		p.line("  await %s%s    %s:%d", stateOf(in), operand, p.f.Source.Base, p.f.Source.Line(in.Call.Rparen))
	}
}

func stateOf(a *Await) string {
	if a.State == 0 {
		return ""
	}
	return fmt.Sprintf("%d ", a.State)
}

func (p *printer) code(c *Code) string {
	var texts []any
	for _, arg := range c.Args {
		switch arg := arg.(type) {
		case *Var:
			texts = append(texts, p.Var(arg, false))
		case *Await:
			texts = append(texts, p.Operand(arg))
		case Value:
			texts = append(texts, p.f.Value(arg.Expr, p))
		case *LocalType:
			texts = append(texts, arg.Obj.Name())
		case Name:
			texts = append(texts, arg.Path+"."+arg.Name)
		case ast.Expr:
			texts = append(texts, p.f.Expr(arg, p))
		default:
			texts = append(texts, fmt.Sprint(arg))
		}
	}
	return fmt.Sprintf(c.Format, texts...)
}

func (p *printer) term(t Term) {
	switch t := t.(type) {
	case *Jump:
		p.line("  jump b%d", t.To.Index)
	case *Branch:
		p.line("  if %s then b%d else b%d", p.code(t.Cond), t.Then.Index, t.Else.Index)
	case *Return:
		p.line("  %s", p.Return(t.Node))
	case *Stop:
		p.line("  stop")
	case *Switch:
		p.switchTerm(t)
	}
}

func (p *printer) switchTerm(t *Switch) {
	switch s := t.Node.(type) {
	case *ast.SwitchStmt:
		p.line("  switch")
		if t.Tag != nil {
			p.line("    on %s", p.f.Expr(t.Tag, p))
		}
	case *ast.TypeSwitchStmt:
		p.line("  switch on the type of %s", p.f.Expr(TypeSwitchOperand(s), p))
	case *ast.SelectStmt:
		p.line("  select")
	}
	for _, c := range t.Clauses {
		text := "default"
		switch n := c.Node.(type) {
		case *ast.CaseClause:
			if n.List != nil {
				text = "case " + p.f.List(n.List, p)
			}
		case *ast.CommClause:
			if n.Comm != nil {
				text = "case " + p.f.Node(n.Comm, n.Comm.Pos(), n.Comm.End(), p)
			}
		}
		p.line("    %s: b%d", text, c.To.Index)
	}
	if t.Else != nil {
		p.line("    else: b%d", t.Else.Index)
	}
}

// Var writes a variable, a cell as the pointer it is.
func (p *printer) Var(v *Var, inside bool) string { return v.Name }

// Operand writes what replaces an expression.
func (p *printer) Operand(o Operand) string {
	if v, ok := o.(*Var); ok {
		return v.Name
	}
	return "‹result›"
}

// Package writes pkg.Name.
func (p *printer) Package(pkg *types.Package, name string) string { return pkg.Name() + "." + name }

// Leap writes a jump.
func (p *printer) Leap(_ *ast.BranchStmt, to *Block) string { return fmt.Sprintf("jump b%d", to.Index) }

// Return writes the return as the author has it.
func (p *printer) Return(ret *ast.ReturnStmt) string {
	if ret == nil || len(ret.Results) == 0 {
		return "return"
	}
	var values []string
	for _, e := range ret.Results {
		values = append(values, p.f.Expr(e, p))
	}
	return "return " + strings.Join(values, ", ")
}

// Defer writes a defer statement as the author has it.
func (p *printer) Defer(d *ast.DeferStmt) string { return "defer " + p.f.Value(d.Call, p) }

// Start writes the call with the closure's name in place of its text.
func (p *printer) Start(call *ast.CallExpr, child *Func, inside bool) string {
	return "start " + child.Name
}

// Type writes a type declared in the function as the author has it.
func (p *printer) Type(t types.Type) string {
	return types.TypeString(t, types.RelativeTo(p.f.Source.Pkg))
}

package explain

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Instr writes an instruction in one line, "" if it does nothing that a reader
// would miss.
func Instr(f *ir.Func, in ir.Instr) string {
	w := words{f}
	switch in := in.(type) {
	case *ir.Stmt:
		if s, ok := in.Node.(*ast.IfStmt); ok && in.NoInit {
			return oneLine("if " + f.Node(s, s.Cond.Pos(), s.End(), w))
		}
		return oneLine(f.Node(in.Node, in.Node.Pos(), in.Node.End(), w))
	case *ir.Code:
		return oneLine(w.code(in))
	case *ir.Declare:
		switch {
		case in.Var.Cell:
			return in.Var.Name + " = new(" + w.Type(in.Var.Type) + ")"
		case in.Zero && in.Var.Obj != nil:
			return "var " + in.Var.Obj.Name() + " " + w.Type(in.Var.Type)
		}
	case *ir.Renew:
		if in.Var.Cell {
			return "a new " + in.Var.Name + " with the same value"
		}
	case *ir.Await:
		return "await " + Operand(f, in)
	}
	return ""
}

// Operand writes what an await awaits.
func Operand(f *ir.Func, a *ir.Await) string {
	return a.What(oneLine(f.Expr(a.Operand, words{f})))
}

// Question writes what a block's end decides by, and the answers in the order of
// its successors.
func Question(f *ir.Func, t ir.Term) (question string, answers []string) {
	w := words{f}
	switch t := t.(type) {
	case *ir.Branch:
		return oneLine(w.code(t.Cond)), []string{"yes", "no"}
	case *ir.Switch:
		for _, c := range t.Clauses {
			answers = append(answers, oneLine(w.clause(c)))
		}
		if t.Else != nil {
			answers = append(answers, "no case")
		}
		return oneLine(w.switched(t)), answers
	}
	return "", nil
}

// Returned writes a return statement.
func Returned(f *ir.Func, ret *ast.ReturnStmt) string {
	return oneLine(words{f}.Return(ret))
}

// oneLine joins the lines of a statement and drops the comments behind them.
func oneLine(text string) string {
	joined := ""
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.Index(line, "//"); i >= 0 && !strings.ContainsAny(line[:i], "\"`'") {
			line = line[:i]
		}
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case line == "":
		case joined == "":
			joined = line
		case strings.ContainsAny(joined[len(joined)-1:], "{(,:;.+-*/&|=<>") || strings.ContainsAny(line[:1], "})."):
			joined += " " + line
		default:
			joined += "; " + line
		}
	}
	return joined
}

// Short cuts a text to at most n characters.
func Short(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return strings.TrimSpace(string(r[:n-1])) + "…"
	}
	return text
}

// words is the style in which ir is written for people: names are the author's,
// and what an await gives is ‹result›.
type words struct{ f *ir.Func }

var _ ir.Style = words{}

// Var writes the author's name, and for a temporary the compiler's.
func (w words) Var(v *ir.Var, _ bool) string {
	if v.Obj != nil {
		return v.Obj.Name()
	}
	return v.Name
}

// Operand writes what stands in an expression's place.
func (w words) Operand(o ir.Operand) string {
	if v, ok := o.(*ir.Var); ok {
		return w.Var(v, false)
	}
	return "‹result›"
}

// Type writes a type as the package names it.
func (w words) Type(t types.Type) string { return typeText(w.f.Source.Pkg, t) }

// Package writes a name of another package.
func (w words) Package(pkg *types.Package, name string) string { return pkg.Name() + "." + name }

// Return writes a return statement; nil is the end of the body.
func (w words) Return(ret *ast.ReturnStmt) string {
	switch {
	case ret == nil:
		return "end of the body"
	case len(ret.Results) == 0:
		return "return"
	}
	return "return " + w.f.List(ret.Results, w)
}

// Start writes the closure's name in place of its text.
func (w words) Start(_ *ast.CallExpr, child *ir.Func, _ bool) string { return child.Name + "(…)" }

// Defer writes a defer statement.
func (w words) Defer(d *ast.DeferStmt) string { return "defer " + w.f.Value(d.Call, w) }

// Leap writes a jump as its author did.
func (w words) Leap(br *ast.BranchStmt, _ *ir.Block) string {
	if br.Label != nil {
		return br.Tok.String() + " " + br.Label.Name
	}
	return br.Tok.String()
}

// Mark writes nothing.
func (w words) Mark(int) string { return "" }

func (w words) code(c *ir.Code) string {
	text := c.Format
	for _, arg := range c.Args {
		text = strings.Replace(text, "%v", w.arg(arg), 1)
	}
	return text
}

func (w words) arg(arg any) string {
	switch arg := arg.(type) {
	case *ir.Var:
		return w.Var(arg, false)
	case *ir.Await:
		return w.Operand(arg)
	case ir.Value:
		return w.f.Value(arg.Expr, w)
	case ir.Name:
		return arg.Path[strings.LastIndexByte(arg.Path, '/')+1:] + "." + arg.Name
	case *ir.LocalType:
		return arg.Obj.Name()
	case ast.Expr:
		return w.f.Expr(arg, w)
	case string:
		return arg
	}
	return "?"
}

func (w words) switched(t *ir.Switch) string {
	switch s := t.Node.(type) {
	case *ast.SwitchStmt:
		if t.Tag != nil {
			return "switch " + w.f.Expr(t.Tag, w)
		}
		return "switch"
	case *ast.TypeSwitchStmt:
		return "switch " + w.f.Expr(ir.TypeSwitchOperand(s), w) + ".(type)"
	}
	return "select"
}

func (w words) clause(c *ir.Clause) string {
	switch n := c.Node.(type) {
	case *ast.CaseClause:
		if n.List != nil {
			return "case " + w.f.List(n.List, w)
		}
	case *ast.CommClause:
		if n.Comm != nil {
			return "case " + w.f.Node(n.Comm, n.Comm.Pos(), n.Comm.End(), w)
		}
	}
	return "default"
}

// typeText writes a type, others' packages by name alone.
func typeText(own *types.Package, t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p.Path() == own.Path() {
			return ""
		}
		return p.Name()
	})
}

package emit

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// The emitter is the style in which package ir writes the author's text.
var _ ir.Style = (*emitter)(nil)

// Var writes m.copied for a field, n for a local, and in a closure the name of
// the closure's own copy.
func (e *emitter) Var(v *ir.Var, inside bool) string {
	switch {
	case inside:
		return v.Obj.Name() // nothing else of that name is in sight there
	case v.Lifted:
		return e.f.Receiver + "." + v.Name
	default:
		return v.Name
	}
}

// Operand writes a temporary, or the result of what was awaited.
func (e *emitter) Operand(o ir.Operand) string {
	switch o := o.(type) {
	case *ir.Var:
		return e.Var(o, false)
	case *ir.Await:
		return o.Slot.Local + ".GetResult()"
	}
	panic("emit: an operand of unknown kind")
}

// Package writes a name of another package.
func (e *emitter) Package(pkg *types.Package, name string) string {
	if pkg == e.pkg.Types {
		return name
	}
	return mark(pkg.Path(), name)
}

// Leap writes a jump out of a whole statement.
func (e *emitter) Leap(to *ir.Block) string { return "goto " + to.Label }

// Return writes return m.finish(…). Named results that somebody else can see
// are set first.
func (e *emitter) Return(f *ir.Func, ret *ast.ReturnStmt) string {
	finish := "return " + f.Receiver + ".finish("
	if f.Sig.Results().Len() == 0 {
		return finish + ")"
	}
	var named []string
	seen := false
	for _, v := range f.Results {
		if v == nil {
			named = append(named, "_")
			continue
		}
		named = append(named, e.arg(v))
		seen = seen || v.Cell
	}
	if ret == nil || len(ret.Results) == 0 {
		return finish + strings.Join(named, ", ") + ")"
	}
	var values []string
	for _, x := range ret.Results {
		values = append(values, e.f.Expr(x, e))
	}
	list := strings.Join(values, ", ")
	if !seen {
		return finish + list + ")"
	}
	return strings.Join(named, ", ") + " = " + list + "\n" + finish + strings.Join(named, ", ") + ")"
}

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
		return v.Inside
	case v.InMachine():
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
		return e.awaitedAs(o) + ".GetResult()"
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

// Type writes a type declared in the function under its new name.
func (e *emitter) Type(t types.Type) string { return e.typ(t) }

// Leap writes a jump out of a whole statement.
func (e *emitter) Leap(_ *ast.BranchStmt, to *ir.Block) string { return "goto " + to.Label }

// Return writes return m.finish(…). Results that somebody else can see are set
// first; where calls are deferred, they are set and the machine exits:
//
//	m.n, m.err = n, nil
//	return m.exit()
func (e *emitter) Return(ret *ast.ReturnStmt) string {
	var values []string
	if ret != nil {
		for _, x := range ret.Results {
			values = append(values, e.f.Expr(x, e))
		}
	}
	finish := "return " + e.f.Receiver + ".finish("
	exit := "return " + e.f.Receiver + ".exit()"
	results, seen := e.results()
	switch {
	case len(values) == 0 && e.f.Unwinds():
		return exit
	case len(values) == 0:
		return finish + strings.Join(results, ", ") + ")"
	case e.f.Unwinds():
		return assigned(results, values) + exit
	case seen:
		return assigned(results, values) + finish + strings.Join(results, ", ") + ")"
	default:
		return finish + strings.Join(values, ", ") + ")"
	}
}

// results writes the results as they are now, and reports whether anybody but
// the caller can see them.
func (e *emitter) results() (list []string, seen bool) {
	for i, v := range e.f.Results {
		if v == nil {
			list = append(list, e.zero(e.f.Sig.Results().At(i).Type()))
			continue
		}
		list = append(list, e.arg(v))
		seen = seen || v.Cell
	}
	return list, seen
}

// assigned writes results = values, without those that return themselves.
func assigned(results, values []string) string {
	if len(results) == len(values) {
		var left, right []string
		for i := range results {
			if results[i] != values[i] {
				left, right = append(left, results[i]), append(right, values[i])
			}
		}
		results, values = left, right
	}
	if len(values) == 0 {
		return ""
	}
	return strings.Join(results, ", ") + " = " + strings.Join(values, ", ") + "\n"
}

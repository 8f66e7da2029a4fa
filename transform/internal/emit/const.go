package emit

import (
	"go/ast"
	"go/constant"
	"go/types"

	"github.com/nothread/nothread/transform/internal/ir"
)

// declarations writes the constants that the author declared in the body, and the
// types that only MoveNext knows, in their order: each may need what comes before it,
// and mean another thing if that came later. It returns how many blocks are to be
// closed.
func (e *emitter) declarations() (open int) {
	consts, declared := e.f.Consts, make(map[string]bool)
	for _, t := range e.f.Types {
		if !t.Inside || t.Obj.IsAlias() {
			continue
		}
		for len(consts) > 0 && consts[0].Pos() < t.Spec.Pos() {
			e.consts(consts[0])
			consts = consts[1:]
		}
		open += e.insideType(t, declared)
	}
	for _, decl := range consts {
		e.consts(decl)
	}
	return open
}

// consts writes a declaration of constants.
func (e *emitter) consts(decl *ast.GenDecl) {
	if ambiguous(decl) || !e.measurable(decl) {
		e.constValues(decl)
		return
	}
	e.line("%s", e.f.Node(&ast.DeclStmt{Decl: decl}, decl.Pos(), decl.End(), measuring{e}))
}

// measuring writes what constants are made of. Where that is a variable, whose length or
// size it is, the variable is not there yet, if it is at all; so another one of its type
// stands for it, in which nothing is called, for else there would be no constant.
type measuring struct{ *emitter }

func (m measuring) Var(v *ir.Var, _ bool) string {
	cell := ""
	if v.Cell {
		cell = "*"
	}
	return "[1]" + cell + m.typ(v.Type) + "{}[0]"
}

// measurable reports whether measuring knows all variables of which a declaration of
// constants is made, and has a name for their types.
func (e *emitter) measurable(decl *ast.GenDecl) bool {
	known := true
	ast.Inspect(decl, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return known
		}
		obj, ok := e.f.Source.Info.Uses[id].(*types.Var)
		if ok && !obj.IsField() && obj.Parent() != obj.Pkg().Scope() {
			v := e.f.VarOf[obj]
			known = known && v != nil && !v.Boxed
		}
		return known
	})
	return known
}

// ambiguous reports a declaration of constants in which one text means several
// things: a line that repeats the one before, with names that are declared in
// between.
//
//	const (
//		iota = iota
//		next
//	)
func ambiguous(decl *ast.GenDecl) bool {
	declared := make(map[string]bool)
	var repeated []ast.Expr
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		for _, id := range spec.Names {
			declared[id.Name] = true
		}
		if len(spec.Values) > 0 {
			repeated = spec.Values
			continue
		}
		for _, value := range repeated {
			if mentions(value, declared) {
				return true
			}
		}
	}
	return false
}

func mentions(e ast.Expr, names map[string]bool) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && names[id.Name]
		return !found
	})
	return found
}

// constValues declares constants by what they are worth.
func (e *emitter) constValues(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			c, ok := e.f.Source.Info.Defs[id].(*types.Const)
			if !ok || id.Name == "_" {
				continue
			}
			name := id.Name
			if renamed, ok := e.f.Names[c]; ok {
				name = renamed
			}
			if basic, ok := c.Type().(*types.Basic); !ok || basic.Info()&types.IsUntyped == 0 {
				name += " " + e.typ(c.Type())
			}
			e.line("const %s = %s", name, worth(c))
		}
	}
}

// worth writes a constant's value so that it has the same kind.
func worth(c *types.Const) string {
	basic := c.Type().Underlying().(*types.Basic)
	switch {
	case basic.Kind() == types.UntypedRune:
		return "'\\x00' + " + c.Val().ExactString()
	case basic.Info()&types.IsComplex != 0:
		return "(" + float(constant.Real(c.Val())) + ") + (" + float(constant.Imag(c.Val())) + ")*1i"
	case basic.Info()&types.IsFloat != 0:
		return float(c.Val())
	}
	return c.Val().ExactString()
}

// float writes the quotient that v is.
func float(v constant.Value) string {
	return constant.Num(v).ExactString() + ".0 / " + constant.Denom(v).ExactString() + ".0"
}

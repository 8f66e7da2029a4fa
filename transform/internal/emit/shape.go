package emit

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file writes types that have no name here: see ir.Shape.

// shapes declares a function for each type that must be inferred:
//
//	func fType1[P any](func() *P) (zero *P) { return }
func (e *emitter) shapes() {
	for _, v := range e.locals() {
		if v.Shape != nil {
			pointer := ""
			if v.Cell {
				pointer = "*"
			}
			e.inferred(v.Shape, pointer, v.Type)
		}
	}
	for _, s := range e.f.Slots {
		if s.Shape != nil {
			e.inferred(s.Shape, "", s.Type)
		}
	}
}

// inferred writes a value of a type that has no name, behind pointer, and the
// first time declares the function that has it as its result.
func (e *emitter) inferred(shape *ir.Shape, pointer string, t types.Type) string {
	e.parts, e.wanted = shape.Parts, make(map[int]bool)
	var typeParams, params, args []string
	for i, w := range shape.Witnesses {
		switch {
		case !w.Part:
			params = append(params, e.typ(w.Type))
		case w.Zero != nil: // of a pointer, which is a type parameter of its own
			name := e.apart(fmt.Sprintf("M%d", i+1))
			typeParams = append(typeParams, name+" interface{ "+e.methodOf(w)+" }")
			params = append(params, name)
		}
	}
	result := pointer + e.typ(t)
	constraints := make([]string, len(e.parts))
	for again := true; again; { // a constraint may mention another part
		again = false
		for i := range e.parts {
			if e.wanted[i] && constraints[i] == "" {
				constraints[i], again = e.partConstraint(shape, i), true
			}
		}
	}
	for i, constraint := range constraints {
		if constraint != "" {
			typeParams = append(typeParams, e.partName(i)+" "+constraint)
		}
	}
	e.parts = nil
	for _, w := range shape.Witnesses {
		if !w.Part || w.Zero != nil {
			args = append(args, e.witness(w))
		}
	}
	declared := strings.TrimSuffix(e.declared(), "]")
	if declared == "" {
		declared = "["
	} else {
		declared += ", "
	}
	text := declared + strings.Join(typeParams, ", ") + "](" + strings.Join(params, ", ") + ") (zero " + result + ") { return }"
	i := slices.Index(e.funcs, text)
	if i < 0 {
		i = len(e.funcs)
		e.funcs = append(e.funcs, text)
		e.out.Commentf("%s is for a type that has no name here, %s.", e.shapeName(i), types.TypeString(t, (*types.Package).Name))
		e.out.Add(raw("func " + e.shapeName(i) + text))
		e.out.Line()
	}
	return e.shapeName(i) + e.used() + "(" + strings.Join(args, ", ") + ")"
}

// shapeName is what the i-th function is called for which types are inferred.
func (e *emitter) shapeName(i int) string {
	return fmt.Sprintf("%sType%d", strings.TrimSuffix(e.f.Machine, "Machine"), i+1)
}

func (e *emitter) partName(i int) string {
	e.wanted[i] = true
	return e.apart(fmt.Sprintf("P%d", i+1))
}

// apart is name, or one like it that the package does not use.
func (e *emitter) apart(name string) string {
	for e.pkg.Types.Scope().Lookup(name) != nil {
		name += "_"
	}
	return name
}

// partConstraint: a part whose methods are witnesses must have them.
func (e *emitter) partConstraint(shape *ir.Shape, i int) string {
	var methods []string
	for _, w := range shape.Witnesses {
		if w.Part && w.Zero == nil && types.Identical(w.Recv, shape.Parts[i]) {
			methods = append(methods, e.methodOf(w))
		}
	}
	switch {
	case len(methods) > 0:
		return "interface{ " + strings.Join(methods, "; ") + " }"
	case types.Comparable(shape.Parts[i]):
		return "comparable"
	}
	return "any"
}

func (e *emitter) methodOf(w *ir.Witness) string {
	return w.Obj.Name() + e.signature(w.Type.(*types.Signature))
}

// witness writes a value that is never used, of a type that tells the compiler of
// one that has no name.
func (e *emitter) witness(w *ir.Witness) string {
	switch {
	case w.Part:
		return e.inferred(w.Zero, "*", w.Recv)
	case w.Zero != nil:
		return e.inferred(w.Zero, "", w.Recv) + "." + w.Obj.Name()
	case w.Recv != nil:
		if _, field := w.Obj.(*types.Var); field {
			return "&new(" + e.typ(w.Recv) + ")." + w.Obj.Name()
		}
		return "(" + e.typ(w.Recv) + ")." + w.Obj.Name()
	}
	name := e.Package(w.Obj.Pkg(), w.Obj.Name())
	if _, ok := w.Obj.(*types.Var); ok {
		return "&" + name
	}
	var args []string
	for _, t := range w.Args {
		args = append(args, e.typ(t))
	}
	return name + bracketed(args)
}

package fuzz

import (
	"go/ast"
	"go/types"
	"strings"
)

// callMarks names calls, conversions and awaits.
func (c *checked) callMarks(e *ast.CallExpr, mark func(string, ast.Node)) {
	fun := ast.Unparen(e.Fun)
	tv := c.info.Types[fun]
	switch {
	case tv.IsType():
		c.conversionMarks(e, tv.Type, mark)
		return
	case tv.IsBuiltin():
		mark(c.text(fun), e)
		if n := len(e.Args); n > 1 && shape(c.typeOf(e.Args[n-1])) == "string" {
			mark(c.text(fun)+" of a string", e)
		}
		c.builtinMarks(e, c.text(fun), mark)
		return
	}
	if len(e.Args) == 1 {
		if t, ok := c.typeOf(e.Args[0]).(*types.Tuple); ok && t.Len() > 1 {
			mark("call with several values of a call", e)
		}
	}
	if sig, ok := tv.Type.(*types.Signature); ok && sig.Variadic() && !strings.HasPrefix(c.text(e), "h.Say") {
		if e.Ellipsis.IsValid() {
			mark("variadic call with a spread", e)
		} else {
			mark("variadic call", e)
		}
	}
	switch fun := fun.(type) {
	case *ast.FuncLit:
		mark("call of a literal", e)
	case *ast.SelectorExpr:
		c.called[fun] = true
		c.methodCallMarks(e, fun, mark)
	case *ast.Ident:
		c.namedCallMarks(e, fun, mark)
	case *ast.IndexExpr:
		mark("generic call", e)
	default:
		mark("call of a function value", e)
		if call, ok := fun.(*ast.CallExpr); ok && len(call.Args) == 2 && strings.Contains(c.text(call.Args[1]), "Async") {
			mark("twin by a function value", e)
		}
	}
}

func (c *checked) builtinMarks(e *ast.CallExpr, name string, mark func(string, ast.Node)) {
	switch {
	case name == "min" && len(e.Args) > 2:
		mark("min of several", e)
	case name == "clear" && shape(c.typeOf(e.Args[0])) == "slice":
		mark("clear of a slice", e)
	case name == "append" && len(e.Args) == 2 && calls(e.Args[1], "Go"):
		mark("async closure that is kept", c.literalOf(e.Args[1].(*ast.CallExpr)))
	}
}

func (c *checked) namedCallMarks(e *ast.CallExpr, fun *ast.Ident, mark func(string, ast.Node)) {
	if _, ok := c.info.Uses[fun].(*types.Func); !ok {
		mark("call of a function value", e)
		if strings.HasPrefix(fun.Name, "rec") {
			mark(map[bool]string{true: "recursive closure", false: "recursive async closure"}[shape(c.typeOf(e)) == "int"], e)
		}
		return
	}
	mark("call of a function", e)
	if fun.Name == "Apply" && strings.HasSuffix(c.typeOf(e.Args[0].(*ast.SelectorExpr).X).String(), "G[V]") {
		mark("method value with a dictionary, before others", e)
	}
	if strings.HasPrefix(fun.Name, "e") {
		mark("call that may exit", e)
	}
	if _, generic := c.info.Instances[fun]; generic {
		mark("generic call", e)
	}
}

func (c *checked) conversionMarks(e *ast.CallExpr, to types.Type, mark func(string, ast.Node)) {
	from := c.typeOf(e.Args[0])
	switch {
	case types.Identical(to, types.Typ[types.UnsafePointer]) || types.Identical(from, types.Typ[types.UnsafePointer]):
		mark("unsafe pointer", e)
	case types.IsInterface(to):
		mark("conversion to interface", e)
	case shape(to) == "string" || shape(from) == "string":
		mark("conversion of strings", e)
	case shape(to) == "array" && shape(from) == "slice":
		mark("conversion to an array", e)
	case shape(to) == "struct":
		mark("conversion of structs", e)
	case shape(to) != "func" && !types.Identical(from, to):
		mark("conversion of numbers", e)
	}
}

// methodCallMarks names calls of methods and of functions of packages.
func (c *checked) methodCallMarks(e *ast.CallExpr, fun *ast.SelectorExpr, mark func(string, ast.Node)) {
	s := c.info.Selections[fun]
	if s != nil && strings.HasSuffix(fun.Sel.Name, "Async") {
		switch {
		case s.Kind() == types.MethodExpr:
			mark("twin by a method expression", e)
		case len(s.Index()) > 1:
			mark("twin of an embedding struct", e)
		}
	}
	switch {
	case s == nil:
		mark("call of a function", e)
		switch name := c.text(fun); name {
		case "async.Go", "async.Func0", "async.Func1", "async.Func2":
			mark(name, c.literalOf(e))
			if lit, ok := c.literalOf(e).(*ast.FuncLit); ok {
				c.sharedMarks("closure", lit.Type, lit.Body, mark)
			}
		case "h.Exit":
			mark("Goexit", e)
		}
	case fun.Sel.Name == "Await":
		mark("await of "+c.awaited(fun.X, s), e)
	case s.Kind() != types.MethodVal:
	case types.IsInterface(s.Recv()):
		mark("call of an interface's method", e)
	default:
		if _, pointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer); pointer {
			mark("call of a method by pointer", e)
		} else {
			mark("call of a method by value", e)
		}
	}
}

// literalOf is the literal among the arguments of a call.
func (c *checked) literalOf(e *ast.CallExpr) ast.Node {
	for _, a := range e.Args {
		if lit, ok := a.(*ast.FuncLit); ok {
			return lit
		}
	}
	return e
}

// awaited names what is awaited.
func (c *checked) awaited(x ast.Expr, s *types.Selection) string {
	if call, ok := ast.Unparen(x).(*ast.CallExpr); ok {
		name := c.text(call.Fun)
		name = name[strings.LastIndex(name, ".")+1:]
		name, _, _ = strings.Cut(name, "[")
		if strings.HasSuffix(name, "Async") {
			return "a twin"
		}
	}
	if len(s.Index()) > 1 {
		return "an embedding struct"
	}
	t := types.TypeString(s.Recv(), (*types.Package).Name)
	t, _, _ = strings.Cut(t, "[")
	return t
}

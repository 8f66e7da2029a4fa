package fuzz

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// table lists every construct that programs must have.
const table = `method of a pointer;method of a value;method of a generic type;generic function;pooled machine;machine on the heap from its beginning;variadic function;blank parameter
no results;named results;several results
if;if with init;else;for with clauses;for: init;for: condition;for: post;for with condition;for ever
range over int;range over named int;range over slice;range over array;range over pointer to array;range over string;range over map
range over chan;range over func;range over stream;range that assigns
switch with init;switch without tag;switch;case;default;fallthrough;type switch;type switch that binds
select;select: default;select: send;select: receive;select: define;select: assign
label;break;break to a label;continue;continue to a label;goto;goto out of a statement
go;send;inc, dec;return;bare return;return of several;return of a call with several values
defer of a literal;defer of a literal that calls recover;defer of a literal that calls panic;defer of an await;defer of an async closure;defer in a loop
defer with several values of a call
defer of a function;defer of a method;defer of recover;defer of a function value
const in a function;type in a function;var without value;var
define;define several;define from a pair;assignment;assignment of several;assignment from a pair;op-assignment;shadowing
assignment to a field;assignment to an element;assignment to a map;assignment through a pointer
literal;closure over a local;composite struct;composite slice;composite array;composite map
selector of a struct;selector of a pointer;promoted field or method;method value;method value with a dictionary, before others;method expression
index of slice;index of array;index of pointer to array;index of string;index of map
slice of slice;slice of string;slice of array;type assertion;dereference;address of a variable;address of a field
address of an element;address of a composite;receive;not;negation
int arithmetic;uint8 arithmetic;float64 arithmetic;complex128 arithmetic;string concatenation;division;shift
shift of a constant;comparison;comparison of structs;comparison with nil;&&;||
conversion of numbers;conversion to interface;conversion of strings;conversion of structs;call of a function;call of a function value
call of a method by value;call of a method by pointer;call of an interface's method;call of a literal
call with several values of a call;variadic call;variadic call with a spread;generic call
len;cap;append;copy;delete;clear;min;max;make;new;complex;panic;recover;Goexit
await of h.Op;await of h.Op0;await of h.Op2;await of async.Task;await of async.ConfiguredTask;await of h.Waiter
await of an embedding struct;await of a twin;recursion;mutual recursion;async.Go;async.Func0;async.Func1;async.Func2
unsafe pointer;variable of a type without a name
several that divide;several that shift;several that index;several that dereference;several that assert;several that compare
assignment from a pair that indexes;swap of elements
several of a range that divide;several of a range that index;several of a range that dereference;several of a range that assert
range over slice into operands;range over array into operands;range over pointer to array into operands
range over string into operands;range over map into operands;range over int into an operand;range into operands, without an await
function whose captured results divide;function whose captured results index;function whose addressed results index
closure whose captured results index;closure whose addressed results index
return of a literal that may panic;result of a literal that may panic
op-assignment that divides;op-assignment that shifts;op-assignment to an element;op-assignment to a map
copy of a string;append of a string;min of a string;max of a string;index of array of arrays;const with iota
shift by a signed count;conversion to an array;comparison of arrays;string concatenation of several;real;imag
type parameter with methods;type parameter with operators;else if with init;case of a type parameter;type switch with init
label called as something else;switch that defines;const made of a variable;range over typed constant;range over func without values
predeclared name that is declared;index of array of functions;promoted method of an interface;promoted from a generic type
method expression of an interface;for with clauses, without condition;for: init that assigns;for: several variables
min of several;clear of a slice;recursive closure;recursive async closure;async closure that is kept;twin by a method expression
twin of an embedding struct;twin by a function value
call that may exit;defer of Goexit;defer of a literal that exits
literal that exits;literal that exits and panics;literal that exits and recovers`

// still lists the constructs of the table that hold no await.
const still = `break;break to a label;continue;continue to a label;goto;goto out of a statement;bare return;fallthrough
defer of a literal;defer of a literal that calls recover;defer of a literal that calls panic;defer of recover
const in a function;type in a function;var without value;clear;recover;panic;Goexit;address of a variable;method expression
address of a field;recursion;mutual recursion;range into operands, without an await;const with iota;const made of a variable
defer of Goexit;defer of a literal that exits;literal that exits;literal that exits and panics;literal that exits and recovers
case of a type parameter;promoted method of an interface;promoted from a generic type;method expression of an interface;clear of a slice;recursive async closure`

// shape is a type's form in a word.
func shape(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			return "string"
		}
		if u.Info()&types.IsInteger != 0 {
			return "int"
		}
		return u.Name()
	case *types.Slice:
		return "slice"
	case *types.Array:
		return "array"
	case *types.Pointer:
		if _, ok := u.Elem().Underlying().(*types.Array); ok {
			return "pointer to array"
		}
		return "pointer"
	case *types.Map:
		return "map"
	case *types.Chan:
		return "chan"
	case *types.Signature:
		return "func"
	case *types.Struct:
		return "struct"
	case *types.Interface:
		return "interface"
	}
	return "?"
}

func (c *checked) typeOf(e ast.Expr) types.Type {
	if t := c.info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

func (c *checked) rangeMarks(n *ast.RangeStmt, mark func(string, ast.Node)) {
	mark("range over "+shape(c.typeOf(n.X)), n)
	if tv := c.info.Types[n.X]; tv.Value != nil && tv.Type.String() != "int" && shape(tv.Type) == "int" {
		mark("range over typed constant", n)
	}
	if sig, ok := c.typeOf(n.X).Underlying().(*types.Signature); ok && sig.Params().At(0).Type().Underlying().(*types.Signature).Params().Len() == 0 {
		mark("range over func without values", n)
	}
	if _, named := c.typeOf(n.X).(*types.Named); named && shape(c.typeOf(n.X)) == "int" {
		mark("range over named int", n)
	}
	if _, ok := n.X.(*ast.CallExpr); ok && strings.HasSuffix(types.ExprString(n.X), ".Await(h.Ctx())") {
		mark("range over stream", n)
	}
	if n.Tok == token.ASSIGN {
		c.assigningMarks(n, mark)
	}
}

func (c *checked) assignMarks(n *ast.AssignStmt, mark func(string, ast.Node)) {
	text := "assignment"
	switch {
	case n.Tok == token.DEFINE:
		text = "define"
	case n.Tok != token.ASSIGN:
		text = "op-assignment"
		c.opMarks(n, mark)
	}
	if len(n.Lhs) > 1 {
		if text == "define" {
			mark("define several", n)
		}
		if len(n.Rhs) == 1 {
			mark(text+" from a pair", n)
			if text == "assignment" && slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return c.does(e) == "index" }) {
				mark("assignment from a pair that indexes", n)
			}
		} else if text == "assignment" {
			mark("assignment of several", n)
			c.severalMarks(n, mark)
		}
	} else {
		mark(text, n)
	}
	for _, x := range n.Lhs {
		switch x := ast.Unparen(x).(type) {
		case *ast.SelectorExpr:
			mark("assignment to a field", n)
		case *ast.IndexExpr:
			if shape(c.typeOf(x.X)) == "map" {
				mark("assignment to a map", n)
			} else {
				mark("assignment to an element", n)
			}
		case *ast.StarExpr:
			mark("assignment through a pointer", n)
		case *ast.Ident:
			if v := c.info.Defs[x]; v != nil {
				if named, ok := v.Type().(*types.Named); ok && named.Obj().Pkg() != v.Pkg() && named.Obj().Pkg() != nil && !named.Obj().Exported() {
					mark("variable of a type without a name", n)
				}
			}
			if v := c.info.Defs[x]; v != nil && types.Universe.Lookup(v.Name()) != nil {
				mark("predeclared name that is declared", n)
			}
			if v := c.info.Defs[x]; v != nil && v.Parent() != nil && v.Parent().Parent() != nil {
				if _, outer := v.Parent().Parent().LookupParent(v.Name(), v.Pos()); outer != nil {
					mark("shadowing", n)
				}
			}
		}
	}
}

// expressionMarks names expressions.
func (c *checked) expressionMarks(e ast.Expr, mark func(string, ast.Node)) {
	switch e := e.(type) {
	case *ast.FuncLit:
		mark("literal", e)
		exitMarks("literal", e.Body, mark)
		if c.captures(e) {
			mark("closure over a local", e)
		}
	case *ast.CompositeLit:
		mark("composite "+shape(c.typeOf(e)), e)
	case *ast.SelectorExpr:
		c.selectorMarks(e, mark)
	case *ast.IndexExpr:
		if tv := c.info.Types[e.X]; tv.IsValue() && shape(tv.Type) != "func" {
			mark("index of "+shape(tv.Type), e)
			if _, ok := ast.Unparen(e.X).(*ast.IndexExpr); ok && shape(tv.Type) == "array" {
				mark("index of array of arrays", e)
			}
			if a, ok := tv.Type.Underlying().(*types.Array); ok && shape(a.Elem()) == "func" {
				mark("index of array of functions", e)
			}
		}
	case *ast.SliceExpr:
		text := shape(c.typeOf(e.X))
		mark("slice of "+strings.TrimPrefix(text, "pointer to "), e)
	case *ast.TypeAssertExpr:
		if e.Type != nil {
			mark("type assertion", e)
		}
	case *ast.StarExpr:
		if c.info.Types[e].IsValue() {
			mark("dereference", e)
		}
	case *ast.UnaryExpr:
		c.unaryMarks(e, mark)
	case *ast.BinaryExpr:
		c.binaryMarks(e, mark)
	case *ast.CallExpr:
		c.callMarks(e, mark)
	}
}

// captures reports whether a literal mentions a local of the function around.
func (c *checked) captures(lit *ast.FuncLit) bool {
	found := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			v, isVar := c.info.Uses[id].(*types.Var)
			found = found || isVar && !v.IsField() && v.Pos() < lit.Pos() && v.Parent() != nil &&
				v.Pkg() != nil && v.Parent() != v.Pkg().Scope()
		}
		return !found
	})
	return found
}

func (c *checked) selectorMarks(e *ast.SelectorExpr, mark func(string, ast.Node)) {
	s := c.info.Selections[e]
	if s == nil {
		return
	}
	if len(s.Index()) > 1 {
		mark("promoted field or method", e)
		if f, ok := s.Obj().(*types.Func); ok && types.IsInterface(f.Signature().Recv().Type()) {
			mark("promoted method of an interface", e)
		}
		if strings.HasSuffix(s.Recv().String(), ".EG") {
			mark("promoted from a generic type", e)
		}
	}
	switch s.Kind() {
	case types.FieldVal:
		mark("selector of a "+shape(s.Recv()), e)
	case types.MethodExpr:
		mark("method expression", e)
		if types.IsInterface(s.Recv()) {
			mark("method expression of an interface", e)
		}
	case types.MethodVal:
		if !c.called[e] {
			mark("method value", e)
		}
	}
}

func (c *checked) unaryMarks(e *ast.UnaryExpr, mark func(string, ast.Node)) {
	switch e.Op {
	case token.AND:
		switch ast.Unparen(e.X).(type) {
		case *ast.Ident:
			mark("address of a variable", e)
		case *ast.SelectorExpr:
			mark("address of a field", e)
		case *ast.IndexExpr:
			mark("address of an element", e)
		case *ast.CompositeLit:
			mark("address of a composite", e)
		}
	case token.ARROW:
		mark("receive", e)
	case token.NOT:
		mark("not", e)
	case token.SUB:
		mark("negation", e)
	}
}

func (c *checked) binaryMarks(e *ast.BinaryExpr, mark func(string, ast.Node)) {
	t := c.typeOf(e.X)
	switch e.Op {
	case token.LAND, token.LOR:
		mark(e.Op.String(), e)
	case token.EQL, token.NEQ, token.LSS, token.GTR, token.LEQ, token.GEQ:
		switch {
		case c.info.Types[e.Y].IsNil():
			mark("comparison with nil", e)
		case shape(t) == "struct" || shape(t) == "array":
			mark("comparison of "+shape(t)+"s", e)
		default:
			mark("comparison", e)
		}
	case token.SHL, token.SHR:
		mark("shift", e)
		if signed(c.typeOf(e.Y)) {
			mark("shift by a signed count", e)
		}
		if c.info.Types[e.X].Value != nil {
			mark("shift of a constant", e)
		}
	case token.QUO, token.REM:
		mark("division", e)
	default:
		if shape(t) == "string" {
			mark("string concatenation", e)
			if x, ok := e.X.(*ast.BinaryExpr); ok && x.Op == e.Op {
				mark("string concatenation of several", e)
			}
		} else {
			mark(t.String()+" arithmetic", e)
		}
	}
}

package check

import (
	"go/ast"
	"go/types"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// A rule is a construct that the compiler cannot translate yet. A rule goes
// when the construct comes; when the table is empty, so is this file.
type rule struct {
	name  string // as the message says it: "… is not supported yet"
	found func(in *body, n ast.Node) bool
}

// rules are tried in this order at each node that belongs to an annotated
// function itself, not to a literal inside; the first that is found is
// reported.
var rules = []rule{
	{"an await inside a range over a function", on(func(in *body, n *ast.RangeStmt) bool {
		return is[*types.Signature](in, n.X) && in.awaits(n)
	})},
}

// A body is what a rule looks at: an annotated function and its package.
type body struct {
	pkg *load.Package
	fn  *load.Func
}

// awaits reports whether an await belongs to n itself.
func (in *body) awaits(n ast.Node) bool { return Contains(in.pkg.Info, n) }

// on lifts a predicate on one kind of node to all nodes.
func on[N ast.Node](found func(in *body, n N) bool) func(*body, ast.Node) bool {
	return func(in *body, n ast.Node) bool {
		node, ok := n.(N)
		return ok && found(in, node)
	}
}

// is reports whether x is of a type with underlying type U, or of a type
// parameter whose types are.
func is[U types.Type](in *body, x ast.Expr) bool {
	t := in.pkg.Info.TypeOf(x)
	if t == nil {
		return false
	}
	if param, ok := types.Unalias(t).(*types.TypeParam); ok {
		constraint, _ := param.Underlying().(*types.Interface)
		for i := range constraint.NumEmbeddeds() {
			t = constraint.EmbeddedType(i)
			if union, ok := t.(*types.Union); ok && union.Len() > 0 {
				t = union.Term(0).Type()
			}
		}
	}
	_, ok := t.Underlying().(U)
	return ok
}

// unsupported reports the constructs of fn that stand in the table.
func unsupported(pkg *load.Package, fn *load.Func, diags *diag.List) {
	in := &body{pkg, fn}
	ast.Inspect(fn.Decl.Body, func(n ast.Node) bool {
		if n == nil {
			return false
		}
		for _, r := range rules {
			if r.found(in, n) {
				diags.Errorf(pkg.Fset.Position(n.Pos()), diag.Unsupported,
					"%s is not supported yet (in %s)", r.name, fn.Decl.Name.Name)
				break
			}
		}
		_, literal := n.(*ast.FuncLit)
		return !literal
	})
}

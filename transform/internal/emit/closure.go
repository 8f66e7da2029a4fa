package emit

import (
	"go/ast"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Start writes the call that an async closure is passed to:
//
//	async.Go(ctx, func(ctx context.Context) (int, error) {…})
//	→ fanOutGo1(m.ctx, m.n)
//
//	async.Func1(func(ctx context.Context, i int) (int, error) {…})
//	→ func(ctx context.Context, i int) async.Task[int] { return fanOutFunc1(ctx, i, n) }
func (e *emitter) Start(call *ast.CallExpr, child *ir.Func, inside bool) string {
	name := strings.TrimSuffix(child.Machine, "Machine") + e.used()
	var args []string
	if child.Maker {
		return e.maker(name, child)
	}
	for _, arg := range call.Args {
		if ast.Unparen(arg) != ast.Expr(child.Lit) {
			args = append(args, e.f.Expr(arg, e.placed(inside)))
		}
	}
	return name + "(" + strings.Join(append(args, e.passed(child, inside)...), ", ") + ")"
}

// placed is the style in which the arguments of a call are written.
func (e *emitter) placed(inside bool) ir.Style {
	if inside {
		return insideClosure{e}
	}
	return e
}

// insideClosure writes the variables of the function as a closure knows them.
type insideClosure struct{ *emitter }

func (s insideClosure) Var(v *ir.Var, _ bool) string { return s.emitter.Var(v, true) }

// passed writes what a closure captures: the value, or the address.
func (e *emitter) passed(child *ir.Func, inside bool) []string {
	var args []string
	for _, v := range child.Params {
		if !v.Outer {
			continue
		}
		outer := e.f.VarOf[v.Obj]
		switch {
		case outer != nil:
			args = append(args, e.Var(outer, inside))
		case v.Cell:
			args = append(args, "&"+v.Obj.Name())
		default:
			args = append(args, v.Obj.Name())
		}
	}
	return args
}

// maker writes an async function value.
func (e *emitter) maker(name string, child *ir.Func) string {
	c := &emitter{f: child, fn: closureFunc(child), pkg: e.pkg}
	var params, args []string
	for v := range child.Sig.Params().Variables() {
		param := c.paramName(v)
		if param == "" || param == "_" {
			param = "_"
			args = append(args, e.zero(v.Type()))
		} else {
			args = append(args, param)
		}
		params = append(params, param+" "+e.typ(v.Type()))
	}
	args = append(args, e.passed(child, true)...)
	return "func(" + strings.Join(params, ", ") + ") " + c.taskType() +
		" {\nreturn " + name + "(" + strings.Join(args, ", ") + ")\n}"
}

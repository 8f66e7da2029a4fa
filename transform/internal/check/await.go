package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// IsAwait reports whether call is an await, t.Await(), and the type of t.
//
// Awaitable is a pattern: the type has
//
//	IsCompleted() bool
//	OnCompleted(async.Continuation) bool
//	GetResult() R…
//	Await() R…
//
// declared, promoted, or required by a type parameter's constraint.
func IsAwait(info *types.Info, call *ast.CallExpr) (awaitable types.Type, ok bool) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, false
	}
	return awaitMethod(info, sel, types.MethodVal)
}

// awaitMethod reports whether sel selects the Await of an awaitable: of a value
// (t.Await, a MethodVal) or of a type (T.Await, a MethodExpr).
func awaitMethod(info *types.Info, sel *ast.SelectorExpr, kind types.SelectionKind) (types.Type, bool) {
	if sel.Sel.Name != "Await" {
		return nil, false
	}
	selection := info.Selections[sel]
	if selection == nil || selection.Kind() != kind {
		return nil, false
	}
	t := selection.Recv()
	return t, awaits4(t, info.Types[sel.X].Addressable(), selection.Obj().Pkg())
}

// Awaitable reports whether a value of type t, which need not be addressable,
// is awaitable.
func Awaitable(t types.Type) bool {
	return awaits4(t, false, nil)
}

// awaits4 looks for the four methods of the pattern.
func awaits4(t types.Type, addressable bool, pkg *types.Package) bool {
	breach, ok := patternOf(t, addressable, pkg)
	return ok && breach == ""
}

// patternOf reports whether t has four methods of these names, and if one of them is not
// as the pattern has it, what it should be.
func patternOf(t types.Type, addressable bool, pkg *types.Package) (breach string, ok bool) {
	method := func(name string) *types.Signature {
		obj, _, _ := types.LookupFieldOrMethod(t, addressable, pkg, name)
		if fn, ok := obj.(*types.Func); ok {
			return fn.Signature()
		}
		return nil
	}
	completed, on := method("IsCompleted"), method("OnCompleted")
	result, await := method("GetResult"), method("Await")
	switch {
	case completed == nil || on == nil || result == nil || await == nil:
		return "", false
	case completed.Params().Len() > 0 || !onlyBool(completed):
		return "IsCompleted should be func() bool", true
	case on.Params().Len() != 1 || !isContinuation(on.Params().At(0).Type()) || !onlyBool(on):
		return "OnCompleted should be func(async.Continuation) bool", true
	case result.Params().Len() > 0 || await.Params().Len() > 0:
		return "GetResult and Await should have no parameters", true
	case !types.Identical(result.Results(), await.Results()):
		return "GetResult and Await should have the same results", true
	}
	return "", true
}

func onlyBool(sig *types.Signature) bool {
	return sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), types.Typ[types.Bool])
}

func isContinuation(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Continuation" && named.Obj().Pkg() != nil &&
		named.Obj().Pkg().Path() == load.AsyncPath
}

// Contains reports whether an await belongs to node itself: one inside a
// function literal does not.
func Contains(info *types.Info, node ast.Node) bool {
	found := false
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return n == node
		case *ast.CallExpr:
			if _, ok := IsAwait(info, n); ok {
				found = true
			}
		case *ast.RangeStmt:
			if _, _, ok := RangesOverStream(info, n); ok {
				found = true
			}
		}
		return !found
	})
	return found
}

// AsyncLiteral reports whether call passes a function literal directly to
// async.Go or to one of async's Func…: such a literal is a machine of its own.
func AsyncLiteral(info *types.Info, call *ast.CallExpr) (*ast.FuncLit, bool) {
	name := Called(info, call, load.AsyncPath)
	if name != "Go" && name != "Go0" && !strings.HasPrefix(name, "Func") {
		return nil, false
	}
	for _, arg := range call.Args {
		if lit, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
			return lit, true
		}
	}
	return nil, false
}

// Called is the name of what call calls of a package's scope, "" if it calls something
// else.
func Called(info *types.Info, call *ast.CallExpr, path string) string {
	obj := typeutil.Callee(info, call)
	if obj == nil || obj.Pkg() == nil || obj.Pkg().Path() != path || obj.Parent() != obj.Pkg().Scope() {
		return ""
	}
	return obj.Name()
}

// awaits reports awaits in fn that cannot suspend it.
func awaits(pkg *load.Package, fn *load.Func, diags *diag.List) {
	v := &placement{pkg: pkg, name: fn.Decl.Name.Name, diags: diags,
		machines: make(map[*ast.FuncLit]bool), deferred: make(map[*ast.FuncLit]bool), called: make(map[*ast.SelectorExpr]bool)}
	v.walk(fn.Decl.Body, "")
}

// A placement walks one annotated function.
type placement struct {
	pkg      *load.Package
	name     string
	diags    *diag.List
	machines map[*ast.FuncLit]bool      // literals passed to async.Go and the like
	deferred map[*ast.FuncLit]bool      // those that a defer statement calls
	called   map[*ast.SelectorExpr]bool // t.Await in t.Await()
}

// What to do in place of an await in a literal.
const (
	elsewhere = "pass the literal directly to async.Go or async.Func, or await outside of it"
	atTheEnd  = "defer the await of a task that is under way, as in defer t.Await(), or await in a function around this one, after its call"

	rangeElsewhere = "pass the literal directly to async.Go or async.Func, or range outside of it"
)

// walk visits node; wayOut is what to do in place of an await, if node belongs to a plain
// literal.
func (v *placement) walk(node ast.Node, wayOut string) {
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			if v.is(n.Call) {
				v.called[ast.Unparen(n.Call.Fun).(*ast.SelectorExpr)] = true
				v.errorf(n, "go %s would keep a goroutine waiting, and its result is lost; start the rest of the work with async.Go instead",
					types.ExprString(n.Call))
				v.walk(n.Call.Fun, wayOut)
				return false
			}
		case *ast.DeferStmt:
			if lit, ok := ast.Unparen(n.Call.Fun).(*ast.FuncLit); ok {
				v.deferred[lit] = true
			}
		case *ast.CallExpr:
			if lit, ok := AsyncLiteral(v.pkg.Info, n); ok {
				v.machines[lit] = true
			}
			if v.is(n) {
				v.called[ast.Unparen(n.Fun).(*ast.SelectorExpr)] = true
				if wayOut != "" {
					v.errorf(n, "the await in a function literal cannot suspend %s, for the literal's caller does not wait; %s", v.name, wayOut)
				}
			}
		case *ast.RangeStmt:
			if call, _, ok := RangesOverStream(v.pkg.Info, n); ok {
				v.called[ast.Unparen(call.Fun).(*ast.SelectorExpr)] = true
				if wayOut != "" {
					v.errorf(n, "the range over a stream in a function literal cannot suspend %s, for the literal's caller does not wait; %s", v.name, rangeElsewhere)
				}
			}
		case *ast.SelectorExpr:
			v.methodValue(n)
		case *ast.FuncLit:
			switch {
			case v.machines[n]:
				v.walk(n.Body, "")
			case v.deferred[n]:
				v.walk(n.Body, atTheEnd)
			default:
				v.walk(n.Body, elsewhere)
			}
			return false
		}
		return true
	})
}

func (v *placement) is(call *ast.CallExpr) bool {
	_, ok := IsAwait(v.pkg.Info, call)
	return ok
}

// methodValue reports t.Await and T.Await where they are not called directly, and the
// Await of a stream where nothing ranges over it.
func (v *placement) methodValue(sel *ast.SelectorExpr) {
	if v.called[sel] {
		return
	}
	if _, ok := streamMethod(v.pkg.Info, sel); ok {
		v.errorf(sel, "only a range over its call suspends %s, as in for v, err := range s.Await(ctx), and %s is not ranged over here; do that, or call the stream itself for an iterator",
			v.name, types.ExprString(sel))
		return
	}
	_, value := awaitMethod(v.pkg.Info, sel, types.MethodVal)
	_, expr := awaitMethod(v.pkg.Info, sel, types.MethodExpr)
	if value || expr {
		v.errorf(sel, "only a direct call of Await suspends %s, and %s is not one; call it where the result is needed, or pass the task itself on",
			v.name, types.ExprString(sel))
	}
}

func (v *placement) errorf(n ast.Node, format string, args ...any) {
	v.diags.Errorf(v.pkg.Fset.Position(n.Pos()), diag.BadAwait, format, args...)
}

// atStart reports awaits that block the program's start: in package-level
// initialisers and in init.
func atStart(pkg *load.Package, file *ast.File, diags *diag.List) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.GenDecl:
			if decl.Tok == token.VAR {
				blocking(pkg, decl, "a package-level initialiser", diags)
			}
		case *ast.FuncDecl:
			if decl.Recv == nil && decl.Name.Name == "init" && decl.Body != nil {
				blocking(pkg, decl.Body, "init", diags)
			}
		}
	}
}

// blocking reports the awaits that run when node does: not those in literals
// that are merely made there.
func blocking(pkg *load.Package, node ast.Node, where string, diags *diag.List) {
	called := make(map[*ast.FuncLit]bool)
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return called[n]
		case *ast.CallExpr:
			if lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok {
				called[lit] = true
			}
			if _, ok := IsAwait(pkg.Info, n); ok {
				diags.Errorf(pkg.Fset.Position(n.Pos()), diag.BadAwait,
					"an await in %s blocks the program before main can run; start the work from main, or from a function that main calls", where)
			}
		case *ast.RangeStmt:
			if _, _, ok := RangesOverStream(pkg.Info, n); ok {
				diags.Errorf(pkg.Fset.Position(n.Pos()), diag.BadAwait,
					"a range over a stream in %s blocks the program before main can run; start the work from main, or from a function that main calls", where)
			}
		}
		return true
	})
}

package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
)

// closures plans the async closures of the function. Each becomes a machine of
// its own; what it captures becomes parameters of its kickoff:
//
//	async.Go(ctx, func(ctx context.Context) (int, error) {      becomes
//		n++
//		return t.Await()                    fGo1(ctx, n)        with n *int
//	})
func (b *builder) closures() bool {
	planned := true
	var visit func(n ast.Node) bool
	visit = func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		lit, ok := check.AsyncLiteral(b.info, call)
		if !ok {
			return true
		}
		b.closure(call, lit, &planned)
		for _, arg := range call.Args {
			if ast.Unparen(arg) != ast.Expr(lit) {
				ast.Inspect(arg, visit)
			}
		}
		return false
	}
	ast.Inspect(b.f.Body, visit)
	return planned
}

func (b *builder) closure(call *ast.CallExpr, lit *ast.FuncLit, planned *bool) {
	maker := strings.HasPrefix(check.Called(b.info, call, load.AsyncPath), "Func")
	kind := "Go"
	if maker {
		kind = "Func"
	}
	n := len(b.f.Children) + 1
	base := strings.TrimSuffix(b.f.Machine, "Machine")
	child := newBuilder(b.pkg, b.file, b.diags, &ir.Func{
		Name:    fmt.Sprintf("%s.%s%d", b.f.Name, strings.ToLower(kind), n),
		Machine: fmt.Sprintf("%s%s%dMachine", base, kind, n),
		Decl:    b.f.Decl,
		Lit:     lit,
		Body:    lit.Body,
		Sig:     b.info.TypeOf(lit).(*types.Signature),
		Source:  b.f.Source,
		Class:   b.f.Class,
		Parent:  b.f,
		Maker:   maker,
	})
	child.outer = b
	f := child.plan()
	if f == nil {
		*planned = false
		return
	}
	b.f.Children = append(b.f.Children, f)
	b.f.ChildOf[call] = f
}

// captured makes parameters of the variables that an async closure captures, in
// order of appearance: of the value if nothing changes it, else of its address.
func (b *builder) captured() {
	lit := b.f.Lit
	if lit == nil {
		return
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj, ok := b.info.Uses[id].(*types.Var)
		if !ok || obj.IsField() || b.f.VarOf[obj] != nil || obj.Parent() == obj.Pkg().Scope() ||
			lit.Pos() <= obj.Pos() && obj.Pos() < lit.End() {
			return true
		}
		v := b.newVar(obj, ir.Param)
		v.Outer, v.Lifted = true, true
		v.Cell = b.outer.byReference(obj)
		b.f.Params = append(b.f.Params, v)
		return true
	})
}

// byReference reports whether closures must share obj with its function.
func (b *builder) byReference(obj *types.Var) bool {
	if v := b.f.VarOf[obj]; v != nil {
		return v.Cell
	}
	u := b.usageOf(obj)
	return u.addressed || u.writes > 0
}

// constants copies the declarations of those constants around an async closure
// that it mentions, and of those that these are made of: its machine has a
// MoveNext of its own.
func (b *builder) constants() {
	lit := b.f.Lit
	if lit == nil {
		return
	}
	declared := make(map[types.Object]*ast.GenDecl)
	var order []*ast.GenDecl
	ast.Inspect(b.f.Decl.Body, func(n ast.Node) bool {
		if decl, ok := n.(*ast.GenDecl); ok && decl.Tok == token.CONST {
			order = append(order, decl)
			for _, spec := range decl.Specs {
				for _, id := range spec.(*ast.ValueSpec).Names {
					declared[b.info.Defs[id]] = decl
				}
			}
		}
		return n != ast.Node(lit)
	})
	mentioned := make(map[*ast.GenDecl]bool)
	var mention func(n ast.Node)
	mention = func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if decl := declared[b.info.Uses[id]]; decl != nil && !mentioned[decl] {
					mentioned[decl] = true
					mention(decl)
				}
			}
			return true
		})
	}
	mention(lit)
	for _, decl := range order {
		if mentioned[decl] {
			b.f.Consts = append(b.f.Consts, decl)
		}
	}
}

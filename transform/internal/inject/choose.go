package inject

import (
	"go/ast"
	"go/types"
	"strings"
)

// choose notes whether decl gets a machine, or why not.
func (in *injection) choose(path string, decl *ast.FuncDecl) {
	name := Name(decl)
	left := in.reason(decl)
	if left == "" && in.o.Leave[name] {
		left = "left on request"
	}
	if left == "" {
		in.chosen[in.p.Info.Defs[decl.Name].(*types.Func)] = true
	}
	in.result.Funcs = append(in.result.Funcs, Func{name, path, left})
}

func (in *injection) isChosen(decl *ast.FuncDecl) bool {
	fn, ok := in.p.Info.Defs[decl.Name].(*types.Func)
	return ok && in.chosen[fn]
}

// reason says why decl cannot become a driver and a machine without a change of
// what it means; "" if it can.
func (in *injection) reason(decl *ast.FuncDecl) string {
	switch {
	case decl.Body == nil:
		return "no body"
	case decl.Name.Name == "_" || decl.Recv == nil && decl.Name.Name == "init":
		return "no name to call it by"
	case len(decl.Body.List) == 0:
		return "nothing in its body"
	}
	if list := decl.Type.TypeParams; list != nil {
		for _, field := range list.List {
			for _, id := range field.Names {
				if id.Name == "_" {
					return "a type parameter without a name"
				}
			}
		}
	}
	if decl.Doc != nil {
		for _, comment := range decl.Doc.List {
			if strings.HasPrefix(comment.Text, "//go:") || strings.HasPrefix(comment.Text, "//export ") {
				return "a directive"
			}
		}
	}
	return in.bodyReason(decl.Body)
}

// bodyReason looks for what depends on the frame that it runs in.
func (in *injection) bodyReason(body *ast.BlockStmt) string {
	left := ""
	literals := 0
	var stack []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			if _, ok := stack[len(stack)-1].(*ast.FuncLit); ok {
				literals--
			}
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.FuncLit:
			literals++
		case *ast.Ident:
			switch obj := in.p.Info.Uses[n].(type) {
			case *types.Builtin:
				if obj.Name() == "recover" && literals == 0 {
					left = "recover, which works for whom a defer statement calls"
				}
			case *types.PkgName:
				if obj.Imported().Path() == "unsafe" {
					left = "unsafe"
				}
			case *types.Func:
				if framed[obj.FullName()] {
					left = "it looks at the stack"
				}
			}
		}
		return true
	})
	return left
}

var framed = map[string]bool{
	"runtime.Caller": true, "runtime.Callers": true, "runtime.Stack": true,
	"runtime/debug.Stack": true, "runtime/debug.PrintStack": true,
}

package fuzz

import (
	"go/ast"
	"strings"
)

// exitMarks names what a body does that exits: where a runtime.Goexit begins, and whether
// a panic may rise in what it calls.
func exitMarks(what string, body *ast.BlockStmt, mark func(string, ast.Node)) {
	exits, panics, recovers := false, false, false
	for _, s := range body.List {
		switch s := s.(type) {
		case *ast.ExprStmt:
			exits = exits || calls(s.X, "Exit")
		case *ast.DeferStmt:
			lit, ok := s.Call.Fun.(*ast.FuncLit)
			switch {
			case calls(s.Call, "Exit"):
				mark("defer of Goexit", s)
			case ok:
				text := deferred(s)
				panics = panics || strings.HasSuffix(text, "panic")
				recovers = recovers || strings.HasSuffix(text, "recover")
				if containsExit(lit.Body) {
					mark("defer of a literal that exits", s)
				}
			}
		}
	}
	if exits {
		mark(what+" that exits", body)
	}
	if exits && panics {
		mark(what+" that exits and panics", body)
	}
	if exits && recovers {
		mark(what+" that exits and recovers", body)
	}
}

// calls reports whether a call is one of a function of that name.
func calls(n ast.Node, name string) bool {
	id := calleeOf(n)
	return id != nil && id.Name == name
}

// containsExit reports whether a body calls runtime.Goexit itself, or in a literal.
func containsExit(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		found = found || n != nil && calls(n, "Exit")
		return !found
	})
	return found
}

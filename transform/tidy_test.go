package transform_test

import (
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Limits that keep the code readable. They are a ratchet, not a wall: what is
// over a limit stands in the map below with its size, which may shrink but not
// grow, and goes from the map once it is within the limit.
const (
	maxFileLines = 600
	maxFuncLines = 70
)

var exceptions = map[string]int{}

func TestTidy(t *testing.T) {
	seen := make(map[string]bool)
	limit := func(what string, lines, most int) {
		excepted, ok := exceptions[what]
		switch {
		case !ok && lines > most:
			t.Errorf("%s has %d lines, more than %d", what, lines, most)
		case ok && lines > excepted:
			t.Errorf("%s has grown from %d lines to %d", what, excepted, lines)
		case ok && lines <= most:
			t.Errorf("%s is within the limit of %d lines: take it out of the exceptions", what, most)
		}
		seen[what] = true
	}
	goFiles(t, func(name string, fset *token.FileSet, file *ast.File) {
		if ast.IsGenerated(file) {
			return
		}
		limit(name, fset.File(file.FileStart).LineCount(), maxFileLines)
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			lines := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1
			limit(name+": "+funcName(fn), lines, maxFuncLines)
		}
	})
	for what := range exceptions {
		if !seen[what] {
			t.Errorf("the exception %q is about nothing", what)
		}
	}
}

// The module's top level holds these rooms and papers, and nothing that a build has
// left: a file of its own there belongs in one of the rooms.
func TestTopLevel(t *testing.T) {
	rooms := strings.Fields("ARCHITECTURE.md Makefile README.md bin cmd go.mod go.sum golden out runtime testdata transform")
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !slices.Contains(rooms, name) && name[0] != '.' {
			t.Errorf("%s does not belong at the top", entry.Name())
		}
	}
}

// funcName is a function's name, with its receiver's type for a method.
func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + fn.Name.Name
		default:
			return fn.Name.Name
		}
	}
}

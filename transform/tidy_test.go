package transform_test

import (
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Limits that keep the code readable.
const (
	maxFileLines = 600
	maxFuncLines = 70
)

func TestTidy(t *testing.T) {
	goFiles(t, func(name string, fset *token.FileSet, file *ast.File) {
		if ast.IsGenerated(file) {
			return
		}
		if lines := fset.File(file.FileStart).LineCount(); lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", name, lines, maxFileLines)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			first, last := fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line
			if lines := last - first + 1; lines > maxFuncLines {
				t.Errorf("%s:%d: %s has %d lines, more than %d", name, first, fn.Name.Name, lines, maxFuncLines)
			}
		}
	})
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

package transform_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// policy says which packages may import which: a room, and what of this module
// and of other people's it may use. The standard library is open to all. It is
// a statement of policy: change it where the house changes, not where an import
// would be handy.
//
//   - transform and runtime do not import each other: the compiler knows the
//     runtime's names as text, and whoever links generated code links no
//     compiler.
//   - runtime/async, all that generated code needs, imports the standard library
//     alone, and no other room.
//   - Requests go down by calls (overlapped → kernel → driver → device); what
//     comes up comes through an interface that the lower room defines. So no
//     room imports one above it.
//   - load alone reads packages, emit alone knows how Go text is made, write
//     alone writes.
//
// "x/..." stands for a room and all below it, on either side. Tests are free to
// import what they need to see, but not across transform and runtime.
const policy = `
cmd/nothread:           transform cmd/graphsvg
cmd/graphsvg:           github.com/goccy/go-graphviz
cmd/bench/...:          runtime/... cmd/bench/...
cmd/tour:               runtime/... golden/...

transform:              transform/internal/...
transform/internal/diag:
transform/internal/load:  transform/internal/diag golang.org/x/tools/go/packages
transform/internal/cache: transform/internal/load transform/internal/replace
transform/internal/check: transform/internal/diag transform/internal/load golang.org/x/tools/go/types/typeutil
transform/internal/ir:
transform/internal/plan:  transform/internal/diag transform/internal/load transform/internal/check transform/internal/ir golang.org/x/tools/container/intsets
transform/internal/lower: transform/internal/ir
transform/internal/emit:  transform/internal/load transform/internal/ir github.com/dave/jennifer/jen
transform/internal/explain: transform/internal/ir
transform/internal/graph: transform/internal/ir transform/internal/explain
transform/internal/fuzz:  transform
transform/internal/inject:
transform/internal/write: transform/internal/diag transform/internal/load transform/internal/replace
transform/internal/replace:

runtime/async:
runtime/inflight:       runtime/async
runtime/trace:          runtime/async runtime/kernel
runtime/clock:
runtime/device:         runtime/clock
runtime/kernel:         runtime/clock
runtime/driver:         runtime/clock runtime/device runtime/kernel
runtime/pool:           runtime/async runtime/clock runtime/kernel
runtime/overlapped:     runtime/async runtime/clock runtime/kernel
runtime/sim:            runtime/...

golden/...:             runtime/... golden/...
`

const modulePath = "github.com/nothread/nothread"

// allowed is the policy by room.
func allowed(t *testing.T) map[string][]string {
	t.Helper()
	rooms := make(map[string][]string)
	for line := range strings.SplitSeq(policy, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		room, list, ok := strings.Cut(line, ":")
		if !ok || rooms[room] != nil {
			t.Fatalf("policy: %q", line)
		}
		rooms[room] = append([]string{}, strings.Fields(list)...)
	}
	return rooms
}

// matches reports whether a pattern of the policy covers a path.
func matches(pattern, path string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return path == base || below && strings.HasPrefix(path, base+"/")
}

// rulesFor finds the room that a folder belongs to.
func rulesFor(rooms map[string][]string, dir string) ([]string, bool) {
	for room, list := range rooms {
		if matches(room, dir) {
			return list, true
		}
	}
	return nil, false
}

// goFiles calls f for every Go file of the module, with its path relative to the
// root, / as separator. Inputs of golden cases are left out.
func goFiles(t *testing.T, f func(name string, fset *token.FileSet, file *ast.File)) {
	t.Helper()
	root := ".."
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || base == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasPrefix(base, ".") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f(filepath.ToSlash(relative), fset, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImports(t *testing.T) {
	rooms := allowed(t)
	goFiles(t, func(name string, fset *token.FileSet, file *ast.File) {
		dir := path.Dir(name)
		rules, known := rulesFor(rooms, dir)
		if !known {
			t.Errorf("%s: the policy knows no room %s", name, dir)
			return
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			own := strings.TrimPrefix(imported, modulePath+"/")
			if strings.HasSuffix(name, "_test.go") {
				if side(dir) != "" && side(own) != "" && side(dir) != side(own) && own != imported {
					t.Errorf("%s: a test of %s imports %s", fset.Position(spec.Pos()), side(dir), own)
				}
				continue
			}
			if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
				continue // the standard library
			}
			if !slices.ContainsFunc(rules, func(rule string) bool { return matches(rule, own) }) {
				t.Errorf("%s: %s must not import %s", fset.Position(spec.Pos()), dir, own)
			}
		}
	})
}

// side is the half of the house that a path of this module belongs to.
func side(path string) string {
	if first, _, _ := strings.Cut(path, "/"); first == "transform" || first == "runtime" {
		return first
	}
	return ""
}

// The policy itself must keep the promises above it.
func TestPolicy(t *testing.T) {
	rooms := allowed(t)
	if list := rooms["runtime/async"]; len(list) != 0 {
		t.Errorf("runtime/async may import %v", list)
	}
	for room, list := range rooms {
		for _, rule := range list {
			if side(room) != "" && side(rule) != "" && side(room) != side(rule) {
				t.Errorf("%s may import %s", room, rule)
			}
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"runtime/async", "runtime/async", true},
		{"runtime/async", "runtime/asyncx", false},
		{"runtime/async", "runtime/async/sub", false},
		{"runtime/...", "runtime/async/sub", true},
		{"runtime/...", "runtimes", false},
		{"runtime/...", "cmd/runtime/x", false},
	} {
		if got := matches(c.pattern, c.path); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.path, got)
		}
	}
}

// What is generated must not depend on the machine that the compiler runs on: the
// same sources give the same bytes everywhere.
func TestNothingOfTheHost(t *testing.T) {
	goFiles(t, func(name string, fset *token.FileSet, file *ast.File) {
		if side(name) != "transform" || strings.HasSuffix(name, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "GOARCH" && sel.Sel.Name != "GOOS" {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "runtime" {
				t.Errorf("%s: runtime.%s", fset.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	})
}

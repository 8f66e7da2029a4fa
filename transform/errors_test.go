package transform

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Each testdata/errors/*.txtar is a module with what is wrong, beginning with
// prose. The file "want" holds what the compiler says, and it writes nothing.
func TestErrors(t *testing.T) {
	var said strings.Builder
	for _, path := range errorCases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "want" {
				t.Fatal(`the last file must be "want"`)
			}
			got := complaints(t, archive.Files)
			said.WriteString(got)
			if want := string(last.Data); got != want && *update {
				last.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o666); err != nil {
					t.Fatal(err)
				}
			} else if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	t.Run("states", func(t *testing.T) {
		source := "package main\n\nimport \"github.com/nothread/nothread/runtime/async\"\n\n//nothread:async\nfunc F(t async.Task0) {\n" +
			strings.Repeat("\tt.Await()\n", 1<<16) + "}\n"
		const want = "main.go:6:6: F has 65536 awaits, and a state machine can have 65535; move some of them to async functions that it calls\n"
		got := complaints(t, []txtar.File{{Name: "main.go", Data: []byte(source)}, {}})
		if said.WriteString(got); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	if strings.Contains(said.String(), "internal error") {
		t.Error("an error of the source is taken for one of the compiler")
	}
	for place, pattern := range messages(t) {
		if !pattern.MatchString(said.String()) {
			t.Errorf("%s: no case has this message: %s", place, pattern)
		}
	}
}

func errorCases(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("../testdata/errors/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return paths
}

// complaints is what the compiler says of a module.
func complaints(t *testing.T, files []txtar.File) string {
	t.Helper()
	b := newBench(t)
	mod, err := os.ReadFile(filepath.Join(b.dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "go.mod", []byte(strings.Replace(string(mod), "module bench", "module example.com/user", 1)))
	for _, f := range files[:len(files)-1] {
		b.write(t, f.Name, f.Data)
	}
	env := append(environment(), "GOPROXY=off", "CGO_ENABLED=1")
	result, err := Generate(Config{Dir: b.dir, Patterns: []string{"./..."}, Env: env, DumpTo: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if !result.Failed() || len(result.Changed()) > 0 {
		t.Errorf("failed: %v, %d files to write", result.Failed(), len(result.Changed()))
	}
	var text strings.Builder
	if err := result.PrintDiagnostics(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// messages finds in the rooms that judge sources what they may say: the formats
// of all calls of Errorf and errorf, as patterns, by place.
func messages(t *testing.T) map[string]*regexp.Regexp {
	t.Helper()
	found := make(map[string]*regexp.Regexp)
	for _, room := range []string{"load", "check", "plan"} {
		paths, err := filepath.Glob("internal/" + room + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && reports(call.Fun) {
					for _, arg := range call.Args {
						if format := literal(arg); strings.Trim(format, "%vs") != "" {
							found[fset.Position(call.Pos()).String()] = asPattern(format)
						}
					}
				}
				return true
			})
		}
	}
	if len(found) < 15 {
		t.Fatalf("only %d messages", len(found))
	}
	return found
}

// reports reports whether fun adds a diagnostic, rather than makes an error.
func reports(fun ast.Expr) bool {
	switch fun := fun.(type) {
	case *ast.Ident:
		return fun.Name == "errorf"
	case *ast.SelectorExpr:
		pkg, ok := fun.X.(*ast.Ident)
		return fun.Sel.Name == "errorf" || fun.Sel.Name == "Errorf" && !(ok && pkg.Name == "fmt")
	}
	return false
}

// literal is a string written out, perhaps in several parts; "" for anything else.
func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value)
			return text
		}
	case *ast.BinaryExpr:
		return literal(e.X) + literal(e.Y)
	}
	return ""
}

func asPattern(format string) *regexp.Regexp {
	parts := regexp.MustCompile(`%[a-z]`).Split(format, -1)
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return regexp.MustCompile(strings.Join(parts, ".*"))
}

package check_test

import (
	"flag"
	"go/ast"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

var update = flag.Bool("update", false, "rewrite the cases' expectations; inspect the diff")

// Each testdata/*.txtar is a package, beginning with prose. The file "want"
// holds the messages that check has for it.
func TestCheck(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := module(t, archive)
			got := messages(t, dir)
			last := &archive.Files[len(archive.Files)-1]
			if last.Name != "want" {
				t.Fatal(`the last file must be "want"`)
			}
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
}

// module writes the archive as a module beside a runtime/async without
// behaviour.
func module(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := txtar.ParseFile("../load/testdata/runtime.txt")
	if err != nil {
		t.Fatal(err)
	}
	archive = &txtar.Archive{Files: append([]txtar.File{{Name: "go.mod", Data: []byte(`module example.com/user

go 1.26

require github.com/nothread/nothread v0.0.0

replace github.com/nothread/nothread => ../runtime
`)}}, archive.Files...)}
	for base, files := range map[string][]txtar.File{"runtime": runtime.Files, "user": archive.Files} {
		for _, f := range files {
			path := filepath.Join(root, base, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return filepath.Join(root, "user")
}

func loadDir(t *testing.T, dir string, diags *diag.List) *load.Program {
	t.Helper()
	program, err := load.Load(load.Config{Dir: dir, Patterns: []string{"./..."},
		Env: append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")}, diags)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// messages is what load and check say of the module in dir.
func messages(t *testing.T, dir string) string {
	diags := diag.List{Dir: dir}
	program := loadDir(t, dir, &diags)
	typed := !diags.HasErrors()
	for _, pkg := range program.Packages {
		check.Syntax(pkg, &diags)
		if typed {
			check.Types(pkg, &diags)
		}
	}
	if !diags.HasErrors() {
		for _, d := range program.Broken {
			diags.Add(d)
		}
	}
	var b strings.Builder
	if err := diags.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// In package pattern of this module each call of Await in a function called
// yes… is an await, and none in one called no….
const patternSource = `package pattern

import "github.com/nothread/nothread/runtime/async"

func yes(t async.Task[int], p *async.Task0, in wide, e embeds, ep *embedsPointer, own *own) {
	t.Await()
	p.Await()
	(t.Await)()
	in.Await()
	e.Await()
	ep.Await()
	own.Await()
	func() async.Task0 { panic(0) }().Await()
}

func yesOf[T wide, S interface{ async.Task0 }](t T, s S) {
	t.Await()
}

func yesAddressable() {
	var o own
	o.Await()
}

func no(n narrow, w wrong, d differs, f field, al almost) {
	n.Await()
	w.Await()
	d.Await(1)
	f.Await()
	Await()
	async.Task0.Await(async.Task0{})
	al.asked.Await()
	al.other.Await()
	al.named.Await()
	al.silent.Await()
	al.several.Await()
	al.own.Await()
	al.given.Await()
	al.any.Await()
	al.types.Await()
}

// Each has all methods but one as it should be.
type almost struct {
	asked interface { IsCompleted(int) bool; OnCompleted(async.Continuation) bool; GetResult() int; Await() int }
	other interface { IsCompleted() int; OnCompleted(async.Continuation) bool; GetResult() int; Await() int }
	named interface { IsCompleted() yesno; OnCompleted(async.Continuation) bool; GetResult() int; Await() int }
	silent interface { IsCompleted() bool; OnCompleted(async.Continuation); GetResult() int; Await() int }
	several interface { IsCompleted() bool; OnCompleted(...async.Continuation) bool; GetResult() int; Await() int }
	own interface { IsCompleted() bool; OnCompleted(async.Task0) bool; GetResult() int; Await() int }
	given interface { IsCompleted() bool; OnCompleted(async.Continuation) bool; GetResult(int) int; Await() int }
	any interface { IsCompleted() bool; OnCompleted(async.Continuation) bool; GetResult() int; Await(...int) int }
	types interface { IsCompleted() bool; OnCompleted(async.Continuation) bool; GetResult() int; Await() string }
}

type yesno bool

type wide interface {
	IsCompleted() bool
	OnCompleted(async.Continuation) bool
	GetResult() (int, string)
	Await() (int, string)
}

type embeds struct{ async.Task[string] }
type embedsPointer struct{ *async.Task[string] }

type own struct{}

func (*own) IsCompleted() bool                   { return true }
func (*own) OnCompleted(c async.Continuation) bool { return false }
func (*own) GetResult() int                      { return 0 }
func (*own) Await() int                          { return 0 }

type narrow interface{ Await() int }

type wrong struct{ async.Task0 }

func (wrong) GetResult() (int, error) { return 0, nil }

type differs struct{ async.Task0 }

func (differs) Await(int) error { return nil }

type field struct{ Await func() }

func Await() {}
`

func TestIsAwait(t *testing.T) {
	dir := module(t, &txtar.Archive{Files: []txtar.File{{Name: "pattern.go", Data: []byte(patternSource)}}})
	var diags diag.List
	program := loadDir(t, dir, &diags)
	if diags.HasErrors() || len(program.Packages) != 1 {
		t.Fatalf("%d packages, %v", len(program.Packages), diags.All())
	}
	pkg := program.Packages[0]
	seen := 0
	for _, decl := range pkg.Syntax[0].Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || fn.Body == nil {
			continue
		}
		want := strings.HasPrefix(fn.Name.Name, "yes")
		for _, stmt := range fn.Body.List {
			expr, ok := stmt.(*ast.ExprStmt)
			if !ok {
				continue
			}
			seen++
			call := expr.X.(*ast.CallExpr)
			if awaitable, got := check.IsAwait(pkg.Info, call); got != want {
				t.Errorf("%s: %s: got %v (%v), want %v", fn.Name.Name, types.ExprString(call), got, awaitable, want)
			} else if got && awaitable == nil {
				t.Errorf("%s: %s: no type", fn.Name.Name, types.ExprString(call))
			}
		}
	}
	if seen != 25 {
		t.Errorf("saw %d calls", seen)
	}
}

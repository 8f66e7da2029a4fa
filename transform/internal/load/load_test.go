package load_test

import (
	"errors"
	"flag"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

var update = flag.Bool("update", false, "rewrite the cases' expectations; inspect the diff")

// Each testdata/*.txtar is a module with some packages, beginning with prose.
// The file "want" tells what load makes of "./...": diagnostics, excluded files
// and orphans, and each annotated function with the signature of its twin.
func TestLoad(t *testing.T) {
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
			if len(strings.TrimSpace(string(archive.Comment))) == 0 {
				t.Error("a case begins with prose")
			}
			dir := module(t, archive)
			got := describe(t, dir, "./...")
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

// module writes the archive's files below a new folder, beside a runtime/async
// that has types only.
func module(t *testing.T, archive *txtar.Archive) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := txtar.ParseFile("testdata/runtime.txt")
	if err != nil {
		t.Fatal(err)
	}
	write := func(base string, files []txtar.File) {
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
	write("runtime", runtime.Files)
	write("user", archive.Files)
	return filepath.Join(root, "user")
}

var environment = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")

func describe(t *testing.T, dir string, patterns ...string) string {
	t.Helper()
	diags := diag.List{Dir: dir}
	var b strings.Builder
	program, err := load.Load(load.Config{Dir: dir, Patterns: patterns, Env: environment}, &diags)
	if err := diags.Print(&b); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		fmt.Fprintf(&b, "error: %v\n", err)
		return b.String()
	}
	for _, path := range program.Excluded {
		fmt.Fprintf(&b, "excluded %s\n", diag.Rel(dir, path))
	}
	for _, orphan := range program.Orphans {
		fmt.Fprintf(&b, "orphan %s of %s\n", diag.Rel(dir, orphan.Path), orphan.Source)
	}
	for _, pkg := range program.Packages {
		for _, file := range pkg.Files {
			describeFile(&b, dir, pkg, file)
		}
	}
	return b.String()
}

func describeFile(b *strings.Builder, dir string, pkg *load.Package, file *load.File) {
	fmt.Fprintf(b, "%s → %s", diag.Rel(dir, file.Path), diag.Rel(dir, file.Output))
	if file.Constraint != "" {
		fmt.Fprintf(b, " [%s]", file.Constraint)
	}
	fmt.Fprintf(b, " in %s\n", pkg.Types)
	for _, fn := range file.Funcs {
		fmt.Fprintf(b, "\t%s: %d values", fn.Decl.Name.Name, len(fn.TaskResults))
		if fn.HasError {
			fmt.Fprint(b, " and an error")
		}
		if fn.Options.Pool {
			fmt.Fprint(b, ", pool")
		}
		fmt.Fprintln(b)
		if fn.Obj == nil {
			continue
		}
		var twin types.Object
		if recv := fn.Obj.Signature().Recv(); recv != nil {
			twin, _, _ = types.LookupFieldOrMethod(recv.Type(), true, pkg.Types, fn.Twin)
		} else {
			twin = pkg.Types.Scope().Lookup(fn.Twin)
		}
		if !pkg.IsStub(twin) || pkg.IsStub(fn.Obj) {
			fmt.Fprintf(b, "\t\tno stub\n")
			continue
		}
		fmt.Fprintf(b, "\t\t%s\n", types.ObjectString(twin, types.RelativeTo(pkg.Types)))
		if fn.Struct != nil {
			carrier := pkg.Types.Scope().Lookup(fn.Struct.Name)
			fmt.Fprintf(b, "\t\t%s\n", types.ObjectString(carrier, types.RelativeTo(pkg.Types)))
		}
	}
}

func TestNoPackages(t *testing.T) {
	dir := module(t, &txtar.Archive{Files: []txtar.File{
		{Name: "go.mod", Data: []byte("module user\n\ngo 1.26\n")},
		{Name: "sub/sub.go", Data: []byte("package sub\n")},
	}})
	for _, pattern := range []string{"./absent", ".", "./absent/...", "sub.go", "fmt"} {
		var diags diag.List
		_, err := load.Load(load.Config{Dir: dir, Patterns: []string{pattern}, Env: environment}, &diags)
		if !errors.Is(err, load.ErrNoPackages) {
			t.Errorf("%s: error %v", pattern, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %v", pattern, err)
		}
	}
	_, err := load.Load(load.Config{Dir: t.TempDir(), Env: environment}, &diag.List{})
	if err == nil || !strings.Contains(err.Error(), "go.mod") {
		t.Errorf("no module: error %v", err)
	}
}

// A file as pattern stands for its package, and any working directory below the
// module does.
func TestPatterns(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/basic.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := module(t, archive)
	whole := describe(t, dir, ".")
	if !strings.Contains(whole, "CopyAsync") {
		t.Fatalf("no CopyAsync in\n%s", whole)
	}
	if file := describe(t, dir, "copy.go"); file != whole {
		t.Errorf("copy.go:\n%s\n.:\n%s", file, whole)
	}
	if path := describe(t, dir, "example.com/user"); path != whole {
		t.Errorf("by path:\n%s\n.:\n%s", path, whole)
	}
}

// What is vendored lies below the module's folder, but is another module's.
func TestVendored(t *testing.T) {
	dir := module(t, txtar.Parse([]byte(`
-- go.mod --
module example.com/user

go 1.26

require github.com/nothread/nothread v0.0.0

replace github.com/nothread/nothread => ../runtime
-- a.go --
package user

import _ "github.com/nothread/nothread/runtime/async"
-- vendor/modules.txt --
# github.com/nothread/nothread v0.0.0 => ../runtime
## explicit; go 1.26
github.com/nothread/nothread/runtime/async
# github.com/nothread/nothread => ../runtime
-- vendor/github.com/nothread/nothread/runtime/async/async.go --
package async

//nothread:async
func F() {}
`)))
	env := append(slices.Clone(environment), "GOFLAGS=-mod=vendor")
	for pattern, want := range map[string]bool{"./...": true, "github.com/nothread/nothread/runtime/async": false} {
		_, err := load.Load(load.Config{Dir: dir, Patterns: []string{pattern}, Env: env}, &diag.List{Dir: dir})
		if errors.Is(err, load.ErrNoPackages) == want || err != nil && !errors.Is(err, load.ErrNoPackages) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

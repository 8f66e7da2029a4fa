package transform

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// remembered are the sources of TestRecall. Package a uses b, which uses the
// module other, which a folder replaces; c is alone; e embeds a file.
var remembered = map[string]string{
	"a/a.go": `package a

import (
	"bench/b"

	"github.com/nothread/nothread/runtime/async"
)

//nothread:async
func Twice(next func() async.Task[b.Number]) (b.Number, error) {
	v, err := next().Await()
	if err != nil {
		return v, err
	}
	w, err := next().Await()
	return v + w, err
}
`,
	"b/b.go": `package b

import "example.com/other"

type Number = other.Number

var _ other.Number
`,
	"c/c.go":       "package c\n\nimport \"github.com/nothread/nothread/runtime/async\"\n\n//nothread:async\nfunc Wait(t async.Task0) error { return t.Await() }\n",
	"c/c_js.go":    "package c\n\nimport \"github.com/nothread/nothread/runtime/async\"\n\n//nothread:async\nfunc JS(t async.Task0) error { return t.Await() }\n",
	"e/e.go":       "package e\n\nimport (\n\t_ \"embed\"\n\n\t\"github.com/nothread/nothread/runtime/async\"\n)\n\n//go:embed text.txt\nvar Text string\n\n//nothread:async\nfunc Wait(t async.Task0) error { return t.Await() }\n",
	"e/text.txt":   "text",
	"other/go.mod": "module example.com/other\n\ngo 1.26\n",
	"other/o.go":   "package other\n\ntype Number int\n",
}

// A change of the module, and the folders that may be left out after it.
type change struct {
	what    string
	make    func(b *bench, t *testing.T)
	flags   []string
	skipped string
}

// changes are made one after the other.
func changes() []change {
	write := func(name, text string) func(b *bench, t *testing.T) {
		return func(b *bench, t *testing.T) { b.write(t, name, []byte(text)) }
	}
	edit := func(name, old, new string) func(b *bench, t *testing.T) {
		return func(b *bench, t *testing.T) { b.edit(t, name, old, new) }
	}
	remove := func(name string) func(b *bench, t *testing.T) {
		return func(b *bench, t *testing.T) {
			if err := os.RemoveAll(filepath.Join(b.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	nothing := func(*bench, *testing.T) {}
	return []change{
		{"the first run", nothing, nil, ""},
		{"nothing", nothing, nil, "a b c"},
		{"an output is edited by hand", edit("a/a_async.go", "twiceMachine", "thriceMachine"), nil, "b c"},
		{"nothing", nothing, nil, "a b c"},
		{"an output is removed", remove("a/a_async.go"), nil, "b c"},
		{"a type of a dependency", edit("b/b.go", "Number = other.Number", "Number = int64"), nil, "c"},
		{"and back", edit("b/b.go", "Number = int64", "Number = other.Number"), nil, "c"},
		{"nothing", nothing, nil, "a b c"},
		{"a type of a module that is replaced", edit("other/o.go", "Number int", "Number float64"), nil, "c"},
		{"an error in a dependency", edit("other/o.go", "float64", "flout64"), nil, ""},
		{"and back", edit("other/o.go", "flout64", "float64"), nil, "a b c"},
		{"a build tag", nothing, []string{"-tags=x"}, ""},
		{"the same tag", nothing, []string{"-tags=x"}, "a b c"},
		{"no tag again", nothing, nil, "a b c"},
		{"an excluded file is one no more", edit("c/c_js.go", "package c", "//go:build linux\n\npackage c"), nil, "a b"},
		{"a file is added to a package", write("c/d.go", "package c\n\n//nothread:async\nfunc D(d int) int { return d }\n"), nil, "a b"},
		{"a source is removed, and its output left", remove("c/d.go"), nil, "a b"},
		{"a package is added", write("d/d.go", "package d\n\n//nothread:async\nfunc D(d int) int { return d }\n"), nil, ""},
		{"nothing", nothing, nil, "a b c d"},
		{"a package becomes a module of its own", write("d/go.mod", "module example.com/d\n"), nil, ""},
		{"nothing", nothing, nil, "a b c"},
		{"go.mod", edit("go.mod", "module bench\n", "module bench // of all\n"), nil, ""},
		{"a test is added", write("b/b_test.go", "package b_test\n\nimport \"bench/a\"\n\nvar _ = a.TwiceAsync\n\n//nothread:async\nfunc wait() {}\n"), nil, "c"},
		{"nothing", nothing, nil, "a b c"},
		{"what is embedded is gone", remove("e/text.txt"), nil, "a b c"},
	}
}

// Whatever changes, a run that may leave packages out finds what a run finds that
// looks at all; and it leaves out what it can.
func TestRecall(t *testing.T) {
	b := newBench(t)
	for name, text := range remembered {
		b.write(t, name, []byte(text))
	}
	b.edit(t, "go.mod", "\nreplace ", "\nrequire example.com/other v0.0.0\n\nreplace example.com/other => ./other\n\nreplace ")
	cfg := Config{Dir: b.dir, Patterns: []string{"./..."}, Env: append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOOS=linux")}
	folder := t.TempDir()
	for i, step := range changes() {
		name := fmt.Sprintf("%d, %s", i, step.what)
		step.make(b, t)
		cfg.BuildFlags, cfg.Cache = step.flags, ""
		want, wantErr := Generate(cfg)
		cfg.Cache = folder
		got, err := Generate(cfg)
		if err != nil || wantErr != nil {
			t.Fatalf("%s: %v, %v", name, err, wantErr)
		}
		if !reflect.DeepEqual(files(got), files(want)) || !reflect.DeepEqual(got.Diagnostics, want.Diagnostics) || !slices.Equal(got.Excluded, want.Excluded) {
			t.Errorf("%s: %+v %+v %v\nwant %+v %+v %v", name, files(got), got.Diagnostics, got.Excluded, files(want), want.Diagnostics, want.Excluded)
		}
		var skipped []string
		for _, dir := range got.Skipped {
			skipped = append(skipped, filepath.Base(dir))
		}
		if text := strings.Join(skipped, " "); text != step.skipped {
			t.Errorf("%s: left out %q, want %q", name, text, step.skipped)
		}
		if got.Failed() {
			continue
		}
		if err := got.Write(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// files are a result's, in order.
func files(r *Result) []File {
	list := slices.Clone(r.Files)
	slices.SortStableFunc(list, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// edit replaces a part of a file that must be there. The file keeps its size and
// time where it can: those are nothing to go by.
func (b *bench) edit(t *testing.T, name, old, new string) {
	t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(content), old) {
		t.Fatalf("%s: no %q: %v", name, old, err)
	}
	b.write(t, name, []byte(strings.Replace(string(content), old, new, 1)))
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

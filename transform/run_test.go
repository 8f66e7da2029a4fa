package transform

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
)

// The table keeps the order that it states.
func TestOrder(t *testing.T) {
	at := func(name string) int {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
		if i < 0 {
			t.Fatalf("no stage %q", name)
		}
		return i
	}
	for _, o := range order {
		if at(o.before) >= at(o.after) {
			t.Errorf("%s must come before %s: %s", o.before, o.after, o.because)
		}
	}
	for _, s := range stages {
		bodies := 0
		for _, has := range []bool{s.whole != nil, s.pkg != nil, s.function != nil, s.file != nil} {
			if has {
				bodies++
			}
		}
		if bodies != 1 || s.doc == "" {
			t.Errorf("stage %s: %d bodies, doc %q", s.name, bodies, s.doc)
		}
	}
}

// user writes a module that uses a runtime/async of its own making.
func user(t *testing.T, source string) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothread/go.mod":                 "module github.com/nothread/nothread\n\ngo 1.26\n",
		"nothread/runtime/async/async.go": "package async\n\ntype Task0 struct{}\n",
		"user/go.mod": "module user\n\ngo 1.26\n\nrequire github.com/nothread/nothread v0.0.0\n\n" +
			"replace github.com/nothread/nothread => ../nothread\n",
		"user/user.go": source,
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(root, "user")
}

const twoFunctions = `package user

//nothread:async
func First() {}

type T struct{}

//nothread:async
func (*T) Second() {}
`

// with runs load, check and then the given stages over source.
func with(t *testing.T, source string, more ...stage) (*Result, *run) {
	t.Helper()
	r, err := newRun(Config{Dir: user(t, source), DumpTo: io.Discard,
		Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.all(append(slices.Clone(stages[:3]), more...)); err != nil {
		t.Fatal(err)
	}
	return r.result(), r
}

func TestPanicNamesStageAndFunction(t *testing.T) {
	reached := false
	result, _ := with(t, twoFunctions,
		stage{name: "bad", function: func(_ *run, u *unit) {
			if u.name() == "T.Second" {
				panic("what now")
			}
			u.ir = nil
		}},
		stage{name: "never", clean: true, file: func(*run, *output) { reached = true }})
	if !result.Failed() || reached {
		t.Fatalf("failed %v, later stage reached %v", result.Failed(), reached)
	}
	if len(result.Diagnostics) != 2 {
		t.Fatalf("%+v", result.Diagnostics)
	}
	silent, panicked := result.Diagnostics[0], result.Diagnostics[1]
	if silent.Line != 4 && silent.Line != 3 || !strings.Contains(silent.Message, "stage bad made nothing of First") {
		t.Errorf("%+v", silent)
	}
	if !strings.Contains(panicked.Message, "stage bad panicked at T.Second: what now\n") || panicked.Code != string(diag.Internal) {
		t.Errorf("%+v", panicked)
	}
	if filepath.Base(panicked.File) != "user.go" {
		t.Errorf("file %s", panicked.File)
	}
}

// What a stage leaves of an async closure is verified as well, and shown once.
func TestClosuresAreVerified(t *testing.T) {
	result, _ := with(t, twoFunctions, stage{name: "bad", function: func(_ *run, u *unit) {
		whole := &ir.Block{Term: new(ir.Return)}
		u.ir = &ir.Func{Name: u.name(), Entry: whole, Blocks: []*ir.Block{whole}}
		if u.name() == "First" {
			endless := new(ir.Block)
			u.ir.Children = []*ir.Func{{Name: "First.go1", Entry: endless, Blocks: []*ir.Block{endless}}}
		}
	}})
	if len(result.Diagnostics) != 1 {
		t.Fatalf("%+v", result.Diagnostics)
	}
	message := result.Diagnostics[0].Message
	if !strings.Contains(message, "stage bad left an invalid First.go1: b0 has no end\n") || strings.Count(message, "func First.go1") != 1 {
		t.Error(message)
	}
}

func TestFailedResultIsNotWritten(t *testing.T) {
	result, r := with(t, "package user\n\nfunc f() int { return \"\" }\n",
		stage{name: "write", clean: true, whole: (*run).prepare})
	if !result.Failed() || len(result.Files) != 0 {
		t.Fatalf("%+v", result)
	}
	if err := result.Write(); err == nil {
		t.Error("Write accepts a failed result")
	}
	if names := stageNames(r); names != "recall load check" {
		t.Errorf("ran %s", names)
	}
}

func stageNames(r *run) string {
	var names []string
	for _, s := range r.times {
		names = append(names, s.Stage)
	}
	return strings.Join(names, " ")
}

// Files come in one order and with one content, whatever the patterns' order.
func TestFilesAreValues(t *testing.T) {
	emit := stage{name: "emit", file: func(_ *run, o *output) {
		o.content = []byte(load.Header(filepath.Base(o.file.Path)) + "\n\npackage user\n")
	}}
	result, _ := with(t, twoFunctions, emit, stages[len(stages)-1])
	if result.Failed() || len(result.Files) != 1 {
		t.Fatalf("%+v", result)
	}
	file := result.Files[0]
	if filepath.Base(file.Path) != "user_async.go" || file.State != Missing || filepath.Base(file.Source) != "user.go" {
		t.Errorf("%+v", file)
	}
	if _, err := os.Stat(file.Path); err == nil {
		t.Error("written before Write")
	}
	if err := result.Write(); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(file.Path); err != nil || string(content) != string(file.Content) {
		t.Errorf("%q, %v", content, err)
	}
	if diff := result.Diff(); !strings.Contains(diff, "+++ b/user_async.go\n") {
		t.Errorf("diff:\n%s", diff)
	}
}

func TestParseDump(t *testing.T) {
	for _, c := range []struct {
		text, function, stage string
		want                  bool
	}{
		{"", "F", "plan", false},
		{"F", "F", "plan", true},
		{"F", "G", "plan", false},
		{"T.M:lower", "T.M", "lower", true},
		{"T.M:lower", "T.M", "plan", false},
	} {
		d, err := parseDump(c.text)
		if err != nil || d.wants(c.function, c.stage) != c.want {
			t.Errorf("%q wants %s after %s: %v, %v", c.text, c.function, c.stage, !c.want, err)
		}
	}
	for _, bad := range []string{":plan", "F:", "F:check"} {
		if _, err := parseDump(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

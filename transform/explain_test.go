package transform

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform/internal/explain"
	"github.com/nothread/nothread/transform/internal/ir"
)

// explained explains a candidate.
func explained(c candidate) *Explanation {
	return explain.New(explain.Subject{Func: c.f, Output: c.o.proved, Sizes: c.u.pkg.Sizes, Twin: c.twin(),
		Pool: c.u.fn.Options.Pool && c.f.Parent == nil, File: filepath.Base(c.o.file.Path)})
}

// Whatever is saved, of whatever function, has a reason, and one that can be
// found in the source: a line behind which the variable is named.
func TestExplainNamesTheUse(t *testing.T) {
	uses := 0
	for _, c := range studied(t) {
		lines := strings.Split(string(c.f.Source.Content), "\n")
		e := explained(c)
		for _, s := range e.States {
			for _, v := range s.Saves {
				if v.Use == nil {
					if v.Why == "" || strings.HasPrefix(v.Why, "kept, though") {
						t.Errorf("%s, state %d: %s is kept: %q", e.Name, s.State, v.Name, v.Why)
					}
					continue
				}
				uses++
				if v.Use.Line < 1 || v.Use.Line > len(lines) || strings.TrimSpace(lines[v.Use.Line-1]) != v.Use.Text {
					t.Errorf("%s, state %d: %s is kept for :%d %q", e.Name, s.State, v.Name, v.Use.Line, v.Use.Text)
				}
				own := slices.ContainsFunc(c.f.Vars, func(w *ir.Var) bool { return w.Obj != nil && w.Obj.Name() == v.Name })
				if own && !names(v.Use.Text, v.Name) && !strings.HasPrefix(v.Use.Text, "return") && !strings.HasPrefix(v.Use.Text, "}") {
					t.Errorf("%s, state %d: %s is not in the use that keeps it: %q", e.Name, s.State, v.Name, v.Use.Text)
				}
			}
		}
		for _, v := range e.Locals {
			if v.Line < 1 || v.Why == "" || !names(lines[v.Line-1], v.Name) {
				t.Errorf("%s: the local %+v", e.Name, v)
			}
		}
	}
	if uses < 300 {
		t.Errorf("no more than %d uses", uses)
	}
}

// names reports whether a text mentions a name.
func names(text, name string) bool {
	return regexp.MustCompile(`(^|[^\pL\pN_])` + regexp.QuoteMeta(name) + `($|[^\pL\pN_])`).MatchString(text)
}

// Every variable that lives across an await is named at that await, and every
// field of the machine is accounted for.
func TestExplainIsComplete(t *testing.T) {
	for _, c := range studied(t) {
		e := explained(c)
		for i, a := range c.f.States() {
			var saved []string
			for _, v := range e.States[i].Saves {
				saved = append(saved, v.Field)
			}
			for _, v := range a.Live {
				if !slices.Contains(saved, v.Name) {
					t.Errorf("%s, state %d: %s is live, but not said to be saved", e.Name, a.State, v.Name)
				}
			}
		}
		m := e.Machine
		sum := m.Padding
		for _, field := range m.Fields {
			sum += field.Bytes
			if field.Note == "" {
				t.Errorf("%s: nothing is said of the field %s", e.Name, field.Name)
			}
		}
		if m.Bytes != explain.Depends && (sum != m.Bytes || m.LowerBound > m.Bytes || m.Bytes == 0) {
			t.Errorf("%s: %d bytes, fields and padding %d, at least %d", e.Name, m.Bytes, sum, m.LowerBound)
		}
		var text strings.Builder
		if err := e.Text(&text); err != nil || !strings.Contains(text.String(), e.Machine.Name) {
			t.Errorf("%s: %v", e.Name, err)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
	}
}

// The sizes are those of the struct that was generated, as gc has it: a program
// prints unsafe.Sizeof of the machines, and of and where each field is.
func TestExplainSizes(t *testing.T) {
	b := newBench(t)
	folders := map[string]string{"study": "../testdata/study"}
	for _, name := range []string{"copystream", "closures", "iterators", "results", "selects"} {
		folders[name] = "../testdata/" + name
	}
	for name, from := range folders {
		copyTo(t, b, name, from)
	}
	made := b.compile(t)
	for source, m := range made {
		b.write(t, strings.TrimSuffix(source, ".go")+"_async.go", m.generated)
	}
	list, _, err := Explain(Config{Dir: b.dir, Patterns: []string{"./..."}, Env: environment()})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]string)
	programs := make(map[string]*strings.Builder)
	for _, e := range list {
		withClosures(e, func(e *Explanation) { sizesProgram(t, e, programs, want) })
	}
	for pkg, p := range programs {
		fmt.Fprint(p, "}\n")
		b.write(t, pkg+"/sizes_test.go", []byte(p.String()))
	}
	printed, err := runIn(b.dir, "go", "test", "-run=TestSizes", "-v", "./...")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for scanner := bufio.NewScanner(strings.NewReader(printed)); scanner.Scan(); {
		what, size, ok := strings.Cut(scanner.Text(), " = ")
		if !ok {
			continue
		}
		seen++
		if want[what] != size {
			t.Errorf("%s: unsafe says %s, explain %s", what, size, want[what])
		}
	}
	if seen != len(want) || seen < 300 {
		t.Errorf("%d of %d sizes were compared", seen, len(want))
	}
}

// Fields are in an order that wastes nothing but at the end.
func TestMachinesAreDense(t *testing.T) {
	narrow := false
	for _, c := range studied(t) {
		e := explained(c)
		narrow = narrow || e.Name == "Narrow"
		if e.Machine.Padding != explain.Depends && e.Machine.Padding >= 8 {
			t.Errorf("%s: %v bytes of padding", e.Name, e.Machine.Padding)
		}
	}
	if !narrow {
		t.Error("Narrow, whose fields stand in the wrong order, is not among them")
	}
}

func withClosures(e *Explanation, f func(*Explanation)) {
	f(e)
	for _, c := range e.Closures {
		withClosures(c, f)
	}
}

// sizesProgram adds to its package's program what prints the sizes of e.
func sizesProgram(t *testing.T, e *Explanation, programs map[string]*strings.Builder, want map[string]string) {
	if e.Machine.Bytes == explain.Depends {
		return
	}
	pkg := strings.TrimPrefix(e.Package, "bench/")
	p := programs[pkg]
	if p == nil {
		p = new(strings.Builder)
		programs[pkg] = p
		name := "main"
		if pkg == "study" {
			name = pkg
		}
		fmt.Fprintf(p, "package %s\n\nimport (\n\t\"fmt\"\n\t\"testing\"\n\t\"unsafe\"\n)\n\nfunc TestSizes(t *testing.T) {\n", name)
	}
	m := e.Machine
	fmt.Fprintf(p, "\t{\n\t\tvar m %s\n", m.Name)
	print := func(what string, size explain.Bytes, expr string) {
		want[pkg+" "+m.Name+" "+what] = fmt.Sprint(size)
		fmt.Fprintf(p, "\t\tfmt.Println(%q, \"=\", %s)\n", pkg+" "+m.Name+" "+what, expr)
	}
	print("size", m.Bytes, "unsafe.Sizeof(m)")
	for _, field := range m.Fields {
		print("size of "+field.Name, field.Bytes, "unsafe.Sizeof(m."+field.Name+")")
		print("offset of "+field.Name, field.Offset, "unsafe.Offsetof(m."+field.Name+")")
	}
	fmt.Fprint(p, "\t}\n")
}

// A generic machine has no one size; what does not depend on the type parameters
// still has.
func TestExplainRefusesASizeOfMany(t *testing.T) {
	list, _, err := Explain(Config{Dir: "..", Patterns: []string{"./testdata/study"}, Env: environment()}, "list.get")
	if err != nil {
		t.Fatal(err)
	}
	e := list[0]
	sizes := make(map[string]string)
	for _, field := range e.Machine.Fields {
		sizes[field.Name] = field.Bytes.String()
	}
	if e.Machine.Bytes != explain.Depends || sizes["l"] != "8" || sizes["t"] != "?" || sizes["Builder"] != "?" {
		t.Errorf("%v, %v", e.Machine.Bytes, sizes)
	}
	var text strings.Builder
	e.Text(&text)
	if !strings.Contains(text.String(), "depends on a type parameter") {
		t.Error(text.String())
	}
	if out, err := json.Marshal(e.Machine.Bytes); err != nil || string(out) != "null" {
		t.Errorf("%s, %v", out, err)
	}
}

// The platform that is compiled for decides.
func TestExplainOtherPlatform(t *testing.T) {
	list, _, err := Explain(Config{Dir: "..", Patterns: []string{"./golden/copystream"},
		Env: append(environment(), "GOARCH=386", "CGO_ENABLED=0")})
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range list[0].Machine.Fields {
		if field.Name == "buf" && field.Bytes != 12 || field.Name == "copied" && field.Bytes != 8 {
			t.Errorf("%s has %d bytes on a 386", field.Name, field.Bytes)
		}
	}
}

// What a call allocates is counted: without a wait, what is said to be allocated
// at the call or at a declaration; with one, the machine more.
func TestExplainAllocations(t *testing.T) {
	b := newBench(t)
	b.generate(t, copyTo(t, b, "study", "../testdata/study"))
	b.write(t, "study/allocs_test.go", []byte(allocationsProgram))
	printed, err := runIn(b.dir, "go", "test", "-run=TestAllocs", "-v", "./study")
	if err != nil {
		t.Fatal(err)
	}
	measured := make(map[string]int)
	for line := range strings.Lines(printed) {
		var name string
		var n int
		if _, err := fmt.Sscanf(line, "%s allocates %d", &name, &n); err == nil {
			measured[name] = n
		}
	}
	list, _, err := Explain(Config{Dir: b.dir, Patterns: []string{"./study"}, Env: environment()}, "Plain", "Cells", "Pooled", "Nothing")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		now, later := 0, 0
		for _, a := range e.Allocations {
			if a.Maybe != "" {
				continue // there is a pool; and a cell that nothing else keeps stays on the stack
			}
			if later++; a.Line > 0 {
				now++
			}
		}
		for form, want := range map[string]int{"now": now, "later": later} {
			if got, ok := measured[e.Name+"/"+form]; got != want || !ok && (e.Name != "Nothing" || form == "now") {
				t.Errorf("%s/%s allocates %d times; explain says %d", e.Name, form, got, want)
			}
		}
	}
}

const allocationsProgram = `package study

import (
	"context"
	"fmt"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

func TestAllocs(t *testing.T) {
	ctx := context.Background()
	finished := async.NewSource[int]()
	finished.SetResult(1)
	now := finished.Task()
	for name, call := range map[string]func(async.Task[int]) async.Task[int]{
		"Plain":   func(t async.Task[int]) async.Task[int] { return PlainAsync(ctx, t) },
		"Cells":   func(t async.Task[int]) async.Task[int] { return CellsAsync(t, 1) },
		"Pooled":  func(t async.Task[int]) async.Task[int] { return PooledAsync(t) },
		"Nothing": func(t async.Task[int]) async.Task[int] { return NothingAsync(1) },
	} {
		fmt.Printf("%s/now allocates %.0f\n", name, testing.AllocsPerRun(200, func() { call(now).GetResult() }))
		if name == "Nothing" {
			continue
		}
		s := async.NewSource[int]()
		fmt.Printf("%s/later allocates %.0f\n", name, testing.AllocsPerRun(200, func() {
			task := call(s.Task())
			s.SetResult(1)
			task.GetResult()
			s.Reset()
		}))
	}
}
`

// What has a type without a name is kept as any: in a box, an allocation each time, unless it is as small as any itself
// has room for.
func TestExplainBoxes(t *testing.T) {
	b := newBench(t)
	b.write(t, "other/other.go", []byte(boxesOther))
	source := []byte(boxesSource)
	b.write(t, "boxes/boxes.go", source)
	b.generate(t, map[string][]byte{"boxes/boxes.go": source})
	b.write(t, "boxes/boxes_test.go", []byte(boxesProgram))
	printed, err := runIn(b.dir, "go", "test", "-run=TestBoxes", "-v", "./boxes")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := Explain(Config{Dir: b.dir, Patterns: []string{"./boxes"}, Env: environment()})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if want := fmt.Sprintf("%s allocates %d\n", e.Name, len(e.Allocations)); !strings.Contains(printed, want) {
			t.Errorf("want %q:\n%s", want, printed)
		}
	}
	if len(list[0].Allocations) != 2 || len(list[1].Allocations) != 1 {
		t.Errorf("%+v", list)
	}
}

const boxesOther = `package other

type hidden struct{ A, B, C int }

func New() hidden { return hidden{1, 2, 3} }

func Pointer() *hidden { return &hidden{4, 5, 6} }

type method interface{ Get() int }

func (h hidden) Get() int { return h.A }

func Interface() method { return Pointer() }

type single struct {
	_ struct{}
	P [1]*hidden
}

func Single() single { return single{P: [1]*hidden{Pointer()}} }

type truth bool

func Truth() truth { return true }

type small struct{ B byte }

func Small() small { return small{1} }
`

const boxesSource = `package boxes

import (
	"bench/other"

	"github.com/nothread/nothread/runtime/async"
)

//nothread:async
func Value(t async.Task[int]) int {
	v := other.New()
	n, _ := t.Await()
	return n + v.A
}

//nothread:async
func Pointer(t async.Task[int]) int {
	v := leaked
	n, _ := t.Await()
	return n + v.A
}

var leaked = other.Pointer()

//nothread:async
func Interface(t async.Task[int]) int {
	v := got
	n, _ := t.Await()
	return n + v.Get()
}

var got = other.Interface()

//nothread:async
func Single(t async.Task[int]) int {
	v := held
	n, _ := t.Await()
	return n + v.P[0].A
}

var held = other.Single()

//nothread:async
func Truth(t async.Task[int]) int {
	v := said
	n, _ := t.Await()
	if v {
		return n
	}
	return 0
}

var said = other.Truth()

//nothread:async
func Small(t async.Task[int]) int {
	v := few
	n, _ := t.Await()
	return n + int(v.B)
}

var few = other.Small()
`

const boxesProgram = `package boxes

import (
	"fmt"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

func TestBoxes(t *testing.T) {
	for name, call := range map[string]func(async.Task[int]) async.Task[int]{
		"Value": ValueAsync, "Pointer": PointerAsync, "Interface": InterfaceAsync, "Single": SingleAsync, "Truth": TruthAsync, "Small": SmallAsync,
	} {
		s := async.NewSource[int]()
		fmt.Printf("%s allocates %.0f\n", name, testing.AllocsPerRun(200, func() {
			task := call(s.Task())
			s.SetResult(1)
			task.GetResult()
			s.Reset()
		}))
	}
}
`

// What a name means: one function, or a line that says why not.
func TestChoose(t *testing.T) {
	r, _, err := study(Config{Dir: "..", Patterns: []string{"./testdata/study", "./golden/copystream"}, DumpTo: io.Discard, Env: environment()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r.cfg.Dir = filepath.Dir(here)
	for name, want := range map[string]string{
		"Nested":            "Nested",
		"NestedAsync":       "Nested",
		"cache.get":         "cache.get",
		"(*cache).get":      "cache.get",
		"(*list[T]).get":    "list.get",
		"list[...].get":     "list.get",
		"list[...].get[T]":  "list.get",
		"Outer.go1":         "Outer.go1",
		"study.Nested":      "Nested",
		"study.cache.get":   "cache.get",
		"study.NestedAsync": "Nested",

		"copystream.(*copyStreamMachine).MoveNext": "CopyStream",

		"testdata/study/study.go:18": "Nested",
		"testdata/study/study.go:15": "Nested", // its comment
		"Absent":                     "no such function: Absent; there are CopyStream (golden/copystream/copystream.go:22), Nested (",
		"get":                        "get may be cache.get (testdata/study/study.go:",
		"testdata/study/study.go:3":  "no function marked //nothread:async is at testdata/study/study.go:3; there are Nested",
		"copystream.Nested":          "no such function: copystream.Nested",
		"testdata/study/none.go:3":   "there is none in that file",
	} {
		c, err := r.choose([]string{name})
		switch {
		case err != nil && (!errors.Is(err, ErrNoFunction) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v", name, err)
		case err == nil && c[0].f.Name != want:
			t.Errorf("%s means %s", name, c[0].f.Name)
		}
	}
	all, err := r.choose(nil)
	if err != nil || len(all) < 10 {
		t.Errorf("%d functions, %v", len(all), err)
	}
}

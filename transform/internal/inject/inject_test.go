package inject

import (
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

const sample = `package sample

type T struct{ a [3]int }

func Max(list []int) (n int) {
	for _, x := range list {
		n = max(n, x)
	}
	return n
}

func (t *T) set(i, _ int, v ...int) error {
	t.a[i], t.a[0] = v[0], 1
	if(i > 1) {
		return t.set(i-1, 0, v...)
	}
	var u uint8 = 1 << i
	_ = u
	return nil
}

func four[K comparable, V any](m map[K]V, k K) (V, bool, int, K, error) {
	v, ok := m[k]
	return v, ok, len(m), k, nil
}

func guard() { _ = recover() }

func init() {}
`

// inject puts awaits into sample.
func inject(t *testing.T, o Options) *Result {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "sample.go", sample, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object),
		Uses: make(map[*ast.Ident]types.Object), Selections: make(map[*ast.SelectorExpr]*types.Selection),
		Instances: make(map[*ast.Ident]types.Instance)}
	conf := types.Config{Importer: importer.Default()}
	pkg, err := conf.Check("sample", fset, []*ast.File{file}, info)
	if err != nil {
		t.Fatal(err)
	}
	return Inject(&Package{Fset: fset, Types: pkg, Info: info,
		Files: []File{{Path: "sample.go", Syntax: file, Content: []byte(sample)}}}, o)
}

func TestInject(t *testing.T) {
	everywhere := Options{Statements: 100, Values: 100, Calls: 100}
	result := inject(t, everywhere)
	text := string(result.Files["sample.go"])
	if _, err := parser.ParseFile(token.NewFileSet(), "sample.go", text, 0); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, want := range []string{
		"func Max(nothread_p0 []int) (n int) {\n\tnothread_q := nothread_start()",
		"for _, x := range nothread_value(nothread_q, list).Await() {",
		"nothread_yield(nothread_q).Await(); return nothread_value(nothread_q, n).Await()",
		"func (nothread_r *T) set(nothread_p0, nothread_p1 int, nothread_p2 ...int) error {",
		"nothread_r.nothreadsetAsync(nothread_q, nothread_p0, nothread_p1, nothread_p2...)",
		"if nothread_value(nothread_q, (",
		"1 << nothread_value(nothread_q, i).Await()",
		"v, ok := nothread_value(nothread_q, m).Await()[nothread_value(nothread_q, k).Await()]",
		"return nothread_v.R0, nothread_v.R1, nothread_v.R2, nothread_v.R3, nothread_e",
		"func guard() { _ = recover() }",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	again := inject(t, everywhere)
	if !maps.EqualFunc(result.Files, again.Files, bytes.Equal) {
		t.Error("twice the same gives two results")
	}
}

// Statements get closures, functions deferred calls, and ranges go over functions and streams.
func TestForms(t *testing.T) {
	text := string(inject(t, Options{Closures: 100, Defers: 100, Ranges: 100}).Files["sample.go"])
	if _, err := parser.ParseFile(token.NewFileSet(), "sample.go", text, 0); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, want := range []string{
		"package sample; import (nothread_context",
		"(n int) { defer ",
		" func(nothread_context.Context) error { for ",
		" func(nothread_context.Context) error { n = max(n, x); return nil }).Await()",
		"(func(nothread_context.Context) (int, error) { t.a[i], t.a[0] = v[0], 1; return 0, nil })(nothread_context.Background()).Await()",
		"\tif(i > 1) {", // it returns
		"\tvar u uint8",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if !strings.Contains(text, "for x := range  nothread_each(nothread_q, list).Await(") && !strings.Contains(text, "for _, x := range  nothread_all(list)") {
		t.Error("the range is what it was")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// What one function gets does not depend on the others.
func TestLeave(t *testing.T) {
	o := Options{Seed: 3, Statements: 50, Values: 50}
	_, all, _ := strings.Cut(string(inject(t, o).Files["sample.go"]), "func nothreadfour")
	o.Leave = map[string]bool{"Max": true, "T.set": true}
	result := inject(t, o)
	text := string(result.Files["sample.go"])
	_, alone, _ := strings.Cut(text, "func nothreadfour")
	if all != alone || strings.Contains(text, "nothreadMax") {
		t.Errorf("%s\n%s", all, text)
	}
	left := 0
	for _, f := range result.Funcs {
		if f.Left != "" {
			left++
		}
	}
	if names := len(result.Funcs); names != 5 || left != 4 {
		t.Errorf("%d functions, %d left", names, left)
	}
	if slices.Contains(result.Funcs, Func{Name: "four", Path: "sample.go", Left: "left on request"}) {
		t.Error("four was left")
	}
}

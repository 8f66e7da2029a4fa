package fuzz

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

//go:embed testdata/world
var world embed.FS

// A World is a module in which programs are generated, built and run. It holds
// packages ref (the sources, and twins that run sources) and gen (the sources,
// and what the compiler makes of them).
type World struct {
	Dir  string
	Edit func(id int, generated string) string // plants a bug, for tests; nil does not

	Flags string                   // of the Go compiler
	Times map[string]time.Duration // by step
	types *checker
}

// NewWorld writes the module. root is nothread's own.
func NewWorld(dir, root string) (*World, error) {
	w := &World{Dir: dir, Times: make(map[string]time.Duration)}
	err := w.write("go.mod", "module fuzzed\n\ngo 1.26\n\nrequire github.com/nothread/nothread v0.0.0\n\n"+
		"replace github.com/nothread/nothread => "+root+"\n")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(world, "testdata/world/h", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := world.ReadFile(name)
		if err != nil {
			return err
		}
		return w.write("h/"+path.Base(name), string(text))
	})
	if err != nil {
		return nil, err
	}
	w.types, err = newChecker(w)
	return w, err
}

func (w *World) write(name, text string) error {
	file := filepath.Join(w.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

// lay writes the packages of a batch.
func (w *World) lay(programs []Program) error {
	for _, dir := range []string{"ref", "gen"} {
		if err := os.RemoveAll(filepath.Join(w.Dir, dir)); err != nil {
			return err
		}
		prelude, err := world.ReadFile("testdata/world/prelude/types.go")
		if err != nil {
			return err
		}
		if err := w.write(dir+"/types.go", string(prelude)); err != nil {
			return err
		}
		for _, p := range programs {
			if err := w.write(fmt.Sprintf("%s/p_%d.go", dir, p.ID), p.Source); err != nil {
				return err
			}
		}
	}
	return nil
}

// connect writes what joins the packages to a program that runs all cases.
func (w *World) connect(programs []Program) error {
	var ref, gen, list strings.Builder
	for _, p := range programs {
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "", p.Source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		twins, err := stubs(fset, file)
		if err != nil {
			return err
		}
		if err := w.write(fmt.Sprintf("ref/p_%d_async.go", p.ID), twins); err != nil {
			return err
		}
		name, args, err := rootCall(file)
		if err != nil {
			return err
		}
		n := resultsOf(file, name)
		id := p.ID
		if n == 0 {
			fmt.Fprintf(&ref, "func Sync%d() []any { %s%s; return nil }\n", id, name, args)
			fmt.Fprintf(&gen, "func Start%d() h.Flying {\n\tt := %sAsync%s\n\treturn h.Fly(t, func() []any { t.Await(); return nil })\n}\n", id, name, args)
		} else {
			fmt.Fprintf(&ref, "func Sync%d() []any { return h.List(%d)(%s%s) }\n", id, n, name, args)
			fmt.Fprintf(&gen, "func Start%d() h.Flying {\n\tt := %sAsync%s\n\treturn h.Fly(t, func() []any { return h.List(%d)(t.Await()) })\n}\n", id, name, args, n)
		}
		for _, b := range []*strings.Builder{&ref, &gen} {
			fmt.Fprintf(b, "\nfunc Reset%d() { reset%d() }\n\n", id, id)
		}
		fmt.Fprintf(&list, "\t\t{\"p_%d\", func(g bool) {\n\t\t\tif g {\n\t\t\t\tgen.Reset%d()\n\t\t\t} else {\n\t\t\t\tref.Reset%d()\n\t\t\t}\n\t\t}, ref.Sync%d, gen.Start%d},\n", id, id, id, id, id)
	}
	const imports = "package p\n\nimport (\n\t\"unsafe\"\n\n\t\"fuzzed/h\"\n)\n\nvar _ unsafe.Pointer\n\n"
	for name, text := range map[string]string{
		"ref/cases.go": imports + "var _ = h.Say\n\n" + ref.String(),
		"gen/cases.go": imports + gen.String(),
		"main.go": "package main\n\nimport (\n\t\"fuzzed/gen\"\n\t\"fuzzed/h\"\n\t\"fuzzed/ref\"\n)\n\n" +
			"func main() {\n\th.Main([]h.Case{\n" + list.String() + "\t})\n}\n",
	} {
		text = strings.NewReplacer("\"fuzzed/gen\"", "gen \"fuzzed/gen\"", "\"fuzzed/ref\"", "ref \"fuzzed/ref\"").Replace(text)
		if err := w.write(name, text); err != nil {
			return err
		}
	}
	return nil
}

// rootCall finds the comment that says how the root is called.
func rootCall(file *ast.File) (name, args string, err error) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if call, ok := strings.CutPrefix(c.Text, "//call: "); ok {
				name, args, _ = strings.Cut(call, "(")
				return name, "(" + args, nil
			}
		}
	}
	return "", "", fmt.Errorf("no //call: comment")
}

// resultsOf counts the results of a function.
func resultsOf(file *ast.File, name string) int {
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name {
			return fn.Type.Results.NumFields()
		}
	}
	return 0
}

// stubs are the twins beside the sources in package ref:
//
//	func FAsync(a int) h.Twin1[int] {
//		return h.Run1(func() (int, error) { return F(a) })
//	}
func stubs(fset *token.FileSet, file *ast.File) (string, error) {
	var b strings.Builder
	b.WriteString("package p\n\nimport (\n\t\"context\"\n\t\"unsafe\"\n\n\t\"fuzzed/h\"\n)\n\nvar (\n\t_ = h.Say\n\t_ context.Context\n\t_ unsafe.Pointer\n)\n")
	source := func(n ast.Node) string {
		var s strings.Builder
		if err := printer.Fprint(&s, fset, n); err != nil {
			panic(err) // it was parsed a moment ago
		}
		return s.String()
	}
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Doc == nil || !strings.Contains(fn.Doc.List[len(fn.Doc.List)-1].Text, "//nothread:async") {
			continue
		}
		b.WriteString("\n" + stub(fn, source))
	}
	return b.String(), nil
}

// stub is one twin.
func stub(fn *ast.FuncDecl, source func(ast.Node) string) string {
	var params, args []string
	for _, field := range fn.Type.Params.List {
		for range max(len(field.Names), 1) {
			a := fmt.Sprintf("a%d", len(args))
			params = append(params, a+" "+source(field.Type))
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				a += "..."
			}
			args = append(args, a)
		}
	}
	var results []string
	if fn.Type.Results != nil {
		for _, field := range fn.Type.Results.List {
			for range max(len(field.Names), 1) {
				results = append(results, source(field.Type))
			}
		}
	}
	fails := len(results) > 0 && results[len(results)-1] == "error"
	if fails {
		results = results[:len(results)-1]
	}
	recv, callee, targs := "", fn.Name.Name, ""
	if fn.Recv != nil {
		recv = "(r " + source(fn.Recv.List[0].Type) + ") "
		callee = "r." + callee
	}
	if fn.Type.TypeParams != nil {
		var declared, used []string
		for _, field := range fn.Type.TypeParams.List {
			for _, name := range field.Names {
				declared = append(declared, name.Name+" "+source(field.Type))
				used = append(used, name.Name)
			}
		}
		targs = "[" + strings.Join(declared, ", ") + "]"
		callee += "[" + strings.Join(used, ", ") + "]"
	}
	n := len(results)
	twin := fmt.Sprintf("h.Twin%d", n)
	if n > 0 {
		twin += "[" + strings.Join(results, ", ") + "]"
	}
	call := fmt.Sprintf("%s(%s)", callee, strings.Join(args, ", "))
	all := strings.Join(append(results, "error"), ", ")
	body := "return " + call
	if !fails {
		switch n {
		case 0:
			body = call + "; return nil"
		case 1:
			body = "return " + call + ", nil"
		default:
			vars := "x0, x1, x2"[:4*n-2]
			body = fmt.Sprintf("%s := %s; return %s, nil", vars, call, vars)
		}
	}
	return fmt.Sprintf("func %s%sAsync%s(%s) %s {\n\treturn h.Run%d(func() (%s) { %s })\n}\n",
		recv, fn.Name.Name, targs, strings.Join(params, ", "), twin, n, all, body)
}

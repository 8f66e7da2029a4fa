package transform

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A bench is a module outside of this one in which sources are compiled, built
// and run, so that nothing generated for a test lands beside its input.
type bench struct {
	dir string
}

func newBench(t testing.TB) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{dir: dir}
	b.write(t, "go.mod", []byte("module bench\n\ngo 1.26\n\nrequire "+nothread+" v0.0.0\n\nreplace "+nothread+" => "+root+"\n"))
	b.write(t, "go.sum", sums)
	return b
}

const nothread = "github.com/nothread/nothread"

func (b *bench) write(t testing.TB, name string, content []byte) {
	t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// compiled is what the compiler makes of one source.
type compiled struct {
	generated []byte
	plan      string // the ir of its functions after lower, in source order
}

// compile runs the stages over all packages of the bench. It writes nothing; the
// result is by the sources' names relative to the bench.
func (b *bench) compile(t testing.TB) map[string]compiled {
	t.Helper()
	r, err := newRun(Config{Dir: b.dir, Patterns: []string{"./..."}, DumpTo: io.Discard, Env: environment()})
	if err != nil {
		t.Fatal(err)
	}
	plans := make(map[string]string)
	table := make([]stage, len(stages))
	copy(table, stages)
	for i, s := range table {
		if s.name == "emit" {
			table[i].file = func(r *run, o *output) {
				var plan strings.Builder
				for _, u := range o.units {
					plan.WriteString(u.ir.String() + "\n")
				}
				lock.Lock()
				plans[o.file.Path] = plan.String()
				lock.Unlock()
				s.file(r, o)
			}
		}
	}
	if err := r.all(table); err != nil {
		t.Fatal(err)
	}
	result := r.result()
	if result.Failed() {
		var text strings.Builder
		result.PrintDiagnostics(&text)
		t.Fatalf("the sources are refused:\n%s", text.String())
	}
	made := make(map[string]compiled)
	for _, file := range result.Files {
		made[filepath.ToSlash(result.Rel(file.Source))] = compiled{file.Content, plans[file.Source]}
	}
	return made
}

var lock sync.Mutex // packages are compiled in parallel

func environment() []string {
	return append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
}

// run runs a command in dir and returns what it prints on standard output; what
// else it says is in the error.
func runIn(dir, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = environment()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String(), err
}

// clean is a file that declares the same twins as the generated one, but each
// runs its source form, at once. It takes the place of the generated file where
// the source form is the oracle: a callee that is miscompiled cannot hide behind
// a caller that goes wrong in the same way.
func clean(source, generated []byte) ([]byte, error) {
	fset := token.NewFileSet()
	src, err := parser.ParseFile(fset, "source.go", source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	gen, err := parser.ParseFile(fset, "generated.go", generated, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	for _, decl := range src.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Doc == nil || !strings.Contains(docText(fn), "\n//nothread:async") {
			continue
		}
		if err := cleanTwin(&body, fset, fn, gen); err != nil {
			return nil, err
		}
	}
	for _, decl := range gen.Decls {
		if gen, ok := decl.(*ast.GenDecl); ok && gen.Tok == token.TYPE && strings.HasSuffix(gen.Specs[0].(*ast.TypeSpec).Name.Name, "Results") {
			printer.Fprint(&body, fset, gen)
			fmt.Fprint(&body, "\n\n")
		}
	}
	var file bytes.Buffer
	fmt.Fprintf(&file, "package %s\n\n", gen.Name.Name)
	for _, spec := range gen.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := path[strings.LastIndexByte(path, '/')+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if bytes.Contains(body.Bytes(), []byte(name+".")) {
			fmt.Fprintf(&file, "import %s %s\n", name, spec.Path.Value)
		}
	}
	file.Write(body.Bytes())
	return file.Bytes(), nil
}

func docText(fn *ast.FuncDecl) string {
	var b strings.Builder
	for _, c := range fn.Doc.List {
		b.WriteString("\n" + c.Text)
	}
	return b.String()
}

// cleanTwin writes
//
//	func (r T) FAsync(a A) (task async.Task2[B, C]) {
//		var b async.Builder2[B, C]
//		defer b.Catch(&task)
//		r0, r1, err := r.F(a)
//		b.SetResult(r0, r1, err)
//		return b.Result()
//	}
func cleanTwin(w io.Writer, fset *token.FileSet, fn *ast.FuncDecl, gen *ast.File) error {
	twin := twinOf(fn, gen)
	if twin == nil {
		return fmt.Errorf("no twin of %s", fn.Name.Name)
	}
	callee := fn.Name.Name
	if twin.Recv != nil {
		callee = nameAll(twin.Recv, "r")[0] + "." + callee
	}
	args := nameAll(twin.Type.Params, "p")
	if n := len(args); n > 0 {
		if _, ok := twin.Type.Params.List[len(twin.Type.Params.List)-1].Type.(*ast.Ellipsis); ok {
			args[n-1] += "..."
		}
	}
	task := nameAll(twin.Type.Results, "t")[0]
	var taskType bytes.Buffer
	printer.Fprint(&taskType, fset, twin.Type.Results.List[0].Type)
	_, kind, _ := strings.Cut(taskType.String(), "Task") // "0", "[int]", "2[int, string]"

	values, failure := returned(fn, kind)
	twin.Body = nil
	printer.Fprint(w, fset, twin)
	if yields(fn) {
		fmt.Fprintf(w, " {\n\treturn async.Go0(%s, func(context.Context) error { return %s(%s) })\n}\n\n", args[0], callee, strings.Join(args, ", "))
		return nil
	}
	fmt.Fprintf(w, " {\n\tvar b async.Builder%s\n\tdefer b.Catch(&%s)\n\t", kind, task)
	if results := returnedNames(fn); len(results) > 0 {
		fmt.Fprintf(w, "%s := ", strings.Join(results, ", "))
	}
	fmt.Fprintf(w, "%s(%s)\n\tb.SetResult(%s)\n\treturn b.Result()\n}\n\n",
		callee, strings.Join(args, ", "), strings.Join(append(values, failure), ", "))
	return nil
}

// yields reports whether fn is the function behind a stream. It runs while others do: it
// needs a thread, not only its caller's.
func yields(fn *ast.FuncDecl) (found bool) {
	ast.Inspect(fn.Type.Params, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		found = found || ok && sel.Sel.Name == "Yielder"
		return true
	})
	return found
}

// twinOf finds the kickoff of fn.
func twinOf(fn *ast.FuncDecl, gen *ast.File) *ast.FuncDecl {
	for _, decl := range gen.Decls {
		twin, ok := decl.(*ast.FuncDecl)
		if ok && twin.Name.Name == fn.Name.Name+"Async" && receiverText(twin) == receiverText(fn) {
			return twin
		}
	}
	return nil
}

// receiverText is the name of a method's receiver type, "" for a function.
func receiverText(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return ""
	}
	text := ""
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && text == "" {
			text = id.Name
		}
		return true
	})
	return text
}

// nameAll gives every parameter of a list a name and returns the names.
func nameAll(list *ast.FieldList, letter string) []string {
	var names []string
	for _, field := range list.List {
		if len(field.Names) == 0 {
			field.Names = []*ast.Ident{{Name: "_"}}
		}
		for i, id := range field.Names {
			if id.Name == "_" {
				field.Names[i] = &ast.Ident{Name: fmt.Sprint(letter, len(names))}
			}
			names = append(names, field.Names[i].Name)
		}
	}
	return names
}

// returnedNames are variables for all results of fn.
func returnedNames(fn *ast.FuncDecl) []string {
	var names []string
	for i := range fn.Type.Results.NumFields() {
		names = append(names, fmt.Sprint("result", i))
	}
	return names
}

// returned is what SetResult is given: the values, as a struct if there are more
// than three, and the error.
func returned(fn *ast.FuncDecl, kind string) (values []string, failure string) {
	values, failure = returnedNames(fn), "nil"
	if n := len(values); n > 0 {
		last := fn.Type.Results.List[len(fn.Type.Results.List)-1].Type
		if id, ok := last.(*ast.Ident); ok && id.Name == "error" {
			values, failure = values[:n-1], values[n-1]
		}
	}
	if len(values) > 3 {
		carrier := strings.TrimSuffix(strings.TrimPrefix(kind, "["), "]")
		values = []string{carrier + "{" + strings.Join(values, ", ") + "}"}
	}
	return values, failure
}

// A callee that is miscompiled must not be part of the oracle.
func TestCleanTwins(t *testing.T) {
	source := `package p

//nothread:async
func F(a int, _ ...string) (int, error) { return a, nil }

//nothread:async
func (t *T[E]) G() {}

//nothread:async
func (T[_]) H() (a, b, c, d int) { return }
`
	generated := `package p

import (
	"fmt"
	"example.com/runtime/async"
)

func FAsync(a int, _ ...string) (task async.Task[int]) { fmt.Println("wrong") }
func (t *T[E]) GAsync() (task async.Task0) { fmt.Println("wrong") }
func (T[P]) HAsync() (task async.Task[hResults]) { fmt.Println("wrong") }

type hResults struct{ R0, R1, R2, R3 int }
type hMachine struct{}
`
	want := `package p

import async "example.com/runtime/async"
func FAsync(a int, p1 ...string) (task async.Task[int]) {
	var b async.Builder[int]
	defer b.Catch(&task)
	result0, result1 := F(a, p1...)
	b.SetResult(result0, result1)
	return b.Result()
}

func (t *T[E]) GAsync() (task async.Task0) {
	var b async.Builder0
	defer b.Catch(&task)
	t.G()
	b.SetResult(nil)
	return b.Result()
}

func (r0 T[P]) HAsync() (task async.Task[hResults]) {
	var b async.Builder[hResults]
	defer b.Catch(&task)
	result0, result1, result2, result3 := r0.H()
	b.SetResult(hResults{result0, result1, result2, result3}, nil)
	return b.Result()
}

type hResults struct{ R0, R1, R2, R3 int }

`
	got, err := clean([]byte(source), []byte(generated))
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := clean([]byte(source), []byte("package p")); err == nil {
		t.Error("missing twins pass")
	}
}

// Package inject puts awaits into Go code that was written without them, so that
// the compiler can be tried on real code: on packages that have tests and on
// programs whose output is known. It is part of the tests, not of the compiler.
//
// # What becomes of a function
//
//	func Max(list []int) (n int) {
//		for _, x := range list {
//			n = max(n, x)
//		}
//		return n
//	}
//
// becomes a driver of the same name, and beside it, at the end of the file, the
// function itself, annotated, with awaits at random places:
//
//	func Max(list []int) (n int) {
//		nothread_q := nothread_start()
//		if nothread_sync {
//			return nothreadMax(nothread_q, list)
//		}
//		nothread_t := nothreadMaxAsync(nothread_q, list)
//		nothread_q.run(nothread_t)
//		nothread_0, _ := nothread_t.GetResult()
//		return nothread_0
//	}
//
//	//nothread:async
//	func nothreadMax(nothread_q *nothread_queue, list []int) (n int) {
//		for _, x := range nothread_value(nothread_q, list).Await() {
//			nothread_yield(nothread_q).Await(); n = max(n, x)
//		}
//		return n
//	}
//
// So whoever calls Max, the package's own tests above all, runs the generated
// machine. The driver blocks: it runs what its machine waits for until the
// machine is done. The queue is the call's own and travels as a parameter, for
// drivers nest (generated code called by plain code called by generated code)
// and run on many goroutines.
//
// # Awaits
//
//	nothread_yield(q).Await();            before a statement
//	nothread_value(q, e).Await()          in an expression's place (values.go)
//	x.nothreadF(q, a) → nothreadFAsync   a call whose results are those of its
//	                                     task's Await: none, or the last an error
//
//	async.Go0(ctx, func(…) { S }).Await() a statement in an async closure (forms.go)
//	defer nothread_yield(q).Await()       at a function's start, or another deferred call
//	range nothread_each(q, x).Await(ctx)  x's elements as a stream, or as a function
//
// Most of them suspend; some are complete at once, and some complete while the
// machine prepares to wait (support.go).
//
// # What is left alone
//
// See choose.go. What the compiler refuses is the caller's to find out: it names
// the function in Options.Leave and injects again. A function's awaits depend on
// the seed and its own name only, so the others keep theirs.
package inject

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"hash/fnv"
	"math/rand/v2"
	"path/filepath"
)

// A Package is what awaits are put into: typed syntax and its source text.
type Package struct {
	Fset  *token.FileSet
	Types *types.Package
	Info  *types.Info
	Files []File // without tests
}

// A File is one source of a package.
type File struct {
	Path    string
	Syntax  *ast.File
	Content []byte
}

// Options say how much is put in. The numbers are percentages of the places
// where an await could stand.
type Options struct {
	Seed       uint64
	Statements int
	Values     int
	Calls      int
	Closures   int // of the statements that can stand in one
	Defers     int // of the functions
	Ranges     int
	Leave      map[string]bool // functions to leave as they are, by Func.Name
}

// A Func is what became of one function.
type Func struct {
	Name string // F, T.M
	Path string // of its file
	Left string // why it was left alone; "" if it was not
}

// A Result is a package with awaits.
type Result struct {
	Files  map[string][]byte // by path: what changed and what was added
	Funcs  []Func            // in the order of the files
	Awaits int
}

// Inject puts awaits into p.
func Inject(p *Package, o Options) *Result {
	in := &injection{p: p, o: o, chosen: make(map[*types.Func]bool),
		result: &Result{Files: make(map[string][]byte)}}
	for _, file := range p.Files {
		for _, decl := range file.Syntax.Decls {
			if decl, ok := decl.(*ast.FuncDecl); ok {
				in.choose(file.Path, decl)
			}
		}
	}
	for i := range p.Files {
		in.file(&p.Files[i])
	}
	if len(p.Files) > 0 {
		path := filepath.Join(filepath.Dir(p.Files[0].Path), supportFile)
		in.result.Files[path] = support(p.Types.Name(), in.streams)
	}
	return in.result
}

// An injection is one run over a package.
type injection struct {
	p       *Package
	o       Options
	chosen  map[*types.Func]bool
	result  *Result
	streams bool // something ranges over one
}

// file writes one source anew.
func (in *injection) file(f *File) {
	e := &edits{content: f.Content, base: in.p.Fset.File(f.Syntax.FileStart)}
	var copies []string
	needs := false
	for _, decl := range f.Syntax.Decls {
		decl, ok := decl.(*ast.FuncDecl)
		if !ok || !in.isChosen(decl) {
			continue
		}
		text, extra := in.annotated(f, decl)
		copies, needs = append(copies, text), needs || extra
		in.rename(e, decl)
		e.replace(decl.Body.Pos(), decl.Body.End(), in.driver(f, decl))
	}
	if len(copies) == 0 {
		return
	}
	if needs {
		e.insert(f.Syntax.Name.End(), imports)
	}
	text := e.text(f.Syntax.FileStart, f.Syntax.FileEnd)
	for _, c := range copies {
		text += "\n" + c
	}
	if needs {
		text += "\nvar (\n\t_ nothread_context.Context\n\t_ nothread_async.Task0\n)\n"
	}
	in.result.Files[f.Path] = []byte(text)
}

// annotated is the function itself under its new name, with awaits; its machines are of any
// of the three kinds.
func (in *injection) annotated(f *File, decl *ast.FuncDecl) (text string, extra bool) {
	w := &walker{in: in,
		e:      &edits{content: f.Content, base: in.p.Fset.File(f.Syntax.FileStart)},
		random: rand.New(rand.NewPCG(in.o.Seed, seedOf(Name(decl))))}
	w.deferred(decl.Body)
	w.block(decl.Body.List)
	in.result.Awaits += w.awaits
	option := ""
	switch n := w.random.IntN(100); {
	case n < 20:
		option = " pool"
	case n < 40:
		option = " class"
	}
	return fmt.Sprintf("//nothread:async%s\n%s %s\n", option, in.signature(f, decl), w.e.text(decl.Body.Pos(), decl.Body.End())), w.extra
}

// imports are those of a file whose functions mention the runtime.
const imports = `; import (nothread_context "context"; nothread_async "github.com/nothread/nothread/runtime/async")`

func seedOf(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

// The names of what is added begin with nothread_, those of annotated functions
// with nothread and the function's own name, so that they cannot meet.
const prefix = "nothread"

// Name is a function as [Func] names it.
func Name(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return decl.Name.Name
	}
	t := decl.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name + "." + decl.Name.Name
		default:
			return decl.Name.Name
		}
	}
}

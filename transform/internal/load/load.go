// Package load reads a user's packages: files on disk become typed syntax. It
// is the only reader of the compiler.
//
// # The trouble, and the stub overlay
//
// An annotated source and its output stand in one package, and each may use the
// other: main calls CopyStreamAsync, which only exists once nothread has run.
// Type-checking the package as it lies on disk would make the first generation
// impossible and every later one depend on what the last one left behind. So
// load never looks at an output:
//
//	scan      every .go file of the main module (of all modules of a workspace)
//	          that mentions the directive is parsed, syntax only
//	stub      from the syntax of each annotated function its twin's signature
//	          is derived, and written as a function that never returns
//	overlay   the stub files are laid over the outputs' paths, there or not;
//	          what is left of outputs that no source asks for is laid over with
//	          nothing
//	load      go/packages type-checks the whole: one load for all patterns
//
// For
//
//	//nothread:async
//	func (s *Stack[T]) Pop(ctx context.Context) (T, error) { … }
//
// the stub is
//
//	func (s *Stack[T]) PopAsync(ctx context.Context) nothread_async.Task[T] { for {} }
//
// Dependencies in the same module get their stubs too, so that a package may
// use a neighbour's twins before either was generated.
//
// A stub's signature repeats the source's; a type error in it is therefore an
// error in the source as well, where it is reported. Errors in stubs are never
// shown.
//
// # Variants
//
// The go command knows a package with tests in up to three variants: p, p as
// compiled for its test, and p_test. A file is taken from exactly one of them:
// _test.go files from the variant compiled for the test, all others from p.
package load

import (
	"crypto/sha256"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/nothread/nothread/transform/internal/diag"
)

// AsyncPath is the import path of the runtime that generated code needs.
const AsyncPath = "github.com/nothread/nothread/runtime/async"

// A Config says what to load.
type Config struct {
	Dir        string   // where patterns are relative to; "" is the working directory
	Patterns   []string // as the go command takes them; a .go file stands for its package; none means "."
	Env        []string // environment of the go command; nil is the current one
	BuildFlags []string // for the go command, such as -tags
}

// A Program is what one Load read.
type Program struct {
	Packages []*Package // matched by the patterns, sorted by path; a package with tests may come up to three times
	Excluded []string   // annotated sources that this platform or the build tags leave out, sorted
	Orphans  []Orphan   // outputs in the matched packages that no source asks for, sorted

	// Broken says which twins could not be declared. Each has a reason that
	// package check or the type checker finds at the source; to be reported
	// where neither did.
	Broken []diag.Diagnostic

	// What the packages were made from.
	Roots   []string                     // folders of the main modules
	Matched []Matched                    // sorted by folder
	Scanned map[string]bool              // the Go files that there were in the main modules, by path
	Read    map[string][sha256.Size]byte // what the parsed files were; outputs are never read
}

// An Orphan is an output without a source.
type Orphan struct {
	Path   string // of the output
	Source string // base name of the source it was generated from
}

// A Package is one variant of one package, type-checked against stubs.
type Package struct {
	PkgPath, Name, Dir string
	Test               bool // compiled for a test: Files holds _test.go files only
	Fset               *token.FileSet
	Types              *types.Package
	Info               *types.Info       // all maps filled
	Files              []*File           // those with annotated functions, sorted by path
	Syntax             []*ast.File       // every file of the package but stubs
	Broken             []*ast.File       // those of Syntax that have syntax errors
	Names              []string          // what stands at package level, and the types in functions' bodies, for some move there; sorted
	Ambiguous          map[string]bool   // the names that types of several functions would have there, made of the function's and their own
	Renamed            map[string]string // by path, what outputs call the packages whose own names are among Names
	Sizes              types.Sizes       // of the platform that is compiled for
	GoVersion          string            // the language version of the module, such as "go1.26"; "" if unknown
}

// A File is a source with annotated functions.
type File struct {
	Path       string // absolute
	Output     string // absolute path of the generated file beside it
	Constraint string // the //go:build expression that the output needs, "" if none
	Syntax     *ast.File
	Content    []byte  // what Syntax was parsed from
	Funcs      []*Func // the annotated ones, in source order
}

// A Func is an annotated function or method.
type Func struct {
	Decl    *ast.FuncDecl
	Obj     *types.Func
	Options Options
	Twin    string // the name of the async form: Decl's name + "Async"

	// The results as the task has them: TaskResults are the types of the values
	// before the error, HasError says whether the last result is the
	// predeclared error. With more than three values the task is of one struct.
	TaskResults []types.Type
	HasError    bool
	Struct      *ResultStruct // nil for up to three values
}

// A ResultStruct is the generated type that carries more than three results.
// Its type parameters are those of the function or of its receiver. The stub
// declares it, so that the package's scope holds it under Name, with the types
// of the fields and the constraints of the type parameters.
type ResultStruct struct {
	Name   string   // Func or TypeFunc, exported if they are, + "Results"; numbered if another function's has that name
	Fields []string // one for each value
}

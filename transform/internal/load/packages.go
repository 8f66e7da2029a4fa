package load

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/nothread/nothread/transform/internal/diag"
)

// ErrNoPackages is what Load's error wraps when the patterns match nothing.
var ErrNoPackages = errors.New("no packages")

// mode asks for dependencies from source: with an overlay export data would be
// of no use, and asking for it would compile every package.
const mode = packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles |
	packages.NeedImports | packages.NeedDeps | packages.NeedModule | packages.NeedForTest |
	packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo

// Load reads the packages that cfg names. What is wrong with them goes to
// diags; the program is then still what could be understood of it. An error
// means that there is nothing to work on.
func Load(cfg Config, diags *diag.List) (*Program, error) {
	if cfg.Dir == "" {
		dir, err := os.Getwd() // what $PWD says, symbolic links and all, as the go command sees it
		if err != nil {
			return nil, err
		}
		cfg.Dir = dir
	} else if abs, err := filepath.Abs(cfg.Dir); err == nil {
		cfg.Dir = abs
	}
	ctx := context.Background()
	roots, err := mainModules(ctx, cfg)
	if err != nil {
		return nil, err
	}
	s, err := scanModules(roots)
	if err != nil {
		return nil, err
	}
	l := &loader{dir: cfg.Dir, roots: roots, scan: s, overlay: s.overlay(), diags: diags, fset: token.NewFileSet(),
		read: readSet{sums: make(map[string][sha256.Size]byte), broken: make(map[*ast.File]bool)}}
	loaded, err := packages.Load(&packages.Config{
		Mode: mode, Context: ctx, Dir: cfg.Dir, Env: cfg.Env, BuildFlags: cfg.BuildFlags,
		Fset: l.fset, Tests: true, Overlay: l.overlay, ParseFile: l.parse,
	}, l.queries(cfg.Patterns)...)
	if err != nil {
		return nil, fmt.Errorf("the go command: %s", strings.TrimPrefix(strings.TrimSpace(err.Error()), "err: exit status 1: stderr: "))
	}
	if err := l.matched(loaded, cfg.Patterns); err != nil {
		return nil, err
	}
	l.report(loaded)
	program := l.program(loaded)
	left, err := l.leftOut(ctx, cfg, loaded)
	if err != nil {
		return nil, err
	}
	program.Excluded = append(program.Excluded, left...)
	slices.Sort(program.Excluded)
	program.Broken = l.hidden
	program.Roots, program.Scanned, program.Read = roots, s.files(), l.read.sums
	program.Matched = l.made(loaded, program.Excluded)
	return program, nil
}

// queries turns patterns into what go/packages takes: a file stands for the
// package that it is in. One that no build takes, as an orphan or another platform's,
// is found by its folder; one that the scan does not know go/packages looks for.
func (l *loader) queries(patterns []string) []string {
	if len(patterns) == 0 {
		return []string{"."}
	}
	var list []string
	for _, pattern := range patterns {
		if path := l.absolute(pattern); !strings.HasSuffix(pattern, ".go") {
			pattern = "pattern=" + pattern
		} else if dir := filepath.Dir(path); slices.Contains(l.scan.dirs[dir], path) {
			pattern = "pattern=" + dir
		} else {
			pattern = "file=" + pattern
		}
		list = append(list, pattern)
	}
	return list
}

// absolute is a path as it is known to the scan.
func (l *loader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(l.dir, path)
}

// A loader turns what go/packages loaded into a Program.
type loader struct {
	dir     string   // where relative positions start
	roots   []string // folders of the main modules
	scan    *scan
	overlay map[string][]byte
	diags   *diag.List
	hidden  []diag.Diagnostic // errors in stubs
	fset    *token.FileSet
	read    readSet
}

// parse parses an annotated source as the scan read it, so that positions and
// content agree even if the file is edited meanwhile. Of files outside the main
// modules it keeps the declarations only: nobody asks what their bodies do, and
// checking them would take most of the time.
func (l *loader) parse(fset *token.FileSet, path string, content []byte) (*ast.File, error) {
	if src := l.scan.sources[path]; src != nil {
		content = src.content
	}
	if l.overlay[path] == nil {
		l.read.add(path, content)
	}
	if l.local(path) || !strings.HasSuffix(path, ".go") { // no .go: written by cgo into the build cache
		file, err := parser.ParseFile(fset, path, content, parser.AllErrors|parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			l.read.addBroken(file)
		}
		return file, err
	}
	file, err := parser.ParseFile(fset, path, content, parser.SkipObjectResolution)
	if file != nil {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				fn.Body = nil
			}
		}
	}
	return file, err
}

// local reports whether path lies in a main module.
func (l *loader) local(path string) bool {
	for _, root := range l.roots {
		if diag.Rel(root, path) != path {
			return true
		}
	}
	return false
}

// matched makes an error of patterns that match nothing.
func (l *loader) matched(loaded []*packages.Package, patterns []string) error {
	found := false
	for _, pkg := range loaded {
		if l.linked(pkg.Dir) {
			return fmt.Errorf("%w: %s is reached by a symbolic link inside its module; name the folder that it leads to", ErrNoPackages, pkg.PkgPath)
		}
		if len(pkg.GoFiles)+len(pkg.CompiledGoFiles)+len(pkg.IgnoredFiles) > 0 {
			found = found || pkg.Module != nil && pkg.Module.Main || l.scan.dirs[pkg.Dir] != nil // which has nothing of what is vendored
			continue
		}
		for _, e := range pkg.Errors {
			if e.Kind == packages.ListError && (e.Pos == "" || e.Pos == "-") {
				return fmt.Errorf("%w: %s", ErrNoPackages, strings.TrimSpace(e.Msg))
			}
		}
	}
	if !found {
		if len(patterns) == 0 {
			patterns = []string{"."}
		}
		return fmt.Errorf("%w: %s matches none in this module", ErrNoPackages, strings.Join(patterns, " "))
	}
	return nil
}

// linked reports whether dir is another folder of its module, or none of it, under a
// symbolic link: the scan, as ./... does, has left that out.
func (l *loader) linked(dir string) bool {
	if l.scan.dirs[dir] != nil {
		return false
	}
	for _, root := range l.roots {
		if rel := diag.Rel(root, dir); rel != dir {
			home, _ := filepath.EvalSymlinks(root)
			real, err := filepath.EvalSymlinks(dir)
			return err == nil && real != filepath.Join(home, rel)
		}
	}
	return false
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

// program sorts out the variants and fills the result.
func (l *loader) program(loaded []*packages.Package) *Program {
	program := &Program{}
	dirs := make(map[string]bool)
	compiled := make(map[string]bool)
	for _, pkg := range loaded {
		dirs[pkg.Dir] = true
		for _, list := range [][]string{pkg.GoFiles, pkg.CompiledGoFiles} {
			for _, path := range list {
				compiled[path] = true
			}
		}
		if p := l.pkg(pkg); p != nil {
			program.Packages = append(program.Packages, p)
		}
	}
	sort.SliceStable(program.Packages, func(i, j int) bool {
		a, b := program.Packages[i], program.Packages[j]
		if a.PkgPath != b.PkgPath {
			return a.PkgPath < b.PkgPath
		}
		return !a.Test && b.Test
	})
	for path, src := range l.scan.sources {
		if !dirs[filepath.Dir(path)] {
			continue
		}
		if !compiled[path] {
			program.Excluded = append(program.Excluded, path)
		}
		if l.scan.taken[src.output] != "" {
			l.diags.Errorf(l.scan.fset.Position(src.file.Package), diag.NotOurs,
				"the output of %s would be %s, which was not generated by nothread; rename one of the two, or remove it",
				filepath.Base(path), filepath.Base(src.output))
		}
	}
	for _, orphan := range l.scan.orphans() {
		if dirs[filepath.Dir(orphan.Path)] {
			program.Orphans = append(program.Orphans, orphan)
		}
	}
	return program
}

// pkg is one variant as a Package, nil if no file is taken from it.
func (l *loader) pkg(pkg *packages.Package) *Package {
	variant := pkg.ForTest != ""
	if len(pkg.Syntax) == 0 || pkg.Types == nil || l.testMain(pkg) ||
		variant && pkg.PkgPath != pkg.ForTest && pkg.PkgPath != pkg.ForTest+"_test" {
		return nil
	}
	p := &Package{
		PkgPath: pkg.PkgPath, Name: pkg.Name, Dir: pkg.Dir, Test: variant,
		Fset: l.fset, Types: pkg.Types, Info: pkg.TypesInfo, Sizes: pkg.TypesSizes,
	}
	if pkg.Module != nil && pkg.Module.GoVersion != "" {
		p.GoVersion = "go" + pkg.Module.GoVersion
	}
	seen := make(map[string]bool)
	for _, syntax := range pkg.Syntax {
		path := l.fset.File(syntax.FileStart).Name()
		if l.overlay[path] != nil {
			continue
		}
		seen[path] = true
		p.Syntax = append(p.Syntax, syntax)
		if l.read.broken[syntax] {
			p.Broken = append(p.Broken, syntax)
		}
		src := l.scan.sources[path]
		if src == nil || variant != strings.HasSuffix(path, "_test.go") {
			continue
		}
		p.Files = append(p.Files, l.file(p, src, syntax))
	}
	for _, path := range pkg.GoFiles {
		if src := l.scan.sources[path]; src != nil && !seen[path] && !variant {
			l.diags.Errorf(l.scan.fset.Position(Annotated(src.file)[0].Pos()), diag.CannotAsync,
				"a function in a file that imports \"C\" cannot be async; move it to a file of its own that calls into this one")
		}
	}
	sort.Slice(p.Files, func(i, j int) bool { return p.Files[i].Path < p.Files[j].Path })
	if len(p.Files) > 0 {
		p.findNames()
	}
	return p
}

// testMain reports whether pkg is the main package that the go command writes
// for a test; its one file lies in the build cache.
func (l *loader) testMain(pkg *packages.Package) bool {
	return strings.HasSuffix(pkg.ID, ".test") && !slices.ContainsFunc(pkg.GoFiles, l.local)
}

func (l *loader) file(p *Package, src *source, syntax *ast.File) *File {
	f := &File{Path: src.path, Output: src.output, Constraint: src.constraint, Syntax: syntax, Content: src.content}
	if src.badness != nil {
		l.diags.Errorf(l.fset.Position(syntax.Package), diag.Constraint, "%v", src.badness)
	}
	for _, decl := range Annotated(syntax) {
		f.Funcs = append(f.Funcs, function(p.Info, src, decl))
	}
	return f
}

// function describes an annotated function once its types are known.
func function(info *types.Info, src *source, decl *ast.FuncDecl) *Func {
	options, _ := directiveOf(decl)
	fn := &Func{Decl: decl, Options: options, Twin: decl.Name.Name + "Async"}
	results := resultsOf(decl, false)
	if results.hasError {
		list := decl.Type.Results.List
		id := ast.Unparen(list[len(list)-1].Type).(*ast.Ident)
		if info.Uses[id] != types.Universe.Lookup("error") {
			results = resultsOf(decl, true)
		}
	}
	fn.HasError = results.hasError
	for _, expr := range results.types {
		fn.TaskResults = append(fn.TaskResults, info.TypeOf(expr))
	}
	if len(results.types) > 3 {
		fn.Struct = structOf(src.structs[QualifiedName(decl)], results)
	}
	fn.Obj, _ = info.Defs[decl.Name].(*types.Func) // nil for a function named _
	return fn
}

package transform

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"

	"github.com/nothread/nothread/transform/internal/load"
)

// proveOutputs type-checks what was generated for a package together with its
// sources: an output that does not compile is a defect of ours, found before
// anything is written.
func (r *run) proveOutputs() error {
	r.each(func(pkg *load.Package, outputs []*output) {
		if len(outputs) == 0 {
			return
		}
		r.guard("prove", "package "+pkg.PkgPath, outputs[0].position(), func() { r.provePackage(pkg, outputs) })
	})
	return nil
}

func (r *run) provePackage(pkg *load.Package, outputs []*output) {
	files := append([]*ast.File(nil), pkg.Syntax...)
	of := make(map[string]*output) // by the name under which it is parsed
	for _, o := range r.compiledWith(pkg, outputs) {
		of[o.file.Output] = o
		file, err := parser.ParseFile(pkg.Fset, o.file.Output, o.content, parser.SkipObjectResolution)
		if err != nil {
			r.defect(o.position(), fmt.Sprintf("what was generated does not parse: %v", err))
			return
		}
		files = append(files, file)
	}
	known := make(importer)
	known.add(pkg.Types)
	conf := types.Config{
		Importer:  known,
		GoVersion: goVersion(pkg.GoVersion),
		Sizes:     pkg.Sizes,
		Error:     func(err error) { r.disproved(pkg.Fset, of, err) },
	}
	proved, _ := conf.Check(pkg.Types.Path(), pkg.Fset, files, nil) // errors went to conf.Error
	for _, o := range outputs {
		o.proved = proved
	}
}

// compiledWith adds to a package's outputs those of its non-test files, where
// the package is the variant that is compiled for its test.
func (r *run) compiledWith(pkg *load.Package, outputs []*output) []*output {
	if !pkg.Test || strings.HasSuffix(pkg.Name, "_test") {
		return outputs
	}
	all := append([]*output(nil), outputs...)
	for _, o := range r.outputs {
		if o.pkg != pkg && !o.pkg.Test && o.pkg.Dir == pkg.Dir {
			all = append(all, o)
		}
	}
	return all
}

// disproved reports a type error that stands in an output. The sources have been
// type-checked already, and an import that nobody loaded cannot be judged.
func (r *run) disproved(fset *token.FileSet, of map[string]*output, err error) {
	var typeError types.Error
	if !errors.As(err, &typeError) || strings.Contains(typeError.Msg, errNotLoaded.Error()) {
		return
	}
	pos := fset.Position(typeError.Pos)
	o := of[pos.Filename]
	if o == nil {
		return
	}
	line := ""
	if lines := strings.Split(string(o.content), "\n"); pos.Line <= len(lines) {
		line = strings.TrimSpace(lines[pos.Line-1])
	}
	r.defect(o.position(), fmt.Sprintf("what was generated does not compile: %s\n%d: %s", typeError.Msg, pos.Line, line))
}

func goVersion(v string) string {
	if v == "" || strings.HasPrefix(v, "go") {
		return v
	}
	return "go" + v
}

// An importer gives out the packages that were loaded.
type importer map[string]*types.Package

var errNotLoaded = errors.New("not among the loaded packages")

func (i importer) add(pkg *types.Package) {
	for _, p := range pkg.Imports() {
		if i[p.Path()] == nil {
			i[p.Path()] = p
			i.add(p)
		}
	}
}

// Import returns a loaded package.
func (i importer) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if p := i[path]; p != nil {
		return p, nil
	}
	return nil, errNotLoaded
}

package transform

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/ir"
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
	parsed := make(map[string]*ast.File)
	of := make(map[string]*output) // by the name under which it is parsed
	for _, o := range r.compiledWith(pkg, outputs) {
		of[o.file.Output] = o
		file, err := parser.ParseFile(pkg.Fset, o.file.Output, o.content, parser.SkipObjectResolution)
		if err != nil {
			r.defect(o.position(), fmt.Sprintf("what was generated does not parse: %v", err))
			return
		}
		files = append(files, file)
		parsed[o.file.Output] = file
	}
	known := make(importer)
	known.add(pkg.Types)
	var found []types.Error
	conf := types.Config{
		Importer:  known,
		GoVersion: pkg.GoVersion,
		Sizes:     pkg.Sizes,
		Error: func(err error) {
			if typeError, ok := errors.AsType[types.Error](err); ok {
				found = append(found, typeError)
			}
		},
	}
	proved, _ := conf.Check(pkg.Types.Path(), pkg.Fset, files, nil) // errors went to conf.Error
	for len(found) > 0 {
		first := found[0]
		found = found[1:]
		if !strings.HasPrefix(first.Msg, "initialization cycle") {
			r.disproved(pkg.Fset, of, parsed, first)
			continue
		}
		n := 0
		for n < len(found) && strings.HasPrefix(found[n].Msg, "\t") {
			n++
		}
		r.cycle(pkg.Fset, of, parsed, first, found[:n])
		found = found[n:]
	}
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
func (r *run) disproved(fset *token.FileSet, outputs map[string]*output, files map[string]*ast.File, typeError types.Error) {
	if strings.Contains(typeError.Msg, errNotLoaded.Error()) {
		return
	}
	pos := fset.Position(typeError.Pos)
	o := outputs[pos.Filename]
	if o == nil {
		return
	}
	line := ""
	if lines := strings.Split(string(o.content), "\n"); pos.Line <= len(lines) {
		line = strings.TrimSpace(lines[pos.Line-1])
	}
	at, of := o.position(), o.file.Path
	if u := o.unitAt(files[pos.Filename], typeError.Pos); u != nil {
		at, of = u.position(), u.name()
	}
	r.defect(at, fmt.Sprintf("what was generated for %s does not compile: %s\n%d: %s", of, typeError.Msg, pos.Line, line))
}

// cycle reports a variable of the sources whose value needs itself: there was a stub in
// place of what is generated, which uses the variable as its function does. way goes from
// one to the next that is needed, and back.
func (r *run) cycle(fset *token.FileSet, outputs map[string]*output, files map[string]*ast.File, first types.Error, way []types.Error) {
	name := strings.TrimPrefix(first.Msg, "initialization cycle for ")
	through := "what is generated"
	for _, step := range way {
		file := fset.Position(step.Pos).Filename
		if o := outputs[file]; o != nil {
			if u := o.unitAt(files[file], step.Pos); u != nil {
				through = "the async form of " + u.name()
				break
			}
		}
	}
	r.diags.Errorf(fset.Position(first.Pos), diag.TypeError, "initialization cycle for %s: its value needs %s, which uses %[1]s; give it its value in a func init", name, through)
}

// unitAt returns the function that a position of the output was made for: the one
// whose twin or machine is declared there, or used by what is.
func (o *output) unitAt(file *ast.File, pos token.Pos) *unit {
	var found *unit
	for _, decl := range file.Decls {
		if pos < decl.Pos() || decl.End() <= pos {
			continue
		}
		ast.Inspect(decl, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && found == nil {
				for _, u := range o.units {
					if id.Name == u.fn.Twin || hasMachine(u.ir, id.Name) {
						found = u
					}
				}
			}
			return found == nil
		})
	}
	return found
}

// hasMachine reports whether a name is f's machine, or one of its closures'.
func hasMachine(f *ir.Func, name string) bool {
	return f.Machine == name || slices.ContainsFunc(f.Children, func(child *ir.Func) bool { return hasMachine(child, name) })
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

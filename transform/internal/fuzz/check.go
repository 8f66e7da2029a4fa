package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
)

// A checker type-checks programs in this process, as they stand in package ref.
type checker struct {
	fset    *token.FileSet
	imports types.Importer
	prelude *ast.File
}

// newChecker finds what the world's packages export.
func newChecker(w *World) (*checker, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export", "./h")
	cmd.Dir, cmd.Env, cmd.Stderr = w.Dir, environment(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := make(map[string]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
	}
	c := &checker{fset: token.NewFileSet()}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	text, err := world.ReadFile("testdata/world/prelude/types.go")
	if err != nil {
		return nil, err
	}
	c.prelude, err = parser.ParseFile(c.fset, "types.go", text, parser.SkipObjectResolution)
	return c, err
}

// A checked is a program with its types.
type checked struct {
	source string
	fset   *token.FileSet
	file   *ast.File
	info   *types.Info
	errs   []types.Error
	called map[*ast.SelectorExpr]bool // seen as a call's function
}

// offset is a position in the source.
func (c *checked) offset(p token.Pos) int { return c.fset.Position(p).Offset }

// text is the source of a node.
func (c *checked) text(n ast.Node) string { return c.source[c.offset(n.Pos()):c.offset(n.End())] }

// check type-checks a program; err is about its syntax.
func (c *checker) check(source string) (*checked, error) {
	file, err := parser.ParseFile(c.fset, "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	twins, err := stubs(c.fset, file)
	if err != nil {
		return nil, err
	}
	second, err := parser.ParseFile(c.fset, "twins.go", twins, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	done := &checked{source: source, fset: c.fset, file: file, info: &types.Info{
		Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object),
		Uses: make(map[*ast.Ident]types.Object), Selections: make(map[*ast.SelectorExpr]*types.Selection),
		Instances: make(map[*ast.Ident]types.Instance)}, called: make(map[*ast.SelectorExpr]bool)}
	conf := types.Config{Importer: c.imports, Error: func(err error) {
		var e types.Error
		if errors.As(err, &e) {
			done.errs = append(done.errs, e)
		}
	}}
	conf.Check("fuzzed/gen", c.fset, []*ast.File{file, c.prelude, second}, done.info)
	return done, nil
}

// repair adds uses of variables that nothing uses, and says what else is wrong.
func (c *checker) repair(source string) (string, error) {
	for range 3 {
		done, err := c.check(source)
		if err != nil {
			return source, err
		}
		if len(done.errs) == 0 {
			return source, nil
		}
		var cuts []cut
		for _, e := range done.errs {
			c, ok := done.remedy(e)
			if ok {
				cuts = append(cuts, c)
			}
		}
		if len(cuts) == 0 {
			return source, fmt.Errorf("%s: %s", c.fset.Position(done.errs[0].Pos), done.errs[0].Msg)
		}
		source = apply(source, cuts...)
	}
	return source, errors.New("variables stay unused")
}

// remedy mends an unused variable or import.
func (c *checked) remedy(e types.Error) (cut, bool) {
	if strings.HasSuffix(e.Msg, "imported and not used") {
		from := c.offset(e.Pos)
		return cut{from, from + strings.Index(c.source[from:], "\n"), ""}, true
	}
	name, ok := strings.CutPrefix(e.Msg, "declared and not used: ")
	end := token.NoPos
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, x := range n.Lhs {
				if x.Pos() == e.Pos {
					end = n.End()
				}
			}
		case *ast.ValueSpec:
			for _, x := range n.Names {
				if x.Pos() == e.Pos {
					end = n.End()
				}
			}
		}
		return true
	})
	if !ok || end == token.NoPos {
		return cut{}, false
	}
	return cut{c.offset(end), c.offset(end), "\n_ = " + name}, true
}

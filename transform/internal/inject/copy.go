package inject

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the path of the module that copies of packages stand in; a copy of
// p is Module/p.
const Module = "everything"

// NewModule writes the go.mod of a module in dir whose packages can use the
// runtime of the module in root.
func NewModule(dir, root string) error {
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	const runtime = "github.com/nothread/nothread"
	mod := fmt.Sprintf("module %s\n\ngo 1.26.0\n\nrequire %s v0.0.0\n\nreplace %[2]s => %s\n", Module, runtime, strconv.Quote(root))
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o666); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o666)
}

// Copy copies a package of the standard library, with its tests, into the module
// in dir. Internal packages that it needs are copied too, unchanged but for their
// imports, or replaced by a stand-in. It returns an error if one of them cannot
// be had outside the standard library.
func Copy(goroot, dir, pkg string) error {
	c := &copier{goroot: goroot, dir: dir, self: pkg, done: make(map[string]bool)}
	return c.copy(pkg, true)
}

type copier struct {
	goroot, dir string
	self        string
	done        map[string]bool
}

func (c *copier) copy(pkg string, tests bool) error {
	if c.done[pkg] {
		return nil
	}
	c.done[pkg] = true
	source := filepath.Join(c.goroot, "src", filepath.FromSlash(pkg))
	target := filepath.Join(c.dir, filepath.FromSlash(pkg))
	if err := os.MkdirAll(target, 0o777); err != nil {
		return err
	}
	if text, ok := standIns[pkg]; ok {
		return os.WriteFile(filepath.Join(target, path.Base(pkg)+".go"), []byte(text), 0o666)
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case entry.IsDir():
			if name == "testdata" && tests {
				err = os.CopyFS(filepath.Join(target, name), os.DirFS(filepath.Join(source, name)))
			}
		case strings.HasSuffix(name, "_test.go") && !tests:
		default:
			err = c.file(filepath.Join(source, name), filepath.Join(target, name))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", pkg, err)
		}
	}
	return nil
}

// file copies one file; in a Go file, imports of what was copied are redirected.
func (c *copier) file(source, target string) error {
	content, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	if strings.HasSuffix(source, ".go") {
		if content, err = c.redirect(source, content); err != nil {
			return err
		}
	}
	return os.WriteFile(target, content, 0o666)
}

func (c *copier) redirect(name string, content []byte) ([]byte, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, content, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	e := &edits{content: content, base: fset.File(file.FileStart)}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if imported != c.self && !strings.HasPrefix(imported, c.self+"/internal/") && !isInternal(imported) {
			continue
		}
		e.replace(spec.Path.Pos(), spec.Path.End(), strconv.Quote(Module+"/"+imported))
		if !excluded(file) {
			if err := c.copy(imported, false); err != nil {
				return nil, err
			}
		}
	}
	var out bytes.Buffer
	out.WriteString(e.text(file.FileStart, file.FileEnd))
	out.Write(content[fset.File(file.FileStart).Offset(file.FileEnd):])
	return out.Bytes(), nil
}

func isInternal(imported string) bool {
	return slices.Contains(strings.Split(imported, "/"), "internal")
}

// excluded reports a file that is never built here, and whose imports need not
// be there.
func excluded(file *ast.File) bool { return file.Name.Name == "ignore" }

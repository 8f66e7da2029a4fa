package inject

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
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
// in dir. Internal packages that it needs are copied too, and so are packages that
// its tests need and that import it themselves, unchanged but for their imports, or
// replaced by a stand-in. It returns an error if one of them cannot be had outside
// the standard library.
func Copy(goroot, dir, pkg string) error {
	c := &copier{goroot: goroot, dir: dir, self: pkg, done: make(map[string]bool), leads: map[string]bool{pkg: true}}
	for _, other := range strings.Fields(together[pkg]) {
		c.leads[other] = true
	}
	if c.leadsToSelf("testing") { // and so does nearly everything
		c.leads = nil
	}
	return c.copy(pkg, true)
}

type copier struct {
	goroot, dir string
	self        string
	done        map[string]bool
	leads       map[string]bool // which packages are or import self, or one that it is copied together with; nil: none is copied for that
}

// leadsToSelf reports whether a package imports the one that is copied, and can be
// copied with it: cryptography cannot be had outside the standard library.
func (c *copier) leadsToSelf(pkg string) bool {
	leads, known := c.leads[pkg]
	if known || c.leads == nil || strings.HasPrefix(pkg, "crypto/") {
		return leads
	}
	c.leads[pkg] = false
	dir := filepath.Join(c.goroot, "src", filepath.FromSlash(pkg))
	entries, _ := os.ReadDir(dir) // what is no package of the standard library's leads nowhere
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, _ := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.ImportsOnly)
		if file == nil || file.Name.Name == "main" || excluded(file) { // generators of sources
			continue
		}
		for _, spec := range file.Imports {
			if imported, err := strconv.Unquote(spec.Path.Value); err == nil && c.leadsToSelf(imported) {
				c.leads[pkg] = true
			}
		}
	}
	return c.leads[pkg]
}

func (c *copier) copy(pkg string, tests bool) error {
	if c.done[pkg] {
		return nil
	}
	c.done[pkg] = true
	source := filepath.Join(c.goroot, "src", filepath.FromSlash(pkg))
	target := filepath.Join(c.dir, filepath.FromSlash(pkg))
	if err := emptied(target); err != nil {
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

// emptied makes a folder without files: an earlier copy may have been changed.
func emptied(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		if !entry.IsDir() {
			err = cmp.Or(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return err
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
		content = c.linked(content)
	}
	if strings.HasSuffix(source, "_test.go") {
		if err := c.read(source, target, content); err != nil {
			return err
		}
	}
	return os.WriteFile(target, content, 0o666)
}

var linkname = regexp.MustCompile(`(?m)^//go:linkname \w+ ([\w/]+)\.`)

// linked redirects the symbols that a file takes from a package that was copied.
func (c *copier) linked(content []byte) []byte {
	return linkname.ReplaceAllFunc(content, func(line []byte) []byte {
		if from := linkname.FindSubmatch(line)[1]; c.leads[string(from)] {
			return bytes.Replace(line, from, []byte(Module+"/"+string(from)), 1)
		}
		return line
	})
}

var neighbour = regexp.MustCompile(`"(\.\./[\w./-]+\.\w+)"`)

// read copies the files of other folders that a test reads.
func (c *copier) read(source, target string, content []byte) error {
	for _, m := range neighbour.FindAllSubmatch(content, -1) {
		name := filepath.FromSlash(string(m[1]))
		text, err := os.ReadFile(filepath.Join(filepath.Dir(source), name))
		if err != nil {
			continue // no such file there either
		}
		to := filepath.Join(filepath.Dir(target), name)
		if _, err := os.Stat(to); err == nil {
			continue // a package's, with its imports redirected
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o666); err != nil {
			return err
		}
	}
	return nil
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
		if imported != c.self && !strings.HasPrefix(imported, c.self+"/internal/") && !isInternal(imported) && !c.leadsToSelf(imported) {
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

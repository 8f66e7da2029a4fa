package load

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// A scan is what the main modules' files say before anything is type-checked.
type scan struct {
	fset    *token.FileSet
	sources map[string]*source // annotated files by path
	outputs map[string]string  // outputs by path, with the base name of the source they name
	taken   map[string]string  // hand-written files that stand where an output belongs, with the source's path
	unclear map[string]bool    // outputs of files that may be sources: they cannot be read, or not as Go
	dirs    map[string][]string
	parsed  map[string]*ast.File // syntax of neighbours, by path; nil where unreadable
}

// A source is an annotated file as the scan sees it.
type source struct {
	path, output string
	content      []byte
	file         *ast.File
	constraint   string
	badness      error             // the constraint cannot be read
	structs      map[string]string // what carries the results of functions with more than three, by F or T.M
}

// mainModules lists the folders of the main module, or of a workspace's
// modules.
func mainModules(ctx context.Context, cfg Config) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}")
	cmd.Dir = cfg.Dir
	cmd.Env = append(environ(cfg), "PWD="+cfg.Dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if message := strings.TrimSpace(stderr.String()); message != "" {
			return nil, fmt.Errorf("%s", message)
		}
		return nil, fmt.Errorf("go list -m: %v", err)
	}
	dirs := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(dirs) == 0 {
		return nil, fmt.Errorf("no go.mod in %s or a folder above it; run: go mod init", cfg.Dir)
	}
	return dirs, nil
}

func environ(cfg Config) []string {
	if cfg.Env != nil {
		return cfg.Env[:len(cfg.Env):len(cfg.Env)]
	}
	return os.Environ()
}

// scanModules reads every Go file of the modules in roots.
func scanModules(roots []string) (*scan, error) {
	s := &scan{
		fset:    token.NewFileSet(),
		sources: make(map[string]*source),
		outputs: make(map[string]string),
		taken:   make(map[string]string),
		unclear: make(map[string]bool),
		dirs:    make(map[string][]string),
		parsed:  make(map[string]*ast.File),
	}
	for _, root := range roots {
		err := GoFiles(root, s.add)
		if err != nil {
			return nil, err
		}
	}
	s.findTaken()
	s.nameStructs()
	return s, nil
}

// skipDir says which folders hold no Go of the module's own.
func skipDir(root, dir string) error {
	if dir == root {
		return nil
	}
	if SkipsDir(dir) || OtherModule(dir) { // a workspace lists the latter as roots of their own
		return filepath.SkipDir
	}
	return nil
}

// SkipsDir reports whether a folder of that name has nothing of the module's own.
func SkipsDir(dir string) bool {
	switch filepath.Base(dir) {
	case ".git", "node_modules", "vendor":
		return true
	}
	return false
}

// OtherModule reports whether a module begins at dir.
func OtherModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// GoFiles calls f for every Go file of the module at root: for those of outputs,
// of testdata, and of other platforms too.
func GoFiles(root string, f func(path string) error) error {
	return WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == root:
			return err
		case err != nil:
			return nil // a folder that cannot be read is the go command's to report
		case entry.IsDir():
			return skipDir(root, path)
		case strings.HasSuffix(path, ".go"):
			return f(path)
		}
		return nil
	})
}

// WalkDir is filepath.WalkDir, but root itself may be a symbolic link, as the folder of
// a module may for the go command.
func WalkDir(root string, f fs.WalkDirFunc) error {
	return filepath.WalkDir(root+string(filepath.Separator), func(path string, entry fs.DirEntry, err error) error {
		return f(filepath.Clean(path), entry, err)
	})
}

// files are the Go files that there were.
func (s *scan) files() map[string]bool {
	files := make(map[string]bool)
	for _, paths := range s.dirs {
		for _, path := range paths {
			files[path] = true
		}
	}
	return files
}

// add reads the file at path: an output, an annotated source, or neither.
func (s *scan) add(path string) error {
	dir := filepath.Dir(path)
	s.dirs[dir] = append(s.dirs[dir], path)
	content, err := os.ReadFile(path)
	if err != nil {
		s.unclear[OutputPath(path)] = true
		return nil // if it matters, the go command reports it
	}
	if name, ok := GeneratedFrom(content); ok {
		s.outputs[path] = name
		return nil
	}
	if !bytes.Contains(content, []byte(Directive)) {
		return nil
	}
	file, err := parser.ParseFile(s.fset, path, content, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil || len(Annotated(file)) == 0 {
		if err != nil {
			s.unclear[OutputPath(path)] = true
		}
		return nil
	}
	src := &source{path: path, output: OutputPath(path), content: content, file: file, structs: make(map[string]string)}
	src.constraint, src.badness = outputConstraint(path, file)
	s.sources[path] = src
	return nil
}

// findTaken looks for files that are in the way of an output. An empty file is
// not: nobody loses anything.
func (s *scan) findTaken() {
	for path, src := range s.sources {
		info, err := os.Stat(src.output)
		if err != nil || s.outputs[src.output] != "" || info.Mode().IsRegular() && blank(src.output) {
			continue
		}
		s.taken[src.output] = path
	}
}

func blank(path string) bool {
	content, err := os.ReadFile(path)
	return err == nil && len(bytes.TrimSpace(content)) == 0
}

// orphans lists the outputs that no source asks for. The go command does not parse
// another platform's files, so nobody says that such a source is broken: its output
// stays.
func (s *scan) orphans() []Orphan {
	wanted := make(map[string]bool)
	for _, src := range s.sources {
		wanted[src.output] = true
	}
	var orphans []Orphan
	for path, name := range s.outputs {
		if !wanted[path] && !s.unclear[path] {
			orphans = append(orphans, Orphan{Path: path, Source: name})
		}
	}
	sort.Slice(orphans, func(i, j int) bool { return orphans[i].Path < orphans[j].Path })
	return orphans
}

// excludedContent takes a file out of every build.
const excludedContent = "//go:build ignore\n\npackage ignore\n"

// leftName is the name of a file that stands for a package of which only outputs are left.
const leftName = "nothread_left.go"

// overlay is what the type checker sees in place of outputs. Of a package that has lost
// all else something empty stays: ./... would not match its folder, and so not find what
// is orphaned there, and who imports it would hear of a package without a name.
func (s *scan) overlay() map[string][]byte {
	overlay := make(map[string][]byte)
	for _, orphan := range s.orphans() {
		overlay[orphan.Path] = []byte(excludedContent)
		if dir := filepath.Dir(orphan.Path); s.onlyOutputs(dir) {
			overlay[filepath.Join(dir, leftName)] = []byte("package " + packageName(orphan.Path) + "\n")
		}
	}
	for _, src := range s.sources {
		if s.taken[src.output] == "" && src.badness == nil {
			overlay[src.output] = s.stub(src)
		}
	}
	return overlay
}

// onlyOutputs reports whether nothing but outputs is left in a folder: without sources
// all of them are orphans.
func (s *scan) onlyOutputs(dir string) bool {
	return !slices.ContainsFunc(s.dirs[dir], func(path string) bool { return s.outputs[path] == "" })
}

// packageName is the name of the package that the output at path belonged to, or another
// one if it does not say.
func packageName(path string) string {
	name := ""
	if file, _ := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly); file != nil {
		name = file.Name.Name
	}
	if strings.HasSuffix(path, "_test.go") {
		name = strings.TrimSuffix(name, "_test")
	}
	if !token.IsIdentifier(name) || name == "_" {
		return "left"
	}
	return name
}

// neighbours is the syntax of the files that form a package with src: the same
// folder and package clause, outputs left out.
func (s *scan) neighbours(src *source) []*ast.File {
	files := []*ast.File{src.file}
	for _, path := range s.dirs[filepath.Dir(src.path)] {
		if path == src.path || s.outputs[path] != "" {
			continue
		}
		file, ok := s.parsed[path]
		if !ok {
			file, _ = parser.ParseFile(s.fset, path, nil, parser.SkipObjectResolution)
			s.parsed[path] = file
		}
		if file != nil && file.Name.Name == src.file.Name.Name {
			files = append(files, file)
		}
	}
	return files
}

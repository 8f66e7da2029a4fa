package inject

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// FunctionAt names the function that a line of a source with awaits, or of the
// compiler's output for it, belongs to; "" if none of ours.
func FunctionAt(path string, line int) string {
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if file == nil {
		return ""
	}
	found := ""
	for _, decl := range file.Decls {
		if fset.Position(decl.Pos()).Line-2 > line {
			break
		}
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(fn.Name.Name, prefix) || strings.HasPrefix(fn.Name.Name, prefix+"_") {
			continue
		}
		typeName, name, method := strings.Cut(Name(fn), ".")
		if !method {
			typeName, name = "", typeName
		} else {
			typeName += "."
		}
		name = strings.TrimPrefix(name, prefix)
		if strings.Contains(filepath.Base(path), "_async") {
			name = strings.TrimSuffix(name, "Async")
		}
		found = typeName + name
	}
	return found
}

// CountAllocations lists the tests in dir that measure allocations, and all else
// that leads there: a machine that suspends has one more.
func CountAllocations(dir string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	uses := make(map[string][]string) // who mentions a name
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				ast.Inspect(fn, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						uses[id.Name] = append(uses[id.Name], fn.Name.Name)
					}
					return true
				})
			}
		}
	}
	seen := make(map[string]bool)
	work := []string{"AllocsPerRun", "ReadMemStats"}
	for len(work) > 0 {
		name := work[0]
		work = work[1:]
		if !seen[name] && !strings.HasPrefix(name, "Benchmark") {
			seen[name] = true
			work = append(work, uses[name]...)
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// Programs lists the toolchain's tests whose name begins with prefix and that
// are programs of one file, to be run without arguments. Not every toolchain
// comes with them.
func Programs(goroot, prefix string) ([]string, error) {
	root := filepath.Join(goroot, "test")
	var list []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil || !strings.HasPrefix(filepath.ToSlash(name), prefix) {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.HasPrefix(content, []byte("// run\n")) {
			list = append(list, filepath.ToSlash(name))
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// CopyProgram copies one of them into the module in dir and returns its folder
// there.
func CopyProgram(goroot, dir, name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(goroot, "test", filepath.FromSlash(name)))
	if err != nil {
		return "", err
	}
	folder := "programs/" + strings.ReplaceAll(strings.TrimSuffix(name, ".go"), "/", "-")
	if err := os.MkdirAll(filepath.Join(dir, folder), 0o777); err != nil {
		return "", err
	}
	return folder, os.WriteFile(filepath.Join(dir, folder, "main.go"), content, 0o666)
}

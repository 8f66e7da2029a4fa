package cache

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nothread/nothread/transform/internal/load"
)

// A digest is what is known of a folder.
type digest struct {
	Sum     string
	files   map[string]file   // the Go files, by name
	outputs map[string][]byte // those that are outputs of ours
	embeds  bool              // some file embeds others
}

// A file is a Go file.
type file struct {
	sum      [sha256.Size]byte
	modified time.Time
}

// digests are folders by path; one that cannot be read is missing.
type digests map[string]*digest

// read adds folders that are not there yet, several at a time.
func (d digests) read(dirs []string) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	asked := make(map[string]bool)
	for _, dir := range dirs {
		if d[dir] == nil {
			asked[dir] = true
		}
	}
	for dir := range asked {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if one, err := readFolder(dir); err == nil {
				mu.Lock()
				d[dir] = one
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// matters are the endings of files that the go command looks at.
var matters = []string{".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for",
	".f90", ".s", ".S", ".sx", ".swig", ".swigcxx", ".syso"}

// readFolder is the digest of one folder.
func readFolder(dir string) (*digest, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	d := &digest{files: make(map[string]file), outputs: make(map[string][]byte)}
	sum := sha256.New()
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !slices.Contains(matters, filepath.Ext(name)) {
			continue
		}
		fmt.Fprintf(sum, "%q", name)
		if filepath.Ext(name) != ".go" {
			continue
		}
		f, content, err := readFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		d.files[name] = f
		sum.Write(f.sum[:])
		if _, ours := load.GeneratedFrom(content); ours {
			d.outputs[name] = content
		}
		d.embeds = d.embeds || bytes.Contains(content, []byte("//go:embed"))
	}
	d.Sum = fmt.Sprintf("%x", sum.Sum(nil))
	return d, nil
}

// modules is the digest of what says which modules there are.
func (c *Cache) modules(roots []string) (string, error) {
	var paths []string
	if c.work != "" {
		paths = append(paths, c.work, strings.TrimSuffix(c.work, ".work")+".work.sum")
	}
	for _, root := range roots {
		paths = append(paths, filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum"), filepath.Join(root, "vendor", "modules.txt"))
	}
	sum := sha256.New()
	seen := make(map[string]bool)
	for len(paths) > 0 {
		path := paths[0]
		if paths = paths[1:]; seen[path] {
			continue
		}
		seen[path] = true
		content, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			return "", err
		}
		fmt.Fprintf(sum, "%q %v %x\n", path, err == nil, sha256.Sum256(content))
		if main := path == c.work || slices.Contains(roots, filepath.Dir(path)); main && !strings.HasSuffix(path, "sum") {
			paths = append(paths, replacedModules(path, content)...)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// replacedModules are the go.mod files of the folders that a go.mod or go.work
// says to use in place of modules: whatever stands behind an arrow and is a path.
func replacedModules(path string, content []byte) (paths []string) {
	for line := range strings.Lines(string(content)) {
		_, target, ok := strings.Cut(line, "=>")
		if !ok {
			continue
		}
		target, _, _ = strings.Cut(target, "//")
		target = strings.Trim(strings.TrimSpace(target), "\"`")
		if !strings.HasPrefix(target, ".") && !filepath.IsAbs(target) {
			continue
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		paths = append(paths, filepath.Join(target, "go.mod"))
	}
	return paths
}

// rest is the digest of what else in the main modules could change which packages
// there are: where a go.mod stands, and, with a pattern that has "...", the Go
// files of all folders that the record does not name. With by it is an error if
// one of those was not there when the run began.
func (c *Cache) rest(r *record, by *seen) (string, error) {
	every := slices.ContainsFunc(c.cfg.Patterns, func(pattern string) bool { return strings.Contains(pattern, "...") })
	named := make(map[string]bool)
	for _, dir := range r.folders() {
		named[dir] = true
	}
	sum := sha256.New()
	for _, root := range r.Roots {
		fmt.Fprintf(sum, "root %q\n", root)
		err := load.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || !entry.IsDir() || path == root:
				return err
			case load.SkipsDir(path):
				return filepath.SkipDir
			case load.OtherModule(path):
				fmt.Fprintf(sum, "module %q\n", path)
				return filepath.SkipDir
			}
			return nil
		})
		if err == nil && every {
			err = load.GoFiles(root, func(path string) error {
				if named[filepath.Dir(path)] {
					return nil
				}
				return restFile(sum, path, by)
			})
		}
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

func restFile(sum io.Writer, path string, by *seen) error {
	f, content, err := readFile(path)
	if err != nil {
		return err
	}
	if by != nil && by.written[path] == nil && !by.old(path, f.modified) {
		return fmt.Errorf("%s changed meanwhile", path)
	}
	_, err = fmt.Fprintf(sum, "%q %x\n", path, sha256.Sum256(content))
	return err
}

// readFile reads a file and what is known of it.
func readFile(path string) (file, []byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return file{}, nil, err
	}
	content, err := os.ReadFile(path)
	return file{sha256.Sum256(content), info.ModTime()}, content, err
}

package load

import (
	"crypto/sha256"
	"go/ast"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/tools/go/packages"
)

// A Matched is a folder of packages that the patterns matched, and what those
// were made from.
type Matched struct {
	Dir      string
	Reads    []string // folders of the packages that these consist of and import, sorted; the toolchain's and the module cache's left out
	Excluded []string // annotated sources in Dir that this platform or the build tags leave out
	Cgo      bool     // C was compiled for one of them
}

// made lists what the matched packages were made from.
func (l *loader) made(loaded []*packages.Package, excluded []string) []Matched {
	byDir := make(map[string]*Matched)
	reads := make(map[string]map[string]bool)
	for _, pkg := range loaded {
		if !l.local(pkg.Dir) {
			continue
		}
		m := byDir[pkg.Dir]
		if m == nil {
			m = &Matched{Dir: pkg.Dir}
			byDir[pkg.Dir], reads[pkg.Dir] = m, make(map[string]bool)
		}
		packages.Visit([]*packages.Package{pkg}, nil, func(dep *packages.Package) {
			if l.changeable(dep) {
				reads[pkg.Dir][dep.Dir] = true
				m.Cgo = m.Cgo || hasCgo(dep)
			}
		})
	}
	var list []Matched
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		m := byDir[dir]
		reads[dir][dir] = true
		m.Reads = slices.Sorted(maps.Keys(reads[dir]))
		for _, path := range excluded {
			if filepath.Dir(path) == dir {
				m.Excluded = append(m.Excluded, path)
			}
		}
		list = append(list, *m)
	}
	return list
}

// changeable reports whether what is in a package's folder may change while its
// version stays: not so the standard library's and the module cache's.
func (l *loader) changeable(pkg *packages.Package) bool {
	switch m := pkg.Module; {
	case pkg.Dir == "" || l.testMain(pkg):
		return false
	case l.local(pkg.Dir):
		return true
	case m == nil:
		return false
	case m.Replace != nil:
		return m.Replace.Version == ""
	default:
		return m.Version == ""
	}
}

// hasCgo reports whether some of what was compiled lies elsewhere than the
// package.
func hasCgo(pkg *packages.Package) bool {
	return slices.ContainsFunc(pkg.CompiledGoFiles, func(path string) bool { return filepath.Dir(path) != pkg.Dir })
}

// A readSet says what files were when they were parsed, and which are no Go.
type readSet struct {
	mu     sync.Mutex
	sums   map[string][sha256.Size]byte
	broken map[*ast.File]bool
}

func (s *readSet) add(path string, content []byte) {
	sum := sha256.Sum256(content)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[path] = sum
}

func (s *readSet) addBroken(file *ast.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken[file] = true
}

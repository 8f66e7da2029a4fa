package load

import (
	"go/ast"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
)

// nameStructs names what carries more than three results: FourResults for Four,
// StackFourResults for Stack.Four, so that who may call a function may write the type of
// its task; fourResults for four, and for what is of a type that is not exported. Where
// functions of a package would have the same name for it, as aB.C and a.BC, all but the
// first in the alphabet have a number.
func (s *scan) nameStructs() {
	type name struct{ dir, pkg, text string }
	wanted := make(map[name]map[string]bool) // by whom
	each := func(f func(src *source, member string, name name)) {
		for path, src := range s.sources {
			for _, decl := range Annotated(src.file) {
				b := &stubber{scan: s, src: src}
				if len(resultsOf(decl, true).types) > 3 && len(resultsOf(decl, b.shadowsError(decl)).types) > 3 {
					f(src, QualifiedName(decl), name{filepath.Dir(path), src.file.Name.Name, structName(decl)})
				}
			}
		}
	}
	each(func(_ *source, member string, name name) {
		if wanted[name] == nil {
			wanted[name] = make(map[string]bool)
		}
		wanted[name][member] = true
	})
	each(func(src *source, member string, name name) {
		i := slices.Index(slices.Sorted(maps.Keys(wanted[name])), member)
		src.structs[member] = name.text
		if i > 0 {
			src.structs[member] += strconv.Itoa(i + 1)
		}
	})
}

func structName(decl *ast.FuncDecl) string {
	name := NameBase(decl) + "Results"
	if base, _ := Receiver(decl); decl.Name.IsExported() && (base == "" || ast.IsExported(base)) {
		return upperFirst(name)
	}
	return name
}

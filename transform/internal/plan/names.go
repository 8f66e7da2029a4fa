package plan

import (
	"go/ast"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nothread/nothread/transform/internal/load"
)

// importNames is what a file and its output call the packages that they import, by
// path; those are left out that the output alone imports, by their own names.
func importNames(pkg *load.Package, file *load.File) map[string]string {
	names := maps.Clone(pkg.Renamed)
	for _, spec := range file.Syntax.Imports {
		obj := pkg.Info.Implicits[spec]
		if spec.Name != nil {
			obj = pkg.Info.Defs[spec.Name]
		}
		if name, ok := obj.(*types.PkgName); ok && name.Name() != "_" {
			names[name.Imported().Path()] = name.Name()
		}
	}
	return names
}

// machineName is copyStreamMachine for CopyStream, stackPopMachine for Stack.Pop.
// It has a number if that, or a name that is made of it, is taken: by what else is
// to be generated, too, and by what the function itself mentions.
func machineName(pkg *load.Package, fn *load.Func) string {
	base := load.NameBase(fn.Decl)
	var others []string
	earlier, before := 0, true // functions with the same base, of which each takes one of the free names
	// A test's machines make way for those of what it tests, whose files come first.
	for _, file := range pkg.Syntax {
		for _, other := range load.Annotated(file) {
			before = before && other != fn.Decl
			if name := load.NameBase(other); name != base {
				others = append(others, name+"Machine")
				continue
			}
			if before {
				earlier++
			}
			ast.Inspect(other, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					others = append(others, id.Name)
				}
				return true
			})
		}
	}
	name := base + "Machine"
	for i := 2; ; i++ {
		if !clashes(name, base, pkg.Names, others) {
			if earlier--; earlier < 0 {
				return name
			}
		}
		name = base + "Machine" + strconv.Itoa(i)
	}
}

// clashes reports whether one of the names, which all begin with base if they are of
// interest, is what something made for the machine would be called.
func clashes(machine, base string, sorted, others []string) bool {
	from, _ := slices.BinarySearch(sorted, base)
	made := func(name string) bool { return madeFor(machine, name) }
	for _, name := range sorted[from:] {
		if !strings.HasPrefix(name, base) {
			break
		}
		if made(name) {
			return true
		}
	}
	return slices.ContainsFunc(others, made)
}

var numbered = regexp.MustCompile(`^(Defer|Type|Go|Func)[0-9]`)

// madeFor reports whether something that is made for the machine may be called name:
// its type, pool and table; types of deferred calls; async closures and what is made
// for them.
func madeFor(machine, name string) bool {
	if rest, ok := strings.CutPrefix(name, machine); ok && (rest == "" || rest == "s" || rest == "States") {
		return true
	}
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(machine, "Machine"))
	return ok && numbered.MatchString(rest)
}

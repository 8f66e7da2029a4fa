package load

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// findNames finds the names that what is generated cannot have.
func (p *Package) findNames() {
	p.Names = slices.Concat(p.Types.Scope().Names(), typesInBodies(p.Syntax))
	slices.Sort(p.Names)
	p.findAmbiguous()
	p.Renamed = make(map[string]string)
	p.rename(p.Types.Imports(), make(map[*types.Package]bool))
}

// typesInBodies are the names of the types that functions declare.
func typesInBodies(files []*ast.File) (names []string) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				return n.Tok != token.IMPORT
			case *ast.TypeSpec:
				names = append(names, n.Name.Name) // one at package level is in the scope anyway
			}
			return true
		})
	}
	return names
}

// findAmbiguous finds the names that types of several functions would have at package
// level: cOneX is C's oneX and COne's x.
func (p *Package) findAmbiguous() {
	p.Ambiguous = make(map[string]bool)
	bearer := make(map[string]string)
	for _, file := range p.Syntax {
		for _, decl := range Annotated(file) {
			base := NameBase(decl)
			ast.Inspect(decl, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok {
					name := base + upperFirst(spec.Name.Name)
					if other, ok := bearer[name]; ok && other != base {
						p.Ambiguous[name] = true
					}
					bearer[name] = base
				}
				return true
			})
		}
	}
}

// rename finds names for packages whose own are taken. Those that a source imports
// are not in the way of it; it is what only a type or generated code leads to.
func (p *Package) rename(imports []*types.Package, seen map[*types.Package]bool) {
	for _, imported := range imports {
		if seen[imported] {
			continue
		}
		seen[imported] = true
		name := imported.Name()
		for taken := true; taken; {
			if _, taken = slices.BinarySearch(p.Names, name); taken {
				name += "pkg"
			}
		}
		if name != imported.Name() {
			p.Renamed[imported.Path()] = name
		}
		p.rename(imported.Imports(), seen)
	}
}

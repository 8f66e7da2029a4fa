package load

import "go/types"

// IsStub reports whether obj is declared by a stub: a twin that is about to be
// generated, or the struct of its results.
func (p *Package) IsStub(obj types.Object) bool {
	if obj == nil || obj.Pkg() != p.Types || !obj.Pos().IsValid() {
		return false
	}
	file := p.Fset.File(obj.Pos())
	for _, syntax := range p.Syntax {
		if p.Fset.File(syntax.FileStart) == file {
			return false
		}
	}
	return true
}

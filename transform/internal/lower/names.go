package lower

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strconv"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Names are the author's, those of temporaries ours. Two variables of the same name
// share it, and so the Go variable, if they have the same type and are never alive
// together; else the later gets a suffix, as it does in a class. A local of MoveNext
// also makes way for whatever else the function means by the same name, for its scope
// is wider than the author's. Fields have a namespace of their own, but a temporary in
// the machine and one of MoveNext do not bear one name.
type namer struct {
	f        *ir.Func
	idents   map[string]bool // every name that the function mentions
	declared map[string]int  // how many variables it declares of a name
	taken    map[string]bool // names that a local of MoveNext must not hide
	ours     map[string]bool // of those, the ones that the generated text uses itself
	fields   map[string]bool // names of the machine's fields and methods
}

// reserved are the names that a machine has of its own or from its Builder.
var reserved = []string{
	"Builder", "Builder0", "Builder2", "Builder3", "Catch", "HandedOn", "Header", "IsCompleted", "MoveNext", "OnStack", "PooledBuilder",
	"PooledBuilder0", "PooledBuilder2", "PooledBuilder3", "Promote", "PromotePooled", "Recycle", "Restore", "Result", "Retire",
	"Return", "RunDeferred", "SetResult", "States", "SyncContext", "Task", "Unwind",
	"Awaited", "State", "catch", "deferredAwait", "defers", "exit", "exiting", "finish", "later", "leaveStack", "onHeap", "settle", "unwinding",
}

func newNamer(f *ir.Func) *namer {
	n := &namer{f: f, idents: make(map[string]bool), declared: make(map[string]int), taken: make(map[string]bool), fields: make(map[string]bool)}
	for _, name := range types.Universe.Names() {
		n.taken[name] = true
	}
	for _, name := range reserved {
		n.fields[name] = true
	}
	info := f.Source.Info
	for _, name := range []string{f.Source.NameOf(ir.AsyncPath, "async"), f.Source.NameOf("unicode/utf8", "utf8")} {
		n.taken[name] = true
	}
	for _, v := range f.Vars {
		n.writes(v.Type)
	}
	for _, a := range f.Awaits {
		n.writes(a.Type)
	}
	n.ours = maps.Clone(n.taken)
	ast.Inspect(f.Decl, func(node ast.Node) bool {
		id, ok := node.(*ast.Ident)
		if !ok {
			return true
		}
		n.idents[id.Name] = true
		obj, defines := info.Defs[id]
		if !defines {
			obj = info.Uses[id]
		}
		switch obj := obj.(type) {
		case nil: // of a type switch that binds, if it defines
			n.declared[id.Name]++
		case *types.Label:
		case *types.Var:
			if defines && !obj.IsField() {
				n.declared[id.Name]++
			}
			if !obj.IsField() && obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
				n.taken[id.Name] = true
			}
		default:
			n.taken[id.Name] = true
		}
		return true
	})
	return n
}

// writes takes the names that the generated text writes a type with, though the function
// may never mention them: of packages, and of the package's own types.
func (n *namer) writes(t types.Type) {
	name := func(obj *types.TypeName) {
		if obj.Pkg() == n.f.Source.Pkg {
			n.taken[obj.Name()], n.idents[obj.Name()] = true, true
		} else if p := obj.Pkg(); p != nil {
			n.taken[n.f.Source.NameOf(p.Path(), p.Name())] = true
		}
	}
	ir.Components(t, make(map[types.Type]bool), func(t types.Type) bool {
		switch t := t.(type) {
		case *types.Named:
			name(t.Obj())
		case *types.Alias:
			name(t.Obj())
		}
		return true
	})
}

// unique returns name, or name with the first suffix that is not among taken.
func (n *namer) unique(name string, taken map[string]bool) string {
	candidate := name
	for i := 2; taken[candidate]; i++ {
		candidate = withSuffix(name, i)
	}
	taken[candidate] = true
	return candidate
}

func withSuffix(name string, i int) string {
	if last := name[len(name)-1]; '0' <= last && last <= '9' {
		name += "_"
	}
	return name + strconv.Itoa(i)
}

// constants gives those that move to the top of MoveNext names of their own,
// where the function means anything else by the name, a parameter say or the
// constant of another block.
func (n *namer) constants() {
	n.f.Names = make(map[types.Object]string)
	if len(n.f.Consts) == 0 {
		return
	}
	info := n.f.Source.Info
	meant := make(map[string]map[types.Object]bool)
	ast.Inspect(n.f.Decl, func(node ast.Node) bool {
		if id, ok := node.(*ast.Ident); ok {
			if obj := info.ObjectOf(id); obj != nil {
				if meant[id.Name] == nil {
					meant[id.Name] = make(map[types.Object]bool)
				}
				meant[id.Name][obj] = true
			}
		}
		return true
	})
	for _, decl := range n.f.Consts {
		for _, spec := range decl.Specs {
			for _, id := range spec.(*ast.ValueSpec).Names {
				if obj := info.Defs[id]; obj != nil && id.Name != "_" && (len(meant[id.Name]) > 1 || n.ours[id.Name]) {
					n.f.Names[obj] = n.unique(id.Name, n.idents)
				}
			}
		}
	}
}

func (n *namer) variables() {
	named := make(map[string][]*ir.Var)
	for _, v := range n.f.Vars {
		taken := n.taken
		if v.InMachine() {
			taken = n.fields
		} else if v.Kind == ir.Temp || n.hidden(v) {
			taken = n.idents // whole statements may declare their own
		}
		n.name(v, named, taken)
		named[v.Name] = append(named[v.Name], v)
	}
	for _, v := range n.f.Vars {
		if !v.InMachine() {
			n.idents[v.Name] = true
		}
	}
	n.captures()
}

// hidden reports whether v is a result that a return in a whole statement may have to name
// where its name means something else: all are named there if somebody else sees one.
//
//	*n, err2 = 1, nil
//	return m.finish(*n, err2)
func (n *namer) hidden(v *ir.Var) bool {
	return v.Kind == ir.Result && n.declared[v.Name] > 1 &&
		slices.ContainsFunc(n.f.Results, func(r *ir.Var) bool { return r != nil && r.Cell })
}

// captures names what closures capture: as the author does, unless there are
// several variables of that name. One statement may declare one of them while a
// closure in it captures another.
func (n *namer) captures() {
	count := make(map[string]int)
	for _, v := range n.f.Vars {
		if v.Obj != nil {
			count[v.Obj.Name()]++
		}
	}
	for _, v := range n.f.Vars {
		switch {
		case v.Obj == nil || !v.Captured:
		case count[v.Obj.Name()] > 1:
			v.Inside = n.unique(v.Obj.Name(), n.idents)
		default:
			v.Inside = v.Obj.Name()
		}
	}
}

// name gives v its author's name, shared with earlier variables where that is
// harmless.
func (n *namer) name(v *ir.Var, earlier map[string][]*ir.Var, taken map[string]bool) {
	base := v.Name
	for i := 1; ; i++ {
		candidate := base
		if i > 1 {
			candidate = withSuffix(base, i)
		}
		holders := holders(v, earlier[candidate])
		switch {
		case len(holders) > 0:
			if !n.shares(v, holders) {
				continue
			}
			v.Zeroed = true
		case taken[candidate] || i > 1 && n.idents[candidate]:
			continue
		}
		v.Name = candidate
		return
	}
}

// holders are those of the earlier variables of a name for whose sake v may not just
// be called that too.
func holders(v *ir.Var, earlier []*ir.Var) []*ir.Var {
	var list []*ir.Var
	for _, w := range earlier {
		if w.InMachine() == v.InMachine() || w.Kind == ir.Temp && v.Kind == ir.Temp {
			list = append(list, w)
		}
	}
	return list
}

// shares reports whether v can be the same Go variable as all of holders.
func (n *namer) shares(v *ir.Var, holders []*ir.Var) bool {
	if v.Kind != ir.Local && v.Kind != ir.Temp || n.f.Iterates(v) { // iterators are left at the end, all of them
		return false
	}
	if n.f.Class && v.Lifted && v.Kind == ir.Local { // who looks sees them all
		return false
	}
	for _, w := range holders {
		if v.Kind != w.Kind || v.InMachine() != w.InMachine() || v.Cell != w.Cell || !types.Identical(v.Type, w.Type) || n.f.Apart[[2]*ir.Var{v, w}] ||
			v.Kind == ir.Local && v.Obj.Name() != w.Obj.Name() { // Apart compares those of one name
			return false
		}
	}
	return true
}

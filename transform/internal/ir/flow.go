package ir

import (
	"go/ast"
	"go/types"
	"slices"
)

// Targets returns the blocks that are reached by a goto: not only by falling
// into them from the block before.
func (f *Func) Targets() map[*Block]bool {
	targets := make(map[*Block]bool)
	for i, blk := range f.Blocks {
		for _, in := range blk.Instrs {
			for _, to := range f.LeapsOf(in) {
				targets[to] = true
			}
		}
		for _, to := range Jumps(blk.Term, f.After(i)) {
			targets[to] = true
		}
	}
	return targets
}

// Succs returns the blocks in which blk may go on.
func (f *Func) Succs(blk *Block) []*Block {
	succs := blk.Term.Succs()
	for _, in := range blk.Instrs {
		succs = append(succs, f.LeapsOf(in)...)
	}
	return succs
}

// Reached returns the blocks to which control can come from these, which are among them.
func (f *Func) Reached(from ...*Block) map[*Block]bool {
	reached := make(map[*Block]bool)
	for len(from) > 0 {
		blk := from[len(from)-1]
		from = from[:len(from)-1]
		if !reached[blk] {
			reached[blk] = true
			from = append(from, f.Succs(blk)...)
		}
	}
	return reached
}

// After returns the block that stands behind the one with index i, nil if that
// is the last.
func (f *Func) After(i int) *Block {
	if i+1 < len(f.Blocks) {
		return f.Blocks[i+1]
	}
	return nil
}

// Jumps lists the successors of t that need a goto when next follows.
func Jumps(t Term, next *Block) []*Block {
	var list []*Block
	if s, ok := t.(*Switch); ok {
		for _, c := range s.Clauses {
			list = append(list, c.To)
		}
		if s.Else != nil && s.Else != next {
			list = append(list, s.Else)
		}
		return list
	}
	for _, to := range t.Succs() {
		if to != next {
			list = append(list, to)
		}
	}
	return list
}

// Panics reports whether e is a call of the predeclared panic: nothing goes on behind it.
func Panics(info *types.Info, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && info.Uses[id] == types.Universe.Lookup("panic")
}

// States lists the suspension points in the order of their states: those of the
// body, then those of its end: streams that are left, and what is deferred.
func (f *Func) States() []*Await {
	list := slices.Clone(f.Awaits)
	for _, l := range f.Loops {
		if l.Left != nil {
			list = append(list, l.Left)
		}
	}
	for _, d := range f.Defers {
		if d.Await != nil {
			list = append(list, d.Await)
		}
	}
	return list
}

// Kept lists what the machine must keep while it waits at a, in order of
// appearance: what is read later, and what the end of the function needs, however it
// ends: where deferred calls are made or loops left, its results and its iterators.
func (f *Func) Kept(a *Await) []*Var {
	needed := make(map[*Var]bool)
	for _, v := range a.Live {
		needed[v] = true
	}
	if f.Unwinds() {
		for _, v := range f.Results {
			needed[v] = true
		}
		outside := a.Leaves && a.Block == nil // of the loop that is left where the function ends, or itself
		for _, l := range f.Loops {
			needed[l.Iterator] = needed[l.Iterator] || outside || slices.Contains(a.Held, l.Iterator)
			outside = outside && l.Left != a
		}
	}
	var list []*Var
	for _, v := range f.Vars {
		if v.Lifted && needed[v] {
			list = append(list, v)
		}
	}
	return list
}

package ir

import (
	"maps"
	"slices"
)

// A VarSet is a set of variables.
type VarSet map[*Var]bool

// Liveness returns what is live at the start of each block: what some path from
// there reads before it sets it. Each variable goes back once over each way on which
// it is live, however deep loops are nested.
func (f *Func) Liveness() map[*Block]VarSet {
	type arrival struct {
		v  *Var
		at *Block
	}
	in, ways := make(map[*Block]VarSet, len(f.Blocks)), make(map[*Block][]way)
	var work []arrival
	for _, blk := range f.Blocks {
		in[blk] = f.WalkBack(blk, nil, nil)
		for v := range in[blk] {
			work = append(work, arrival{v, blk})
		}
		f.waysFrom(blk, ways)
	}
	for len(work) > 0 {
		last := work[len(work)-1]
		work = work[:len(work)-1]
		for _, w := range ways[last.at] {
			if !w.set[last.v] && !slices.Contains(w.chosen, last.v) && !in[w.from][last.v] {
				in[w.from][last.v] = true
				work = append(work, arrival{last.v, w.from})
			}
		}
	}
	return in
}

// A way leads from a block to one where it goes on.
type way struct {
	from   *Block
	set    VarSet // on it, by instructions
	chosen []*Var // on it, by the clause of a switch
}

// waysFrom adds the ways from blk to those that lead to the same blocks.
func (f *Func) waysFrom(blk *Block, ways map[*Block][]way) {
	set := make(VarSet)
	add := func(to *Block, chosen []*Var) { ways[to] = append(ways[to], way{blk, set, chosen}) }
	for _, in := range blk.Instrs {
		f.Refs(in, func(*Var) {}, func(v *Var) { set[v] = true })
		if leaps := f.LeapsOf(in); len(leaps) > 0 {
			for _, to := range leaps {
				add(to, nil)
			}
			set = maps.Clone(set) // what follows is not on those ways
		}
	}
	if t, ok := blk.Term.(*Switch); ok {
		for _, c := range t.Clauses {
			add(c.To, f.SetBy(c))
		}
		if t.Else != nil {
			add(t.Else, nil)
		}
		return
	}
	for _, to := range blk.Term.Succs() {
		add(to, nil)
	}
}

// WalkBack returns what is live at the start of blk, given what is at the start
// of the blocks that follow. It shows each instruction, and each clause of a
// switch at the end as nil, with the variables that it sets and what is live
// after it.
func (f *Func) WalkBack(blk *Block, in map[*Block]VarSet, at func(instr Instr, sets []*Var, after VarSet)) VarSet {
	if at == nil {
		at = func(Instr, []*Var, VarSet) {}
	}
	live := make(VarSet)
	join := func(succ *Block, except []*Var) {
		for v := range in[succ] {
			if !slices.Contains(except, v) {
				live[v] = true
			}
		}
	}
	if t, ok := blk.Term.(*Switch); ok {
		for _, c := range t.Clauses {
			sets := f.SetBy(c)
			at(nil, sets, in[c.To])
			join(c.To, sets)
		}
		if t.Else != nil {
			join(t.Else, nil)
		}
	} else {
		for _, succ := range blk.Term.Succs() {
			join(succ, nil)
		}
	}
	f.TermRefs(blk.Term, func(v *Var) { live[v] = true })
	for i := len(blk.Instrs) - 1; i >= 0; i-- {
		instr := blk.Instrs[i]
		for _, succ := range f.LeapsOf(instr) {
			join(succ, nil)
		}
		var reads, sets []*Var
		f.Refs(instr, func(v *Var) { reads = append(reads, v) }, func(v *Var) { sets = append(sets, v) })
		at(instr, sets, live)
		for _, v := range sets {
			delete(live, v)
		}
		for _, v := range reads {
			live[v] = true
		}
	}
	return live
}

package ir

import "slices"

// A VarSet is a set of variables.
type VarSet map[*Var]bool

// Liveness returns what is live at the start of each block: what some path from
// there reads before it sets it.
func (f *Func) Liveness() map[*Block]VarSet {
	in := make(map[*Block]VarSet)
	for changed := true; changed; {
		changed = false
		for i := len(f.Blocks) - 1; i >= 0; i-- {
			blk := f.Blocks[i]
			live := f.WalkBack(blk, in, nil)
			if len(live) != len(in[blk]) {
				in[blk] = live
				changed = true
			}
		}
	}
	return in
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

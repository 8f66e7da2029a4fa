package plan

import (
	"slices"

	"golang.org/x/tools/container/intsets"

	"github.com/nothread/nothread/transform/internal/ir"
)

// markHeld notes at each await which lifted variables may have been set by then:
// what of those is not live is let go of while the machine waits.
func (b *builder) markHeld() {
	h := holding{f: b.f, index: make(map[*ir.Var]int), in: make(map[*ir.Block]*intsets.Sparse)}
	for i, v := range b.f.Vars {
		if v.Lifted {
			h.index[v] = i
		}
	}
	h.reach(b.f.Entry, new(intsets.Sparse))
	for len(h.work) > 0 {
		blk := h.work[len(h.work)-1]
		h.work = h.work[:len(h.work)-1]
		h.follow(blk, func(*ir.Await, *intsets.Sparse) {})
	}
	for _, blk := range b.f.Blocks {
		h.follow(blk, func(a *ir.Await, set *intsets.Sparse) {
			for _, v := range b.f.Vars {
				if v.Lifted && (v.Kind == ir.Param || set.Has(h.index[v])) {
					a.Held = append(a.Held, v)
				}
			}
		})
	}
}

// A holding follows what may have been set, forward from the function's start.
type holding struct {
	f     *ir.Func
	index map[*ir.Var]int               // of the lifted variables
	in    map[*ir.Block]*intsets.Sparse // at the start of each block that is reached
	work  []*ir.Block                   // whose start has changed
}

// reach notes that blk may start with set.
func (h *holding) reach(blk *ir.Block, set *intsets.Sparse) {
	in := h.in[blk]
	if in == nil {
		in = new(intsets.Sparse)
		h.in[blk] = in
	} else if set.SubsetOf(in) {
		return
	}
	in.UnionWith(set)
	h.work = append(h.work, blk)
}

// follow goes through blk, shows each await with what may have been set before it,
// and reaches the blocks where blk goes on.
func (h *holding) follow(blk *ir.Block, await func(a *ir.Await, set *intsets.Sparse)) {
	var set intsets.Sparse
	set.Copy(h.in[blk])
	add := func(v *ir.Var) { h.add(&set, v) }
	for _, in := range blk.Instrs {
		if a, ok := in.(*ir.Await); ok {
			await(a, &set)
		}
		if d, ok := in.(*ir.Declare); ok && !d.Var.Cell {
			continue // no more than a zero value
		}
		h.f.Refs(in, add, add) // what a cell or a whole statement sets is only mentioned
		for _, to := range h.f.LeapsOf(in) {
			h.reach(to, &set)
		}
	}
	s, ok := blk.Term.(*ir.Switch)
	if !ok {
		for _, to := range blk.Term.Succs() {
			h.reach(to, &set)
		}
		return
	}
	for _, c := range s.Clauses {
		var chosen intsets.Sparse
		chosen.Copy(&set)
		for _, v := range slices.Concat(h.f.SetBy(c), c.Recv, []*ir.Var{c.Bind}) { // cells too
			h.add(&chosen, v)
		}
		h.reach(c.To, &chosen)
	}
	if s.Else != nil {
		h.reach(s.Else, &set)
	}
}

func (h *holding) add(set *intsets.Sparse, v *ir.Var) {
	if i, lifted := h.index[v]; lifted {
		set.Insert(i)
	}
}

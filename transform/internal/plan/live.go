package plan

import (
	"slices"

	"github.com/nothread/nothread/transform/internal/ir"
)

// live decides where each variable lives: in a cell of its own, in the machine,
// or in MoveNext.
//
//	its address is taken, or a closure captures it and it    → a cell: x is a
//	is assigned after its declaration                          pointer to its value
//	it is live after some await                              → lifted
//	else                                                     → a local of MoveNext
//
// Only what is read after a resumption before it is set again is live there. A
// cell is live as long as anything mentions it: what is set through it must be
// seen through every other reference to it.
func (b *builder) live() {
	for _, v := range b.f.Vars {
		if !v.Outer {
			v.Cell = v.Addressed || v.Captured && v.Writes > 0
		}
	}
	in := b.f.Liveness()
	for _, blk := range b.f.Blocks {
		b.f.WalkBack(blk, in, func(instr ir.Instr, sets []*ir.Var, after ir.VarSet) {
			if a, ok := instr.(*ir.Await); ok {
				for _, v := range b.f.Vars {
					if after[v] {
						v.Lifted = true
						a.Live = append(a.Live, v)
					}
				}
			}
			b.keepApart(sets, after)
		})
	}
	b.markUsed()
	b.markZeroed()
	if b.f.Class {
		b.liftAll()
	}
	b.markHeld()
	if b.f.Class {
		b.keepAll()
	}
}

// liftAll makes fields of all variables of the author's, as C#'s debug builds do: for
// whoever looks into the machine.
func (b *builder) liftAll() {
	for _, v := range b.f.Vars {
		v.Lifted = v.Lifted || v.Obj != nil && v.Alive()
	}
}

// keepAll keeps at each await what may have been set by then, needed or not.
func (b *builder) keepAll() {
	for _, a := range b.f.Awaits {
		for _, v := range a.Held {
			if !slices.Contains(a.Live, v) {
				a.Live = append(a.Live, v)
			}
		}
	}
}

// keepApart notes which variables of the same name are alive where another is
// set.
func (b *builder) keepApart(sets []*ir.Var, after ir.VarSet) {
	for _, v := range sets {
		for w := range after {
			if w != v && w.Name == v.Name {
				b.f.Apart[[2]*ir.Var{v, w}] = true
				b.f.Apart[[2]*ir.Var{w, v}] = true
			}
		}
	}
}

// markUsed notes which variables something reads: Go wants a local used.
func (b *builder) markUsed() {
	used := func(v *ir.Var) { v.Used = true }
	set := func(v *ir.Var) { v.Set = true }
	for _, blk := range b.f.Blocks {
		for _, in := range blk.Instrs {
			b.f.Uses(in, used)
			b.f.Refs(in, func(*ir.Var) {}, set)
		}
		if s, ok := blk.Term.(*ir.Switch); ok {
			for _, c := range s.Clauses {
				for _, v := range append(b.f.SetBy(c), c.Recv...) { // cells too
					set(v)
				}
				if c.Bind != nil {
					set(c.Bind)
				}
			}
		}
		b.f.TermRefs(blk.Term, used)
	}
}

// markZeroed notes the declarations that run more than once: they must store
// the zero value.
func (b *builder) markZeroed() {
	for _, blk := range b.f.Blocks {
		var zero []*ir.Var
		for _, in := range blk.Instrs {
			if d, ok := in.(*ir.Declare); ok && d.Zero {
				zero = append(zero, d.Var)
			}
		}
		if len(zero) == 0 || !b.f.Reached(b.f.Succs(blk)...)[blk] {
			continue
		}
		for _, v := range zero {
			v.Zeroed = true
		}
	}
}

package explain

import (
	"go/token"
	"slices"

	"github.com/nothread/nothread/transform/internal/ir"
)

// A place is an instruction of a block, or behind the last its end.
type place struct {
	block *ir.Block
	index int
}

// after is where the machine goes on when a is resumed.
func after(f *ir.Func, a *ir.Await) (place, bool) {
	if a.Block == nil {
		return place{}, false // deferred
	}
	return place{a.Block, slices.Index(a.Block.Instrs, ir.Instr(a)) + 1}, true
}

// A flow follows a function's control and remembers what the places read and set.
type flow struct {
	f       *ir.Func
	effects map[place]effect
}

// An effect is what an instruction, or the end of a block that is no switch, reads and sets.
type effect struct{ reads, sets ir.VarSet }

func newFlow(f *ir.Func) *flow { return &flow{f, make(map[place]effect)} }

// walk follows control from at on, nearest first, to places that are not among seen
// yet. visit sees each instruction and each block's end, as a nil instruction, and says
// whether to go on behind it.
func (w *flow) walk(at place, seen map[place]bool, visit func(place, ir.Instr) bool) {
	var work []place
	push := func(p place) {
		if !seen[p] {
			seen[p] = true
			work = append(work, p)
		}
	}
	push(at)
	for len(work) > 0 {
		p := work[0]
		work = work[1:]
		if p.index == len(p.block.Instrs) {
			if visit(p, nil) {
				for _, to := range p.block.Term.Succs() {
					push(place{to, 0})
				}
			}
			continue
		}
		in := p.block.Instrs[p.index]
		if !visit(p, in) {
			continue
		}
		for _, to := range w.f.LeapsOf(in) {
			push(place{to, 0})
		}
		push(place{p.block, p.index + 1})
	}
}

// refs reports whether an instruction, or a block's end if it is nil, reads v,
// and whether it sets it.
func (w *flow) refs(p place, in ir.Instr, v *ir.Var) (reads, writes bool) {
	if s, ok := p.block.Term.(*ir.Switch); ok && in == nil {
		return readAt(w.f, v, termNodes(w.f, s, v)...).IsValid(), setInTerm(w.f, s, v).IsValid()
	}
	e, known := w.effects[p]
	if !known {
		e = effect{make(ir.VarSet), make(ir.VarSet)}
		read := func(v *ir.Var) { e.reads[v] = true }
		if in == nil {
			w.f.TermRefs(p.block.Term, read)
		} else {
			w.f.Refs(in, read, func(v *ir.Var) { e.sets[v] = true })
		}
		w.effects[p] = e
	}
	return e.reads[v], e.sets[v]
}

// nextUse is the nearest place behind a where v is read before it is set; again
// says that it stands before a, or is a itself: control comes round to it.
func (w *flow) nextUse(a *ir.Await, v *ir.Var) (pos token.Pos, again, found bool) {
	start, ok := after(w.f, a)
	if !ok {
		return token.NoPos, false, false
	}
	w.walk(start, make(map[place]bool), func(p place, in ir.Instr) bool {
		if found {
			return false
		}
		reads, writes := w.refs(p, in, v)
		if reads {
			found = true
			again = p.block.Index < start.block.Index || p.block == start.block && p.index < start.index
			if in == nil {
				pos = useInTerm(w.f, p.block.Term, v)
			} else {
				pos = useIn(w.f, in, v)
			}
		}
		return !reads && !writes
	})
	return pos, again, found
}

// afterAwaits finds where, behind some await, v is set, and where it is read
// at all, set before or not; invalid if nowhere.
func (w *flow) afterAwaits(v *ir.Var) (firstSet, firstRead token.Pos) {
	seen := make(map[place]bool) // what lies behind one await need not be searched behind the next
	for _, a := range w.f.Awaits {
		start, _ := after(w.f, a)
		w.walk(start, seen, func(p place, in ir.Instr) bool {
			reads, writes := w.refs(p, in, v)
			if d, ok := in.(*ir.Declare); ok && !d.Zero && !d.Var.Cell {
				writes = false // the value follows
			}
			if reads && !firstRead.IsValid() {
				if in == nil {
					firstRead = useInTerm(w.f, p.block.Term, v)
				} else {
					firstRead = useIn(w.f, in, v)
				}
			}
			if writes && !firstSet.IsValid() {
				if s, ok := p.block.Term.(*ir.Switch); ok && in == nil {
					firstSet = setInTerm(w.f, s, v)
				} else {
					firstSet = Pos(w.f, in)
				}
			}
			return !firstRead.IsValid() || !firstSet.IsValid()
		})
	}
	return firstSet, firstRead
}

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

// walk follows control from at on, nearest first. visit sees each instruction
// and each block's end, as a nil instruction, once, and says whether to go on
// behind it.
func walk(f *ir.Func, at place, visit func(place, ir.Instr) bool) {
	seen := make(map[place]bool)
	work := []place{at}
	push := func(p place) {
		if !seen[p] {
			seen[p] = true
			work = append(work, p)
		}
	}
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
		for _, to := range f.LeapsOf(in) {
			push(place{to, 0})
		}
		push(place{p.block, p.index + 1})
	}
}

// refs reports whether an instruction, or a block's end if it is nil, reads v,
// and whether it sets it.
func refs(f *ir.Func, p place, in ir.Instr, v *ir.Var) (reads, writes bool) {
	read := func(w *ir.Var) { reads = reads || w == v }
	write := func(w *ir.Var) { writes = writes || w == v }
	if in != nil {
		f.Refs(in, read, write)
		return reads, writes
	}
	if s, ok := p.block.Term.(*ir.Switch); ok {
		return readAt(f, v, termNodes(f, s, v)...).IsValid(), setInTerm(f, s, v).IsValid()
	}
	f.TermRefs(p.block.Term, read)
	return reads, writes
}

// nextUse is the nearest place behind a where v is read before it is set; again
// says that it stands before a, or is a itself: control comes round to it.
func nextUse(f *ir.Func, a *ir.Await, v *ir.Var) (pos token.Pos, again, found bool) {
	start, ok := after(f, a)
	if !ok {
		return token.NoPos, false, false
	}
	walk(f, start, func(p place, in ir.Instr) bool {
		if found {
			return false
		}
		reads, writes := refs(f, p, in, v)
		if reads {
			found = true
			again = p.block.Index < start.block.Index || p.block == start.block && p.index < start.index
			if in == nil {
				pos = useInTerm(f, p.block.Term, v)
			} else {
				pos = useIn(f, in, v)
			}
		}
		return !reads && !writes
	})
	return pos, again, found
}

// afterAwaits finds where, behind some await, v is set, and where it is read
// at all, set before or not; invalid if nowhere.
func afterAwaits(f *ir.Func, v *ir.Var) (firstSet, firstRead token.Pos) {
	for _, a := range f.Awaits {
		start, _ := after(f, a)
		walk(f, start, func(p place, in ir.Instr) bool {
			reads, writes := refs(f, p, in, v)
			if d, ok := in.(*ir.Declare); ok && !d.Zero && !d.Var.Cell {
				writes = false // the value follows
			}
			if reads && !firstRead.IsValid() {
				if in == nil {
					firstRead = useInTerm(f, p.block.Term, v)
				} else {
					firstRead = useIn(f, in, v)
				}
			}
			if writes && !firstSet.IsValid() {
				if s, ok := p.block.Term.(*ir.Switch); ok && in == nil {
					firstSet = setInTerm(f, s, v)
				} else {
					firstSet = Pos(f, in)
				}
			}
			return true
		})
	}
	return firstSet, firstRead
}

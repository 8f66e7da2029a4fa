package explain

import (
	"go/token"

	"github.com/nothread/nothread/transform/internal/ir"
)

// A place is an instruction of a block, or behind the last its end.
type place struct {
	block         *ir.Block
	index, number int
}

// A flow follows a function's control and remembers what the places read and set.
type flow struct {
	f       *ir.Func
	first   map[*ir.Block]int // the numbers of their first places
	awaits  map[*ir.Await]place
	effects []effect // by number
	seen    []int    // by number: the search that came by last
	search  int
}

// An effect is what an instruction, or the end of a block that is no switch, reads and sets.
type effect struct{ reads, sets ir.VarSet }

func newFlow(f *ir.Func) *flow {
	w := &flow{f: f, first: make(map[*ir.Block]int), awaits: make(map[*ir.Await]place)}
	n := 0
	for _, blk := range f.Blocks {
		w.first[blk] = n
		for i, in := range blk.Instrs {
			if a, ok := in.(*ir.Await); ok {
				w.awaits[a] = place{blk, i, n + i}
			}
		}
		n += len(blk.Instrs) + 1
	}
	w.effects, w.seen = make([]effect, n), make([]int, n)
	return w
}

func (w *flow) begin(blk *ir.Block) place { return place{blk, 0, w.first[blk]} }

func (p place) next() place { return place{p.block, p.index + 1, p.number + 1} }

// walk follows control from behind a on, nearest first, to places that this search has not
// come by yet. visit sees each instruction and each block's end, as a nil instruction, and
// says whether to go on behind it.
func (w *flow) walk(a *ir.Await, visit func(place, ir.Instr) bool) {
	at, ok := w.awaits[a]
	if !ok {
		return // deferred
	}
	var work []place
	push := func(p place) {
		if w.seen[p.number] != w.search {
			w.seen[p.number] = w.search
			work = append(work, p)
		}
	}
	push(at.next())
	for len(work) > 0 {
		p := work[0]
		work = work[1:]
		if p.index == len(p.block.Instrs) {
			if visit(p, nil) {
				for _, to := range p.block.Term.Succs() {
					push(w.begin(to))
				}
			}
			continue
		}
		in := p.block.Instrs[p.index]
		if !visit(p, in) {
			continue
		}
		for _, to := range w.f.LeapsOf(in) {
			push(w.begin(to))
		}
		push(p.next())
	}
}

// refs reports whether an instruction, or a block's end if it is nil, reads v,
// and whether it sets it.
func (w *flow) refs(p place, in ir.Instr, v *ir.Var) (reads, writes bool) {
	if s, ok := p.block.Term.(*ir.Switch); ok && in == nil {
		return readAt(w.f, v, termNodes(w.f, s, v)...).IsValid(), setInTerm(w.f, s, v).IsValid()
	}
	e := &w.effects[p.number]
	if e.reads == nil {
		e.reads, e.sets = make(ir.VarSet), make(ir.VarSet)
		read := func(v *ir.Var) { e.reads[v] = true }
		if in == nil {
			w.f.TermRefs(p.block.Term, read)
		} else {
			w.f.Refs(in, read, func(v *ir.Var) { e.sets[v] = true })
		}
	}
	return e.reads[v], e.sets[v]
}

// use is where an instruction, or a block's end if it is nil, reads v.
func (w *flow) use(p place, in ir.Instr, v *ir.Var) token.Pos {
	if in == nil {
		return useInTerm(w.f, p.block.Term, v)
	}
	return useIn(w.f, in, v)
}

// nextUse is the nearest place behind a where v is read before it is set; again
// says that it stands before a, or is a itself: control comes round to it.
func (w *flow) nextUse(a *ir.Await, v *ir.Var) (pos token.Pos, again, found bool) {
	w.search++
	start := w.awaits[a]
	w.walk(a, func(p place, in ir.Instr) bool {
		if found {
			return false
		}
		reads, writes := w.refs(p, in, v)
		if reads {
			found = true
			again = p.block.Index < start.block.Index || p.block == start.block && p.index <= start.index
			pos = w.use(p, in, v)
		}
		return !reads && !writes
	})
	return pos, again, found
}

// afterAwaits finds where, behind some await, v is set, and where it is read
// at all, set before or not; invalid if nowhere.
func (w *flow) afterAwaits(v *ir.Var) (firstSet, firstRead token.Pos) {
	w.search++ // one for all: what lies behind one await need not be searched behind the next
	for _, a := range w.f.Awaits {
		w.walk(a, func(p place, in ir.Instr) bool {
			reads, writes := w.refs(p, in, v)
			if d, ok := in.(*ir.Declare); ok && !d.Zero && !d.Var.Cell {
				writes = false // the value follows
			}
			if reads && !firstRead.IsValid() {
				firstRead = w.use(p, in, v)
			}
			if writes && !firstSet.IsValid() {
				if s, ok := p.block.Term.(*ir.Switch); ok && in == nil {
					firstSet = setInTerm(w.f, s, v)
				} else {
					firstSet = Pos(in)
				}
			}
			return !firstRead.IsValid() || !firstSet.IsValid()
		})
	}
	return firstSet, firstRead
}

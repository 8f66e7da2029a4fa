package ir

import "fmt"

// Verify checks what must hold after every stage:
//
//   - each block ends, and goes on only to blocks of the function;
//   - each await is in a block, and each block can be reached;
//   - a variable that is read after a resumption before it is set there is
//     lifted;
//   - after lower: each await has a state of its own, a label and a slot; each
//     block that something jumps to has a label, each label is one place's only.
//     no two variables that are alive together share a Go variable.
func Verify(f *Func) error {
	v := &verifier{f: f, placed: make(map[*Block]bool)}
	for i, blk := range f.Blocks {
		if blk.Index != i {
			return v.errorf("block %d says that it is b%d", i, blk.Index)
		}
		v.placed[blk] = true
	}
	for _, check := range []func() error{v.blocks, v.reached, v.lifted, v.lowered} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

type verifier struct {
	f      *Func
	placed map[*Block]bool
}

func (v *verifier) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %s\n%s", v.f.Name, fmt.Sprintf(format, args...), v.f)
}

func (v *verifier) blocks() error {
	awaits := make(map[*Await]bool)
	for i, blk := range v.f.Blocks {
		if blk.Term == nil {
			return v.errorf("b%d has no end", i)
		}
		for _, succ := range v.succs(blk) {
			if !v.placed[succ] {
				return v.errorf("b%d goes on to a block that is not placed", i)
			}
		}
		for _, in := range blk.Instrs {
			if a, ok := in.(*Await); ok {
				awaits[a] = true
			}
		}
	}
	for _, a := range v.f.Awaits {
		if !awaits[a] {
			return v.errorf("an await stands in no block")
		}
	}
	if len(awaits) != len(v.f.Awaits) {
		return v.errorf("%d awaits in the blocks, %d in the list", len(awaits), len(v.f.Awaits))
	}
	return nil
}

func (v *verifier) succs(blk *Block) []*Block {
	succs := blk.Term.Succs()
	for _, in := range blk.Instrs {
		succs = append(succs, v.f.LeapsOf(in)...)
	}
	return succs
}

func (v *verifier) reached() error {
	reached := make(map[*Block]bool)
	work := []*Block{v.f.Entry}
	for len(work) > 0 {
		blk := work[len(work)-1]
		work = work[:len(work)-1]
		if !reached[blk] {
			reached[blk] = true
			work = append(work, v.succs(blk)...)
		}
	}
	for i, blk := range v.f.Blocks {
		if !reached[blk] {
			return v.errorf("b%d cannot be reached", i)
		}
	}
	return nil
}

// lifted follows each resumption forward, on its own, and looks for a local that
// is read before it is set.
func (v *verifier) lifted() error {
	for _, blk := range v.f.Blocks {
		for i, in := range blk.Instrs {
			if _, ok := in.(*Await); !ok {
				continue
			}
			if lost := v.readFirst(blk, i+1); lost != nil {
				return v.errorf("%s lives across an await of b%d but is not lifted", lost.Name, blk.Index)
			}
		}
	}
	return nil
}

// readFirst returns a variable that is not lifted and may be read on some path
// from instruction i of blk before it is set.
func (v *verifier) readFirst(blk *Block, i int) *Var {
	type place struct {
		blk *Block
		set string
	}
	seen := make(map[place]bool)
	var walk func(blk *Block, i int, set map[*Var]bool) *Var
	walk = func(blk *Block, i int, set map[*Var]bool) *Var {
		var lost *Var
		read := func(w *Var) {
			if !w.Lifted && !set[w] && lost == nil {
				lost = w
			}
		}
		follow := func(succs []*Block) {
			for _, succ := range succs {
				at := place{succ, fmt.Sprint(v.setKey(set))}
				if lost == nil && !seen[at] {
					seen[at] = true
					inner := make(map[*Var]bool, len(set))
					for w := range set {
						inner[w] = true
					}
					lost = walk(succ, 0, inner)
				}
			}
		}
		for ; i < len(blk.Instrs) && lost == nil; i++ {
			in := blk.Instrs[i]
			if _, ok := in.(*Await); ok {
				v.f.Refs(in, read, func(*Var) {})
				return lost // the next resumption is followed on its own
			}
			v.f.Refs(in, read, func(*Var) {})
			follow(v.f.LeapsOf(in))
			v.f.Refs(in, func(*Var) {}, func(w *Var) { set[w] = true })
		}
		if lost == nil {
			v.f.TermRefs(blk.Term, read)
			v.bind(blk.Term, set)
			follow(blk.Term.Succs())
		}
		return lost
	}
	return walk(blk, i, make(map[*Var]bool))
}

// bind notes what the clauses of a switch set.
func (v *verifier) bind(t Term, set map[*Var]bool) {
	if s, ok := t.(*Switch); ok {
		for _, c := range s.Clauses {
			if c.Bind != nil {
				set[c.Bind] = true
			}
			for _, w := range c.Recv {
				set[w] = true
			}
		}
	}
}

// setKey lists the locals in set by their index: a set as a value.
func (v *verifier) setKey(set map[*Var]bool) []int {
	var key []int
	for i, w := range v.f.Vars {
		if set[w] {
			key = append(key, i)
		}
	}
	return key
}

func (v *verifier) lowered() error {
	if v.f.Receiver == "" {
		return nil // not lowered yet
	}
	states, labels := make(map[int]bool), make(map[string]bool)
	for _, a := range v.f.Awaits {
		if a.State == 0 || states[a.State] || a.Resume == "" || labels[a.Resume] || a.Slot == nil {
			return v.errorf("the await with state %d, label %q is not resumable", a.State, a.Resume)
		}
		states[a.State], labels[a.Resume] = true, true
	}
	targets := v.f.Targets()
	for i, blk := range v.f.Blocks {
		switch {
		case targets[blk] != (blk.Label != ""):
			return v.errorf("b%d has label %q; jumped to: %v", i, blk.Label, targets[blk])
		case blk.Label != "" && labels[blk.Label]:
			return v.errorf("two places bear the label %s", blk.Label)
		}
		labels[blk.Label] = true
	}
	return nil
}

package ir

import "fmt"

// Verify checks what must hold after every stage, of the function and of the async
// closures in it:
//
//   - each block ends, and goes on only to blocks of the function;
//   - each await is in a block, and each block can be reached;
//   - a variable that is read after a resumption before it is set there is
//     lifted;
//   - after lower: each await, deferred ones too, has a state of its own and a
//     slot, and a label if the body goes on there; each block that something jumps
//     to has a label, each label is one place's only;
//   - after lower: no two variables that are alive together share a Go variable.
//
// The error begins with the function's name and ends with its text.
func Verify(f *Func) error {
	v := &verifier{f: f, placed: make(map[*Block]bool)}
	for i, blk := range f.Blocks {
		if blk.Index != i {
			return v.errorf("block %d says that it is b%d", i, blk.Index)
		}
		v.placed[blk] = true
	}
	for _, check := range []func() error{v.blocks, v.reached, v.lifted, v.lowered, v.apart} {
		if err := check(); err != nil {
			return err
		}
	}
	for _, child := range f.Children {
		if err := Verify(child); err != nil {
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
		for _, succ := range v.f.Succs(blk) {
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

func (v *verifier) reached() error {
	reached := v.f.Reached(v.f.Entry)
	for i, blk := range v.f.Blocks {
		if !reached[blk] {
			return v.errorf("b%d cannot be reached", i)
		}
	}
	return nil
}

// lifted goes forward from all resumptions, with what is certainly set since, and
// looks for a local that is read before it is set.
func (v *verifier) lifted() error {
	in := make(map[*Block]VarSet) // nil: nothing is lost yet on the way here
	work := []*Block{}
	reach := func(blk *Block, set VarSet) {
		before, seen := in[blk]
		if set == nil {
			return
		}
		after := make(VarSet, len(set))
		for w := range set {
			if !seen || before[w] {
				after[w] = true
			}
		}
		if !seen || len(after) < len(before) {
			in[blk] = after
			work = append(work, blk)
		}
	}
	check := func(blk *Block, set VarSet) *Var {
		set, lost := v.walk(blk, set, reach)
		v.leave(blk, set, reach)
		return lost
	}
	for _, blk := range v.f.Blocks { // each resumption once, whatever comes before it
		if lost := check(blk, nil); lost != nil {
			return v.errorf("%s lives across an await of b%d but is not lifted", lost.Name, blk.Index)
		}
	}
	for len(work) > 0 {
		blk := work[len(work)-1]
		work = work[:len(work)-1]
		if lost := check(blk, in[blk]); lost != nil {
			return v.errorf("%s is read in b%d, behind an await, but is not lifted", lost.Name, blk.Index)
		}
	}
	return nil
}

// walk goes through blk, at the start of which set has been set since the last
// resumption, nil if there was none. It returns what has at the end, and a local
// that is read though it may be lost.
func (v *verifier) walk(blk *Block, set VarSet, reach func(*Block, VarSet)) (VarSet, *Var) {
	since := VarSet(nil)
	if set != nil {
		since = make(VarSet, len(set))
		for w := range set {
			since[w] = true
		}
	}
	var lost *Var
	read := func(w *Var) {
		if since != nil && !w.Lifted && !since[w] && lost == nil {
			lost = w
		}
	}
	for _, in := range blk.Instrs {
		v.f.Refs(in, read, func(*Var) {})
		for _, succ := range v.f.LeapsOf(in) {
			reach(succ, since)
		}
		if _, ok := in.(*Await); ok {
			since = make(VarSet)
			continue
		}
		v.f.Refs(in, func(*Var) {}, func(w *Var) {
			if since != nil {
				since[w] = true
			}
		})
	}
	v.f.TermRefs(blk.Term, read)
	return since, lost
}

// leave reaches what follows blk.
func (v *verifier) leave(blk *Block, set VarSet, reach func(*Block, VarSet)) {
	if set == nil {
		return
	}
	t, ok := blk.Term.(*Switch)
	if !ok {
		for _, succ := range blk.Term.Succs() {
			reach(succ, set)
		}
		return
	}
	for _, c := range t.Clauses {
		chosen := make(VarSet, len(set))
		for w := range set {
			chosen[w] = true
		}
		for _, w := range append(v.f.SetBy(c), c.Bind) {
			chosen[w] = true
		}
		reach(c.To, chosen)
	}
	if t.Else != nil {
		reach(t.Else, set)
	}
}

// apart looks for a variable that is set while another is alive that has become
// the same Go variable, or the same field.
func (v *verifier) apart() error {
	if v.f.Receiver == "" {
		return nil // not lowered yet
	}
	in := v.f.Liveness()
	var clash [2]*Var
	for _, blk := range v.f.Blocks {
		v.f.WalkBack(blk, in, func(_ Instr, sets []*Var, after VarSet) {
			for _, x := range sets {
				for y := range after {
					if x != y && (x.Name == y.Name && x.InMachine() == y.InMachine() || x.Lifted && y.Lifted && x.Kept() == y.Kept()) {
						clash = [2]*Var{x, y}
					}
				}
			}
		})
	}
	if clash[0] != nil {
		return v.errorf("two variables are %s at the same time", clash[0].Name)
	}
	return nil
}

func (v *verifier) lowered() error {
	if v.f.Receiver == "" {
		return nil // not lowered yet
	}
	states, labels := make(map[int]bool), make(map[string]bool)
	for _, a := range v.f.States() {
		inBody := a.Block != nil
		if a.State == 0 || states[a.State] || inBody && (a.Resume == "" || labels[a.Resume]) || a.Slot == nil && a.Stream == nil {
			return v.errorf("the await with state %d, label %q is not resumable", a.State, a.Resume)
		}
		states[a.State] = true
		if inBody {
			labels[a.Resume] = true
		}
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

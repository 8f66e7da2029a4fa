package ir

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

package ir

import (
	"testing"
	"time"
)

// nested is a function of n loops, each in the body of the one before; each sets a
// variable of its own when it begins and reads it at each turn.
func nested(n int) *Func {
	f := &Func{Entry: new(Block)}
	f.Blocks = []*Block{f.Entry}
	before, back := f.Entry, new(Block)
	back.Term = &Return{}
	last := []*Block{back}
	for range n {
		v := new(Var)
		begin, body, next := new(Block), new(Block), new(Block)
		before.Instrs = []Instr{&Code{Format: "%v = 0", Args: []any{v}, Defs: []*Var{v}}}
		before.Term = &Jump{To: begin}
		begin.Term = &Branch{Cond: &Code{Format: "%v < 9", Args: []any{v}}, Then: body, Else: back}
		next.Instrs = []Instr{&Code{Format: "%v++", Args: []any{v}}}
		next.Term = &Jump{To: begin}
		f.Vars = append(f.Vars, v)
		f.Blocks = append(f.Blocks, begin, body)
		last = append(last, next)
		before, back = body, next
	}
	before.Term = &Jump{To: back}
	for i := len(last) - 1; i >= 0; i-- {
		f.Blocks = append(f.Blocks, last[i])
	}
	return f
}

// What is live is found in a time that grows with how much is, not with the depth of
// loops times that.
func TestLivenessOfNestedLoops(t *testing.T) {
	const n = 600
	f := nested(n)
	start := time.Now()
	in := f.Liveness()
	if took := time.Since(start); took > 10*time.Second { // a sweep of all blocks for each level took 40 s
		t.Errorf("%v for %d loops", took, n)
	}
	for i := range n {
		begin, body := f.Blocks[1+2*i], f.Blocks[2+2*i]
		if len(in[begin]) != i+1 || len(in[body]) != i+1 || !in[begin][f.Vars[i]] {
			t.Fatalf("%d and %d variables are live in loop %d", len(in[begin]), len(in[body]), i)
		}
	}
	if len(in[f.Entry]) != 0 {
		t.Errorf("%d variables are live at the start", len(in[f.Entry]))
	}
}

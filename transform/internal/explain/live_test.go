package explain

import (
	"go/ast"
	"go/types"
	"testing"
	"time"

	"github.com/nothread/nothread/transform/internal/ir"
)

// What lies behind many awaits is searched once.
func TestAfterManyAwaits(t *testing.T) {
	const n = 8000
	v, blk := new(ir.Var), &ir.Block{Term: new(ir.Return)}
	f := &ir.Func{Source: &ir.Source{Info: new(types.Info)}, Entry: blk, Blocks: []*ir.Block{blk}, Vars: []*ir.Var{v}}
	set := &ast.Ident{NamePos: 7}
	blk.Instrs = append(blk.Instrs, &ir.Code{Format: "%v = %v", Args: []any{v, ast.Expr(set)}, Defs: []*ir.Var{v}})
	for range n {
		a := &ir.Await{Operand: new(ast.Ident), Block: blk}
		f.Awaits = append(f.Awaits, a)
		blk.Instrs = append(blk.Instrs, a)
	}
	start := time.Now()
	firstSet, firstRead := newFlow(f).afterAwaits(v)
	if took := time.Since(start); took > 5*time.Second { // each time anew, it took 8 s
		t.Errorf("%v behind %d awaits", took, n)
	}
	if firstSet.IsValid() || firstRead.IsValid() {
		t.Errorf("set at %d, read at %d: there is neither", firstSet, firstRead)
	}
	blk.Instrs = append(blk.Instrs, blk.Instrs[0], &ir.Code{Format: "%v", Args: []any{v, ast.Expr(&ast.Ident{NamePos: 9})}})
	if firstSet, firstRead = newFlow(f).afterAwaits(v); firstSet != 7 || firstRead != 9 {
		t.Errorf("set at %d, read at %d; want 7 and 9", firstSet, firstRead)
	}
}

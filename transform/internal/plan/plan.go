// Package plan turns the typed syntax of one async function into ir: control
// flow around the awaits, evaluation order as gc has it, and which variables
// live across a suspension.
//
// # What stays whole
//
// Only what holds an await is taken apart, or code that nothing reaches (see
// reach.go), or several assignments at once that can panic between (see
// assign.go), or a return out of a range over a function (see iterator.go). Any
// other statement is one instruction and keeps its author's text; branches and
// returns inside it that leave it are edited.
//
//	for {                          loop:
//		n, err := r.Read().Await()     await r.Read()
//		if err != nil {                n, err = ‹result›
//			break                      if err != nil { goto done }     ← one Stmt
//		}                              …
//	}                                  jump loop
//	                               done:
//
// # Order
//
// See order.go: what gc evaluates before a call in the await's place is spilled,
// what it evaluates after stays in place. callee.go and convert.go know what gc
// copies early; operand.go and pieces.go are assign.go's.
//
// # Variables
//
// See vars.go, live.go and held.go: hoisting, cells, and liveness. types.go places
// the types declared in the body, unnamed.go comes by those that have no name here.
package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"math"
	"path/filepath"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
)

// Func plans fn. It adds to diags and returns nil if fn holds something that
// cannot be async.
func Func(pkg *load.Package, file *load.File, fn *load.Func, diags *diag.List) *ir.Func {
	source := &ir.Source{
		File:      pkg.Fset.File(fn.Decl.Pos()),
		Base:      filepath.Base(file.Path),
		Content:   file.Content,
		Pkg:       pkg.Types,
		Info:      pkg.Info,
		Names:     pkg.Names,
		Ambiguous: pkg.Ambiguous,
		Imports:   importNames(pkg, file),
	}
	b := newBuilder(pkg, file, diags, &ir.Func{
		Name:    load.QualifiedName(fn.Decl),
		Machine: machineName(pkg, fn),
		Decl:    fn.Decl,
		Body:    fn.Decl.Body,
		Sig:     fn.Obj.Signature(),
		Source:  source,
		Class:   fn.Options.Class,
	})
	return b.plan()
}

// plan builds the function and the async closures in it; nil if it cannot.
func (b *builder) plan() *ir.Func {
	b.scanUses(b.f.Body)
	b.defers()
	b.findAwaits()
	b.findLate()
	b.constants()
	b.captured()
	b.parameters()
	b.stmts(b.f.Body.List, b.f.Body.Rbrace)
	if b.cur.Term == nil {
		b.end(&ir.Return{})
	}
	if n := len(b.f.States()); n > mostStates {
		b.errorf(b.f.Decl.Name.Pos(), "%s has %d awaits, and a state machine can have %d; move some of them to async functions that it calls", b.f.Name, n, mostStates)
	}
	if b.failed {
		return nil
	}
	for _, exit := range b.exits {
		exit.Index = len(b.f.Blocks)
		b.f.Blocks = append(b.f.Blocks, exit)
	}
	b.prune()
	b.deferrable()
	b.placeTypes()
	if b.failed {
		return nil
	}
	b.live()
	b.lateBounds()
	if b.failed || !b.closures() {
		return nil
	}
	return b.f
}

// mostStates is how many states the field for them can tell apart, besides none.
const mostStates = math.MaxUint16

type builder struct {
	pkg    *load.Package
	file   *load.File
	info   *types.Info
	diags  *diag.List
	failed bool

	outer   *builder // of the function that an async closure stands in
	f       *ir.Func
	cur     *ir.Block
	targets []*target                   // enclosing statements that break and continue leave
	labels  map[string]*ir.Block        // where the author's labels stand
	loops   map[*ast.RangeStmt]*ir.Loop // ranges over functions and streams
	exits   []*ir.Block                 // on the way of branches that leave those
	reach   *reach
	uses    map[types.Object]*usage
	want    want
	stored  map[ast.Expr]bool // expressions that are assigned to
	late    []ast.Node        // whose assignments would be made in another order
	awaits  []token.Pos       // of the function's own
	sought  []types.Type      // without a name, of which a value is being looked for

	comments []*ast.CommentGroup // of the body, not yet emitted
	lastLine int                 // where the last thing emitted ended; 0 at the start of a block
}

// A target is a statement that was taken apart.
type target struct {
	stmt      ast.Stmt
	label     string
	brk, cont *ir.Block // cont is nil for switch and select
	next      *ir.Block // where fallthrough goes; nil if nowhere
	loop      *ir.Loop  // of a range over a function or a stream; nil else
}

func newBuilder(pkg *load.Package, file *load.File, diags *diag.List, f *ir.Func) *builder {
	f.VarOf = make(map[types.Object]*ir.Var)
	f.Subst = make(map[ast.Node]ir.Operand)
	f.Apart = make(map[[2]*ir.Var]bool)
	f.Leaps = make(map[*ast.BranchStmt]*ir.Block)
	f.ChildOf = make(map[*ast.CallExpr]*ir.Func)
	b := &builder{
		pkg: pkg, file: file, info: pkg.Info, diags: diags, f: f,
		reach:  reachable(pkg.Info, f.Body),
		labels: make(map[string]*ir.Block),
		loops:  make(map[*ast.RangeStmt]*ir.Loop),
		uses:   make(map[types.Object]*usage),
		want:   make(want),
		stored: make(map[ast.Expr]bool),
	}
	for _, group := range file.Syntax.Comments {
		if f.Body.Lbrace < group.Pos() && group.End() <= f.Body.Rbrace {
			b.comments = append(b.comments, group)
		}
	}
	f.Entry = b.block("")
	b.start(f.Entry)
	return b
}

func (b *builder) errorf(pos token.Pos, format string, args ...any) {
	b.failed = true
	b.diags.Errorf(b.pkg.Fset.Position(pos), diag.Unsupported, format, args...)
}

// block makes a block that is not placed yet.
func (b *builder) block(hint string) *ir.Block { return &ir.Block{Index: -1, Hint: hint} }

// start places blk and goes on in it. A block before it that has no end falls
// through.
func (b *builder) start(blk *ir.Block) {
	if b.cur != nil && b.cur.Term == nil {
		b.cur.Term = &ir.Jump{To: blk}
	}
	blk.Index = len(b.f.Blocks)
	b.f.Blocks = append(b.f.Blocks, blk)
	b.cur = blk
}

// end ends the current block. What follows, until a block is started, cannot be
// reached.
func (b *builder) end(t ir.Term) {
	if b.cur.Term == nil {
		b.cur.Term = t
		return
	}
	b.start(b.block(""))
	b.cur.Term = t
}

func (b *builder) emit(in ir.Instr) {
	if b.cur.Term != nil {
		b.start(b.block("")) // unreachable; pruned
	}
	b.cur.Instrs = append(b.cur.Instrs, in)
}

func (b *builder) code(defs []*ir.Var, format string, args ...any) {
	b.emit(&ir.Code{Format: format, Args: args, Defs: defs})
}

// thread makes what jumps to an empty block jump to where that goes on.
func (b *builder) thread() {
	final := func(blk *ir.Block) *ir.Block {
		for range b.f.Blocks { // an empty loop leads nowhere else
			jump, ok := blk.Term.(*ir.Jump)
			if !ok || len(blk.Instrs) > 0 {
				break
			}
			blk = jump.To
		}
		return blk
	}
	b.f.Entry = final(b.f.Entry)
	for _, blk := range b.f.Blocks {
		switch t := blk.Term.(type) {
		case *ir.Jump:
			t.To = final(t.To)
		case *ir.Branch:
			t.Then, t.Else = final(t.Then), final(t.Else)
		case *ir.Switch:
			for _, c := range t.Clauses {
				c.To = final(c.To)
			}
			if t.Else != nil {
				t.Else = final(t.Else)
			}
		}
	}
	for br, to := range b.f.Leaps {
		b.f.Leaps[br] = final(to)
	}
}

// prune drops the blocks that nothing reaches.
func (b *builder) prune() {
	b.thread()
	reached := b.f.Reached(b.f.Entry)
	kept := b.f.Blocks[:0]
	for _, blk := range b.f.Blocks {
		if reached[blk] {
			blk.Index = len(kept)
			kept = append(kept, blk)
		}
	}
	b.f.Blocks = kept
	awaits := b.f.Awaits[:0]
	for _, a := range b.f.Awaits {
		if reached[a.Block] {
			awaits = append(awaits, a)
		}
	}
	b.f.Awaits = awaits
}

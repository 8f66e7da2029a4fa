package plan

import (
	"fmt"
	"go/ast"
	"go/token"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// suspends reports whether n holds an await of this function's own, or must be
// taken apart as if it did: to drop what nothing reaches, for one.
func (b *builder) suspends(n ast.Node) bool {
	return check.Contains(b.info, n) || b.returnsFromIterator(n) || b.reach.holdsDead(n) || b.holdsLate(n)
}

// stmts plans the statements of a block whose closing brace is at rbrace.
func (b *builder) stmts(list []ast.Stmt, rbrace token.Pos) {
	b.lastLine = 0
	for _, s := range list {
		b.before(s.Pos())
		b.stmt(s, "")
	}
	b.closing(rbrace)
}

// stmt plans one statement; label is the author's label on it, "" if none.
func (b *builder) stmt(s ast.Stmt, label string) {
	if l, ok := s.(*ast.LabeledStmt); ok {
		b.labeled(l)
		return
	}
	if !b.suspends(s) {
		b.whole(s)
		return
	}
	switch s := s.(type) {
	case *ast.BlockStmt:
		b.stmts(s.List, s.Rbrace)
	case *ast.IfStmt:
		b.ifStmt(s)
	case *ast.ForStmt:
		b.forStmt(s, label)
	case *ast.RangeStmt:
		b.rangeStmt(s, label)
	case *ast.SwitchStmt:
		b.switchStmt(s, label)
	case *ast.TypeSwitchStmt:
		b.typeSwitchStmt(s, label)
	case *ast.SelectStmt:
		b.selectStmt(s, label)
	case *ast.DeclStmt:
		b.declStmt(s)
	case *ast.ReturnStmt:
		b.wantReturned(s.Results)
		b.hoist(exprs(s.Results)...)
		b.end(&ir.Return{Node: b.returnInOrder(s)})
		b.after(s.End())
	case *ast.AssignStmt:
		b.wantAssigned(s.Lhs, s.Rhs)
		b.stores(s.Lhs...)
		b.hoist(append(exprs(s.Lhs), exprs(s.Rhs)...)...)
		if b.oneByOne(s, func() { b.declareAll(s) }) {
			b.after(s.End())
			return
		}
		b.declareAll(s)
		b.simple(s)
	case *ast.ExprStmt, *ast.SendStmt, *ast.IncDecStmt, *ast.GoStmt, *ast.DeferStmt:
		b.hoist(s)
		b.simple(s)
	default:
		panic(fmt.Sprintf("plan: an await in a %T", s))
	}
}

func exprs[E ast.Expr](list []E) []ast.Node {
	var nodes []ast.Node
	for _, e := range list {
		nodes = append(nodes, e)
	}
	return nodes
}

// simple emits a statement that holds no await, or none any more.
func (b *builder) simple(s ast.Stmt) { b.emitStmt(&ir.Stmt{Node: s}) }

func (b *builder) emitStmt(s *ir.Stmt) {
	b.emit(s)
	b.after(s.Node.End())
	if b.reach.ends[s.Node] {
		b.end(&ir.Stop{})
	}
}

// declareAll hoists the variables that a := brings in.
func (b *builder) declareAll(s *ast.AssignStmt) {
	if s.Tok != token.DEFINE {
		return
	}
	for _, lhs := range s.Lhs {
		b.declare(lhs.(*ast.Ident), false)
	}
}

// whole plans a statement without an await inside.
func (b *builder) whole(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.EmptyStmt:
		return
	case *ast.DeclStmt:
		b.declStmt(s)
		return
	case *ast.AssignStmt:
		b.declareAll(s)
	case *ast.ReturnStmt:
		b.end(&ir.Return{Node: s})
		b.after(s.End())
		return
	case *ast.BranchStmt:
		b.end(&ir.Jump{To: b.leap(s)})
		b.after(s.End())
		return
	}
	b.typesBelow(s)
	b.leaps(s)
	b.simple(s)
}

func (b *builder) declStmt(s *ast.DeclStmt) {
	decl := s.Decl.(*ast.GenDecl)
	switch decl.Tok {
	case token.CONST:
		b.f.Consts = append(b.f.Consts, decl)
	case token.TYPE:
		for _, spec := range decl.Specs {
			b.localType(spec.(*ast.TypeSpec))
		}
	case token.VAR:
		for _, spec := range decl.Specs {
			b.before(spec.Pos())
			b.varSpec(spec.(*ast.ValueSpec))
			b.after(spec.End())
		}
	}
	b.after(s.End())
}

// varSpec becomes an assignment to the hoisted variables.
func (b *builder) varSpec(spec *ast.ValueSpec) {
	if spec.Type != nil {
		for _, e := range spec.Values {
			b.want[e] = b.info.TypeOf(spec.Type)
		}
	}
	b.hoist(exprs(spec.Values)...)
	var vars []*ir.Var
	declare := func() {
		for _, id := range spec.Names {
			vars = append(vars, b.declare(id, len(spec.Values) == 0))
		}
	}
	if b.oneByOne(spec, declare) {
		return
	}
	declare()
	if len(spec.Values) == 0 || allBlank(vars) && b.isNil(spec.Values[0]) {
		return
	}
	format := ""
	var args []any
	var defs []*ir.Var
	for i, v := range vars {
		if i > 0 {
			format += ", "
		}
		if v == nil {
			format += "_"
			continue
		}
		format += "%v"
		args = append(args, v)
		defs = append(defs, v)
	}
	for i, e := range spec.Values {
		if i == 0 {
			format += " = %v"
		} else {
			format += ", %v"
		}
		args = append(args, e)
	}
	b.code(defs, format, args...)
}

func allBlank(vars []*ir.Var) bool {
	for _, v := range vars {
		if v != nil {
			return false
		}
	}
	return true
}

func (b *builder) isNil(e ast.Expr) bool {
	tv := b.info.Types[e]
	return tv.IsNil()
}

// labeled plans a statement with a label. The label becomes a block where a
// goto from elsewhere needs it; a whole statement keeps it where its own
// branches do.
func (b *builder) labeled(s *ast.LabeledStmt) {
	apart := b.suspends(s.Stmt)
	inside, outside := b.labelUses(s)
	if outside || apart && inside {
		b.start(b.labelBlock(s.Label.Name))
	}
	switch {
	case apart:
		b.stmt(s.Stmt, s.Label.Name)
	case inside:
		b.typesBelow(s)
		b.leaps(s)
		b.simple(s)
	default:
		b.whole(s.Stmt)
	}
}

// labelUses reports whether branches inside the labelled statement use its
// label, and whether a goto outside does.
func (b *builder) labelUses(s *ast.LabeledStmt) (inside, outside bool) {
	label := b.info.Defs[s.Label]
	ast.Inspect(b.f.Body, func(n ast.Node) bool {
		if br, ok := n.(*ast.BranchStmt); ok && br.Label != nil && b.info.Uses[br.Label] == label {
			if s.Stmt.Pos() <= br.Pos() && br.End() <= s.Stmt.End() {
				inside = true
			} else {
				outside = true
			}
		}
		return true
	})
	return inside, outside
}

func (b *builder) labelBlock(name string) *ir.Block {
	blk := b.labels[name]
	if blk == nil {
		blk = b.block(name)
		b.labels[name] = blk
	}
	return blk
}

// leaps notes where the branches that leave the whole statement s go.
func (b *builder) leaps(s ast.Stmt) {
	var stack []ast.Node
	ast.Inspect(s, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if br, ok := n.(*ast.BranchStmt); ok && b.leaves(br, s, stack) {
			b.f.Leaps[br] = b.leap(br)
		}
		stack = append(stack, n)
		return true
	})
}

// leaves reports whether br, found below the statements of stack, leaves s.
func (b *builder) leaves(br *ast.BranchStmt, s ast.Stmt, stack []ast.Node) bool {
	if br.Label != nil {
		label := b.info.Uses[br.Label]
		return label.Pos() < s.Pos() || s.End() <= label.Pos()
	}
	for _, n := range stack {
		switch n.(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			return false
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if br.Tok != token.CONTINUE {
				return false
			}
		}
	}
	return true
}

// leap returns the block that a branch out of a statement goes to: where it
// leaves ranges over functions or streams on its way, a block that does so first.
func (b *builder) leap(br *ast.BranchStmt) *ir.Block {
	to, crossed := b.destination(br)
	if len(crossed) == 0 {
		return to
	}
	leave := b.block("leave")
	for _, l := range crossed {
		b.leaveLoop(leave, l)
	}
	leave.Term = &ir.Jump{To: to}
	b.exits = append(b.exits, leave)
	return leave
}

// destination returns where br goes and the loops over functions and streams that it
// leaves, innermost first. A loop that is broken out of leaves itself.
func (b *builder) destination(br *ast.BranchStmt) (to *ir.Block, crossed []*ir.Loop) {
	for i := len(b.targets) - 1; i >= 0; i-- {
		t := b.targets[i]
		switch {
		case br.Tok == token.GOTO:
			label := b.info.Uses[br.Label]
			if t.stmt.Pos() <= label.Pos() && label.Pos() < t.stmt.End() {
				return b.labelBlock(br.Label.Name), crossed
			}
		case br.Label != nil && t.label != br.Label.Name:
		case br.Tok == token.FALLTHROUGH && t.next != nil:
			return t.next, crossed
		case br.Tok == token.CONTINUE && t.cont != nil:
			return t.cont, crossed
		case br.Tok == token.BREAK:
			return t.brk, crossed
		}
		if t.loop != nil {
			crossed = append(crossed, t.loop)
		}
	}
	if br.Tok == token.GOTO {
		return b.labelBlock(br.Label.Name), crossed
	}
	panic("plan: " + br.Tok.String() + " leaves no statement")
}

func (b *builder) enter(t *target) { b.targets = append(b.targets, t) }
func (b *builder) leave()          { b.targets = b.targets[:len(b.targets)-1] }

func (b *builder) ifStmt(s *ast.IfStmt) {
	if s.Init != nil {
		b.stmt(s.Init, "")
	}
	b.hoist(s.Cond)
	if !b.suspends(s.Body) && (s.Else == nil || !b.suspends(s.Else)) {
		b.typesBelow(s)
		b.leaps(s)
		b.emitStmt(&ir.Stmt{Node: s, NoInit: true})
		return
	}
	then, done := b.block("then"), b.block("done")
	els := done
	if s.Else != nil {
		els = b.block("otherwise")
	}
	b.end(&ir.Branch{Cond: snippet("%v", s.Cond), Then: then, Else: els})
	b.start(then)
	b.stmts(s.Body.List, s.Body.Rbrace)
	if s.Else != nil {
		b.end(&ir.Jump{To: done})
		b.start(els)
		b.before(s.Else.Pos())
		b.stmt(s.Else, "")
	}
	b.start(done)
}

// Package graph draws a machine: its states, the code between them, and what
// leads from one to the next; as DOT, which Graphviz draws, and as Mermaid.
//
//	start ─▶ buf = make(…) ─▶ (state 1) ─completes▶ n, err = ‹result› ─err == io.EOF▶ end
//	                              ▲                        │ else
//	                              └─completes─ … ◀─ (state 2)
//
// A node holds what runs without a choice of where to go on, an edge what takes
// control on: a condition, or the completion of what a state awaits. Every edge
// is a jump, a leap, a return or a resumption of the lowered ir; an await that
// finds its task complete goes on along the same edge, without a stop.
package graph

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/explain"
	"github.com/nothread/nothread/transform/internal/ir"
)

// A Graph is one function's machine.
type Graph struct {
	Name  string
	Base  string // of the source, as lines are named
	Nodes []*Node
	Edges []*Edge
}

// A Kind says what a node is.
type Kind int

// The kinds.
const (
	Start  Kind = iota
	Code        // runs without waiting
	State       // may wait
	Unwind      // what is deferred, and the loops that are left
	End
)

// A Node is a place in the machine.
type Node struct {
	ID    string
	Kind  Kind
	Title string   // "state 1"; "" for code
	Rows  []string // the text, a line each
	Line  int      // where it begins, 0 if nowhere

	Points []any // the ir.Instr and ir.Term that it stands for, in order
}

// An Edge leads from one node to another.
type Edge struct {
	From, To *Node
	Label    string // what takes it; "" if nothing else can be
	Resumes  bool   // it is taken when what is awaited completes
	At       any    // the point of From that it leaves, nil for the start
}

// New draws a lowered function.
func New(f *ir.Func) *Graph {
	b := &builder{f: f, g: &Graph{Name: f.Name, Base: f.Source.Base}, first: make(map[*ir.Block]*segment), nodes: make(map[*segment]*Node)}
	b.split()
	b.start = &Node{Kind: Start, Title: f.Name, Line: f.Line()}
	b.end = &Node{Kind: End, Title: "end"}
	if f.Unwinds() {
		b.unwinding()
	}
	b.place()
	b.connect()
	b.number()
	return b.g
}

// A segment is a part of a block: one await, or what stands between two.
type segment struct {
	block  *ir.Block
	await  *ir.Await
	instrs []ir.Instr
	next   *segment // in the same block
	term   ir.Term  // if next is nil
	shown  bool     // it has something to show
}

// An exit is a way out of a segment.
type exit struct {
	at      any
	to      *segment // nil for the end of the function
	label   string
	resumes bool
}

type builder struct {
	f      *ir.Func
	g      *Graph
	order  []*segment // in source order
	first  map[*ir.Block]*segment
	nodes  map[*segment]*Node
	chains map[*segment][]*segment // by their first

	start, end, unwind *Node
	left, deferred     []*Node // states of streams that are left, and of deferred awaits
}

// split cuts the blocks at their awaits.
func (b *builder) split() {
	for _, blk := range b.f.Blocks {
		cur := &segment{block: blk}
		b.first[blk] = cur
		follow := func(s *segment) {
			b.order = append(b.order, cur)
			cur.next, cur = s, s
		}
		for _, in := range blk.Instrs {
			if a, ok := in.(*ir.Await); ok {
				if len(cur.instrs) > 0 || cur.await != nil {
					follow(&segment{block: blk})
				}
				cur.await, cur.shown = a, true
				follow(&segment{block: blk})
				continue
			}
			cur.instrs = append(cur.instrs, in)
			cur.shown = cur.shown || explain.Instr(b.f, in) != ""
		}
		cur.term = blk.Term
		b.order = append(b.order, cur)
		switch t := blk.Term.(type) {
		case *ir.Branch, *ir.Switch:
			cur.shown = true
		case *ir.Return:
			cur.shown = cur.shown || t.Node != nil
		}
	}
}

// resolve skips segments with nothing to show; nil is the end of the function.
func (b *builder) resolve(s *segment) *segment {
	for range b.order {
		if s.shown {
			return s
		}
		switch t := s.term.(type) {
		case nil:
			s = s.next
		case *ir.Jump:
			s = b.first[t.To]
		case *ir.Return:
			return nil
		default:
			return s
		}
	}
	return s // an empty loop
}

// exits lists the ways out of s: those in the middle of its statements, and the
// one behind, or those.
func (b *builder) exits(s *segment) []exit {
	var list []exit
	if s.await != nil {
		return append(list, exit{at: s.await, to: b.resolve(s.next), label: "completes", resumes: true})
	}
	for _, in := range s.instrs {
		if stmt, ok := in.(*ir.Stmt); ok {
			list = append(list, b.inside(stmt)...)
		}
	}
	rest := ""
	if len(list) > 0 {
		rest = "else"
	}
	last := b.last(s)
	switch t := s.term.(type) {
	case nil:
		list = append(list, exit{at: last, to: b.resolve(s.next), label: rest})
	case *ir.Jump:
		list = append(list, exit{at: last, to: b.resolve(b.first[t.To]), label: rest})
	case *ir.Return:
		list = append(list, exit{at: last, label: rest})
	case *ir.Stop:
		if stmt, ok := last.(*ir.Stmt); ok {
			if e, ok := stmt.Node.(*ast.ExprStmt); ok && ir.Panics(b.f.Source.Info, e.X) {
				list = append(list, exit{at: last, label: "panics"})
			}
		}
	case *ir.Branch:
		question, _ := explain.Question(b.f, t)
		list = append(list, exit{at: t, to: b.resolve(b.first[t.Then]), label: question},
			exit{at: t, to: b.resolve(b.first[t.Else]), label: "else"})
	case *ir.Switch:
		_, answers := explain.Question(b.f, t)
		for i, to := range t.Succs() {
			list = append(list, exit{at: t, to: b.resolve(b.first[to]), label: answers[i]})
		}
	}
	return list
}

// last is the last point that s shows.
func (b *builder) last(s *segment) any {
	switch t := s.term.(type) {
	case *ir.Return:
		if t.Node != nil {
			return t
		}
	case *ir.Branch, *ir.Switch:
		return t
	}
	for _, in := range slices.Backward(s.instrs) {
		if explain.Instr(b.f, in) != "" {
			return in
		}
	}
	return nil
}

// inside lists the leaps and returns of a whole statement, each under the
// nearest condition.
func (b *builder) inside(in *ir.Stmt) []exit {
	var list []exit
	var stack []ast.Node
	ast.Inspect(in.Node, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			stack = stack[:len(stack)-1]
			return true
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			list = append(list, exit{at: in, label: b.condition(stack, n, "return")})
		case *ast.BranchStmt:
			if to := b.f.Leaps[n]; to != nil {
				list = append(list, exit{at: in, to: b.resolve(b.first[to]), label: b.condition(stack, n, n.Tok.String())})
			}
		}
		stack = append(stack, n)
		return true
	})
	return list
}

// condition is the nearest one around n, which stands below the nodes of stack.
func (b *builder) condition(stack []ast.Node, n ast.Node, without string) string {
	text := func(n ast.Node) string {
		return strings.Join(strings.Fields(b.f.Source.Text(n.Pos(), n.End())), " ")
	}
	for _, around := range slices.Backward(stack) {
		switch s := around.(type) {
		case *ast.IfStmt:
			if s.Else != nil && s.Else.Pos() <= n.Pos() {
				return "not " + text(s.Cond)
			}
			return text(s.Cond)
		case *ast.CaseClause:
			if s.List == nil {
				return "default"
			}
			return "case " + strings.Join(strings.Fields(b.f.Source.Text(s.List[0].Pos(), s.List[len(s.List)-1].End())), " ")
		case *ast.CommClause:
			if s.Comm == nil {
				return "default"
			}
			return "case " + text(s.Comm)
		}
	}
	return without
}

// number orders the nodes and names them.
func (b *builder) number() {
	reached := map[*Node]bool{b.start: true}
	for _, e := range b.g.Edges {
		reached[e.To] = true
	}
	list := []*Node{b.start}
	for _, s := range b.order {
		if n := b.nodes[s]; n != nil && !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	if b.unwind != nil {
		list = slices.Concat(list, []*Node{b.unwind}, b.left, b.deferred)
	}
	for _, n := range append(list, b.end) {
		if !reached[n] {
			continue
		}
		n.ID = fmt.Sprintf("n%d", len(b.g.Nodes))
		b.g.Nodes = append(b.g.Nodes, n)
	}
}

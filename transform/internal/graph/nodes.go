package graph

import (
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/explain"
	"github.com/nothread/nothread/transform/internal/ir"
)

const (
	maxRows = 8  // of a node of code
	maxText = 46 // characters of a row
)

// place makes nodes of the segments: one of each that several ways lead to, or
// none but one that has a choice; what follows without a choice joins.
func (b *builder) place() {
	reached, ways := b.reach()
	joins := make(map[*segment]bool)
	b.chains = make(map[*segment][]*segment)
	for _, s := range b.order {
		if !reached[s] || s.await != nil {
			continue
		}
		if next := b.only(s); next != nil && next != s && next.await == nil && ways[next] == 1 {
			joins[next] = true
		}
	}
	for _, s := range b.order {
		if !reached[s] || joins[s] {
			continue
		}
		chain := []*segment{s}
		for next := b.only(s); next != nil && joins[next]; next = b.only(next) {
			chain = append(chain, next)
		}
		n := b.node(chain)
		b.chains[s] = chain
		for _, part := range chain {
			b.nodes[part] = n
		}
	}
}

// reach finds the segments that control reaches, and the number of ways to each.
func (b *builder) reach() (reached map[*segment]bool, ways map[*segment]int) {
	reached, ways = make(map[*segment]bool), make(map[*segment]int)
	var work []*segment
	push := func(s *segment) {
		if s == nil {
			return
		}
		ways[s]++
		if !reached[s] {
			reached[s] = true
			work = append(work, s)
		}
	}
	push(b.resolve(b.first[b.f.Entry]))
	for len(work) > 0 {
		s := work[len(work)-1]
		work = work[:len(work)-1]
		for _, e := range b.exits(s) {
			push(e.to)
		}
	}
	return reached, ways
}

// only is where s goes on if there is no choice, nil else. Ways out in the middle
// of its statements are no matter: they leave from where they stand.
func (b *builder) only(s *segment) *segment {
	if s.await != nil {
		return nil
	}
	switch t := s.term.(type) {
	case nil:
		return b.resolve(s.next)
	case *ir.Jump:
		return b.resolve(b.first[t.To])
	}
	return nil
}

// node makes one of segments that follow each other.
func (b *builder) node(chain []*segment) *Node {
	if a := chain[0].await; a != nil {
		return b.state(a)
	}
	n := &Node{Kind: Code}
	add := func(point any, pos token.Pos, text string) {
		n.Points = append(n.Points, point)
		if text != "" {
			b.row(n, pos, text)
		}
	}
	for _, s := range chain {
		for _, in := range s.instrs {
			if text := explain.Instr(b.f, in); text != "" {
				add(in, explain.Pos(in), text)
			}
		}
		switch t := s.term.(type) {
		case *ir.Branch:
			word := "if …"
			if s.block.Hint == "loop" {
				word = "loop"
			}
			add(t, explain.TermPos(b.f, t), word)
		case *ir.Switch:
			question, _ := explain.Question(b.f, t)
			add(t, explain.TermPos(b.f, t), question)
		case *ir.Return:
			if t.Node != nil {
				add(t, explain.TermPos(b.f, t), explain.Returned(b.f, t.Node))
			}
		}
	}
	if len(n.Rows) > maxRows {
		more := len(n.Rows) - maxRows + 1
		n.Rows = append(n.Rows[:maxRows-1], fmt.Sprintf("… %d more", more))
	}
	return n
}

// row adds a line of text with its line number.
func (b *builder) row(n *Node, pos token.Pos, text string) {
	number := ""
	if pos.IsValid() {
		at := b.f.Source.Line(pos)
		number = fmt.Sprint(at)
		if n.Line == 0 {
			n.Line = at
		}
	}
	n.Rows = append(n.Rows, strings.TrimSpace(number+"  "+explain.Short(text, maxText)))
}

// state is the node of an await.
func (b *builder) state(a *ir.Await) *Node {
	n := &Node{Kind: State, Title: fmt.Sprintf("state %d", a.State), Points: []any{a}}
	b.row(n, a.Call.Rparen, "await "+explain.Operand(b.f, a))
	var names []string
	for _, v := range b.f.Kept(a) {
		if !slices.Contains(names, v.Name) {
			names = append(names, v.Name)
		}
	}
	saves := "saves nothing"
	if len(names) > 0 {
		saves = "saves " + strings.Join(names, ", ")
	}
	n.Rows = append(n.Rows, wrapped(saves, maxText)...)
	return n
}

// wrapped breaks a text between words.
func wrapped(text string, width int) []string {
	var rows []string
	row := ""
	for _, word := range strings.Fields(text) {
		if row != "" && len([]rune(row+" "+word)) > width {
			rows, row = append(rows, row), "   "
		}
		row = strings.TrimPrefix(row+" "+word, " ")
	}
	return append(rows, row)
}

// unwinding makes the nodes of what happens at the end, whatever ends it.
func (b *builder) unwinding() {
	b.unwind = &Node{Kind: Unwind, Title: "at the end, last first"}
	for _, d := range slices.Backward(b.f.Defers) {
		b.row(b.unwind, d.Stmt.Pos(), strings.Join(strings.Fields(b.f.Source.Text(d.Stmt.Call.Pos(), d.Stmt.Call.End())), " "))
		if d.Await != nil {
			b.deferred = append(b.deferred, b.state(d.Await))
		}
	}
	for _, l := range b.f.Loops {
		if l.Left == nil {
			b.row(b.unwind, l.Iterator.Pos, "leave the range over a function")
			continue
		}
		b.row(b.unwind, l.Iterator.Pos, "leave the range over a stream")
		b.left = append(b.left, b.state(l.Left))
	}
}

// connect makes the edges.
func (b *builder) connect() {
	finish := b.end
	if b.unwind != nil {
		finish = b.unwind
	}
	target := func(s *segment) *Node {
		if s == nil {
			return finish
		}
		return b.nodes[s]
	}
	b.edge(&Edge{From: b.start, To: target(b.resolve(b.first[b.f.Entry]))})
	for _, s := range b.order {
		chain := b.chains[s]
		early := false // something has left in the middle
		for i, part := range chain {
			exits := b.exits(part)
			for j, e := range exits {
				joined := j == len(exits)-1 && i+1 < len(chain)
				if joined {
					continue
				}
				if e.label == "" && early {
					e.label = "else"
				}
				early = early || e.label != "" && e.label != "else"
				b.edge(&Edge{From: b.nodes[s], To: target(e.to), Label: explain.Short(e.label, maxText), Resumes: e.resumes, At: e.at})
			}
		}
	}
	b.connectEnd()
}

// connectEnd: what is deferred is done, and waited for, one after the other.
func (b *builder) connectEnd() {
	if b.unwind == nil {
		return
	}
	for _, n := range b.left {
		b.edge(&Edge{From: b.unwind, To: n, Label: "is in it"})
		b.edge(&Edge{From: n, To: b.unwind, Label: "completes", Resumes: true, At: n.Points[0]})
	}
	for _, n := range b.deferred {
		b.edge(&Edge{From: b.unwind, To: n, Label: "has deferred it"})
		b.edge(&Edge{From: n, To: b.unwind, Label: "completes", Resumes: true, At: n.Points[0]})
	}
	label := ""
	if len(b.deferred)+len(b.left) > 0 {
		label = "nothing left"
	}
	b.edge(&Edge{From: b.unwind, To: b.end, Label: label})
}

func (b *builder) edge(e *Edge) { b.g.Edges = append(b.g.Edges, e) }

// merged is the edges with those that lead the same way put together.
func (g *Graph) merged() []*Edge {
	var list []*Edge
	at := make(map[[2]*Node]*Edge)
	for _, e := range g.Edges {
		ends := [2]*Node{e.From, e.To}
		if first := at[ends]; first != nil && first.Resumes == e.Resumes {
			if e.Label != first.Label && !slices.Contains(strings.Split(first.Label, "\n"), e.Label) {
				first.Label = strings.Trim(first.Label+"\n"+e.Label, "\n")
			}
			continue
		}
		c := *e
		at[ends] = &c
		list = append(list, &c)
	}
	return list
}

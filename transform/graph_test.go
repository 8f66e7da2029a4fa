package transform

import (
	"fmt"
	"go/ast"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nothread/nothread/transform/internal/graph"
	"github.com/nothread/nothread/transform/internal/ir"
)

// studied returns all functions and async closures of the golden cases and of the
// packages beside them, compiled once for all tests.
func studied(t *testing.T) []candidate {
	t.Helper()
	corpus.Do(func() {
		corpus.all = lookInto(t, "./golden/...", "./testdata/study", "./testdata/semantics", "./testdata/allocs")
	})
	if len(corpus.all) < 100 {
		t.Fatalf("no more than %d functions", len(corpus.all))
	}
	return corpus.all
}

var corpus struct {
	sync.Once
	all []candidate
}

func lookInto(t *testing.T, patterns ...string) []candidate {
	t.Helper()
	r, result, err := study(Config{Dir: "..", Patterns: patterns, DumpTo: io.Discard, Env: environment()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Failed() {
		var text strings.Builder
		result.PrintDiagnostics(&text)
		t.Fatal(text.String())
	}
	var all []candidate
	for _, o := range r.outputs {
		for _, u := range o.units {
			all = appendTree(all, o, u, u.ir)
		}
	}
	return all
}

// A step leads from one thing that a function does to the next.
type step struct{ from, to any }

const (
	atStart = "start"
	atEnd   = "end"
)

// TestGraphIsTheCode compares the edges of each graph with what the ir does, found
// here in another way: none is missing, and none is made up.
func TestGraphIsTheCode(t *testing.T) {
	for _, c := range studied(t) {
		want, got := stepsOf(c.f), drawn(graph.New(c.f))
		for s := range want {
			if !got[s] {
				t.Errorf("%s: not drawn: %s", c.f.Name, s.text(c.f))
			}
		}
		for s := range got {
			if !want[s] {
				t.Errorf("%s: drawn, but not in the code: %s", c.f.Name, s.text(c.f))
			}
		}
	}
}

func (s step) text(f *ir.Func) string {
	name := func(x any) string {
		for _, blk := range f.Blocks {
			if x == any(blk.Term) {
				return fmt.Sprintf("the end of b%d", blk.Index)
			}
			for i, in := range blk.Instrs {
				if x == any(in) {
					return fmt.Sprintf("b%d[%d]", blk.Index, i)
				}
			}
		}
		return fmt.Sprint(x)
	}
	return name(s.from) + " → " + name(s.to)
}

// drawn is what a graph says.
func drawn(g *graph.Graph) map[step]bool {
	steps := make(map[step]bool)
	first := func(n *graph.Node) any {
		switch {
		case n.Kind == graph.Start:
			return atStart
		case n.Kind == graph.End || n.Kind == graph.Unwind:
			return atEnd
		}
		return n.Points[0]
	}
	for _, n := range g.Nodes {
		for i := range len(n.Points) - 1 {
			steps[step{n.Points[i], n.Points[i+1]}] = true
		}
	}
	for _, e := range g.Edges {
		from := e.At
		switch {
		case e.From.Kind == graph.Start:
			from = atStart
		case e.From.Kind == graph.Unwind:
			continue // TestGraphOfDeferredAwaits
		case e.From.Kind == graph.State && e.To.Kind == graph.Unwind && e.Resumes && e.At.(*ir.Await).Block == nil:
			continue
		}
		steps[step{from, first(e.To)}] = true
	}
	return steps
}

// stepsOf walks the ir.
func stepsOf(f *ir.Func) map[step]bool {
	w := &walker{f: f, steps: make(map[step]bool), seen: make(map[*ir.Block]bool)}
	w.from(atStart, f.Entry, 0)
	w.visit(f.Entry)
	return w.steps
}

type walker struct {
	f     *ir.Func
	steps map[step]bool
	seen  map[*ir.Block]bool
}

// shows reports whether an instruction is more than the compiler's own business.
func shows(in ir.Instr) bool {
	switch in := in.(type) {
	case *ir.Comment, *ir.Blank:
		return false
	case *ir.Declare:
		return in.Var.Cell || in.Zero && in.Var.Obj != nil
	case *ir.Renew:
		return in.Var.Cell
	}
	return true
}

// from notes a step from x to what comes at the i-th instruction of blk.
func (w *walker) from(x any, blk *ir.Block, i int) {
	for hops := 0; hops <= len(w.f.Blocks); hops++ {
		for ; i < len(blk.Instrs); i++ {
			if shows(blk.Instrs[i]) {
				w.steps[step{x, blk.Instrs[i]}] = true
				return
			}
		}
		switch term := blk.Term.(type) {
		case *ir.Jump:
			blk, i = term.To, 0
			continue
		case *ir.Branch, *ir.Switch:
			w.steps[step{x, term}] = true
		case *ir.Return:
			if term.Node != nil {
				w.steps[step{x, term}] = true
			} else {
				w.steps[step{x, atEnd}] = true
			}
		case *ir.Stop:
			if last, ok := x.(*ir.Stmt); ok && strings.HasPrefix(w.f.Source.Text(last.Node.Pos(), last.Node.End()), "panic(") {
				w.steps[step{x, atEnd}] = true
			}
		}
		return
	}
}

func (w *walker) visit(blk *ir.Block) {
	if w.seen[blk] {
		return
	}
	w.seen[blk] = true
	for i, in := range blk.Instrs {
		if !shows(in) {
			continue
		}
		w.from(in, blk, i+1)
		if stmt, ok := in.(*ir.Stmt); ok {
			w.leaving(stmt)
		}
	}
	switch term := blk.Term.(type) {
	case *ir.Branch:
		w.from(term, term.Then, 0)
		w.from(term, term.Else, 0)
	case *ir.Switch:
		for _, c := range term.Clauses {
			w.from(term, c.To, 0)
		}
		if term.Else != nil {
			w.from(term, term.Else, 0)
		}
	case *ir.Return:
		if term.Node != nil {
			w.steps[step{term, atEnd}] = true
		}
	}
	for _, to := range blk.Term.Succs() {
		w.visit(to)
	}
}

// leaving notes what leaves a statement in its middle.
func (w *walker) leaving(stmt *ir.Stmt) {
	inside := func(n ast.Node) bool { return stmt.Node.Pos() <= n.Pos() && n.End() <= stmt.Node.End() }
	for br, to := range w.f.Leaps {
		if inside(br) {
			w.from(stmt, to, 0)
			w.visit(to)
		}
	}
	ast.Inspect(stmt.Node, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if _, ok := n.(*ast.ReturnStmt); ok {
			w.steps[step{stmt, atEnd}] = true
		}
		return true
	})
}

// Every await is a state with its number, every state has
// one way on, which its completion takes, and where there is a choice each way
// says what takes it.
func TestGraphStatesAndLabels(t *testing.T) {
	for _, c := range studied(t) {
		g := graph.New(c.f)
		out := make(map[*graph.Node][]*graph.Edge)
		for _, e := range g.Edges {
			out[e.From] = append(out[e.From], e)
		}
		states := 0
		for _, n := range g.Nodes {
			if n.Kind == graph.State {
				states++
				if ways := out[n]; len(ways) != 1 || !ways[0].Resumes || ways[0].Label != "completes" {
					t.Errorf("%s: %d ways out of %s", g.Name, len(ways), n.Title)
				}
				if n.Line == 0 || len(n.Rows) < 2 || !strings.HasPrefix(n.Rows[1], "saves ") {
					t.Errorf("%s: %s says %q", g.Name, n.Title, n.Rows)
				}
			}
			for _, e := range out[n] {
				if len(out[n]) > 1 && e.Label == "" {
					t.Errorf("%s: a way out of %s %q has no label", g.Name, n.ID, n.Rows)
				}
			}
		}
		if want := len(c.f.States()); states != want {
			t.Errorf("%s: %d states for %d awaits", g.Name, states, want)
		}
	}
}

func TestGraphOfDeferredAwaits(t *testing.T) {
	for _, c := range studied(t) {
		if c.f.Name != "Late" {
			continue
		}
		var edges []string
		for _, e := range graph.New(c.f).Edges {
			edges = append(edges, fmt.Sprintf("%s>%s %s", e.From.Title, e.To.Title, e.Label))
		}
		want := []string{
			"Late> ", ">state 1 ", "state 1> completes", ">at the end, last first ",
			"at the end, last first>state 2 has deferred it", "state 2>at the end, last first completes",
			"at the end, last first>end nothing left",
		}
		if !slices.Equal(edges, want) {
			t.Errorf("%q", edges)
		}
	}
}

// Both forms draw all nodes and edges, the same each time. That the picture does,
// too, is seen where it is drawn: in cmd/graphsvg.
func TestGraphForms(t *testing.T) {
	for _, c := range studied(t) {
		g := graph.New(c.f)
		ways := make(map[string]bool)
		for _, e := range g.Edges {
			ways[e.From.ID+" "+e.To.ID] = true
		}
		dot, mermaid := g.DOT(), g.Mermaid()
		if n := strings.Count(dot, " -> "); n != len(ways) {
			t.Errorf("%s: %d edges of %d in DOT:\n%s", g.Name, n, len(ways), dot)
		}
		if n := strings.Count(dot, " [shape="); n != len(g.Nodes) {
			t.Errorf("%s: %d nodes of %d in DOT:\n%s", g.Name, n, len(g.Nodes), dot)
		}
		if n := strings.Count(mermaid, " --> ") + strings.Count(mermaid, " ==> ") + strings.Count(mermaid, "|\""); n < len(ways) {
			t.Errorf("%s: %d edges of %d in Mermaid:\n%s", g.Name, n, len(ways), mermaid)
		}
		again := graph.New(c.f)
		if again.DOT() != dot || again.Mermaid() != mermaid {
			t.Errorf("%s is drawn in two ways", g.Name)
		}
	}
}

package fuzz

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/go/cfg"

	"github.com/nothread/nothread/transform"
)

// What leads from one state to the next is read twice: from the graph, and from
// the generated code, of which nothing is known here but that MoveNext begins with
// a switch that goes to the label of each state, and that it returns nil where it
// waits.

// TestGraphs compares the graphs of what people wrote with the code; each batch of
// random programs is compared, too.
func TestGraphs(t *testing.T) {
	states := 0
	for _, folder := range []string{"./testdata/study", "./testdata/semantics", "./golden/defers", "./golden/iterators", "./golden/selects"} {
		states += compareGraphs(t, "../../..", folder)
	}
	if states < 100 {
		t.Errorf("no more than %d states", states)
	}
}

// compareGraphs compares all functions of a package; it returns how many states
// they have.
func compareGraphs(t *testing.T, dir, folder string) (states int) {
	t.Helper()
	config := transform.Config{Dir: dir, Patterns: []string{folder}, Env: environment()}
	result, err := transform.Generate(config)
	if err != nil || result.Failed() {
		t.Fatalf("%s: %v %+v", folder, err, result)
	}
	code := make(map[string]ways)
	for _, f := range result.Files {
		maps.Copy(code, waysOfCode(t, f.Path, f.Content))
	}
	graphs, _, err := transform.Draw(config, slices.Collect(maps.Keys(code))...)
	if err != nil || len(graphs) != len(code) {
		t.Fatalf("%s: %d graphs for %d functions, %v", folder, len(graphs), len(code), err)
	}
	for _, g := range graphs {
		drawn, want := waysOfGraph(g), code[g.Name]
		states += len(want) - 1
		for from, to := range want {
			if !maps.Equal(to, drawn[from]) {
				t.Errorf("%s, %s: from state %d the code goes to %v, the graph to %v\n%s", folder, g.Name, from, to, drawn[from], g.DOT())
			}
		}
	}
	return states
}

// ways are where a machine may wait next, by the state in which it waits; 0 is
// where it begins, and end where it ends.
type ways map[int]map[int]bool

const end = -1

// waysOfGraph reads a graph. What is deferred is the end.
func waysOfGraph(g *transform.Graph) ways {
	out := make(map[string][]string) // by ID
	stops := make(map[string]int)
	begins := map[int]string{}
	for _, n := range g.Nodes {
		var state int
		switch _, err := fmt.Sscanf(n.Title, "state %d", &state); {
		case err == nil:
			stops[n.ID], begins[state] = state, n.ID
		case n.Title == "end" || strings.HasPrefix(n.Title, "at the end"):
			stops[n.ID] = end
		case len(begins) == 0 && n.Title == g.Name:
			begins[0] = n.ID
		}
	}
	for _, e := range g.Edges {
		if e.Label != "panics" {
			out[e.From.ID] = append(out[e.From.ID], e.To.ID)
		}
	}
	all := make(ways)
	for state, from := range begins {
		all[state] = make(map[int]bool)
		seen := make(map[string]bool)
		var follow func(string)
		follow = func(id string) {
			for _, to := range out[id] {
				if stop, stops := stops[to]; stops {
					all[state][stop] = true
				} else if !seen[to] {
					seen[to] = true
					follow(to)
				}
			}
		}
		follow(from)
	}
	return all
}

// waysOfCode reads a generated file: the ways of each function, by its name.
func waysOfCode(t *testing.T, path string, content []byte) map[string]ways {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, content, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names, moves := make(map[string]string), make(map[string]*ast.FuncDecl) // by machine
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "MoveNext" {
				moves[machineOf(d)] = d
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && len(v.Values) == 1 {
					if name := functionOf(v.Values[0]); name != "" {
						names[strings.TrimSuffix(v.Names[0].Name, "States")] = name
					}
				}
			}
		}
	}
	all := make(map[string]ways)
	for machine, move := range moves {
		if names[machine] == "" {
			t.Fatalf("%s: nothing says whose machine %s is", path, machine)
		}
		all[names[machine]] = waysOfMove(move)
	}
	return all
}

// machineOf is the type of which a function is a method.
func machineOf(d *ast.FuncDecl) string {
	typ := d.Recv.List[0].Type.(*ast.StarExpr).X
	switch x := typ.(type) {
	case *ast.IndexExpr:
		typ = x.X
	case *ast.IndexListExpr:
		typ = x.X
	}
	return typ.(*ast.Ident).Name
}

// functionOf is the name in async.States{Func: "F", …}, "" if x is something else.
func functionOf(x ast.Expr) string {
	lit, ok := x.(*ast.CompositeLit)
	if !ok || len(lit.Elts) == 0 {
		return ""
	}
	first, ok := lit.Elts[0].(*ast.KeyValueExpr)
	if !ok {
		return ""
	}
	key, isIdent := first.Key.(*ast.Ident)
	value, isText := first.Value.(*ast.BasicLit)
	if !isIdent || key.Name != "Func" || !isText {
		return ""
	}
	name, _ := strconv.Unquote(value.Value)
	return name
}

// waysOfMove follows the code of a MoveNext.
func waysOfMove(move *ast.FuncDecl) ways {
	graph := cfg.New(move.Body, func(call *ast.CallExpr) bool {
		id, ok := call.Fun.(*ast.Ident)
		return !ok || id.Name != "panic"
	})
	dispatch, labels := dispatched(move)
	stops := make(map[*cfg.Block]int)
	begins := map[int]*cfg.Block{0: graph.Blocks[0]}
	for _, b := range graph.Blocks {
		if label, ok := b.Stmt.(*ast.LabeledStmt); ok && b.Kind == cfg.KindLabel {
			if state := labels[label.Label.Name]; state != 0 {
				stops[b], begins[state] = state, b
			}
		}
		if b.Kind == cfg.KindSwitchDone && b.Stmt == dispatch {
			begins[0] = b
		}
	}
	all := make(ways)
	for state, from := range begins {
		all[state] = make(map[int]bool)
		seen := map[*cfg.Block]bool{from: true}
		var follow func(*cfg.Block)
		follow = func(b *cfg.Block) {
			if ret := b.Return(); ret != nil && !waits(ret) {
				all[state][end] = true
			}
			for _, to := range b.Succs {
				if stop, stops := stops[to]; stops {
					all[state][stop] = true
				} else if !seen[to] {
					seen[to] = true
					follow(to)
				}
			}
		}
		follow(from)
	}
	return all
}

// dispatched finds the switch over the states, and the labels to which it goes.
func dispatched(move *ast.FuncDecl) (dispatch ast.Stmt, labels map[string]int) {
	labels = make(map[string]int)
	ast.Inspect(move.Body, func(n ast.Node) bool {
		s, ok := n.(*ast.SwitchStmt)
		if !ok || dispatch != nil {
			return dispatch == nil
		}
		if tag, ok := s.Tag.(*ast.SelectorExpr); !ok || tag.Sel.Name != "State" {
			return true
		}
		dispatch = s
		for _, clause := range s.Body.List {
			c := clause.(*ast.CaseClause)
			state, err := strconv.Atoi(c.List[0].(*ast.BasicLit).Value)
			if jump, ok := c.Body[len(c.Body)-1].(*ast.BranchStmt); ok && err == nil {
				labels[jump.Label.Name] = state
			}
		}
		return false
	})
	return dispatch, labels
}

// waits reports whether a return says that the machine waits.
func waits(ret *ast.ReturnStmt) bool {
	if len(ret.Results) != 1 {
		return false
	}
	id, ok := ret.Results[0].(*ast.Ident)
	return ok && id.Name == "nil"
}

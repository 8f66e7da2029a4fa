package transform

import (
	"github.com/nothread/nothread/transform/internal/explain"
	"github.com/nothread/nothread/transform/internal/graph"
)

// An Explanation says what was made of one function: see its fields, or Text.
type Explanation = explain.Func

// A Graph is a function's machine as a picture: see its methods DOT and Mermaid.
type Graph = graph.Graph

// Explain compiles the packages that cfg names and explains functions of theirs:
// those that names choose, in their order, or all if there are none, in that of the
// sources.
// A name is "F", "Type.Method", a method's name alone, an async closure's as
// messages have it ("F.go1"), or "file.go:12" for the function around a line. The
// error wraps [ErrNoFunction] if a name means none or several. Nothing is written.
func Explain(cfg Config, names ...string) ([]*Explanation, *Result, error) {
	r, result, err := study(cfg, names)
	if err != nil || result.Failed() {
		return nil, result, err
	}
	chosen, err := r.choose(names)
	if err != nil {
		return nil, result, err
	}
	var list []*Explanation
	for _, c := range chosen {
		list = append(list, explain.New(r.subject(c)))
	}
	return list, result, nil
}

// Draw compiles the packages that cfg names and draws the machines of functions of
// theirs: those that names choose, or all, as for [Explain]. Nothing is written.
func Draw(cfg Config, names ...string) ([]*Graph, *Result, error) {
	r, result, err := study(cfg, names)
	if err != nil || result.Failed() {
		return nil, result, err
	}
	chosen, err := r.choose(names)
	if err != nil {
		return nil, result, err
	}
	var list []*Graph
	for _, c := range chosen {
		list = append(list, graph.New(c.f))
	}
	return list, result, nil
}

package graph

import (
	"fmt"
	"strings"
)

// The colours are pale, and differ in grey; kinds differ in their outlines too.
var fill = map[Kind]string{Start: "#ffffff", Code: "#ffffff", State: "#ffe7b8", Unwind: "#e3ecf7", End: "#e8e8e8"}

const ink = "#222222"

// DOT writes the graph for Graphviz.
func (g *Graph) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", quoted(g.Name))
	b.WriteString("\tnodesep=0.3\n\tranksep=0.35\n")
	fmt.Fprintf(&b, "\tnode [fontname=\"Courier\", fontsize=10, color=%q, fontcolor=%q, style=filled]\n", ink, ink)
	fmt.Fprintf(&b, "\tedge [fontname=\"Courier\", fontsize=9, color=%q, fontcolor=%q, arrowsize=0.7]\n", ink, ink)
	for _, n := range g.Nodes {
		shape, more := "box", ""
		switch n.Kind {
		case Start:
			shape = "ellipse"
		case State:
			more = ", style=\"filled,rounded\", penwidth=2"
		case Unwind:
			more = ", style=\"filled,dashed\""
		case End:
			shape, more = "ellipse", ", peripheries=2"
		}
		fmt.Fprintf(&b, "\t%s [shape=%s, fillcolor=%q, label=%s%s]\n", n.ID, shape, fill[n.Kind], n.dotLabel(), more)
	}
	for _, e := range g.merged() {
		var with []string
		if e.Label != "" {
			with = append(with, "label="+quoted(" "+strings.ReplaceAll(e.Label, "\n", "\n ")))
		}
		if e.Resumes {
			with = append(with, "penwidth=2")
		}
		attrs := ""
		if len(with) > 0 {
			attrs = " [" + strings.Join(with, ", ") + "]"
		}
		fmt.Fprintf(&b, "\t%s -> %s%s\n", e.From.ID, e.To.ID, attrs)
	}
	for _, n := range g.Nodes {
		if n.Kind == End {
			fmt.Fprintf(&b, "\t{ rank=sink; %s }\n", n.ID)
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// head is a node's first line, "" if it has none.
func (n *Node) head() string {
	if n.Kind == Start {
		return fmt.Sprintf("%s  :%d", n.Title, n.Line)
	}
	return n.Title
}

// lines are all of a node's text.
func (n *Node) lines() []string {
	if head := n.head(); head != "" {
		return append([]string{head}, n.Rows...)
	}
	return n.Rows
}

// dotLabel sets the head in the middle, and what follows to the left.
func (n *Node) dotLabel() string {
	var b strings.Builder
	for i, text := range n.lines() {
		end := `\l`
		if i == 0 && n.head() != "" {
			end = `\n`
		}
		inner := quoted(text)
		b.WriteString(inner[1:len(inner)-1] + end)
	}
	return `"` + b.String() + `"`
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

package graph

import (
	"fmt"
	"strings"
)

// Mermaid writes the graph as a Mermaid flowchart.
func (g *Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	for _, n := range g.Nodes {
		open, end := "[", "]"
		switch n.Kind {
		case Start, End:
			open, end = "([", "])"
		case State:
			open, end = "(", ")"
		}
		var texts []string
		for _, text := range n.lines() {
			texts = append(texts, entities(text))
		}
		fmt.Fprintf(&b, "    %s%s\"%s\"%s\n", n.ID, open, strings.Join(texts, "<br/>"), end)
	}
	for _, e := range g.merged() {
		arrow := "-->"
		if e.Resumes {
			arrow = "==>"
		}
		label := ""
		if e.Label != "" {
			label = "|\"" + strings.ReplaceAll(entities(e.Label), "\n", "<br/>") + "\"|"
		}
		fmt.Fprintf(&b, "    %s %s%s %s\n", e.From.ID, arrow, label, e.To.ID)
	}
	for _, c := range []struct {
		kind        Kind
		name, style string
	}{
		{Start, "start", "stroke-width:1px"},
		{Code, "code", "stroke-width:1px,text-align:left"},
		{State, "state", "stroke-width:3px"},
		{Unwind, "unwind", "stroke-width:1px,stroke-dasharray:5 3"},
		{End, "end_", "stroke-width:3px"},
	} {
		var ids []string
		for _, n := range g.Nodes {
			if n.Kind == c.kind {
				ids = append(ids, n.ID)
			}
		}
		if len(ids) > 0 {
			fmt.Fprintf(&b, "    classDef %s fill:%s,stroke:%s,color:%s,%s\n", c.name, fill[c.kind], ink, ink, c.style)
			fmt.Fprintf(&b, "    class %s %s\n", strings.Join(ids, ","), c.name)
		}
	}
	return b.String()
}

// entities writes what means something to Mermaid, or to HTML, as entities.
func entities(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch r {
		case '#', '"', '<', '>', '&', '`', '\\', '|', '*', '_', '~':
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

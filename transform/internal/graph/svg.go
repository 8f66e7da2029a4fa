package graph

import (
	"fmt"
	"strings"
)

// SVG draws the graph.
func (g *Graph) SVG() string {
	l := newLayout(g)
	d := &drawing{l: l, top: make(map[*point]int), bottom: make(map[*point]int), out: make(map[*link]int), in: make(map[*link]int)}
	d.measure()
	width, height := l.extent()
	fmt.Fprintf(&d.b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\"", width, height, width, height)
	fmt.Fprintf(&d.b, " font-family=\"'DejaVu Sans Mono', 'Liberation Mono', 'Courier New', monospace\" fill=\"%s\">\n", ink)
	fmt.Fprintf(&d.b, "<title>%s</title>\n", escaped(g.Name))
	d.b.WriteString("<defs><marker id=\"arrow\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\"" +
		" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 1 L10 5 L0 9 z\"/></marker></defs>\n")
	fmt.Fprintf(&d.b, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, height)
	for _, r := range l.routes {
		d.edge(r)
	}
	for _, n := range g.Nodes {
		d.node(l.at[n])
	}
	for _, r := range l.routes {
		d.label(r)
	}
	d.b.WriteString("</svg>\n")
	return d.b.String()
}

type drawing struct {
	l           *layout
	top, bottom map[*point]int // of the point's layer
	out, in     map[*link]int  // where a link begins below a node, and ends above one
	b           strings.Builder
}

// measure finds how high the layers are, and the ports.
func (d *drawing) measure() {
	for _, layer := range d.l.layers {
		tallest := 0
		for _, p := range layer {
			tallest = max(tallest, p.height)
		}
		for _, p := range layer {
			d.top[p], d.bottom[p] = p.y-tallest/2, p.y+tallest/2
			if p.node == nil {
				continue
			}
			for k, x := range ports(p, p.down, func(k *link) *point { return k.lower }) {
				d.out[k] = x
			}
			for k, x := range ports(p, p.up, func(k *link) *point { return k.upper }) {
				d.in[k] = x
			}
		}
	}
}

// edge draws a line: straight down through layers, bent between them.
func (d *drawing) edge(r *route) {
	width := 1
	if r.edge.Resumes {
		width = 2
	}
	fmt.Fprintf(&d.b, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"%d\" marker-end=\"url(#arrow)\" d=\"%s\"/>\n", ink, width, d.path(r))
}

func (d *drawing) path(r *route) string {
	if p := r.loop; p != nil {
		x, up, down := p.x+p.left, p.y-p.height/4, p.y+p.height/4
		return fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x, up, x+loopRoom, up-4, x+loopRoom, down+4, x, down)
	}
	type at struct{ x, y int }
	var way []at // pairs: into a layer, out of it; the curves are between the pairs
	for i, p := range r.points {
		x := p.x
		if i > 0 {
			k := linkTo(r.points[i-1], p)
			if p.node != nil {
				x = d.in[k]
			}
			way = append(way, at{x, d.top[p]})
		}
		if p.node != nil && i > 0 {
			way = append(way, at{x, p.y - p.height/2})
		}
		if i+1 < len(r.points) {
			if p.node != nil {
				x = d.out[linkTo(p, r.points[i+1])]
				way = append(way, at{x, p.y + p.height/2})
			}
			way = append(way, at{x, d.bottom[p]})
		}
	}
	if r.back {
		for i, j := 0, len(way)-1; i < j; i, j = i+1, j-1 {
			way[i], way[j] = way[j], way[i]
		}
	}
	text := fmt.Sprintf("M%d %d", way[0].x, way[0].y)
	for i, q := range way[1:] {
		switch p := way[i]; {
		case p == q:
		case p.x == q.x:
			text += fmt.Sprintf(" L%d %d", q.x, q.y)
		default:
			middle := (p.y + q.y) / 2
			text += fmt.Sprintf(" C%d %d %d %d %d %d", p.x, middle, q.x, middle, q.x, q.y)
		}
	}
	return text
}

func linkTo(p, q *point) *link {
	for _, k := range p.down {
		if k.lower == q {
			return k
		}
	}
	return nil
}

func (d *drawing) node(p *point) {
	n := p.node
	x, y, w, h := p.x-p.left, p.y-p.height/2, 2*p.left, p.height
	style := fmt.Sprintf("fill=\"%s\" stroke=\"%s\"", fill[n.Kind], ink)
	switch n.Kind {
	case Start, End:
		fmt.Fprintf(&d.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" %s/>\n", x, y, w, h, h/2, style)
		if n.Kind == End {
			fmt.Fprintf(&d.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" fill=\"none\" stroke=\"%s\"/>\n", x+3, y+3, w-6, h-6, h/2-3, ink)
		}
	case State:
		fmt.Fprintf(&d.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\" %s stroke-width=\"2\"/>\n", x, y, w, h, style)
	case Unwind:
		fmt.Fprintf(&d.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" %s stroke-dasharray=\"5 3\"/>\n", x, y, w, h, style)
	default:
		fmt.Fprintf(&d.b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" %s/>\n", x, y, w, h, style)
	}
	for i, text := range n.lines() {
		base := y + padding/2 + (i+1)*leading - 3
		if i == 0 && n.head() != "" {
			fmt.Fprintf(&d.b, "<text x=\"%d\" y=\"%d\" font-size=\"10\" font-weight=\"bold\" text-anchor=\"middle\">%s</text>\n", p.x, base, escaped(text))
			continue
		}
		fmt.Fprintf(&d.b, "<text x=\"%d\" y=\"%d\" font-size=\"10\" xml:space=\"preserve\">%s</text>\n", x+padding, base, escaped(text))
	}
}

// label writes an edge's label beside it, on white, so that lines do not run
// through it.
func (d *drawing) label(r *route) {
	if r.edge.Label == "" {
		return
	}
	x, y := 0, 0
	if p := r.loop; p != nil {
		x, y = p.x+p.left+loopRoom, p.y
	}
	for _, p := range r.points {
		if p.label {
			x, y = p.x+passing, p.y
		}
	}
	texts := lines(r.edge.Label)
	top := y - len(texts)*labelLead/2
	for i, text := range texts {
		fmt.Fprintf(&d.b, "<text x=\"%d\" y=\"%d\" font-size=\"9\" xml:space=\"preserve\" stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\">%s</text>\n",
			x, top+(i+1)*labelLead-2, escaped(text))
	}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

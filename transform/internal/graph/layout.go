package graph

import "slices"

// This file lays a graph out in layers, as Sugiyama, Tagawa and Toda have it:
//
//	layers     edges that lead back are turned around; then every edge leads
//	           down, and a node stands below all that lead to it
//	chains     an edge that passes layers passes a point in each; its label
//	           takes the room of one, in a layer of its own between two
//	order      of the points of a layer, so that few edges cross (order.go)
//	place      so that edges are straight and nothing overlaps (place.go)
//
// All arithmetic is on integers: the picture is the same on every machine.

// A point is a node, or where an edge passes a layer.
type point struct {
	node  *Node // nil where an edge passes
	label bool  // the edge's label stands here, to the right of it

	left, right int // how far it reaches from x
	height      int
	layer       int
	x, y        int // of the middle
	at          int // in its layer
	up, down    []*link
}

// A link joins two points of neighbouring layers.
type link struct{ upper, lower *point }

// A route is how an edge runs: the points from its node to the other.
type route struct {
	edge   *Edge
	points []*point // from top to bottom
	back   bool     // the edge runs from bottom to top
	loop   *point   // the node, if the edge leads to where it comes from
}

type layout struct {
	g      *Graph
	layers [][]*point
	at     map[*Node]*point
	routes []*route
	first  []*point // nodes in the order in which they are found
}

// Sizes in pixels. The text is set in a fixed pitch.
const (
	pitch      = 6 // of a character, at size 10
	leading    = 13
	padding    = 8
	labelPitch = 6 // at size 9, with a little air
	labelLead  = 11
	passing    = 6  // half the room of an edge
	apart      = 22 // between nodes side by side
	between    = 15 // between layers
	loopRoom   = 26
	margin     = 12
)

func newLayout(g *Graph) *layout {
	l := &layout{g: g, at: make(map[*Node]*point)}
	for _, n := range g.Nodes {
		half, height := size(n)
		l.at[n] = &point{node: n, left: half, right: half, height: height}
	}
	back := l.turn()
	l.rank(back)
	l.chain(back)
	l.order()
	l.place()
	return l
}

// size is half the width, and the height, of a node.
func size(n *Node) (half, height int) {
	longest := 0
	for _, text := range n.lines() {
		longest = max(longest, len([]rune(text)))
	}
	half, height = longest*pitch/2+padding, len(n.lines())*leading+padding
	if n.Kind == Start || n.Kind == End {
		half += padding
	}
	return half, height
}

// turn finds the edges that lead back: to a node whose ways on are being
// followed.
func (l *layout) turn() map[*Edge]bool {
	out := make(map[*Node][]*Edge)
	edges := l.g.merged()
	for _, e := range edges {
		out[e.From] = append(out[e.From], e)
		l.routes = append(l.routes, &route{edge: e})
	}
	back := make(map[*Edge]bool)
	open, done := make(map[*Node]bool), make(map[*Node]bool)
	var follow func(n *Node)
	follow = func(n *Node) {
		open[n] = true
		l.first = append(l.first, l.at[n])
		for _, e := range out[n] {
			switch {
			case open[e.To]:
				back[e] = true
			case !done[e.To]:
				follow(e.To)
			}
		}
		open[n], done[n] = false, true
	}
	for _, n := range l.g.Nodes {
		if !done[n] {
			follow(n)
		}
	}
	return back
}

// rank gives every node a layer with an even number, the end the last; labels
// stand in the layers between.
func (l *layout) rank(back map[*Edge]bool) {
	last := 0
	for range l.g.Nodes {
		for _, r := range l.routes {
			from, to := l.at[r.edge.From], l.at[r.edge.To]
			if back[r.edge] {
				from, to = to, from
			}
			if from != to {
				to.layer = max(to.layer, from.layer+2)
				last = max(last, to.layer)
			}
		}
	}
	for _, n := range l.g.Nodes {
		if n.Kind == End {
			l.at[n].layer = last
		}
	}
	l.layers = make([][]*point, last+1)
	for _, p := range l.first {
		l.layers[p.layer] = append(l.layers[p.layer], p)
	}
}

// chain makes the points that edges pass.
func (l *layout) chain(back map[*Edge]bool) {
	for _, r := range l.routes {
		e := r.edge
		upper, lower := l.at[e.From], l.at[e.To]
		if upper == lower {
			r.loop = upper
			upper.right = max(upper.right, upper.left+loopRoom+labelWidth(e.Label))
			continue
		}
		labelled := upper.layer + 1
		if r.back = back[e]; r.back {
			upper, lower = lower, upper
			labelled = lower.layer - 1
		}
		r.points = []*point{upper}
		for layer := upper.layer + 1; layer < lower.layer; layer++ {
			p := &point{layer: layer, left: passing, right: passing}
			if layer == labelled && e.Label != "" {
				p.label = true
				p.right = passing + labelWidth(e.Label)
				p.height = len(lines(e.Label)) * labelLead
			}
			l.layers[layer] = append(l.layers[layer], p)
			r.points = append(r.points, p)
		}
		r.points = append(r.points, lower)
		for i, p := range r.points[1:] {
			k := &link{r.points[i], p}
			k.upper.down = append(k.upper.down, k)
			k.lower.up = append(k.lower.up, k)
		}
	}
}

func labelWidth(label string) int {
	longest := 0
	for _, text := range lines(label) {
		longest = max(longest, len([]rune(text)))
	}
	return longest * labelPitch
}

// number notes where each point stands in its layer.
func number(layer []*point) {
	for i, p := range layer {
		p.at = i
	}
}

// clones keeps an order of all layers.
func (l *layout) clones() [][]*point {
	var list [][]*point
	for _, layer := range l.layers {
		list = append(list, slices.Clone(layer))
	}
	return list
}

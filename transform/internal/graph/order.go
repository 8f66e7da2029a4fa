package graph

import (
	"cmp"
	"slices"
)

const sweeps = 12

// order sorts the points of each layer by where their neighbours above stand,
// then by those below, and so on, and keeps the order with the fewest crossings.
func (l *layout) order() {
	for _, layer := range l.layers {
		number(layer)
	}
	best, fewest := l.clones(), l.crossings()
	for i := range sweeps {
		if i%2 == 0 {
			for _, layer := range l.layers {
				arrange(layer, func(p *point) []*link { return p.up }, func(k *link) *point { return k.upper })
			}
		} else {
			for _, layer := range slices.Backward(l.layers) {
				arrange(layer, func(p *point) []*link { return p.down }, func(k *link) *point { return k.lower })
			}
		}
		l.swap()
		if n := l.crossings(); n < fewest {
			best, fewest = l.clones(), n
		}
	}
	l.layers = best
	for _, layer := range l.layers {
		number(layer)
	}
}

// arrange sorts a layer by the mean place of each point's neighbours; one that
// has none keeps its own.
func arrange(layer []*point, links func(*point) []*link, other func(*link) *point) {
	mean := make(map[*point]int)
	for _, p := range layer {
		mean[p] = p.at * 1000
		if list := links(p); len(list) > 0 {
			sum := 0
			for _, k := range list {
				sum += other(k).at * 1000
			}
			mean[p] = sum / len(list)
		}
	}
	slices.SortStableFunc(layer, func(p, q *point) int { return cmp.Compare(mean[p], mean[q]) })
	number(layer)
}

// swap exchanges neighbours where that takes crossings away.
func (l *layout) swap() {
	for _, layer := range l.layers {
		for i := range len(layer) - 1 {
			p, q := layer[i], layer[i+1]
			if crossed(p, q) > crossed(q, p) {
				layer[i], layer[i+1] = q, p
				p.at, q.at = q.at, p.at
			}
		}
	}
}

// crossed counts the crossings of p's links with q's while p stands left of q.
func crossed(p, q *point) int {
	n := 0
	for _, a := range p.up {
		for _, b := range q.up {
			if a.upper.at > b.upper.at {
				n++
			}
		}
	}
	for _, a := range p.down {
		for _, b := range q.down {
			if a.lower.at > b.lower.at {
				n++
			}
		}
	}
	return n
}

// crossings counts them all, each once.
func (l *layout) crossings() int {
	n := 0
	for _, layer := range l.layers {
		for i, p := range layer {
			for _, q := range layer[i+1:] {
				for _, a := range p.down {
					for _, b := range q.down {
						if a.lower.at > b.lower.at {
							n++
						}
					}
				}
			}
		}
	}
	return n
}

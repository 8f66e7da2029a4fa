package graph

import "slices"

// place gives the points their coordinates.
func (l *layout) place() {
	y := margin
	for _, layer := range l.layers {
		tallest := 0
		for _, p := range layer {
			tallest = max(tallest, p.height)
		}
		for _, p := range layer {
			p.y = y + tallest/2
		}
		y += tallest + between
	}
	for _, layer := range l.layers {
		x := 0
		for i, p := range layer {
			if i > 0 {
				x += room(layer[i-1], p) * fine
			}
			p.x = x
		}
	}
	const rounds = 60
	for i := range rounds {
		up, down := i%2 == 0, i%2 == 1
		if i >= rounds-4 {
			up, down = true, true
		}
		if i%2 == 0 {
			for _, layer := range l.layers {
				settle(layer, up, down)
			}
		} else {
			for _, layer := range slices.Backward(l.layers) {
				settle(layer, up, down)
			}
		}
	}
	for _, layer := range l.layers {
		for _, p := range layer {
			p.x = floor(p.x, fine)
		}
	}
	for _, r := range l.routes {
		l.straighten(r)
	}
	l.shift()
}

// fine is how many steps a pixel has while points are moved about.
const fine = 64

// straighten moves the points that an edge passes under each other, as many at a
// time as have room at one place.
func (l *layout) straighten(r *route) {
	for i := 0; i < len(r.points); {
		p := r.points[i]
		if p.node != nil {
			i++
			continue
		}
		low, high := l.free(p)
		sum, n := p.x, 1
		for _, q := range r.points[i+1:] {
			from, to := l.free(q)
			if q.node != nil || max(low, from) > min(high, to) {
				break
			}
			low, high = max(low, from), min(high, to)
			sum, n = sum+q.x, n+1
		}
		x := min(max(floor(sum, n), low), high)
		for _, q := range r.points[i : i+n] {
			q.x = x
		}
		i += n
	}
}

// free is between where p can stand, its neighbours being where they are.
func (l *layout) free(p *point) (low, high int) {
	const far = 1 << 20
	layer := l.layers[p.layer]
	low, high = -far, far
	if p.at > 0 {
		low = layer[p.at-1].x + room(layer[p.at-1], p)
	}
	if p.at+1 < len(layer) {
		high = layer[p.at+1].x - room(p, layer[p.at+1])
	}
	return low, max(low, high)
}

// room is how far apart two points side by side must be.
func room(p, q *point) int {
	gap := apart
	if p.node == nil || q.node == nil {
		gap = apart / 2
	}
	return p.right + gap + q.left
}

// settle moves the points of a layer to where their neighbours want them, as far
// as there is room.
func settle(layer []*point, up, down bool) {
	var wanted, weights, gaps []int
	for i, p := range layer {
		sum, weight := 0, 0
		pull := func(q *point) {
			w := 1
			switch {
			case p.node == nil && q.node == nil:
				w = 8
			case p.node == nil || q.node == nil:
				w = 2
			}
			sum, weight = sum+w*q.x, weight+w
		}
		if up {
			for _, k := range p.up {
				pull(k.upper)
			}
		}
		if down {
			for _, k := range p.down {
				pull(k.lower)
			}
		}
		if weight == 0 {
			sum, weight = p.x, 1
		}
		wanted, weights = append(wanted, floor(sum, weight)), append(weights, weight)
		if i > 0 {
			gaps = append(gaps, room(layer[i-1], p)*fine)
		}
	}
	for i, x := range spread(wanted, weights, gaps) {
		layer[i].x = x
	}
}

// floor is a quotient rounded down, whatever the sign.
func floor(a, b int) int {
	if q := a / b; a%b >= 0 {
		return q
	}
	return a/b - 1
}

// spread returns the numbers nearest to those wanted, in least squares, of which
// each is at least the gap greater than the one before: those that would be too
// near are put together, again and again, and stand around their common mean.
func spread(wanted, weights, gaps []int) []int {
	type block struct{ sum, weight, first int } // of the numbers from first on, less the gaps before them
	var blocks []block
	before := make([]int, len(wanted))
	for i, w := range wanted {
		if i > 0 {
			before[i] = before[i-1] + gaps[i-1]
		}
		b := block{(w - before[i]) * weights[i], weights[i], i}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if floor(last.sum, last.weight) < floor(b.sum, b.weight) {
				break
			}
			blocks = blocks[:len(blocks)-1]
			b = block{last.sum + b.sum, last.weight + b.weight, last.first}
		}
		blocks = append(blocks, b)
	}
	list := make([]int, len(wanted))
	for i, b := range blocks {
		end := len(wanted)
		if i+1 < len(blocks) {
			end = blocks[i+1].first
		}
		for j := b.first; j < end; j++ {
			list[j] = floor(b.sum, b.weight) + before[j]
		}
	}
	return list
}

// shift moves everything to the right of the margin.
func (l *layout) shift() {
	least := 1 << 20
	for _, layer := range l.layers {
		for _, p := range layer {
			least = min(least, p.x-p.left)
		}
	}
	for _, layer := range l.layers {
		for _, p := range layer {
			p.x += margin - least
		}
	}
}

// extent is the size of the picture.
func (l *layout) extent() (width, height int) {
	for _, layer := range l.layers {
		for _, p := range layer {
			width, height = max(width, p.x+p.right+margin), max(height, p.y+p.height/2+margin)
		}
	}
	return width, height
}

const portApart = 14

// ports are where the edges of one side of a node begin or end, in the order of
// its links: towards the other end of each, but apart from each other.
func ports(p *point, links []*link, other func(*link) *point) map[*link]int {
	sorted := slices.Clone(links)
	slices.SortStableFunc(sorted, func(a, b *link) int { return other(a).x - other(b).x })
	half := p.left - padding // the node's own: to the right there may be a loop
	gap := portApart
	if n := len(sorted) - 1; n > 0 {
		gap = min(gap, 2*half/n)
	}
	var wanted, weights, gaps []int
	for i, k := range sorted {
		x := min(max(other(k).x, p.x-half+i*gap), p.x+half-(len(sorted)-1-i)*gap)
		wanted, weights = append(wanted, x), append(weights, 1)
		if i > 0 {
			gaps = append(gaps, gap)
		}
	}
	at := make(map[*link]int)
	for i, x := range spread(wanted, weights, gaps) {
		at[sorted[i]] = x
	}
	return at
}

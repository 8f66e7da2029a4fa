package main

import (
	"fmt"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/hand"
)

// nested are calls that are created, suspended twice, and finished.
func (b *bench) nested() ([]Row, error) {
	const one = "nested call, pooled"
	deep := func(depth int) contender {
		return contender{name: depthName(depth), run: func(n int) {
			q := ours.NewQueue(8)
			task := ours.DeepsAsync(n, depth, q.NewOperation())
			q.Run()
			v, err := task.Await()
			must(v, n*(depth+1), err)
		}}
	}
	resume := func(depth int) contender {
		return contender{name: resumeName(depth), run: func(n int) {
			q := ours.NewQueue(8)
			task := ours.DeepSumAsync(depth, n, q.NewOperation())
			q.Run()
			v, err := task.Await()
			must(v, n+depth-1, err)
		}}
	}
	costs, err := b.compare(b.natives("nested",
		contender{name: one, run: func(n int) {
			q := ours.NewQueue(8)
			task := ours.PairsAsync(n, q.NewOperation())
			q.Run()
			v, err := task.Await()
			must(v, 2*n, err)
		}},
		contender{name: handPool, run: func(n int) { handPairs(n, hand.StartPair) }},
		contender{name: handFreeList, run: func(n int) { handPairs(n, new(hand.FreeList).StartPair) }},
		deep(1), deep(5), deep(17), resume(1), resume(17),
	)...)
	if err != nil {
		return nil, err
	}
	mine := cost(costs[one])
	rows := []Row{
		costs.row(one, handPool, ratioAtMost(1.3), noAllocs),
		costs.row(one, handFreeList),
		b.cpp.row(one, mine, costs),
		b.rust.row(one, mine, costs, faster),
	}
	five, first := perLevel(costs, 5), cost(costs[resumeName(1)])
	return append(rows,
		row(depthName(5)+", each further level", five, "", nil, noAllocs),
		row(depthName(17)+", each further level", perLevel(costs, 17), "the same 5 deep", &five, ratioAtMost(1.2), noAllocs),
		row(resumeName(17), cost(costs[resumeName(17)]), "the same at depth 1", &first, ratioAtMost(1.1)),
		row(resumeName(1), first, coroc, quoted(265, "ns")).because("210–320 ns; %s", corocNote),
		row(resumeName(17), cost(costs[resumeName(17)]), coroc, quoted(1550, "ns")).because("1,400–1,700 ns; %s", corocNote),
	), nil
}

func handPairs(n int, start func(*hand.Operation, hand.Resumer)) {
	var r result
	q := hand.NewQueue(8)
	hand.StartPairs(n, q.NewOperation(), start, r.set)
	q.Run()
	r.check(2 * n)
}

func depthName(depth int) string  { return fmt.Sprintf("nested %d deep, pooled", depth) }
func resumeName(depth int) string { return fmt.Sprintf("suspend + resume at depth %d", depth) }

// perLevel is what each level beyond the first costs, at two depths: the cost is
// linear if it is the same.
func perLevel(costs Costs, depth int) Figure {
	c, first := costs[depthName(depth)], costs[depthName(1)]
	f := cost(c)
	f.Value = (c.Nanoseconds - first.Nanoseconds) / float64(depth-1)
	return f
}

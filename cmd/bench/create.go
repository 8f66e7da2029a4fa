package main

import (
	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/cmd/bench/peers/hand"
	"github.com/nothread/nothread/runtime/async"
)

// create is what it costs to begin one, have it suspended, and throw it away.
func (b *bench) create() ([]Row, error) {
	const unfinished, finished, pooled = "created, suspended, dropped unfinished", "created, suspended, finished", "created, suspended, finished, pooled"
	const handUnfinished, handFinished = "by hand, unfinished", "by hand, finished"
	costs, err := b.compare(
		contender{name: unfinished, run: func(n int) {
			q := ours.NewQueue(8)
			for range n {
				if ours.OnceAsync(q.NewOperation()).IsCompleted() {
					panic("it is complete")
				}
			}
			q.Forget()
		}},
		contender{name: finished, run: func(n int) { ourOnce(n, ours.OnceAsync) }},
		contender{name: pooled, run: func(n int) { ourOnce(n, ours.OncePooledAsync) }},
		contender{name: handUnfinished, run: func(n int) {
			q := hand.NewQueue(8)
			for range n {
				hand.StartOnce(q.NewOperation())
			}
			q.Forget()
		}},
		contender{name: handFinished, run: func(n int) {
			q := hand.NewQueue(8)
			op := q.NewOperation()
			for range n {
				once := hand.StartOnce(op)
				q.Run()
				if v, err := once.Result(); v != 2 || err != nil {
					must(v, 2, err)
				}
			}
		}},
		contender{name: channel, run: func(n int) {
			const batch = 1000
			for ; n > 0; n -= batch {
				goroutine.Watch(min(n, batch))()
			}
		}},
	)
	if err != nil {
		return nil, err
	}
	return []Row{
		costs.row(unfinished, handUnfinished, oursAtMost(80)).because("each with an operation of its own"),
		costs.row(finished, handFinished, oursAtMost(80)),
		costs.row(pooled, channel, oursAtMost(80), noAllocs),
		row(unfinished, cost(costs[unfinished]), coroc, quoted(700, "ns")).because(corocNote),
	}, nil
}

func ourOnce(n int, start func(*ours.Operation) async.Task[int]) {
	q := ours.NewQueue(8)
	op := q.NewOperation()
	for range n {
		task := start(op)
		q.Run()
		if v, err := task.Await(); v != 2 || err != nil {
			must(v, 2, err)
		}
	}
}

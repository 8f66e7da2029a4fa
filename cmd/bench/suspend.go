package main

import (
	"context"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/cmd/bench/peers/hand"
	"github.com/nothread/nothread/cmd/bench/peers/pull"
)

const (
	byHand       = "by hand"
	handAtomic   = "by hand, one atomic word"
	handPool     = "by hand, sync.Pool"
	handFreeList = "by hand, free list"
	channel      = "goroutine + channel"
	iterPull     = "iter.Pull"
	plainCall    = "plain call"
	coroc        = "coroc"
)

// corocNote stands beside what is quoted of coroc.
const corocNote = "Go 1.22, durable mode, measured apart"

// result takes what a machine by hand comes to.
type result struct {
	v    int
	err  error
	done bool
}

func (r *result) set(v int, err error) { r.v, r.err, r.done = v, err, true }

func (r *result) check(want int) {
	if !r.done {
		panic("the job did not end")
	}
	must(r.v, want, r.err)
}

// suspend is one loop that is suspended and resumed through a completion queue.
func (b *bench) suspend() ([]Row, error) {
	const loop, shared, pooled = "suspend + resume, one event loop", "suspend + resume, any goroutine completes", "suspend + resume, operations from a pool"
	costs, err := b.compare(b.natives("loop",
		contender{name: loop, run: func(n int) {
			q := ours.NewQueue(8)
			ourSum(q, n, q.NewOperation())
		}},
		contender{name: shared, run: func(n int) {
			q := ours.NewQueue(8)
			ourSum(q, n, q.NewSharedOperation())
		}},
		contender{name: pooled, run: func(n int) {
			p := ours.NewPool(ours.NewQueue(8))
			task := ours.SumPooledAsync(n, p)
			p.Run()
			v, err := task.Await()
			must(v, n, err)
		}},
		contender{name: byHand, run: func(n int) {
			var r result
			q := hand.NewQueue(8)
			hand.StartSum(n, q.NewOperation(), r.set)
			q.Run()
			r.check(n)
		}},
		contender{name: handAtomic, run: func(n int) {
			var r result
			q := hand.NewSharedQueue(8)
			hand.StartSharedSum(n, q.NewOperation(), r.set)
			q.Run()
			r.check(n)
		}},
		contender{name: handPool, run: func(n int) {
			var r result
			q := hand.NewPooledQueue(8)
			hand.StartPooledSum(n, q, r.set)
			q.Run()
			r.check(n)
		}},
		contender{name: channel, run: func(n int) {
			q := make(goroutine.Queue, 8)
			sum := goroutine.Sum(n, q)
			q.Complete(n)
			must(<-sum, n, nil)
		}},
		contender{name: iterPull, run: func(n int) {
			q := pull.NewQueue(8)
			l := pull.Start(n)
			q.Push(l)
			q.Run()
			must(l.Sum(), n, nil)
		}},
	)...)
	if err != nil {
		return nil, err
	}
	mine := cost(costs[loop])
	return []Row{
		costs.row(loop, byHand, ratioAtMost(1.3), noAllocs),
		costs.row(loop, channel, ratioAtMost(1.0/15)),
		costs.row(loop, iterPull, ratioAtMost(1.0/4)),
		b.cpp.row(loop, mine, costs),
		b.rust.row(loop, mine, costs, faster),
		costs.row(shared, handAtomic, ratioAtMost(1.3), noAllocs),
		costs.row(shared, channel, ratioAtMost(1.0/15)),
		costs.row(pooled, handPool, ratioAtMost(1.3), noAllocs),
	}, nil
}

func ourSum(q *ours.Queue, n int, op *ours.Operation) {
	task := ours.SumAsync(n, op)
	q.Run()
	v, err := task.Await()
	must(v, n, err)
}

// complete is what an await costs that has nothing to wait for.
func (b *bench) complete() ([]Row, error) {
	const await, call = "await of a completed task", "function whose awaits are all complete"
	const plainFunction = "the same without tasks"
	costs, err := b.compare(
		contender{name: await, run: func(n int) {
			v, err := ours.AddReadyAsync(n).Await()
			must(v, n*(n-1)/2, err)
		}},
		contender{name: plainCall, run: func(n int) {
			v, err := ours.Plain(n)
			must(v, n*(n-1)/2, err)
		}},
		contender{name: call, run: func(n int) {
			ctx := context.Background()
			for i := range n {
				if v, err := ours.HandfulAsync(ctx, i).Await(); v != i+6 || err != nil {
					must(v, i+6, err)
				}
			}
		}},
		contender{name: plainFunction, run: func(n int) {
			ctx := context.Background()
			for i := range n {
				if v, err := ours.PlainHandful(ctx, i); v != i+6 || err != nil {
					must(v, i+6, err)
				}
			}
		}},
	)
	if err != nil {
		return nil, err
	}
	return []Row{
		costs.row(await, plainCall, ratioAtMost(1.5), noAllocs),
		costs.row(call, plainFunction, ratioAtMost(1.5), noAllocs),
	}, nil
}

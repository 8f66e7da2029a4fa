package main

import (
	"context"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/cmd/bench/peers/pull"
)

// stream is what it costs to ask for a value and to get it.
func (b *bench) stream() ([]Row, error) {
	const value = "a value of a stream"
	costs, err := b.compare(
		contender{name: value, run: func(n int) {
			sum, err := ours.SumOfValuesAsync(context.Background(), ours.Values(n)).Await()
			must(sum, n, err)
		}},
		contender{name: channel, run: func(n int) { must(goroutine.SumOfValues(n), n, nil) }},
		contender{name: iterPull, run: func(n int) { must(pull.SumOfValues(n), n, nil) }},
	)
	if err != nil {
		return nil, err
	}
	return []Row{
		costs.row(value, channel, noAllocs),
		costs.row(value, iterPull),
	}, nil
}

package ours

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
)

// Values is n ones, each of which is asked for before it is made.
func Values(n int) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 { return valuesAsync(ctx, n, out) })
}

//nothread:async
func values(ctx context.Context, n int, out async.Yielder[int]) error {
	for range n {
		if err := out.YieldAsync(1).Await(); err != nil {
			return err
		}
	}
	return nil
}

// SumOfValues adds up a stream.
//
//nothread:async
func SumOfValues(ctx context.Context, s async.Stream[int]) (int, error) {
	sum := 0
	for v, err := range s.Await(ctx) {
		if err != nil {
			return sum, err
		}
		sum += v
	}
	return sum, nil
}

// A literal passed to async.Go is a machine of its own, which starts at once and
// goes on while its caller does. One passed to async.Func1 makes a function
// value, for later. Both capture what is around them.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Asyncclosures, AsyncclosuresAsync) }

// Asyncclosures starts one closure for each of three numbers, and calls a
// function value.
//
//nothread:async
func Asyncclosures(ctx context.Context) {
	var squares []async.Task[int]
	for n := range 3 {
		squares = append(squares, async.Go(ctx, func(ctx context.Context) (int, error) {
			m, err := play.Value(ctx, n).Await()
			return m * n, err
		}))
	}
	total := 0
	for _, square := range squares {
		n, _ := square.Await()
		total += n
	}

	add := async.Func1(func(ctx context.Context, n int) (int, error) {
		total += play.Ask(ctx, n).Await()
		return total, nil
	})
	fmt.Println(add(ctx, 10).Await())
	fmt.Println(add(ctx, 100).Await())
	fmt.Println("total", total)
}

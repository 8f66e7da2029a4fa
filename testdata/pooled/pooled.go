// Machines of functions marked pool are used again once their result was read. A
// tail await, that of a call whose results are returned as they are, hands its task
// on to the caller: a machine that has not waited before need not exist.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Pooled, PooledAsync) }

// sum asks for each number, and adds them up.
//
//nothread:async pool
func sum(ctx context.Context, numbers ...int) (total int, err error) {
	for _, n := range numbers {
		total += play.Ask(ctx, n).Await()
	}
	if total == 0 {
		err = fmt.Errorf("nothing to add in %v", numbers)
	}
	return total, err
}

// half hands on what one of its halves comes to.
//
//nothread:async pool
func half(ctx context.Context, numbers []int, first bool) (int, error) {
	if len(numbers) < 2 {
		return 0, fmt.Errorf("%v has no halves", numbers)
	}
	middle := len(numbers) / 2
	if first {
		return sumAsync(ctx, numbers[:middle]...).Await()
	}
	play.Ask(ctx, "second").Await()
	return sumAsync(ctx, numbers[middle:]...).Await()
}

// Pooled calls them again and again.
//
//nothread:async
func Pooled(ctx context.Context) {
	numbers := []int{1, 2, 3, 4, 0, 0}
	for len(numbers) > 0 {
		first, err := halfAsync(ctx, numbers, true).Await()
		second, err2 := halfAsync(ctx, numbers, false).Await()
		fmt.Println(first, err, second, err2)
		numbers = numbers[1:]
	}
}

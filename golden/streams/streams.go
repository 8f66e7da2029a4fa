// A range over a stream awaits each value, and when it is left, the end of what
// yields them. There is no coroutine here: both sides are machines.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Streams, StreamsAsync) }

// Countdown yields from n to 1.
func Countdown(n int) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		return countdownAsync(ctx, n, out)
	})
}

// countdown asks for each number before it yields it, and cleans up when it is left.
//
//nothread:async
func countdown(ctx context.Context, n int, out async.Yielder[int]) error {
	defer fmt.Println("the countdown from", n, "is over")
	for i := n; i > 0; i-- {
		if err := out.YieldAsync(play.Ask(ctx, i).Await()).Await(); err != nil {
			return fmt.Errorf("%w at %d", err, i)
		}
	}
	if n > 3 {
		return errors.New("too much")
	}
	return nil
}

// Streams goes to the end of one, and leaves two early.
//
//nothread:async
func Streams(ctx context.Context) {
	sum := 0
	for n, err := range Countdown(3).Await(ctx) {
		sum += n
		fmt.Println(n, err)
	}
	fmt.Println("sum", sum)
	for _, err := range Countdown(4).Await(ctx) {
		if err != nil {
			fmt.Println("in the end:", err)
		}
	}
	fmt.Println(pairAsync(ctx, 5).Await())
}

// pair looks for a sum in two streams, one inside the other.
//
//nothread:async
func pair(ctx context.Context, sum int) (a, b int) {
	for a := range Countdown(3).Await(ctx) {
		for b := range Countdown(2).Await(ctx) {
			if a+b == sum {
				return a, b
			}
			if a == b {
				break
			}
		}
	}
	return 0, 0
}

// Awaits in for statements of all three forms, in nested ones, and around
// break and continue, with and without a label.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Loops, LoopsAsync) }

// Loops runs through all of them.
//
//nothread:async
func Loops(ctx context.Context) {
	forever, _ := foreverAsync(ctx).Await()
	while, _ := whileAsync(ctx, 100).Await()
	clauses, _ := clausesAsync(ctx).Await()
	fmt.Println(forever, while, clauses)
	gridAsync(ctx).Await()
}

//nothread:async
func forever(ctx context.Context) (rounds int) {
	for {
		if play.Ask(ctx, rounds).Await() == 3 {
			break
		}
		rounds++
	}
	return rounds
}

//nothread:async
func while(ctx context.Context, n int) int {
	for n > play.Ask(ctx, 10).Await() {
		n /= 2
	}
	return n
}

//nothread:async
func clauses(ctx context.Context) (sum int) {
	for i, last := play.Ask(ctx, 1).Await(), 5; i <= last; i += play.Ask(ctx, 2).Await() {
		if i == 3 {
			continue
		}
		sum += i
	}
	return sum
}

//nothread:async
func grid(ctx context.Context) {
rows:
	for y := 0; y < 4; y++ {
		for x := 0; ; x++ {
			switch at := play.Ask(ctx, 10*y+x).Await(); {
			case at == 12:
				continue rows
			case at == 31:
				break rows
			case x > y:
				fmt.Println("end of row", y)
				continue rows
			}
		}
	}
	fmt.Println("end of grid")
}

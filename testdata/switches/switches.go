// Awaits in switch statements: in the tag, in the lists of the cases, which are
// evaluated from top to bottom until one is equal, and in the clauses, with
// fallthrough between them.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Switches, SwitchesAsync) }

// Switches takes a few numbers through all of them.
//
//nothread:async
func Switches(ctx context.Context) {
	for n := range 6 {
		tag, _ := tagAsync(ctx, n).Await()
		first, _ := firstAsync(ctx, n).Await()
		steps, _ := stepsAsync(ctx, n).Await()
		fmt.Println(n, tag, first, steps)
	}
}

//nothread:async
func tag(ctx context.Context, n int) string {
	switch half := n / 2; play.Ask(ctx, half).Await() {
	case 0:
		return "none"
	case 1:
		play.Ask(ctx, "one more").Await()
		return "one"
	}
	return "many"
}

//nothread:async
func first(ctx context.Context, n int) string {
	switch {
	case n == 0, play.Ask(ctx, n == 3).Await():
		return "0 or 3"
	case play.Ask(ctx, n == 4).Await():
		return "4"
	default:
		return "something else"
	}
}

//nothread:async
func steps(ctx context.Context, n int) (path string) {
	switch n {
	case 1, play.Ask(ctx, 2).Await():
		path += "a"
		if n == 1 {
			break
		}
		fallthrough
	case 3:
		path += play.Ask(ctx, "b").Await()
		fallthrough
	default:
		path += "c"
	}
	return path
}

// Awaits in select statements: all channels and all values to be sent are
// evaluated first, in source order; the left side of a receive only if its case
// is chosen.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Selects, SelectsAsync) }

// Selects makes each of its cases the one that can go on.
//
//nothread:async
func Selects(ctx context.Context) {
	channels := map[string]chan int{"full": make(chan int, 1), "empty": make(chan int, 1)}
	channels["full"] <- 7
	for range 3 {
		what, _ := chooseAsync(ctx, channels).Await()
		fmt.Println(what)
	}
	close(channels["full"])
	what, _ := chooseAsync(ctx, channels).Await()
	fmt.Println(what)
}

//nothread:async
func choose(ctx context.Context, channels map[string]chan int) (what string) {
	var got [2]int
	empty := channels["empty"]
	select {
	case got[play.Ask(ctx, 1).Await()] = <-channels[play.Ask(ctx, "full").Await()]:
		what = fmt.Sprint("received ", got)
	case channels[play.Ask(ctx, "none").Await()] <- play.Ask(ctx, 8).Await():
		what = "impossible: there is no such channel"
	default:
		// Only the bodies await here; the select itself stands as written.
		select {
		case empty <- 9:
			what = play.Ask(ctx, "sent").Await()
		case n, ok := <-empty:
			play.Ask(ctx, "what it was").Await()
			what = fmt.Sprint("taken back ", n, ok)
		}
	}
	return what
}

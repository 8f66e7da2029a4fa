// Awaits in && and ||: the right side is evaluated only where the left one does
// not decide.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Shortcircuit, ShortcircuitAsync) }

// Shortcircuit prints a truth table.
//
//nothread:async
func Shortcircuit(ctx context.Context) {
	for i := range 4 {
		a, b := i&2 != 0, i&1 != 0
		both := a && play.Ask(ctx, b).Await()
		either := play.Ask(ctx, a).Await() || b && play.Ask(ctx, !a).Await()
		fmt.Println(a, b, both, either, !(a || play.Ask(ctx, b).Await()))
		if play.Ask(ctx, a).Await() && play.Ask(ctx, b).Await() {
			fmt.Println("done")
		}
	}
}

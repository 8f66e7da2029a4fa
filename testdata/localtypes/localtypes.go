// Types declared in a function, and values of types that have no name in this
// package, live across awaits as any other.
package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Localtypes, LocaltypesAsync) }

// Localtypes declares what it needs where it needs it.
//
//nothread:async
func Localtypes(ctx context.Context) {
	const width = 3
	type cell struct {
		text string
		next *cell
	}
	var first *cell
	for i := range width {
		text := play.Ask(ctx, strings.Repeat("x", i)).Await()
		first = &cell{text, first}
	}
	for c := first; c != nil; c = c.next {
		fmt.Printf("%q\n", play.Ask(ctx, c.text).Await())
	}
	point := struct{ x, y int }{x: play.Ask(ctx, 1).Await()}
	point.y = play.Ask(ctx, 2).Await()
	fmt.Println(point)
}

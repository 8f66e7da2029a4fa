// The order of evaluation around an await is the one that gc has around a call:
// earlier calls are made first and their results kept, variables are read when
// the await is over.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Order, OrderAsync) }

// A counter numbers what asks it.
type counter struct{ n int }

func (c *counter) next(what string) int {
	c.n++
	fmt.Println(c.n, what)
	return c.n
}

// Order awaits in the middle of expressions.
//
//nothread:async
func Order(ctx context.Context) {
	var c counter

	// Calls before the await are spilled; the variable is read after it.
	x := 1
	reset := func() int { x = 100; return 10 }
	sum := c.next("left") + x + play.Ask(ctx, reset()).Await() + c.next("right")
	fmt.Println("sum", sum)

	// A slice expression is evaluated before, an index after.
	list := []int{1, 2, 3, 4}
	tail, one := add(list[2:], play.Ask(ctx, 5).Await()), list[0]+play.Ask(ctx, 6).Await()
	fmt.Println(tail, one)

	// So is the left side of an assignment that reads its old value.
	list[play.Ask(ctx, 1).Await()] += c.next("value") * play.Ask(ctx, 10).Await()
	list[0], list[play.Ask(ctx, 3).Await()] = play.Ask(ctx, 7).Await(), list[0]
	fmt.Println(list)

	// Arguments, and arguments of arguments.
	fmt.Println(c.next("first"), add(list[:1], play.Ask(ctx, c.next("second")).Await()), c.next("third"))
}

func add(list []int, n int) []int { return append(list[:len(list):len(list)], n) }

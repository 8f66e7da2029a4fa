// Closures capture variables, not values, across an await too: a captured
// variable, and one whose address is taken, keeps its identity, and each
// iteration of a loop has its own.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Closures, ClosuresAsync) }

// Closures captures what lives across awaits.
//
//nothread:async
func Closures(ctx context.Context) {
	total := 0
	add := func(n int) { total += n }
	for i := range 3 {
		add(play.Ask(ctx, i).Await())
	}
	fmt.Println("total", total)

	counters, _ := countersAsync(ctx).Await()
	for _, next := range counters {
		fmt.Println(next(), next())
	}

	var pair struct{ left, right int }
	p := &pair.right
	pair.left = play.Ask(ctx, 5).Await()
	*p = play.Ask(ctx, 6).Await()
	fmt.Println("pair", pair)
}

// counters returns a function for each iteration, which counts on from where the
// loop left its variables.
//
//nothread:async
func counters(ctx context.Context) (list []func() int) {
	for i := 0; i < 30; i += play.Ask(ctx, 10).Await() {
		list = append(list, func() int { i++; return i })
		if i == 10 {
			continue
		}
		step := play.Ask(ctx, 100).Await()
		list = append(list, func() int { step += i; return step })
	}
	return list
}

// Names may hide other names: of outer variables, parameters, results, types,
// predeclared identifiers, imported packages, and what generated code itself
// would like to be called.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Shadowing, ShadowingAsync) }

// Shadowing hides what it can.
//
//nothread:async
func Shadowing(ctx context.Context) {
	fmt.Println(variablesAsync(ctx, 1).Await())
	fmt.Println(predeclaredAsync(ctx, 2).Await())
	fmt.Println(generatedAsync(ctx, 3, 4, 5).Await())
	fmt.Println(blankAsync(ctx, 6, 7).Await())
}

//nothread:async
func variables(ctx context.Context, x int) (sum int, _ error) {
	{
		x := x + play.Ask(ctx, 10).Await()
		if x := x + play.Ask(ctx, 100).Await(); x > 0 {
			sum += x
			x := play.Ask(ctx, 1000).Await()
			sum += x
		}
		sum += x
	}
	for x := range x + 1 {
		x := play.Ask(ctx, x).Await()
		sum += x
	}
	return sum + x, nil
}

//nothread:async
func predeclared(ctx context.Context, len int) int {
	nil, true := play.Ask(ctx, 20).Await(), 30
	string := func(int int) int { return int + true }
	fmt := play.Ask(ctx, nil+len).Await()
	return string(fmt) + play.Ask(ctx, len).Await()
}

// generated has parameters and locals with the names of the machine's own.
//
//nothread:async
func generated(ctx context.Context, m, state, ex int) (task int) {
	awaiter := play.Ask(ctx, m).Await()
	Builder := play.Ask(ctx, state).Await()
	async := play.Ask(ctx, ex).Await()
	m++
	task = m + awaiter + Builder + async + play.Ask(ctx, state).Await()
	return task + ex
}

// blank has parameters without a name.
//
//nothread:async
func blank(ctx context.Context, _ int, n int) int {
	_, kept := play.Ask(ctx, 8).Await(), n
	_ = play.Ask(ctx, 9).Await()
	return kept
}

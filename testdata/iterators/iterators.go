// A range over a function may await in its body. The body is called by the
// iterator, which must have a stack of its own to come back to: this is the one
// place where a machine has a coroutine.
package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Iterators, IteratorsAsync) }

// countdown yields from n to 1 and says when it is left.
func countdown(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer fmt.Println("countdown is left")
		for ; n > 0 && yield(n); n-- {
		}
	}
}

// Iterators goes to the end of one, and leaves one early.
//
//nothread:async
func Iterators(ctx context.Context) {
	for n := range countdown(3) {
		fmt.Println(n, play.Ask(ctx, n*n).Await())
	}
	name, _ := findAsync(ctx, slices.All([]string{"ann", "bob", "cid"}), "b").Await()
	fmt.Println(name)
}

// find returns the first value that begins with a letter.
//
//nothread:async
func find(ctx context.Context, all iter.Seq2[int, string], letter string) string {
	for i, name := range all {
		for range countdown(2) {
			if play.Ask(ctx, name[:1]).Await() == letter {
				return fmt.Sprint(name, " at ", i)
			}
		}
	}
	return ""
}

// Awaits inside range statements: over an integer, a slice, an array, a pointer
// to an array, a string and a channel. What is ranged over is evaluated once; an
// array is copied, a slice only fixes its length.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Ranges, RangesAsync) }

// Ranges runs through all of them.
//
//nothread:async
func Ranges(ctx context.Context) {
	total, _ := countAsync(ctx).Await()
	fmt.Println("total", total)
	changingAsync(ctx).Await()
	textAsync(ctx, "aé日").Await()
	queue := make(chan int, 3)
	for i := range cap(queue) {
		queue <- i * i
	}
	close(queue)
	drainAsync(ctx, queue).Await()
}

//nothread:async
func count(ctx context.Context) (total int) {
	for range play.Ask(ctx, 2).Await() {
		total += play.Ask(ctx, 5).Await()
	}
	for i := range 3 {
		total += i * play.Ask(ctx, 100).Await()
	}
	return total
}

// changing alters what it ranges over, while it does.
//
//nothread:async
func changing(ctx context.Context) {
	slice, array := []int{1, 2, 3}, [...]int{1, 2, 3}
	for i, v := range slice {
		slice[2] = play.Ask(ctx, 9).Await()
		slice = append(slice, v)
		fmt.Println("slice", i, v, len(slice))
	}
	for i, v := range array {
		array[2] = play.Ask(ctx, 9).Await()
		fmt.Println("array", i, v)
	}
	for i, v := range &array {
		array[2] = play.Ask(ctx, i).Await()
		fmt.Println("pointer", i, v)
	}
	var last int
	for last = range slice {
		play.Ask(ctx, last).Await()
	}
	fmt.Println("last", last)
}

//nothread:async
func text(ctx context.Context, s string) {
	for at, letter := range s {
		fmt.Println(at, play.Ask(ctx, string(letter)).Await())
	}
}

//nothread:async
func drain(ctx context.Context, queue <-chan int) {
	for n := range queue {
		fmt.Println("drained", play.Ask(ctx, n).Await())
	}
}

// A range over a map may await: an entry that is removed before it was reached
// is not produced, each other one exactly once.
package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Maps, MapsAsync) }

// Maps sums up a map, and empties it while it ranges over it.
//
//nothread:async
func Maps(ctx context.Context) {
	ages := map[string]int{"ann": 30, "bob": 40, "cid": 50}
	total, names := 0, []string{}
	for name, age := range ages {
		n, _ := play.Value(ctx, age).Await()
		total += n
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Println(total, names)

	rounds := 0
	for range ages {
		rounds += play.Ask(ctx, 1).Await()
		clear(ages)
	}
	fmt.Println(rounds, len(ages))
}

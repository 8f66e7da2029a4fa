// goto leads over awaits, forward and back; a variable declared behind a label
// is a new one each time.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Jumps, JumpsAsync) }

// Jumps tries three times.
//
//nothread:async
func Jumps(ctx context.Context) {
	try := 0
	var shows []func()
retry:
	var answer int
	shows = append(shows, func() { fmt.Println("answer", answer) })
	answer = play.Ask(ctx, 10*try).Await()
	if answer < 20 {
		if try++; try < play.Ask(ctx, 5).Await() {
			goto retry
		}
		goto failed
	}
	for _, show := range shows {
		show()
	}
	return
failed:
	fmt.Println("failed")
}

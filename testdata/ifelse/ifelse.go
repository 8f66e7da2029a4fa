// Awaits in an if statement: in its init, in its condition, in an else if, and
// in the branches. A variable of the init is seen by all branches and by nobody
// after.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Ifelse, IfelseAsync) }

// Ifelse sorts a few numbers into words.
//
//nothread:async
func Ifelse(ctx context.Context) {
	for n := range 5 {
		fmt.Println(n, describe(n), grade(ctx, n))
		word, err := wordAsync(ctx, n).Await()
		fmt.Println(word, err)
	}
}

//nothread:async
func word(ctx context.Context, n int) (string, error) {
	word := "small"
	if half, err := play.Value(ctx, n/2).Await(); err != nil {
		return "", err
	} else if n == 0 {
		// No await in here: this stands as written.
		word = "nothing"
	} else if play.Ask(ctx, n > 3).Await() {
		word, err := play.Value(ctx, "big").Await() // another word
		return fmt.Sprint(word, " half ", half), err
	} else if odd := n - 2*half; odd == 1 {
		return "odd", nil
	}
	return word, nil
}

// describe has no await: nothing is made of it.
func describe(n int) string {
	if n%2 == 0 {
		return "even"
	}
	return "odd"
}

func grade(_ context.Context, n int) rune { return rune('a' + n) }

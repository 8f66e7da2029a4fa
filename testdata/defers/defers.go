// Deferred calls run when the function ends, not when it suspends: last in,
// first out, with the arguments of the defer statement, even where they await.
// recover works behind an await as it does before one.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Defers, DefersAsync) }

// Defers ends in every way there is.
//
//nothread:async
func Defers(ctx context.Context) {
	for _, how := range []string{"return", "error", "panic"} {
		n, err := guardedAsync(ctx, how).Await()
		fmt.Println(how, n, err)
	}
	stackAsync(ctx).Await()
}

// guarded turns a panic into an error.
//
//nothread:async
func guarded(ctx context.Context, how string) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("recovered: %v", v)
		}
	}()
	n = play.Ask(ctx, 1).Await()
	switch how {
	case "error":
		return 0, errors.New("refused")
	case "panic":
		panic("after an await")
	}
	return play.Ask(ctx, 2).Await(), nil
}

// stack defers in a loop.
//
//nothread:async
func stack(ctx context.Context) {
	for i := range 3 {
		defer fmt.Println("deferred", i, play.Ask(ctx, 10*i).Await())
	}
	if play.Ask(ctx, true).Await() {
		defer fmt.Println("deferred last")
	}
	fmt.Println("end of stack")
}

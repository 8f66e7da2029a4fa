// A task gives back what the function returns, however many results that are and
// whether they have names; a last one of type error is the task's error. A
// function with more than three other results has a struct made for them.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Results, ResultsAsync) }

//nothread:async
func nothing(ctx context.Context) {
	fmt.Println("nothing", play.Ask(ctx, 0).Await())
}

//nothread:async
func fails(ctx context.Context, reason string) error {
	if reason == "" {
		return nil
	}
	_, err := play.Failure[int](ctx, errors.New(reason)).Await()
	return err
}

//nothread:async
func one(ctx context.Context) int { return play.Ask(ctx, 1).Await() }

//nothread:async
func named(ctx context.Context) (a int, b string, err error) {
	if a, err = play.Value(ctx, 1).Await(); err != nil {
		return
	}
	if b = "two"; play.Ask(ctx, a).Await() == 1 {
		err = errors.New("named")
		return
	}
	return 0, "", nil
}

//nothread:async
func three(ctx context.Context) (int, string, bool) {
	return 1, play.Ask(ctx, "two").Await(), true
}

//nothread:async
func four(ctx context.Context) (int, string, bool, []int, error) {
	n := play.Ask(ctx, 4).Await()
	return n, "", false, []int{n}, nil
}

//nothread:async
func handedOn(ctx context.Context) (int, string, error) {
	return namedAsync(ctx).Await()
}

// Results prints what each of them gives.
//
//nothread:async
func Results(ctx context.Context) {
	fmt.Println(nothingAsync(ctx).Await())
	fmt.Println(failsAsync(ctx, "").Await(), failsAsync(ctx, "because").Await())
	fmt.Println(oneAsync(ctx).Await())
	fmt.Println(namedAsync(ctx).Await())
	fmt.Println(threeAsync(ctx).Await())
	many, err := fourAsync(ctx).Await()
	fmt.Printf("%+v %v\n", many, err)
	fmt.Println(handedOnAsync(ctx).Await())
}

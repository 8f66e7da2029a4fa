// Awaits in type switches: in the operand and in the clauses, where the bound
// variable has the type of its case.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Typeswitch, TypeswitchAsync) }

// Typeswitch describes values of a few types.
//
//nothread:async
func Typeswitch(ctx context.Context) {
	for _, v := range []any{1, "two", 3.0, nil, errors.New("five"), []int{6}} {
		text, _ := describeAsync(ctx, v).Await()
		fmt.Println(text)
	}
}

//nothread:async
func describe(ctx context.Context, v any) string {
	switch v := play.Ask(ctx, v).Await().(type) {
	case int:
		return fmt.Sprint("an int and one more: ", v+play.Ask(ctx, 1).Await())
	case string, float64:
		play.Ask(ctx, "time").Await()
		return fmt.Sprintf("a %T", v)
	case nil:
		return "nothing"
	case error:
		switch play.Ask(ctx, v).Await().(type) { // nothing bound
		case interface{ Unwrap() error }:
			return "wrapped"
		}
		return v.Error()
	default:
		return "something else"
	}
}

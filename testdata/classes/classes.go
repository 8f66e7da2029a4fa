// Functions marked class have machines as C#'s debug builds have: on the heap from the
// call on, so that nothing is ever moved, and with a field for every variable, which
// stays there until the function ends. A dump, or whoever looks into the machine, finds
// what has been; and an await is as short as it can be written.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/nothread/nothread/golden/play"
)

func main() { play.Main(Classes, ClassesAsync) }

// average asks for each number. Of its variables only two are needed behind the await
// that were set before it.
//
//nothread:async class
func average(ctx context.Context, numbers ...int) (float64, error) {
	count := len(numbers)
	sum := 0
	for i, n := range numbers {
		label := fmt.Sprint("number ", i)
		fmt.Println(label)
		answer := play.Ask(ctx, n).Await()
		twice := 2 * answer
		sum += twice
	}
	if count == 0 {
		return 0, errors.New("nothing to average")
	}
	return float64(sum) / float64(2*count), nil
}

// careful has a result that its deferred call sets: that has a cell of its own, as
// everywhere.
//
//nothread:async class
func careful(ctx context.Context, numbers ...int) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint("recovered: ", v)
		}
	}()
	mean, err := averageAsync(ctx, numbers...).Await()
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(mean)
}

// Classes calls them.
//
//nothread:async
func Classes(ctx context.Context) {
	fmt.Println(carefulAsync(ctx, 1, 2, 6).Await())
	fmt.Println(carefulAsync(ctx).Await())
}

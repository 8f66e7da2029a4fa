// Panics that come through awaits: who reads of one should find his own lines.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/nothread/nothread/runtime/async"
)

//nothread:async
func root(task async.Task[int]) (int, error) {
	n, err := middleAsync(task).Await() // awaits middle
	return n + 1, err
}

//nothread:async
func middle(task async.Task[int]) (int, error) {
	sum := 0
	for i := range 3 {
		n, err := leafAsync(task, i).Await() // awaits leaf
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

//nothread:async
func leaf(task async.Task[int], i int) (n int, err error) {
	defer func() {
		n++
	}()
	n, err = task.Await()
	for _, text := range []string{`one
two`, "three"} {
		if len(text) > n {
			return len(text), nil
		}
		if i == 2 {
			var none []int
			n = none[i] // panics
		}
	}
	return n, err
}

// plain awaits nothing.
//
//nothread:async
func plain(list []int) (int, error) {
	if list == nil {
		list = []int{}
	}
	return list[2], nil // panics in plain
}

// through defers a call, which sees panics pass.
//
//nothread:async
func through(task async.Task[int], what string) (n int, err error) {
	var list []int
	defer func() {
		if what == "deferred" {
			n = list[2] // panics in a deferred literal
		}
	}()
	if what == "plain" {
		return plainAsync(list).Await() // awaits plain
	}
	if what == "ranged" {
		for range once {
			for range once {
				n, err = task.Await()
				n = list[2] // panics in a ranged body
			}
		}
	}
	n, err = task.Await()
	if what == "literal" {
		get := func() int {
			return list[2] // panics in a literal
		}
		n = get() // calls the literal
	}
	return n, err // runs the deferred literal
}

func once(yield func() bool) {
	defer func() {
		if v := recover(); v != nil {
			panic(v)
		}
	}()
	yield()
}

//nothread:async
func above(task async.Task[int], what string) (int, error) {
	return throughAsync(task, what).Await() // awaits through
}

// leaves is left behind its first value.
//
//nothread:async
func leaves(task async.Task[int], out async.Yielder[int]) error {
	err := out.YieldAsync(1).Await()
	_, _ = task.Await()
	panic(err) // panics in a stream that is left
}

//nothread:async
func returns(ctx context.Context, task async.Task[int], what string) (int, error) {
	if what == "left" {
		s := async.NewStream(func(_ context.Context, out async.Yielder[int]) async.Task0 { return leavesAsync(task, out) })
		for v := range s.Await(ctx) { // awaits that the stream ends
			return v, nil
		}
	}
	defer plainAwaitedAsync(task).Await() // awaits at the end
	return 1, nil
}

//nothread:async
func plainAwaited(task async.Task[int]) error {
	n, err := task.Await()
	_ = make([]int, 0)[n-98] // panics in what is awaited at the end
	return err
}

//nothread:async
func aroundReturns(task async.Task[int], what string) (int, error) {
	return returnsAsync(context.Background(), task, what).Await() // awaits what returns
}

//nothread:async
func forgets(task async.Task[int]) error {
	_, err := rootAsync(task).Await() // awaits root
	return err
}

func main() {
	source := async.NewSource[int]()
	switch os.Args[1] {
	case "late": // all have waited
		task := rootAsync(source.Task())
		source.SetResult(100)
		fmt.Printf("%s", task.PanicStack())
	case "at once": // nobody has
		task := rootAsync(async.Completed(100, nil))
		fmt.Printf("%s", task.PanicStack())
	case "plain", "literal", "deferred", "ranged":
		task := aboveAsync(source.Task(), os.Args[1])
		source.SetResult(100)
		fmt.Printf("%s", task.PanicStack())
	case "left", "awaited at the end":
		task := aroundReturnsAsync(source.Task(), os.Args[1])
		source.SetResult(100)
		fmt.Printf("%s", task.PanicStack())
	case "recovered":
		task := rootAsync(async.Completed(100, nil))
		func() {
			defer func() { fmt.Println("recovered:", recover()) }()
			task.Await()
		}()
	case "crash":
		task := rootAsync(source.Task())
		source.SetResult(100)
		task.Await()
	case "forgotten":
		async.Forget(context.Background(), forgetsAsync(source.Task()))
		source.SetResult(100)
		select {}
	}
}

// A panic in an async function becomes its task's and rises again, with the same
// value, at the await: before and after a suspension, and out of an awaited
// operation.
package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/golden/play"
	"github.com/nothread/nothread/runtime/async"
)

func main() { play.Main(Panics, PanicsAsync) }

// Panics provokes one of each kind. caught stands for a plain function: it knows
// nothing of machines, its recover meets what the await raises.
//
//nothread:async
func Panics(ctx context.Context) {
	for which := range 4 {
		task := provokeAsync(ctx, which)
		settled(task).Await()
		fmt.Println(caught(task))
	}
}

//nothread:async
func provoke(ctx context.Context, which int) int {
	var list []int
	if which == 0 {
		panic("before the first await")
	}
	n := play.Ask(ctx, which).Await()
	switch n {
	case 1:
		panic(fmt.Errorf("after await %d", n))
	case 2:
		return list[n] + play.Ask(ctx, 20).Await() // the await comes first
	}
	return n
}

// settled returns an awaitable that completes when task does, but leaves its
// result alone.
func settled(task async.Task[int]) waiting { return waiting{task} }

// waiting has no results.
type waiting struct{ async.Task[int] }

func (w waiting) GetResult() {}
func (w waiting) Await() {
	defer func() { _ = recover() }()
	w.Task.Await()
}

// caught reads a task's result as its caller would.
func caught(task async.Task[int]) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprint("panic: ", v)
		}
	}()
	n, err := task.Await()
	return fmt.Sprint("result: ", n, " ", err)
}

package main

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
)

// This is the story of class or struct: a machine is a struct on its caller's
// stack. If nothing has to wait it ends there. At the first await that has to it
// is copied to the heap, once, and the copy is the task.
//
// Look at the objects made for each call, and at what makes one more.

// Level is a call that calls itself, depth deep, and then awaits the task.
//
//nothread:async
func Level(ctx context.Context, depth int, task async.Task[int], see func(async.Continuation)) (int, error) {
	if depth > 1 {
		n, err := LevelAsync(ctx, depth-1, task, see).Await()
		return n + 1, err
	}
	n, err := watch(task, see).Await()
	return n + 1, err
}

// Pinned has a variable whose address is taken: it must be where it is for good.
//
//nothread:async
func Pinned(ctx context.Context, task async.Task[int], keep func(*int)) (int, error) {
	n := 1
	keep(&n)
	m, err := task.Await()
	return n + m, err
}

// Class is the call of Level that ends it, marked class.
//
//nothread:async class
func Class(ctx context.Context, task async.Task[int], see func(async.Continuation)) (int, error) {
	n, err := watch(task, see).Await()
	return n + 1, err
}

func tellClassOrStruct(t *teller, _ []string) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	ctx := t.world.Context()
	const calls = 1000
	source := async.NewSource[int]()
	size := 0
	see := func(machine async.Continuation) { size = sizeOf(machine) }
	var kept *int
	keep := func(n *int) { kept = n }

	level := func(depth int) func(async.Task[int]) async.Task[int] {
		return func(task async.Task[int]) async.Task[int] { return LevelAsync(ctx, depth, task, see) }
	}
	t.printf("Calls of an async function, each as often as it takes to count. Objects made for each:\n\n")
	t.printf("  %-48s %10s %10s\n", "what the call awaits", "is there", "comes later")
	for _, row := range []struct {
		title string
		call  func(async.Task[int]) async.Task[int]
	}{
		{"one call", level(1)},
		{"five calls deep", level(5)},
		{"one with a variable whose address is taken", func(task async.Task[int]) async.Task[int] {
			return PinnedAsync(ctx, task, keep)
		}},
		{"one marked class", func(task async.Task[int]) async.Task[int] { return ClassAsync(ctx, task, see) }},
	} {
		now := allocations(func() {
			for range calls {
				row.call(async.Completed(1, nil)).GetResult()
			}
		})
		later := allocations(func() {
			for range calls {
				task := row.call(source.Task())
				source.SetResult(1)
				task.GetResult()
				source.Reset()
			}
		})
		t.printf("  %-48s %10d %10d\n", row.title, now/calls, later/calls)
	}
	task := LevelAsync(ctx, 1, source.Task(), see)
	source.SetResult(1)
	task.GetResult()
	t.printf("\nThe machine of one call takes %d bytes. On the heap it is the task, too: there is no second object.\n", size)
	t.printf("The variable that was pinned holds %d to this day.\n", *kept)
	t.printf("\nThat is C#'s release build. Its debug build makes machines of classes, on the heap from the call on, with a field for\n" +
		"every variable. A function marked //nothread:async class is like that, so that a dump shows all of them.\n")
	return t.stop()
}

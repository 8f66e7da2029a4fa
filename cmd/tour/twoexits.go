package main

import (
	"context"
	"slices"
	"strings"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// This is the story of the method that exits twice: readFileNative (see the
// story "overlapped") returns an empty container on the thread that called it,
// and later something else fills the container, on a thread that nobody here
// has started.
//
// Look at the threads of the two timelines.

// An exit is when and where control has left the method.
type exit struct {
	time      clock.Time
	thread    string
	completed bool // the task, then
}

func tellTwoExits(t *teller, _ []string) error {
	if err := t.startNative(func(h *kernel.Hop) bool { return h.Kind != kernel.HopDecision }); err != nil {
		return err
	}
	var task async.Task[[]byte]
	var exits []exit
	var failed error
	leave := func() {
		exits = append(exits, exit{t.world.Now(), t.threadName(), task.IsCompleted()})
	}
	t.onUI("read", func(ctx context.Context) {
		task, failed = readFileNative(ctx, "disk", 19)
		leave()
		task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { leave() }))
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	data, err := task.GetResult()
	if err != nil {
		return err
	}
	up := slices.IndexFunc(t.rows, func(r row) bool { return r.pause != "" }) // the first row after the silence
	t.printf("The method that exits twice. Seed %d; » is the program's own word.\n", t.seed)
	t.printf("\nTimeline A, on: %s\n\n", wheres(t.rows[:up]))
	t.printRowsOf(t.rows[:up])
	t.printf("\n  ... meanwhile, outside of the program: %s\n", t.rows[up].pause)
	t.rows[up].pause = ""
	t.printf("\nTimeline B, on: %s\n\n", wheres(t.rows[up:]))
	t.printRowsOf(t.rows[up:])
	t.printf("\nControl left %d times:\n\n", len(exits))
	for _, e := range exits {
		t.printf("  %12v  %-14s task completed: %v\n", e.time, e.thread, e.completed)
	}
	t.printf("\nThe task that was handed out in timeline A holds: %s\n", data)
	t.printThesis()
	return nil
}

// wheres says on what the rows ran, in the order of their first.
func wheres(rows []row) string {
	var names []string
	for _, r := range rows {
		if !slices.Contains(names, r.where) {
			names = append(names, r.where)
		}
	}
	return strings.Join(names, ", ")
}

package main

import (
	"context"
	"errors"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of cancellation: the context goes into each call, down to
// the IRP, and whoever ends it asks. What waits in the driver's queue is taken
// out; what the hardware works on cannot be stopped; what is busy must look; and
// each operation ends exactly once.
//
// Look at which of the two reads ends early.

// ReadOne reads, and cleans up however that ends.
//
//nothread:async
func ReadOne(ctx context.Context, f *overlapped.File, name string, offset int64) (int, error) {
	defer say(ctx, "%s cleans up", name)
	n, err := f.ReadAtAsync(ctx, make([]byte, 1000), offset).Await()
	switch {
	case errors.Is(err, context.Canceled):
		say(ctx, "%s was cancelled: %v", name, err)
	case errors.Is(err, context.DeadlineExceeded):
		say(ctx, "%s was too late: %v", name, err)
	case err == nil:
		say(ctx, "%s has %d bytes", name, n)
	}
	return n, err
}

// Calculate keeps a processor busy, in steps; between two of them it lets others
// go first, and looks.
//
//nothread:async
func Calculate(ctx context.Context) (int, error) {
	for step := 0; ; step++ {
		if err := ctx.Err(); err != nil {
			say(ctx, "the calculation looks after %d steps: %v", step, err)
			return step, err
		}
		work(ctx, 7*time.Microsecond)
		async.Yield(ctx).Await()
	}
}

func tellCancel(t *teller, _ []string) error {
	t.printf("Two reads of a disk that takes one at a time, and a calculation. Seed %d; » is the program's own word.\n", t.seed)
	if err := t.cancelled("The user cancels after 30µs, which is heard once the processor is free", 30*time.Microsecond, t.cancelAfter); err != nil {
		return err
	}
	return t.cancelled("A deadline of 40µs passes, which is heard likewise", 40*time.Microsecond, t.deadline)
}

// cancelAfter lets the user cancel: a message of the UI thread.
func (t *teller) cancelAfter(ctx context.Context, d time.Duration) context.Context {
	ctx, cancel := t.world.WithCancel(ctx)
	t.world.AfterFunc(d, func() {
		t.onUI("the user cancels", func(ctx context.Context) {
			say(ctx, "cancel is called")
			cancel()
			say(ctx, "cancel has returned")
		})
	})
	return ctx
}

// deadline sets one.
func (t *teller) deadline(ctx context.Context, d time.Duration) context.Context {
	ctx, _ = t.world.WithTimeout(ctx, d)
	return ctx
}

// cancelled runs the operations under a context that ends.
func (t *teller) cancelled(title string, d time.Duration, ends func(context.Context, time.Duration) context.Context) error {
	record := func(h *kernel.Hop) bool {
		return h.Kind == kernel.HopDMAStart || h.Kind == kernel.HopQueued || h.Kind == kernel.HopCancel ||
			h.Kind == kernel.HopIRPComplete
	}
	if err := t.start(record); err != nil {
		return err
	}
	file, err := t.file("disk", make([]byte, 4000), device.DiskConfig{Depth: 1})
	if err != nil {
		return err
	}
	var reads []async.Task[int]
	var sum async.Task[int]
	t.onUI("read", func(ctx context.Context) {
		ctx = ends(ctx, d)
		reads = append(reads, ReadOneAsync(ctx, file, "the first read", 0), ReadOneAsync(ctx, file, "the second read", 1000))
		sum = CalculateAsync(ctx)
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	c := t.world.Counters()
	t.printf("\n%s:\n\n", title)
	t.printRows()
	_, first := reads[0].GetResult()
	_, second := reads[1].GetResult()
	_, third := sum.GetResult()
	t.printf("\n  The first read: %v. The second: %v. The calculation: %v.\n", verdict(first), verdict(second), verdict(third))
	t.printf("  IRPs: %d built, %d completed, %d in flight; cancel routines called: %d.\n",
		c.IRPs, c.Completions, c.IRPsInFlight, c.Cancels)
	return nil
}

// verdict is how an operation ended.
func verdict(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, context.DeadlineExceeded):
		return "too late"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return err.Error()
}

package overlapped_test

import (
	"context"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// reads starts reads of 1, 2 and 3 bytes.
func reads(ctx context.Context, f *overlapped.File) []async.Task[int] {
	var tasks []async.Task[int]
	for n := 1; n <= 3; n++ {
		tasks = append(tasks, f.ReadAtAsync(ctx, make([]byte, n), 0))
	}
	return tasks
}

// TestCombinatorsOnlyLook: what a combinator has seen may still be awaited, whatever was started in between.
func TestCombinatorsOnlyLook(t *testing.T) {
	combinators := map[string]func(context.Context, []async.Task[int]) async.Operation{
		"WhenAll": func(ctx context.Context, tasks []async.Task[int]) async.Operation {
			return async.WhenAll(ctx, tasks...)
		},
		"WhenAll0": func(ctx context.Context, tasks []async.Task[int]) async.Operation {
			return async.WhenAll0(ctx, tasks...)
		},
		"WhenAny": func(ctx context.Context, tasks []async.Task[int]) async.Operation {
			return async.WhenAny(ctx, tasks...)
		},
		"Race": func(ctx context.Context, tasks []async.Task[int]) async.Operation { return async.Race(ctx, tasks...) },
		"FirstSuccess": func(ctx context.Context, tasks []async.Task[int]) async.Operation {
			return async.FirstSuccess(ctx, tasks...)
		},
		"WithTimeout": func(ctx context.Context, tasks []async.Task[int]) async.Operation {
			return async.WithTimeout(ctx, 1<<40, tasks[1])
		},
	}
	for name, combine := range combinators {
		t.Run(name, func(t *testing.T) {
			w := sim.New(1)
			f := newFile(t, w, device.NewMemory(make([]byte, 100)), device.DiskConfig{})
			tasks := reads(w.Context(), f)
			all := combine(w.Context(), tasks)
			w.Run()
			if !all.IsCompleted() {
				t.Fatal("not complete")
			}
			for range 3 { // these use again whatever may be
				f.ReadAtAsync(w.Context(), make([]byte, 9), 0).Await()
			}
			for i, task := range tasks {
				if n, err := task.Await(); n != i+1 || err != nil {
					t.Errorf("read %d: %d, %v", i, n, err)
				}
			}
		})
	}
}

// TestSeveralAwaitOneRead: all of them get the result, and it may be read again.
func TestSeveralAwaitOneRead(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory(make([]byte, 100)), device.DiskConfig{})
	task := f.ReadAsync(w.Context(), make([]byte, 5))
	sum := 0
	for range 3 {
		w.UI().Go("reader", func() {
			n, err := task.Await()
			f.ReadAtAsync(w.Context(), make([]byte, 9), 0).Await()
			if err == nil {
				sum += n
			}
		})
	}
	all := async.WhenAll(w.Context(), task, task)
	w.Run()
	if v, err := all.Await(); sum != 15 || len(v) != 2 || v[0] != 5 || v[1] != 5 || err != nil {
		t.Errorf("three readers got %d bytes in all, WhenAll %v, %v", sum, v, err)
	}
	if n, err := task.Await(); n != 5 || err != nil {
		t.Errorf("read again: %d, %v", n, err)
	}
}

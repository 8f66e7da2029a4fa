package allocs

import (
	"context"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// measure runs an operation whose task is complete, then one whose task is
// completed after the call; both must give want.
func measure(b *testing.B, want int, call func(async.Task[int]) async.Task[int]) {
	check := func(b *testing.B, task async.Task[int]) {
		if n, err := task.GetResult(); n != want || err != nil {
			b.Fatal(n, err)
		}
	}
	b.Run("now", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			check(b, call(async.Completed(5, nil)))
		}
	})
	b.Run("later", func(b *testing.B) {
		b.ReportAllocs()
		source := async.NewSource[int]()
		for b.Loop() {
			task := call(source.Task())
			source.SetResult(5)
			check(b, task)
			source.Reset()
		}
	})
}

func BenchmarkSum(b *testing.B) {
	ctx := context.Background()
	tasks := make([]async.Task[int], 4)
	measure(b, 20, func(task async.Task[int]) async.Task[int] {
		for i := range tasks {
			tasks[i] = task
		}
		return sumAsync(ctx, tasks)
	})
}

func BenchmarkDeep(b *testing.B) {
	ctx := context.Background()
	measure(b, 8, func(task async.Task[int]) async.Task[int] { return deepAsync(ctx, 3, task) })
}

func BenchmarkMethod(b *testing.B) {
	ctx := context.Background()
	l := &list[int]{make([]async.Task[int], 3)}
	f := func(int) {}
	measure(b, 3, func(task async.Task[int]) async.Task[int] {
		for i := range l.items {
			l.items[i] = task
		}
		return l.eachAsync(ctx, f)
	})
}

package async_test

import (
	"context"
	"slices"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// What combinators are given is theirs: who calls may use the slice again, as one who collects
// tasks in batches does.
func TestC31_C32_C33_InputsAreCopied(t *testing.T) {
	for name, start := range map[string]func(...async.Task[int]) func() []int{
		"WhenAll": func(tasks ...async.Task[int]) func() []int {
			task := async.WhenAll(bg, tasks...)
			return func() []int { values, _ := task.Await(); return values }
		},
		"WhenAll0": func(tasks ...async.Task[int]) func() []int {
			task := async.WhenAll0(bg, tasks...)
			return func() []int { task.Await(); return []int{1, 2} }
		},
		"Race": func(tasks ...async.Task[int]) func() []int {
			task := async.Race(bg, tasks...)
			return func() []int { v, _ := task.Await(); return []int{v, 2} }
		},
		"FirstSuccess": func(tasks ...async.Task[int]) func() []int {
			task := async.FirstSuccess(bg, tasks...)
			return func() []int { v, _ := task.Await(); return []int{v, 2} }
		},
		"WhenEach": func(tasks ...async.Task[int]) func() []int {
			each := async.WhenEach(bg, tasks...)
			return func() (values []int) {
				for task := range each {
					v, _ := task.Await()
					values = append(values, v)
				}
				return values
			}
		},
		"Map": func(tasks ...async.Task[int]) func() []int {
			task := async.Map(bg, 1, tasks, func(_ context.Context, t async.Task[int]) async.Task[int] { return t })
			return func() []int { values, _ := task.Await(); return values }
		},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := async.NewSource[int](), async.NewSource[int]()
			batch := []async.Task[int]{first.Task(), second.Task()}
			values := start(batch...)
			batch[0], batch[1] = async.NewSource[int]().Task(), async.Completed(3, nil)
			first.SetResult(1)
			second.SetResult(2)
			if got := values(); !slices.Equal(got, []int{1, 2}) {
				t.Errorf("%v", got)
			}
		})
	}
}

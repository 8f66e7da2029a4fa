package async_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// A routine is an async function by hand: it returns what it has to wait for next, and
// with more false how it ends.
type routine func() (awaited async.Operation, more bool, err error)

// routineMachine runs one as a machine.
type routineMachine struct {
	async.Builder0
	ctx  context.Context
	next routine
}

func routineIn(ctx context.Context, next routine) (task async.Task0) {
	m := routineMachine{ctx: ctx, next: next}
	defer m.Catch(&task)
	m.MoveNext(nil)
	if m.IsCompleted() {
		return m.Result()
	}
	return m.Task()
}

func (m *routineMachine) MoveNext(*async.Executor) async.Continuation {
	for {
		p, more, err := m.next()
		if !more {
			return m.SetResult(err)
		}
		if p.IsCompleted() {
			continue
		}
		h := m
		if m.OnStack() {
			h = &routineMachine{ctx: m.ctx, next: m.next}
			m.Promote(h, m.ctx, p.(interface{ Header() *async.Header }).Header())
		}
		if p.OnCompleted(h) {
			return nil
		}
	}
}

// routineOn runs a routine on a thread of its own.
func routineOn(ctx context.Context, next routine) async.Task0 {
	return async.Go0(ctx, func(context.Context) error {
		for {
			p, more, err := next()
			if !more {
				return err
			}
			switch p := p.(type) {
			case async.Task0:
				p.Await()
			case async.Task2[int, bool]:
				p.Await()
			default:
				async.WhenAny(bg, p).Await()
			}
		}
	})
}

// yieldAll is a routine that yields values, waits for each yield, and ends with the
// first error, or with end; closing is what it waits for before.
func yieldAll(out async.Yielder[int], values []int, end error, closing ...async.Task0) routine {
	var turn async.Task0
	i, leaving := 0, false
	return func() (async.Operation, bool, error) {
		if i > 0 && !leaving {
			if err := turn.GetResult(); err != nil {
				end, values = err, nil
			}
		}
		if i < len(values) {
			turn = out.YieldAsync(values[i])
			i++
			return turn, true, nil
		}
		leaving = true
		if len(closing) > 0 {
			first := closing[0]
			closing = closing[1:]
			return first, true, nil
		}
		return nil, false, end
	}
}

// forms are the ways to run a routine.
var forms = []struct {
	name  string
	start func(context.Context, routine) async.Task0
}{{"machine", routineIn}, {"thread", routineOn}}

// streamOf is a stream of values that ends with an error.
func streamOf(start func(context.Context, routine) async.Task0, values []int, end error, closing ...async.Task0) async.Stream[int] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
		return start(ctx, yieldAll(out, values, end, closing...))
	})
}

// mustCome checks what NextAsync has come to.
func mustCome(t *testing.T, next async.Task2[int, bool], v int, ok bool, err error) {
	t.Helper()
	if gotV, gotOK, gotErr := next.Await(); gotV != v || gotOK != ok || gotErr != err {
		t.Errorf("got %d, %v, %v; want %d, %v, %v", gotV, gotOK, gotErr, v, ok, err)
	}
}

func TestC47_AStreamBeginsWhenItIsAsked(t *testing.T) {
	for _, form := range forms {
		began, ran := 0, 0
		s := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			began++
			yield := yieldAll(out, []int{1, 2, 3}, nil)
			return form.start(ctx, func() (async.Operation, bool, error) {
				ran++
				return yield()
			})
		})
		it, other := s(bg), s(bg)
		if began != 0 {
			t.Errorf("%s: it began before the first value was asked for", form.name)
		}
		mustCome(t, it.NextAsync(), 1, true, nil)
		if began != 1 || ran != 1 {
			t.Errorf("%s: one value was asked for, and the producer ran to %d in %d passes", form.name, ran, began)
		}
		mustCome(t, it.NextAsync(), 2, true, nil)
		mustCome(t, other.NextAsync(), 1, true, nil) // a pass of its own
		if began != 2 || ran != 3 {
			t.Errorf("%s: three values were asked for, and the producer ran to %d in %d passes", form.name, ran, began)
		}
		mustEnd(t, s(bg).CloseAsync(), nil)
		if began != 2 {
			t.Errorf("%s: a pass began that was only closed", form.name)
		}
		if err := errors.Join(it.CloseAsync().Await(), other.CloseAsync().Await()); err != nil {
			t.Error(err)
		}
	}
}

func TestC48_EveryExitClosesTheStream(t *testing.T) {
	for _, form := range forms {
		for name, leave := range map[string]func(){"break": nil, "panic": func() { panic("in the body") }, "Goexit": runtime.Goexit} {
			cleaning, left := async.NewSource0(), make(chan end)
			var got []int
			go func() {
				left <- ending(func() {
					for v := range streamOf(form.start, []int{1, 2, 3}, nil, cleaning.Task()).Await(bg) {
						if got = append(got, v); v == 2 && leave != nil {
							leave()
						} else if v == 2 {
							break
						}
					}
				})
			}()
			select {
			case <-left:
				t.Errorf("%s: %s did not wait for the producer's end", form.name, name)
			case <-time.After(time.Millisecond):
			}
			cleaning.SetResult()
			if e := <-left; !slices.Equal(got, []int{1, 2}) || (e.panicked != "") != (name == "panic") || e.exited != (name == "Goexit") {
				t.Errorf("%s: %s after %v: %v", form.name, name, got, e)
			}
		}
		failed := errors.New("cleaning up")
		it := streamOf(form.start, []int{1}, nil)(bg)
		mustCome(t, it.NextAsync(), 1, true, nil)
		if err := it.CloseAsync().Await(); err != nil {
			t.Errorf("%s: that it was left is no failure: %v", form.name, err)
		}
		mustEnd(t, it.CloseAsync(), nil)

		it = async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			yield := yieldAll(out, []int{1}, nil)
			return form.start(ctx, func() (async.Operation, bool, error) {
				p, more, err := yield()
				if err != nil {
					err = failed
				}
				return p, more, err
			})
		})(bg)
		mustCome(t, it.NextAsync(), 1, true, nil)
		for range 2 {
			if err := it.CloseAsync().Await(); err != failed {
				t.Errorf("%s: closing it gave %v", form.name, err)
			}
		}
	}
}

func TestC49_APassHasTheContextThatItWasBegunWith(t *testing.T) {
	for _, form := range forms {
		s := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			var turn async.Task0
			i := -1
			return form.start(ctx, func() (async.Operation, bool, error) {
				if i++; i > 0 && turn.GetResult() != nil {
					return nil, false, turn.GetResult()
				}
				if ctx.Err() != nil {
					return nil, false, context.Cause(ctx)
				}
				turn = out.YieldAsync(ctx.Value(key{}).(int) + i)
				return turn, true, nil
			})
		})
		why := errors.New("why")
		for first := range 3 {
			ctx, cancel := context.WithCancelCause(context.WithValue(bg, key{}, first*10))
			defer cancel(nil)
			var got []int
			var end error
			for v, err := range s.Await(ctx) {
				if err != nil {
					end = err
					continue
				}
				if got = append(got, v); len(got) == 3 {
					cancel(why)
				}
			}
			if end != why || !slices.Equal(got, []int{first * 10, first*10 + 1, first*10 + 2}) {
				t.Errorf("%s: %v, %v", form.name, got, end)
			}
		}
	}
}

type key struct{}

func TestC50_OneValueIsAskedForAtATime(t *testing.T) {
	for _, form := range forms {
		source := async.NewSource0()
		it := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			waited, yield := false, yieldAll(out, []int{1}, nil)
			return form.start(ctx, func() (async.Operation, bool, error) {
				if !waited {
					waited = true
					return source.Task(), true, nil
				}
				return yield()
			})
		})(bg)
		next := it.NextAsync()
		mustPanic(t, "C50", func() { it.NextAsync() })
		source.SetResult()
		mustCome(t, next, 1, true, nil)
		end := it.NextAsync()
		mustPanic(t, "C13", func() { next.GetResult() }) // its source is used again
		mustCome(t, end, 0, false, nil)
		if err := it.CloseAsync().Await(); err != nil {
			t.Error(err)
		}
	}
	for _, closed := range []bool{false, true} {
		it := async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			out.YieldAsync(1)
			out.YieldAsync(2)
			return async.Completed0(nil)
		})(bg)
		mustCome(t, it.NextAsync(), 1, true, nil)
		if closed {
			mustPanic(t, "await each YieldAsync", func() { it.CloseAsync().Await() })
		} else {
			mustPanic(t, "await each YieldAsync", func() { it.NextAsync().Await() })
		}
		mustCome(t, it.NextAsync(), 0, false, nil)
	}
}

func TestC51_AfterTheEndThereIsNothing(t *testing.T) {
	for _, form := range forms {
		failed := errors.New("failed")
		for _, end := range []error{nil, failed} {
			it := streamOf(form.start, []int{1}, end)(bg)
			mustCome(t, it.NextAsync(), 1, true, nil)
			mustCome(t, it.NextAsync(), 0, false, end)
			for range 3 {
				mustCome(t, it.NextAsync(), 0, false, nil)
			}
			mustEnd(t, it.CloseAsync(), nil) // who asked was told
			mustEnd(t, it.CloseAsync(), nil)
			mustCome(t, it.NextAsync(), 0, false, nil)

			it = streamOf(form.start, []int{1, 2}, end)(bg)
			mustCome(t, it.NextAsync(), 1, true, nil)
			closed := it.CloseAsync()
			mustCome(t, it.NextAsync(), 0, false, nil)
			closed.Await()
			mustCome(t, it.NextAsync(), 0, false, nil)

			it = streamOf(form.start, []int{1, 2}, end)(bg)
			mustEnd(t, it.CloseAsync(), nil)
			mustCome(t, it.NextAsync(), 0, false, nil)
		}
	}
}

// A stream is what a range takes, with its failure as the last pair.
func ExampleNewStream() {
	halves := func(n int) async.Stream[int] {
		return async.NewStream(func(ctx context.Context, out async.Yielder[int]) async.Task0 {
			return async.Go0(ctx, func(context.Context) error { // as an async function does it
				for ; n%2 == 0; n /= 2 {
					if err := out.YieldAsync(n).Await(); err != nil {
						return err
					}
				}
				return fmt.Errorf("%d is odd", n)
			})
		})
	}
	for v, err := range halves(12).Await(bg) {
		fmt.Println(v, err)
	}
	// Output:
	// 12 <nil>
	// 6 <nil>
	// 0 3 is odd
}

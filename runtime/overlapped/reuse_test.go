package overlapped_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
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

// TestC13_AwaitedOnce: the second await of an operation that may be in use again says so. What has failed is not.
func TestC13_AwaitedOnce(t *testing.T) {
	w := sim.New(1)
	toaster, _ := newToaster(t, w, device.ToasterConfig{})
	c := newClock(t, w, device.TimerConfig{})
	timer := c.NewTimer(time.Millisecond, time.Millisecond)
	flush := newFile(t, w, device.NewMemory(nil), device.DiskConfig{}).FlushAsync(w.Context())
	toast, moment, tick := toaster.WriteAsync(w.Context(), make([]byte, 2)), c.AfterAsync(w.Context(), time.Millisecond), timer.WaitAsync(w.Context())
	for name, await := range map[string]func() error{
		"flush":  func() error { return flush.Await() },
		"toast":  func() error { _, err := toast.Await(); return err },
		"moment": func() error { _, err := moment.Await(); return err },
		"tick":   func() error { _, err := tick.Await(); return err },
	} {
		if err := await(); err != nil {
			t.Error(name, err)
		}
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, "C13") {
					t.Errorf("%s: the second await: %v", name, r)
				}
			}()
			await()
		}()
	}
	last := timer.WaitAsync(w.Context())
	timer.Stop()
	for range 2 {
		if _, err := last.Await(); !errors.Is(err, overlapped.ErrStopped) {
			t.Error("what has failed:", err)
		}
	}
}

// again is a machine by hand: it starts an operation as soon as the one before is complete, and counts them.
type again struct {
	async.Anywhere
	start  func() async.Pending
	result func() error
	count  int
	err    error
}

func (a *again) MoveNext(*async.Executor) async.Continuation {
	for {
		if a.err = a.result(); a.err != nil {
			return nil
		}
		a.count++
		if a.start().OnCompleted(a) {
			return nil
		}
	}
}

// repeat returns a machine that repeats an operation.
func repeat[T any](start func() async.Task[T]) *again {
	var task async.Task[T]
	return &again{
		start:  func() async.Pending { task = start(); return &task },
		result: func() error { _, err := task.GetResult(); return err },
	}
}

// pending are operations that pend, of each kind of handle.
func pending() map[string]func(t *testing.T, w *sim.World, ctx context.Context) []*again {
	buf, answer := make([]byte, 300), make([]byte, 300)
	return map[string]func(t *testing.T, w *sim.World, ctx context.Context) []*again{
		"file": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			f := newFile(t, w, device.NewMemory(make([]byte, 4096)), device.DiskConfig{})
			return []*again{repeat(func() async.Task[int] { return f.ReadAtAsync(ctx, buf, 0) })}
		},
		"toaster": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			toaster, _ := newToaster(t, w, device.ToasterConfig{Brown: time.Millisecond})
			return []*again{repeat(func() async.Task[int] { return toaster.WriteAsync(ctx, buf[:2]) })}
		},
		"clock": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			c := newClock(t, w, device.TimerConfig{})
			return []*again{repeat(func() async.Task[clock.Time] { return c.AfterAsync(ctx, time.Millisecond) })}
		},
		"timer": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			timer := newClock(t, w, device.TimerConfig{}).NewTimer(time.Millisecond, time.Millisecond)
			return []*again{repeat(func() async.Task[int] { return timer.WaitAsync(ctx) })}
		},
		"stream": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			newNetwork(t, w, device.WireConfig{})
			client, server, _ := connect(t, w)
			return []*again{
				repeat(func() async.Task[int] { return server.ReadAsync(ctx, answer) }),
				repeat(func() async.Task[int] { return client.WriteAsync(ctx, buf) }),
			}
		},
		"datagram": func(t *testing.T, w *sim.World, ctx context.Context) []*again {
			newNetwork(t, w, device.WireConfig{})
			a, b := newDatagrams(t, w)
			c := newClock(t, w, device.TimerConfig{})
			return []*again{
				repeat(func() async.Task[async.Pair[int, overlapped.Addr]] {
					return b.ReceiveFromAsync(ctx, answer).Task()
				}),
				repeat(func() async.Task[clock.Time] {
					if n, err := a.SendToAsync(ctx, buf, b.Addr()).Await(); n != len(buf) || err != nil {
						t.Errorf("sent %d bytes, %v", n, err)
					}
					return c.AfterAsync(ctx, time.Millisecond)
				}),
			}
		},
	}
}

type key struct{}

// TestNothingIsAllocated: operations that pend, of each kind of handle, use again what those before them have left.
func TestNothingIsAllocated(t *testing.T) {
	contexts := map[string]func(*sim.World) context.Context{
		"endless": (*sim.World).Context,
		"cancel":  func(w *sim.World) context.Context { ctx, _ := w.WithCancel(w.Context()); return ctx },
		"timeout": func(w *sim.World) context.Context { ctx, _ := w.WithTimeout(w.Context(), time.Hour); return ctx },
		"a value's": func(w *sim.World) context.Context {
			ctx, _ := w.WithCancel(w.Context())
			return context.WithValue(ctx, key{}, 1)
		},
	}
	for kind, begin := range pending() {
		for of, context := range contexts {
			t.Run(kind+"/"+of, func(t *testing.T) {
				w := sim.New(1, sim.WithoutVerifier())
				machines := begin(t, w, context(w))
				while := 250 * time.Millisecond
				if kind == "file" || kind == "stream" { // which are fast
					while = 10 * time.Millisecond
				}
				spares(t, w, machines, while)
			})
		}
	}
}

// spares fails if what machines do, once a while has passed, costs an allocation in
// fifty operations of the first.
func spares(t *testing.T, w *sim.World, machines []*again, while time.Duration) {
	t.Helper()
	w.Workers().Go(func() {
		for _, m := range machines {
			m.MoveNext(nil)
		}
	})
	w.RunFor(while) // what is kept is now there
	before := machines[0].count
	allocs := testing.AllocsPerRun(1, func() { w.RunFor(while) })
	done := machines[0].count - before
	t.Logf("%d operations, %v allocations", done, allocs)
	if done < 200 || allocs*50 > float64(done) {
		t.Errorf("%v allocations for %d operations", allocs, done)
	}
	for _, m := range machines {
		if m.err != nil {
			t.Error(m.err)
		}
	}
}

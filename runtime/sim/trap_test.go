package sim_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// waiter is a machine written by hand: it awaits one task, where its context says.
type waiter struct {
	async.Builder0
	name string
	task async.Task0
}

func wait(ctx context.Context, name string, task async.Task0) async.Task0 {
	m := &waiter{name: name, task: task}
	m.Promote(m, ctx, nil)
	if !task.OnCompleted(m) {
		m.MoveNext(nil)
	}
	return m.Task()
}

func (m *waiter) MoveNext(*async.Executor) async.Continuation { return m.SetResult(m.task.GetResult()) }

func (m *waiter) States() (*async.States, int) {
	return &async.States{Func: m.name, File: "author.go", At: []async.State{{Line: 7, Awaits: "a task"}}}, 0
}

// item is a waiter with a value, as an item of a Map has.
type item struct {
	async.Builder[int]
	waiter waiter
}

func (m *item) MoveNext(*async.Executor) async.Continuation {
	return m.SetResult(0, m.waiter.task.GetResult())
}

func (m *item) States() (*async.States, int) { return m.waiter.States() }

// sprung runs a World that ticks for ever, and returns the deadlock that it ends with.
func sprung(t *testing.T, w *sim.World) *sim.Deadlock {
	t.Helper()
	ticks := 0
	var tick func()
	tick = func() {
		if ticks++; ticks < 10_000 {
			w.AfterFunc(time.Millisecond, tick)
		}
	}
	tick()
	d := deadlock(w)
	if ticks > 5 {
		t.Errorf("the trap sprang after %d ticks", ticks)
	}
	w.Close()
	return d
}

// TestTrapSpringsAtOnce: a thread blocks on a machine that can go on on that thread alone. Timers that go on ringing do
// not hide it. The message names both, their lines, and the ways out.
func TestTrapSpringsAtOnce(t *testing.T) {
	for name, block := range map[string]func(w *sim.World, ctx context.Context){
		"the machine is posted while the thread blocks": func(w *sim.World, ctx context.Context) {
			wait(ctx, "Inner", async.Delay(ctx, time.Millisecond)).Await()
		},
		"the machine was posted before": func(w *sim.World, ctx context.Context) {
			task := wait(ctx, "Inner", async.Delay(w.Context(), time.Millisecond))
			for w.UI().Len() == 0 {
				async.Delay(w.Context(), 100*time.Microsecond).Await() // the thread blocks, but not on the machine
			}
			task.Await()
		},
		"the machine is awaited by the one that is blocked on": func(w *sim.World, ctx context.Context) {
			inner := wait(ctx, "Inner", async.Delay(ctx, time.Millisecond))
			wait(w.Context(), "Outer", wait(ctx, "Middle", inner)).Await()
		},
		"the machine is one of all that are awaited": func(w *sim.World, ctx context.Context) {
			async.WhenAll0(ctx, async.Delay(ctx, time.Hour), wait(ctx, "Inner", async.Delay(ctx, time.Millisecond))).Await()
		},
		"the machine is an item of a Map": func(w *sim.World, ctx context.Context) {
			delays := []time.Duration{time.Hour, time.Millisecond}
			async.Map(w.Context(), 2, delays, func(_ context.Context, d time.Duration) async.Task[int] {
				m := &item{waiter: waiter{name: "Inner", task: async.Delay(w.Context(), d)}}
				m.Promote(m, ctx, nil)
				m.waiter.task.OnCompleted(m)
				return m.Task()
			}).Await()
		},
		"the machine is an item of a Map without values": func(w *sim.World, ctx context.Context) {
			delays := []time.Duration{time.Hour, time.Millisecond}
			async.Map0(w.Context(), 2, delays, func(_ context.Context, d time.Duration) async.Task0 {
				return wait(ctx, "Inner", async.Delay(w.Context(), d))
			}).Await()
		},
	} {
		w := sim.New(1)
		w.Go("click", func(ctx context.Context) { block(w, ctx) })
		d := sprung(t, w)
		if d == nil || !d.Trap {
			t.Errorf("%s: %v", name, d)
			continue
		}
		for _, want := range []string{
			"UI thread is blocked on an Await in sim_test.TestTrapSpringsAtOnce.func", "(trap_test.go:",
			"Inner, which awaits a task at author.go:7", "ConfigureAwait(false)", "await the task",
		} {
			if !strings.Contains(d.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, d, want)
			}
		}
	}
}

// TestTrapOfASerialContext: the same with a context that runs one thing at a time.
func TestTrapOfASerialContext(t *testing.T) {
	w := sim.New(1)
	s := w.NewSerial("account")
	s.Do(func() { wait(s.Context(w.Context()), "Inner", async.Delay(w.Context(), time.Millisecond)).Await() })
	d := sprung(t, w)
	if d == nil || !d.Trap || !strings.Contains(d.Error(), "worker") || !strings.Contains(d.Error(), "Inner, which awaits") {
		t.Errorf("%v", d)
	}
}

// TestNoTrap: a thread that blocks while machines wait for it is no deadlock if something else lets it go on.
func TestNoTrap(t *testing.T) {
	w := sim.New(1)
	var order []string
	w.Go("click", func(ctx context.Context) {
		other := wait(ctx, "Other", async.Delay(ctx, time.Microsecond))
		async.Delay(ctx, time.Millisecond).Await()
		order = append(order, "blocked for a while")
		// It waits for the first of two, and the other one is not the thread's.
		first, _ := async.WhenAny(ctx, other, wait(w.Context(), "Elsewhere", async.Delay(ctx, time.Millisecond))).Await()
		if first != 1 {
			t.Errorf("the first was %d", first)
		}
		order = append(order, "raced")
	})
	w.Run()
	if len(order) != 2 {
		t.Errorf("%v", order)
	}
}

// TestNoTrapOfAll: what waits for all of several goes on without them when its context ends.
func TestNoTrapOfAll(t *testing.T) {
	w := sim.New(1)
	var err error
	w.Go("click", func(ctx context.Context) {
		timed, cancel := w.WithTimeout(ctx, time.Second)
		defer cancel()
		err = async.WhenAll0(timed, wait(ctx, "Inner", async.Delay(ctx, time.Millisecond))).Await()
	})
	w.Run()
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestDeadlockNamesTheMachine: it waits through a thread, which is seen when nothing is left that could happen.
func TestDeadlockNamesTheMachine(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	w.Go("click", func(ctx context.Context) {
		inner := wait(ctx, "Inner", async.Delay(ctx, time.Millisecond))
		async.Go0(ctx, func(context.Context) error { return inner.Await() }).Await()
	})
	d := deadlock(w)
	if d == nil || !strings.Contains(d.Error(), "Inner, which awaits a task at author.go:7") || !strings.Contains(d.Error(), "trap_test.go") ||
		!strings.Contains(d.Error(), "ConfigureAwait(false)") {
		t.Errorf("%v", d)
	}
}

// TestDeadlockOfTheTimers: all threads that timers ring on block on what a timer is to end.
func TestDeadlockOfTheTimers(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	for range 5 {
		w.AfterFunc(time.Millisecond, func() { async.Delay(w.Context(), time.Millisecond).Await() })
	}
	d := deadlock(w)
	if d == nil || !strings.Contains(d.Error(), "no timer thread is left for a timer that has rung (nor for 4 others)") {
		t.Errorf("%v", d)
	}
}

// TestDeadlockOfAPool: all threads of a pool block on machines that only the pool could run.
func TestDeadlockOfAPool(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	ctx := w.Workers().Context(w.Context())
	for range 4 {
		w.Workers().Go(func() { wait(ctx, "Inner", async.Delay(w.Context(), time.Millisecond)).Await() })
	}
	d := deadlock(w)
	if d == nil || !d.Trap || !strings.Contains(d.Error(), "no worker is left for Inner, which awaits a task at author.go:7 (nor for 3 others)") ||
		!strings.Contains(d.Error(), "trap_test.go") || !strings.Contains(d.Error(), "ConfigureAwait(false)") ||
		!strings.Contains(d.State, "4 packets wait for a thread of the pool: worker") {
		t.Errorf("%v", d)
	}
}

// TestDeadlockNamesMessages: what the thread waits for would be done by a message that waits for the thread.
func TestDeadlockNamesMessages(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	w.Go("click", func(ctx context.Context) {
		s := async.NewSource0For(ctx)
		w.Go("complete", func(context.Context) { s.SetResult() })
		s.Task().Await()
	})
	if d := deadlock(w); d == nil || !strings.Contains(d.Error(), "1 other messages wait to run on it") {
		t.Errorf("%v", d)
	}
}

// deadlock runs a World and returns the deadlock that it ends with, nil if none.
func deadlock(w *sim.World) (d *sim.Deadlock) {
	defer func() { d, _ = recover().(*sim.Deadlock) }()
	w.Run()
	return nil
}

// TestTrapWithManyWays: what is posted to a blocked thread is looked at in no time, however many ways lead up from it; and
// the trap springs by any of them.
func TestTrapWithManyWays(t *testing.T) {
	for _, trapped := range []bool{false, true} {
		w := sim.New(1)
		start := async.NewSourceFor[int](w.Context())
		task := wait(w.UIContext(), "bottom", async.WhenAll0(w.Context(), start.Task()))
		for range 64 { // by 2⁶⁴ ways
			task = wait(w.UIContext(), "above", async.WhenAll0(w.Context(), task, task))
		}
		w.AfterFunc(time.Millisecond, func() { start.SetResult(1) })
		w.Go("block", func(ctx context.Context) {
			if !trapped {
				task = async.Delay(ctx, 2*time.Millisecond)
			}
			task.Await()
		})
		if d := deadlock(w); (d != nil) != trapped {
			t.Errorf("trapped: %v, and the World ends with %v", trapped, d)
		}
		w.Close()
	}
}

package sim_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// TestTogetherBlocking: a thread blocks on what another World does, and so does one of that World. None of the Worlds runs
// on alone meanwhile.
func TestTogetherBlocking(t *testing.T) {
	a, b := sim.New(1), sim.New(2)
	defer a.Close()
	defer b.Close()
	var adapters []*sim.Adapter
	for i, w := range []*sim.World{a, b} {
		n, err := w.NewAdapter("net", uint16(i+1), device.AdapterConfig{})
		if err != nil {
			t.Fatal(err)
		}
		adapters = append(adapters, n)
	}
	if _, err := sim.NewWire(adapters[0], adapters[1], device.WireConfig{}); err != nil {
		t.Fatal(err)
	}
	l, err := overlapped.Listen(b, "net", 80)
	if err != nil {
		t.Fatal(err)
	}
	b.Go("serve", func(ctx context.Context) {
		c, err := l.AcceptAsync(ctx).Await()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_ = async.Delay(ctx, 10*time.Millisecond).Await()
		if _, err := c.WriteAsync(ctx, []byte("hello")).Await(); err != nil {
			t.Error(err)
		}
	})
	got := ""
	a.Go("ask", func(ctx context.Context) {
		c, err := overlapped.DialAsync(ctx, a, "net", l.Addr()).Await()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		buf := make([]byte, 10)
		n, err := c.ReadAsync(ctx, buf).Await()
		if got = string(buf[:n]); err != nil {
			t.Error(err)
		}
	})
	sim.RunTogether(50*time.Microsecond, a, b)
	if d := a.Elapsed() - b.Elapsed(); got != "hello" || d < -time.Millisecond || d > time.Millisecond || a.Goroutines()+b.Goroutines() != 2 {
		t.Errorf("got %q; %v and %v have passed, on %d and %d goroutines", got, a.Elapsed(), b.Elapsed(), a.Goroutines(), b.Goroutines())
	}
}

// TestTogetherToTheEnd: what the last World's turn leaves to the first one is done too.
func TestTogetherToTheEnd(t *testing.T) {
	a, b := sim.New(1), sim.New(2)
	injected, posted := false, false
	b.Go("leave", func(context.Context) {
		a.Inject(func() { injected = true })
		a.Go("message", func(context.Context) { posted = true })
	})
	sim.RunTogether(time.Millisecond, a, b)
	if !injected || !posted {
		t.Errorf("injected: %v, posted: %v", injected, posted)
	}
}

// TestTogetherToTheEndOfTime: what is to happen only there does, as in one World, and that is the end.
func TestTogetherToTheEndOfTime(t *testing.T) {
	for _, d := range []time.Duration{async.Infinite - 1, async.Infinite - time.Second} {
		a, b := sim.New(1), sim.New(2)
		b.RunFor(time.Second)
		waits := []async.Task0{async.Delay(a.Context(), d), async.Delay(b.Context(), d), async.Delay(b.Context(), time.Second)}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			sim.RunTogether(time.Millisecond, a, b)
		}()
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("RunTogether does not return")
		}
		for i, wait := range waits {
			if !wait.IsCompleted() {
				t.Errorf("wait %d for %v has not ended", i, d)
			}
		}
	}
}

// TestTogetherEnds: a panic and a Goexit of a thread's code are the owner's, as in one World; and a thread that blocks for
// ever does not keep the Worlds from their end.
func TestTogetherEnds(t *testing.T) {
	a, b := sim.New(1), sim.New(2)
	defer a.Close()
	defer b.Close()
	b.Go("block", func(ctx context.Context) { async.NewSource0For(ctx).Task().Await() })
	sim.RunTogether(time.Millisecond, a, b)
	if b.Goroutines() != 2 {
		t.Errorf("%d goroutines", b.Goroutines())
	}

	a.Go("panic", func(context.Context) { panic("boom") })
	func() {
		defer func() {
			if p, _ := recover().(*sim.Panic); p == nil || p.Value != "boom" {
				t.Errorf("rose: %v", p)
			}
		}()
		sim.RunTogether(time.Millisecond, a, b)
	}()

	var exited async.Task0 // by Goexit, which is the task's alone
	a.Go("start", func(ctx context.Context) {
		exited = async.Go0(ctx, func(ctx context.Context) error {
			async.Yield(ctx).Await()
			runtime.Goexit()
			return nil
		})
	})
	if sim.RunTogether(time.Millisecond, a, b); !exited.IsCompleted() {
		t.Error("the task has not ended")
	}

	a.Go("exit", func(context.Context) { runtime.Goexit() })
	returned, ended := false, make(chan struct{})
	go func() {
		defer close(ended)
		sim.RunTogether(time.Millisecond, a, b)
		returned = true
	}()
	if <-ended; returned {
		t.Error("a Goexit was lost")
	}
}

// TestPanicEndsTheLimit: after a panic that leaves RunFor or Settle the World runs as far as it is told to.
func TestPanicEndsTheLimit(t *testing.T) {
	for name, run := range map[string]func(*sim.World){
		"RunFor": func(w *sim.World) { w.RunFor(time.Second) },
		"Settle": func(w *sim.World) { _ = w.Settle(time.Second) },
	} {
		w := sim.New(1)
		w.Go("panic", func(context.Context) { panic("boom") })
		w.AfterFunc(time.Hour, func() {})
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("%s: %v rose", name, v)
				}
			}()
			run(w)
		}()
		if w.Run(); w.Elapsed() < time.Hour {
			t.Errorf("%s: Run ended after %v", name, w.Elapsed())
		}
	}
}

// TestTogetherOfAge: one World may be ahead of the other: it waits until that has come as far.
func TestTogetherOfAge(t *testing.T) {
	ahead, behind := sim.New(1), sim.New(2)
	defer ahead.Close()
	defer behind.Close()
	ahead.AfterFunc(time.Millisecond, func() {})
	ahead.Run()
	began := ahead.Now()
	var order []string
	note := func(name string, w *sim.World, d time.Duration) {
		w.AfterFunc(d, func() { order = append(order, name) })
	}
	note("ahead 1", ahead, 10*time.Microsecond)
	note("ahead 2", ahead, 50*time.Microsecond)
	note("behind 1", behind, 500*time.Microsecond)
	note("behind 2", behind, 1030*time.Microsecond)
	sim.RunTogether(5*time.Microsecond, ahead, behind)
	if want := []string{"behind 1", "ahead 1", "behind 2", "ahead 2"}; !slices.Equal(order, want) || ahead.Now() < began {
		t.Errorf("%v, at %v", order, ahead.Now())
	}
	func() { // a World that runs alone again does so as ever
		defer func() {
			if v := recover(); v != "plain" {
				t.Errorf("a panic rises as %T %v", v, v)
			}
		}()
		ahead.Go("panic", func(context.Context) { panic("plain") })
		ahead.Run()
	}()
	for _, quantum := range []time.Duration{0, -1} {
		func() {
			defer func() {
				if told, _ := recover().(string); !strings.Contains(told, "needs a quantum") {
					t.Errorf("a quantum of %d: %q", quantum, told)
				}
			}()
			sim.RunTogether(quantum, ahead)
		}()
	}
}

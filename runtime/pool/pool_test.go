package pool_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// at is a continuation that wants a context and notes on whose executor it ran.
type at struct {
	async.Anywhere
	sc  async.SyncContext
	run func(ex *async.Executor)
}

func (c *at) MoveNext(ex *async.Executor) async.Continuation { c.run(ex); return nil }
func (c *at) SyncContext() async.SyncContext                 { return c.sc }

// TestUIMessagesInOrder posts more messages than the ring first holds, some from within messages.
func TestUIMessagesInOrder(t *testing.T) {
	w := sim.New(1)
	ui := w.UI()
	var got, want []string
	for range 10 { // the ring grows where it goes round
		ui.Go("before", func() {})
	}
	w.Run()
	for i := range 40 {
		name := fmt.Sprint("m", i)
		want = append(want, name)
		ui.Go(name, func() {
			got = append(got, name)
			if i == 0 {
				ui.Go("inner", func() { got = append(got, "inner") })
			}
			if w.Executor() != ui.Executor() {
				t.Error("a message runs on another executor than the UI thread's")
			}
		})
	}
	if ui.Len() != 40 || !strings.Contains(ui.Waiting(), "0 continuations and 40 other messages") {
		t.Errorf("%d messages wait: %s", ui.Len(), ui.Waiting())
	}
	w.Run()
	if g, w := strings.Join(got, " "), strings.Join(append(want, "inner"), " "); g != w {
		t.Errorf("got %s\nwant %s", g, w)
	}
	if ui.Waiting() != "" {
		t.Error(ui.Waiting())
	}
}

// TestPostGoesToTheContext completes a source on a worker: what wants the UI thread resumes there, and what wants the
// workers on a worker.
func TestPostGoesToTheContext(t *testing.T) {
	w := sim.New(1)
	source := async.NewSourceFor[int](w.Context())
	var log []string
	for name, sc := range map[string]async.SyncContext{"UI": w.UI(), "workers": w.Workers()} {
		source.Task().OnCompleted(&at{sc: sc, run: func(ex *async.Executor) {
			if ex.SyncContext() != sc || ex != w.Executor() {
				t.Errorf("%s: resumed on an executor of another context", name)
			}
			log = append(log, name)
		}})
	}
	w.IO().Go(func() { source.SetResult(1) })
	if len(log) != 0 {
		t.Error("resumed before the World ran")
	}
	w.Run()
	if len(log) != 2 {
		t.Errorf("resumed: %v", log)
	}
	if c := w.Counters(); c.Posts != 3 {
		t.Errorf("%d posts", c.Posts)
	}
}

// TestBlockedWorkerLetsAnotherRun is rule A38 through the pool: one worker runs at a time, and one that blocks does not
// count.
func TestBlockedWorkerLetsAnotherRun(t *testing.T) {
	w := sim.New(1, sim.WithWorkers(2))
	var log []string
	source := async.NewSourceFor[int](w.Context())
	w.Workers().Go(func() {
		log = append(log, "first blocks")
		source.Task().Await()
		log = append(log, "first goes on")
	})
	w.Workers().Go(func() {
		log = append(log, "second")
		source.SetResult(1)
	})
	w.Run()
	if got := strings.Join(log, ", "); got != "first blocks, second, first goes on" {
		t.Error(got)
	}

	// With as many blocked as there are threads nobody is left to help: a deadlock, and both are named, and what they keep waiting.
	w = sim.New(1, sim.WithWorkers(2))
	defer w.Close()
	source = async.NewSourceFor[int](w.Context())
	for range 2 {
		w.Workers().Go(func() { source.Task().Await() })
	}
	w.Workers().Go(func() { source.SetResult(1) })
	defer func() {
		d, _ := recover().(*sim.Deadlock)
		if d == nil || len(d.Waiting) != 3 || !strings.Contains(d.Waiting[0], "worker 1") || !strings.Contains(d.Waiting[1], "worker 2") ||
			!strings.Contains(d.Waiting[2], "no worker is left for what was queued there") {
			t.Errorf("deadlock: %v", d)
		}
	}()
	w.Run()
}

// TestSeveralCPUs runs work on three processors: every piece once, the same way for the same seed.
func TestSeveralCPUs(t *testing.T) {
	run := func(seed uint64) string {
		w := sim.New(seed, sim.WithCPUs(3))
		var log strings.Builder
		for i := range 20 {
			w.Workers().Go(func() {
				async.Delay(w.Context(), time.Duration(i)*time.Microsecond).Await()
				fmt.Fprintf(&log, "%d on CPU %d\n", i, w.Kernel().CPU().Number())
			})
		}
		w.Go("ui", func(context.Context) { fmt.Fprintln(&log, "ui") })
		w.Run()
		return log.String()
	}
	one := run(1)
	if n := strings.Count(one, "\n"); n != 21 {
		t.Errorf("%d pieces of work ran, want 21", n)
	}
	if one != run(1) {
		t.Error("one seed, two orders")
	}
	different := false
	for seed := range uint64(10) {
		different = different || run(seed) != one
	}
	if !different {
		t.Error("ten seeds, one order")
	}
	for _, cpu := range []string{"CPU 0", "CPU 1", "CPU 2"} {
		if !strings.Contains(one, cpu) {
			t.Errorf("nothing ran on %s:\n%s", cpu, one)
		}
	}
}

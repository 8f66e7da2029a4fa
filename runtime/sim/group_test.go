package sim_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

var errWork = errors.New("work failed")

// work goes on for so long, and so does another one, half as long, that it adds to the
// group; the one that lasts as long as it says fails.
//
//nothread:async
func work(ctx context.Context, g *async.Group, d, fails time.Duration, ended *[]time.Duration) error {
	if d > time.Millisecond {
		g.Add(workAsync(ctx, g, d/2, fails, ended))
	}
	if err := async.Delay(ctx, d).Await(); err != nil {
		return err
	}
	if *ended = append(*ended, d); d == fails {
		return errWork
	}
	return nil
}

// shift has work come in as long as there is any, and ends behind the last.
//
//nothread:async
func shift(ctx context.Context, jobs *async.Channel[time.Duration], fails time.Duration) (ended []time.Duration, err error) {
	g, ctx := async.NewGroup(ctx)
	for d, err := range jobs.All().Await(ctx) {
		if err != nil {
			break
		}
		g.Add(workAsync(ctx, g, d, fails, &ended))
	}
	err = g.WaitAsync().Await()
	return ended, err
}

// TestGroupOfWork: in both forms a group is over when the last of its work has ended, be it
// because the failure of another ended its context; a dump says until then what it waits for.
func TestGroupOfWork(t *testing.T) {
	all := []time.Duration{750, 1500, 3000, 1000, 875, 2000, 1750, 4000, 3500, 8000, 7000, 14000} // µs, as they end
	for _, blocking := range []bool{false, true} {
		for fails, want := range map[time.Duration][]time.Duration{0: all, 4 * time.Millisecond: all[:8]} {
			w := sim.New(1, sim.WithMachines())
			jobs := async.NewChannel(async.ChannelConfig[time.Duration]{Capacity: 1})
			var ended []time.Duration
			var err error
			over := false
			ctx := w.Workers().Context(w.Context())
			w.Workers().Go(func() {
				if blocking {
					ended, err = shift(ctx, jobs, fails)
					over = true
					return
				}
				task := shiftAsync(ctx, jobs, fails)
				task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { ended, err = task.GetResult(); over = true }))
			})
			w.AfterFunc(0, func() { jobs.TryWrite(3 * time.Millisecond) })
			w.AfterFunc(20*time.Millisecond, func() { jobs.TryWrite(8 * time.Millisecond) })
			w.AfterFunc(21*time.Millisecond, func() { jobs.TryWrite(14 * time.Millisecond); jobs.Close(nil) })
			var dump string
			w.AfterFunc(22*time.Millisecond, func() { dump = w.Dump() })
			if err := w.Settle(time.Second); err != nil {
				t.Error(err)
			}
			waits := "sim_test.shift  group_test.go:46  state 3, awaits g.WaitAsync()"
			if blocking {
				waits = "blocked on an Await in sim_test.shift (group_test.go:46)"
			}
			if !strings.Contains(dump, waits) || !strings.Contains(dump, "awaited by async.groupMember") {
				t.Errorf("the dump says\n%s", dump)
			}
			for i := range ended {
				ended[i] /= time.Microsecond
			}
			if !over || !slices.Equal(ended, want) || fails == 0 && err != nil || fails > 0 && err != errWork {
				t.Errorf("over %v: %d, %v", over, ended, err)
			}
		}
	}
}

// TestDeadlockOfAGroup: the UI thread blocks on a group whose work can go on on that thread alone;
// the trap is sprung as soon as that is to go on.
func TestDeadlockOfAGroup(t *testing.T) {
	w := sim.New(1)
	w.Go("shift", func(ctx context.Context) {
		var g async.Group
		var ended []time.Duration
		g.Add(workAsync(ctx, &g, time.Millisecond, 0, &ended))
		g.WaitAsync().Await()
	})
	d := sprung(t, w)
	for _, want := range []string{"UI thread is blocked on an Await in sim_test.TestDeadlockOfAGroup.func1 (group_test.go:", "work, which awaits async.Delay(ctx, d)"} {
		if d == nil || !d.Trap || !strings.Contains(d.Error(), want) {
			t.Errorf("%v\ndoes not say %s", d, want)
		}
	}
	w.Close()
}

// TestGroupEndsWhateverItsContextCalls: a callback of the context panics or exits, when
// one fails or the group is over: the group's task completes all the same.
func TestGroupEndsWhateverItsContextCalls(t *testing.T) {
	for _, exit := range []bool{false, true} {
		for _, fails := range []error{nil, errWork} {
			w := sim.New(1)
			g, ctx := async.NewGroup(w.Context())
			s := async.NewSource0For(ctx)
			g.Add(s.Task())
			async.AfterFunc(ctx, func() {
				if exit {
					runtime.Goexit()
				}
				panic("a callback")
			})
			over := g.WaitAsync()
			w.AfterFunc(time.Millisecond, func() { s.Complete(w.Executor(), struct{}{}, fails) })
			raised := make(chan any)
			go func() {
				defer func() { raised <- recover() }()
				w.Run()
			}()
			if v := <-raised; exit != (v == nil) || !exit && v != "a callback" {
				t.Errorf("the World raised %v", v)
			}
			w.Run() // what is left
			if !over.IsCompleted() {
				t.Fatalf("exit %v, error %v: the group never ends", exit, fails)
			}
			if err := over.Await(); err != fails {
				t.Errorf("gave %v, want %v", err, fails)
			}
		}
	}
}

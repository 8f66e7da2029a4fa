package sim_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// TestNoTrapForOthers: a machine that waits for a blocked thread is none of its concern if it is another thread that is
// blocked on it.
func TestNoTrapForOthers(t *testing.T) {
	w := sim.New(1)
	task := wait(w.UIContext(), "Inner", async.Delay(w.Context(), time.Millisecond))
	over := false
	w.Workers().Go(func() { task.Await(); over = true })
	w.Go("block", func(ctx context.Context) { async.Delay(ctx, 2*time.Millisecond).Await() })
	if d := deadlock(w); d != nil || !over {
		t.Errorf("over: %v, and %v", over, d)
	}
}

// TestTrapSaysHowMany: of the machines that wait for the thread it names the one that the thread waits for.
func TestTrapSaysHowMany(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	w.Go("click", func(ctx context.Context) {
		for i := range 3 {
			wait(ctx, fmt.Sprint("Other", i), async.Delay(w.Context(), time.Duration(i+1)*time.Microsecond))
		}
		wait(ctx, "Inner", async.Delay(w.Context(), time.Millisecond)).Await()
	})
	const want = "Inner, which awaits a task at author.go:7, which can go on on that thread alone (so do 3 others); two ways out"
	if d := deadlock(w); d == nil || !strings.Contains(d.Error(), want) {
		t.Errorf("%q does not say %q", d, want)
	}
}

// TestHandleErrors: a World's handler hears of what nobody awaits on any of its contexts, on a thread of that.
func TestHandleErrors(t *testing.T) {
	w := sim.New(1)
	var heard []string
	w.HandleErrors(func(err *async.OperationError) {
		heard = append(heard, fmt.Sprintf("%v on %s", err.Err, strings.TrimRight(w.Kernel().CPU().Thread().Name(), " 0123456789")))
	})
	for name, ctx := range map[string]context.Context{
		"ui": w.UIContext(), "io": w.IO().Context(w.Context()), "workers": w.Workers().Context(w.Context()),
		"serial": w.NewSerial("s").Context(w.Context()), "nobody's": w.Context(),
	} {
		source := async.NewSourceFor[int](ctx)
		async.Forget(ctx, source.Task())
		source.SetError(errors.New(name))
	}
	w.Run()
	slices.Sort(heard)
	if want := []string{"io on I/O thread", "nobody's on worker", "serial on worker", "ui on UI thread", "workers on worker"}; !slices.Equal(heard, want) {
		t.Errorf("%q", heard)
	}
}

// TestNumbersOfThreads: a World has as many as it was told to, and refuses to have none.
func TestNumbersOfThreads(t *testing.T) {
	for name, option := range map[string]func(n int) sim.Option{
		"CPU": sim.WithCPUs, "I/O thread": sim.WithIOThreads, "worker": sim.WithWorkers,
	} {
		for _, n := range []int{0, -1} {
			func() {
				defer func() {
					if told := fmt.Sprint(recover()); !strings.Contains(told, "one "+name) {
						t.Errorf("%d × %s: %s", n, name, told)
					}
				}()
				sim.New(1, option(n))
			}()
		}
		count := 0
		for _, thread := range sim.New(1, option(7)).Kernel().Threads() {
			if strings.HasPrefix(thread.Name(), name) {
				count++
			}
		}
		if name != "CPU" && count != 7 {
			t.Errorf("%d × %s", count, name)
		}
	}
}

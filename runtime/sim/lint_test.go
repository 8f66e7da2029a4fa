package sim_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// stubborn awaits what takes no notice of its context.
//
//nothread:async
func stubborn(ctx context.Context, task async.Task[int]) (int, error) {
	n, err := task.Await()
	if err == nil {
		err = context.Cause(ctx)
	}
	return n, err
}

// above awaits stubborn.
//
//nothread:async
func above(ctx context.Context, task async.Task[int]) (int, error) {
	n, err := stubbornAsync(ctx, task).Await()
	if err == nil {
		err = ctx.Err()
	}
	return n, err
}

// reads reads with another context than its own.
//
//nothread:async
func reads(ctx, other context.Context, f *overlapped.File) error {
	_, err := f.ReadAsync(other, make([]byte, 8)).Await()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// lints checks what w.Lint says.
func lints(t *testing.T, w *sim.World, patience time.Duration, want ...string) {
	t.Helper()
	if got := w.Lint(patience); !slices.Equal(got, want) {
		t.Errorf("after %v Lint says\n\t%s\nwant\n\t%s", w.Elapsed(), strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestLintOfMachines: what nobody has completed is pending, and lost once nothing is left that could; who goes on though its
// context is done is told once, not so those above; and none of this before its time.
func TestLintOfMachines(t *testing.T) {
	w := sim.New(1)
	ctx, cancel := w.WithCancel(w.UIContext())
	s := async.NewSourceFor[int](w.Context())
	lost := async.NewSourceFor[int](w.Context())
	for range 2 {
		aboveAsync(ctx, s.Task())
	}
	stubbornAsync(w.Context(), lost.Task())
	w.AfterFunc(time.Hour, func() {})
	const at, two = "at lint_test.go:19, which awaits task", "2 × sim_test.stubborn "
	lints(t, w, 0)
	w.RunFor(2 * time.Second)
	lints(t, w, 2*time.Second)
	lints(t, w, time.Second,
		"pending for 2s: "+two+at+": nobody has completed it yet",
		"pending for 2s: sim_test.stubborn "+at+": nobody has completed it yet")
	cancel()
	lints(t, w, 0,
		"pending for 2s: "+two+at+": nobody has completed it yet",
		"pending for 2s: sim_test.stubborn "+at+": nobody has completed it yet")
	w.RunFor(3 * time.Second)
	lints(t, w, 4*time.Second,
		"pending for 5s: "+two+at+": nobody has completed it yet",
		"pending for 5s: sim_test.stubborn "+at+": nobody has completed it yet")
	if dump := w.Dump(); !strings.Contains(dump, "awaits task, context UI thread, for 5s\n        ctx = *sim.worldContext (done: context canceled)") {
		t.Error("the dump says neither where the machine goes on nor that its context is done:\n", dump)
	}
	s.SetResult(1)
	w.Run()
	lints(t, w, 2*time.Hour, "lost completion: sim_test.stubborn "+at+": nothing is left that could complete it")
	lost.SetResult(1)
	w.Run()
	lints(t, w, 0)
}

// TestLintOfRequests: those that are pending, with the machines that wait for them; and those that were to end, which the
// driver does not know of if the machine has not handed its context on.
func TestLintOfRequests(t *testing.T) {
	w := sim.New(1)
	f := hole(t, w)
	ctx, cancel := w.WithCancel(w.Context())
	readsAsync(ctx, w.Context(), f)
	f.ReadAsync(ctx, make([]byte, 4))
	w.AfterFunc(time.Hour, func() {})
	w.RunFor(time.Second)
	const kept = "read of 8 bytes on hole, issued by main: with hole.sys (irp#1 at 0), for sim_test.reads at lint_test.go:41, which awaits " +
		"f.ReadAsync(other, make([]byte, 8))"
	lints(t, w, time.Millisecond, "pending for 1.00000055s: "+kept, "pending for 1s: read of 4 bytes on hole, issued by main: with hole.sys (irp#2 at 0)")
	cancel()
	w.RunFor(time.Second)
	lints(t, w, time.Millisecond,
		"pending for 2.00000055s: "+kept,
		"cancel ignored for 1s: read of 4 bytes on hole, issued by main: with hole.sys; cancelled (irp#2 at 0)",
		"cancel ignored for 1s: sim_test.reads at lint_test.go:41, which awaits f.ReadAsync(other, make([]byte, 8)), though its ctx is done: "+
			"context canceled")
}

// TestLintOfTimers: a machine that waits for a timer is known by it, and so is one that has its own limit; it is pending, like
// any other, while a thread that only sleeps is not.
func TestLintOfTimers(t *testing.T) {
	w := sim.New(1, sim.WithMachines())
	abroad := async.NewSource[int]()
	stubbornAsync(w.Context(), async.WithTimeout(w.Context(), time.Minute, abroad.Task()))
	w.Workers().Go(func() { async.Delay(w.Context(), 2*time.Minute).Await() })
	var dump string
	w.AfterFunc(2*time.Second, func() {
		lints(t, w, time.Second, "pending for 2.00000235s: a timer (due at 1m0s), for sim_test.stubborn at lint_test.go:19, which awaits task")
		dump = w.Dump()
	})
	w.Run()
	for _, want := range []string{"a timer (due at 1m0s), for 2", "a timer (due at 2m0.0000014s), for 2"} {
		if !strings.Contains(dump, want) {
			t.Errorf("%q is not in\n%s", want, dump)
		}
	}
}

// TestLintOfBlocking: the longest time for which the UI thread was blocked, be it over or not; other threads may block.
func TestLintOfBlocking(t *testing.T) {
	w := sim.New(1)
	block := func(d time.Duration) func(context.Context) {
		return func(ctx context.Context) { async.Delay(ctx, d).Await() }
	}
	w.Go("long", block(3*time.Second))
	w.Go("short", block(time.Second))
	w.Workers().Go(func() { block(time.Minute)(w.Context()) })
	var now []string
	w.AfterFunc(2*time.Second, func() { now = w.Lint(time.Second) })
	w.Run()
	said := func(found []string, d string) {
		t.Helper()
		if len(found) != 1 || !strings.HasPrefix(found[0], "UI blocked: UI thread was blocked for "+d) ||
			!strings.Contains(found[0], " on an Await in sim_test.TestLintOfBlocking.") || !strings.HasSuffix(found[0], "await there instead") {
			t.Errorf("Lint says %q", found)
		}
	}
	said(now, "1.99")
	said(w.Lint(2*time.Second), "3.00")
	lints(t, w, 4*time.Second)
}

package overlapped_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

func newClock(t testing.TB, w *sim.World, cfg device.TimerConfig) *overlapped.Clock {
	t.Helper()
	d, err := w.NewTimer("timer", cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// about reports whether a moment was noticed in time: not before, and not long after.
func about(got, want clock.Time) bool { return got >= want && got.Sub(want) < 50*time.Microsecond }

func TestAfter(t *testing.T) {
	w := sim.New(1, sim.WithVerifier())
	c := newClock(t, w, device.TimerConfig{})
	ctx := w.Context()
	began := w.Now()
	late, soon := c.AfterAsync(ctx, 3*time.Millisecond), c.AfterAsync(ctx, time.Millisecond)
	if at, err := soon.Await(); err != nil || !about(at, began.Add(time.Millisecond)) || late.IsCompleted() {
		t.Error(at, err)
	}
	if at, err := late.Await(); err != nil || !about(at, began.Add(3*time.Millisecond)) {
		t.Error(at, err)
	}
	if task := c.AfterAsync(ctx, -time.Second); !task.IsCompleted() {
		t.Error("what has passed is waited for")
	}
	timed, stop := w.WithTimeout(ctx, time.Millisecond)
	defer stop()
	if _, err := c.AfterAsync(timed, time.Hour).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	last := c.AfterAsync(ctx, time.Hour)
	c.Close()
	if _, err := last.Await(); !errors.Is(err, os.ErrClosed) || w.Elapsed() > time.Minute {
		t.Error(err, w.Elapsed())
	}
	rest(t, w)
}

// TestWaitsAreOver: ten thousand waits, some cancelled, end in the order of their times, each once, and no goroutine waits.
func TestWaitsAreOver(t *testing.T) {
	const n = 10_000
	rng := rand.New(rand.NewPCG(1, 1))
	before := runtime.NumGoroutine()
	w := sim.New(1, sim.WithCPUs(2), sim.WithIOThreads(1), sim.WithVerifier())
	c := newClock(t, w, device.TimerConfig{})
	ended, cancelled := 0, 0
	var last clock.Time
	for range n {
		ctx, cancel := w.Context(), context.CancelFunc(func() {})
		if rng.IntN(4) == 0 {
			ctx, cancel = w.WithCancel(ctx)
		}
		at := clock.Time(10_000_000 + rng.IntN(50_000_000))
		task := c.AtAsync(ctx, at)
		if rng.IntN(2) == 0 {
			w.AfterFunc(time.Duration(rng.IntN(60_000_000)), cancel)
		}
		task.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
			ended++
			switch _, err := task.GetResult(); {
			case errors.Is(err, context.Canceled):
				cancelled++
			case err != nil || w.Now() < at:
				t.Errorf("wait until %v ended at %v: %v", at, w.Now(), err)
			case at < last:
				t.Errorf("wait until %v after one until %v", at, last)
			default:
				last = at
			}
		}))
	}
	if got := runtime.NumGoroutine(); got > before {
		t.Errorf("%d goroutines before, %d with all waiting", before, got)
	}
	w.Run()
	if ended != n || cancelled == 0 {
		t.Errorf("%d of %d ended, %d cancelled", ended, n, cancelled)
	}
	rest(t, w)
}

func TestTimer(t *testing.T) {
	w := sim.New(1)
	c := newClock(t, w, device.TimerConfig{Resolution: time.Microsecond, Jitter: 2 * time.Microsecond})
	ctx := w.Context()
	began := w.Now()
	ticker := c.NewTimer(100*time.Microsecond, 500*time.Microsecond)
	for i := range clock.Time(20) { // they do not drift
		n, err := ticker.WaitAsync(ctx).Await()
		if want := began.Add(100*time.Microsecond) + i*500_000; n != 1 || err != nil || !about(w.Now(), want) {
			t.Errorf("tick %d: %d, %v, at %v and not %v", i, n, err, w.Now(), want)
		}
	}
	c.AfterAsync(ctx, 1400*time.Microsecond).Await()
	if n, err := ticker.WaitAsync(ctx).Await(); n < 2 || n > 3 || err != nil {
		t.Errorf("after a pause: %d, %v", n, err)
	}
	waiting := ticker.WaitAsync(ctx)
	if _, err := ticker.WaitAsync(ctx).Await(); err == nil {
		t.Error("two wait for one timer: no error")
	}
	if !ticker.Stop() || ticker.Stop() {
		t.Error("Stop does not say whether there was something to stop")
	}
	if _, err := waiting.Await(); !errors.Is(err, overlapped.ErrStopped) {
		t.Error(err)
	}
	if _, err := ticker.WaitAsync(ctx).Await(); !errors.Is(err, overlapped.ErrStopped) {
		t.Error(err)
	}
	once := c.NewTimer(time.Millisecond, 0)
	timed, stop := w.WithTimeout(ctx, 100*time.Microsecond)
	defer stop()
	if _, err := once.WaitAsync(timed).Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if n, err := once.WaitAsync(ctx).Await(); n != 1 || err != nil {
		t.Errorf("the moment is still to come: %d, %v", n, err)
	}
	if _, err := once.WaitAsync(ctx).Await(); !errors.Is(err, overlapped.ErrStopped) {
		t.Error(err)
	}
	once.Reset(0, 0)
	if task := once.WaitAsync(ctx); !task.IsCompleted() {
		t.Error("a moment that has come is waited for")
	}
	c.Close()
	rest(t, w)
}

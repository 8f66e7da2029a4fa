package sim_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// tick is a continuation that counts how often it is resumed, and notes when.
type tick struct {
	async.Anywhere
	w  *sim.World
	n  int
	at time.Duration
}

func (t *tick) MoveNext(*async.Executor) async.Continuation {
	t.n++
	t.at = time.Duration(t.w.Now())
	return nil
}

// TestTimersAreUsedAgain: timers that rang, that were stopped before, and that were stopped after they rang but before
// they resumed anything stand for others then, and each continuation is resumed once, not before its time, or never if
// Stop came in time.
func TestTimersAreUsedAgain(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		w := sim.New(seed)
		type set struct {
			*tick
			due     time.Duration
			timer   async.Stopper
			stopped bool
		}
		var all []*set
		start := func() {
			d := time.Duration(1+rng.IntN(4)) * time.Microsecond // many at once
			s := &set{tick: &tick{w: w}, due: time.Duration(w.Now()) + d}
			s.timer = w.ResumeAfter(d, s.tick)
			all = append(all, s)
		}
		w.UI().Go("test", func() {
			for range 50 {
				start()
			}
		})
		for i := range 100 { // on timer threads, beside what rings at the same time
			w.AfterFunc(time.Duration(i)*time.Microsecond/4, func() {
				if s := all[rng.IntN(len(all))]; s.n == 0 && !s.stopped {
					s.timer.Stop()
					s.stopped = true
				}
				start()
			})
		}
		w.Run()
		w.Close()
		for i, s := range all {
			if want := map[bool]int{false: 1, true: 0}[s.stopped]; s.n != want || s.n == 1 && s.at < s.due {
				t.Fatalf("seed %d: %d was resumed %d times, at %v; due at %v, stopped: %v", seed, i, s.n, s.at, s.due, s.stopped)
			}
		}
	}
}

// TestTimeoutMeetsWhatItWaitsFor: of a task, its timeout and its context, which all end at the same moment, one is
// the result, and the next timeouts are not the last one's.
func TestTimeoutMeetsWhatItWaitsFor(t *testing.T) {
	outcomes := make(map[string]int)
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 3))
		w := sim.New(seed)
		moment := func() time.Duration { return time.Duration(1+rng.IntN(3)) * time.Microsecond }
		for range 20 {
			ctx, cancel := w.WithTimeout(w.Context(), moment())
			source := async.NewSourceFor[int](ctx)
			w.AfterFunc(moment(), func() { source.SetResult(1) })
			started, limit := w.Now(), moment()
			n, err := async.WithTimeout(ctx, limit, source.Task()).Await()
			took := w.Now().Sub(started)
			var late interface{ Timeout() bool }
			switch {
			case err == nil && n == 1:
				outcomes["result"]++
			case errors.As(err, &late) && n == 0 && took >= limit && !errors.Is(err, context.Canceled):
				outcomes["late"]++
			default:
				t.Fatalf("seed %d: %d, %v after %v of %v", seed, n, err, took, limit)
			}
			cancel()
			w.RunFor(5 * time.Microsecond)
		}
		w.Close()
	}
	if outcomes["result"] < 500 || outcomes["late"] < 500 {
		t.Errorf("outcomes are lopsided: %v", outcomes)
	}
}

// pauses is a continuation that pauses again and again.
type pauses struct {
	async.Anywhere
	w    *sim.World
	left int
}

func (p *pauses) MoveNext(*async.Executor) async.Continuation {
	if p.left--; p.left >= 0 {
		async.Delay(p.w.Context(), time.Microsecond).OnCompleted(p)
	}
	return nil
}

// TestDelayAllocatesItsTask: a pause that only the clock ends costs its task, and no timer once there was one.
func TestDelayAllocatesItsTask(t *testing.T) {
	const n = 10_000
	w := sim.New(1)
	defer w.Close()
	got := testing.AllocsPerRun(1, func() {
		p := &pauses{w: w, left: n}
		w.UI().Go("start", func() { p.MoveNext(nil) })
		w.Run()
	})
	if got < n || got > n*1.01 {
		t.Errorf("a Delay allocates %v times, want 1", got/n)
	}
}

// TestNow: what time it is in a World follows from how long it has existed.
func TestNow(t *testing.T) {
	w := sim.New(1)
	if now := async.Now(w.Context()); now.String() != "2000-01-01 00:00:00 +0000 UTC" {
		t.Error(now)
	}
	if err := async.Delay(w.Context(), 36*time.Hour).Await(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := w.WithCancel(w.UIContext())
	defer cancel()
	if now := async.Now(ctx); now.Truncate(time.Second).String() != "2000-01-02 12:00:00 +0000 UTC" || now != w.Time() {
		t.Error(now)
	}
}

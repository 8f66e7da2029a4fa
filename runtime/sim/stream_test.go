package sim_test

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// parts yields what f has, a few bytes at a time.
//
//nothread:async
func parts(ctx context.Context, f *overlapped.File, out async.Yielder[string]) error {
	buf := make([]byte, 10)
	for at := int64(0); ; at += int64(len(buf)) {
		n, err := f.ReadAtAsync(ctx, buf, at).Await()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := out.YieldAsync(string(buf[:n])).Await(); err != nil {
			return err
		}
	}
}

// partsOf is the stream of that.
func partsOf(f *overlapped.File) async.Stream[string] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 { return partsAsync(ctx, f, out) })
}

// partsOn is that on a thread of its own.
func partsOn(f *overlapped.File) async.Stream[string] {
	return async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 {
		return async.Go0(ctx, func(ctx context.Context) error { return parts(ctx, f, out) })
	})
}

// join puts parts together, slowly, to the first that is to be the last.
//
//nothread:async
func join(ctx context.Context, parts async.Stream[string], last string) (all string, err error) {
	for part, err := range parts.Await(ctx) {
		if err != nil {
			return all, err
		}
		if all += part; part == last {
			break
		}
		async.Delay(ctx, time.Millisecond).Await()
	}
	return all, nil
}

const digits = "0123456789abcdefghijABCDEFGHIJ9876543210"

// TestStreams: machines of a World and its threads take turns alike, in any form of both; a seed says how.
func TestStreams(t *testing.T) {
	for _, last := range []string{"none", "0123456789", "ABCDEFGHIJ"} {
		want, _, _ := strings.Cut(digits, last)
		if last != "none" {
			want += last
		}
		for name, run := range map[string]func(context.Context, *overlapped.File) async.Task[string]{
			"machine from machine": func(ctx context.Context, f *overlapped.File) async.Task[string] {
				return joinAsync(ctx, partsOf(f), last)
			},
			"machine from thread": func(ctx context.Context, f *overlapped.File) async.Task[string] {
				return joinAsync(ctx, partsOn(f), last)
			},
			"thread from machine": func(ctx context.Context, f *overlapped.File) async.Task[string] {
				return async.Go(ctx, func(ctx context.Context) (string, error) { return join(ctx, partsOf(f), last) })
			},
			"thread from thread": func(ctx context.Context, f *overlapped.File) async.Task[string] {
				return async.Go(ctx, func(ctx context.Context) (string, error) { return join(ctx, partsOn(f), last) })
			},
		} {
			var took []time.Duration
			for range 2 {
				w := sim.New(3)
				f, _ := open(t, w, "disk", []byte(digits))
				if all, err := run(w.Context(), f).Await(); err != nil || all != want {
					t.Errorf("%s, to %s: %q, %v", name, last, all, err)
				}
				w.Run()
				took = append(took, w.Elapsed())
				w.Close()
			}
			if took[0] != took[1] || took[0] < time.Duration(len(want)/10-1)*time.Millisecond {
				t.Errorf("%s, to %s: it took %v", name, last, took)
			}
		}
	}
}

// TestStreamsOnTheUIThread: all resume there, and nobody blocks it.
func TestStreamsOnTheUIThread(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	f, _ := open(t, w, "disk", []byte(digits))
	var all string
	var err error
	w.Go("click", func(ctx context.Context) {
		task := joinAsync(ctx, partsOf(f), "none")
		task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { all, err = task.GetResult() }))
	})
	if w.Run(); err != nil || all != digits {
		t.Errorf("%q, %v", all, err)
	}
}

// fed yields what others write.
//
//nothread:async
func fed(ctx context.Context, c *async.Channel[string], out async.Yielder[string]) error {
	for {
		v, err := c.ReadAsync(ctx).Await()
		if err != nil {
			return err
		}
		if err := out.YieldAsync(v).Await(); err != nil {
			return err
		}
	}
}

// TestStreamsAreCancelled: the producer has its consumer's context, and what ends it is the consumer's.
func TestStreamsAreCancelled(t *testing.T) {
	for name, start := range map[string]func(context.Context, *async.Channel[string], async.Yielder[string]) async.Task0{
		"machine": fedAsync,
		"thread": func(ctx context.Context, c *async.Channel[string], out async.Yielder[string]) async.Task0 {
			return async.Go0(ctx, func(ctx context.Context) error { return fed(ctx, c, out) })
		},
	} {
		w := sim.New(1)
		c := async.NewChannel(async.ChannelConfig[string]{Capacity: 1})
		stream := async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 { return start(ctx, c, out) })
		ctx, cancel := w.WithTimeout(w.Context(), 10*time.Millisecond)
		c.TryWrite("a")
		if all, err := joinAsync(ctx, stream, "none").Await(); all != "a" || !errors.Is(err, context.DeadlineExceeded) ||
			w.Elapsed().Truncate(time.Millisecond) != 10*time.Millisecond {
			t.Errorf("%s: %q, %v after %v", name, all, err, w.Elapsed())
		}
		cancel()

		ctx, cancel = w.WithCancel(w.Context())
		it := stream(ctx)
		c.TryWrite("b")
		if v, ok, err := it.NextAsync().Await(); v != "b" || !ok || err != nil {
			t.Error(name, v, ok, err)
		}
		cancel()
		if v, ok, err := it.NextAsync().Await(); v != "" || ok || !errors.Is(err, context.Canceled) {
			t.Error(name, v, ok, err)
		}
		if err := it.CloseAsync().Await(); err != nil {
			t.Error(name, err)
		}

		// One that waits for what will never be ends when it is told to, not when it is left.
		ctx, cancel = w.WithCancel(w.Context())
		it = stream(ctx)
		next, closed := it.NextAsync(), it.CloseAsync()
		async.Delay(w.Context(), time.Second).Await()
		if next.IsCompleted() || closed.IsCompleted() {
			t.Errorf("%s: it ended while it waits", name)
		}
		cancel()
		if err := closed.Await(); !errors.Is(err, context.Canceled) || !next.IsCompleted() {
			t.Error(name, err)
		}
		w.Close()
	}
}

// TestDeadlockOfAStream: a thread blocks on a stream whose producer can go on on that thread alone. Of the end of the pass
// the trap knows.
func TestDeadlockOfAStream(t *testing.T) {
	w := sim.New(1)
	f, _ := open(t, w, "disk", []byte(digits))
	w.Go("click", func(ctx context.Context) {
		for range partsOf(f).Await(ctx) {
			t.Error("it goes on")
		}
	})
	d := deadlock(w)
	for _, want := range []string{"UI thread is blocked on an Await in sim_test.TestDeadlockOfAStream.func1 (stream_test.go:", "parts, which awaits f.ReadAtAsync(ctx, buf, at)"} {
		if d == nil || !strings.Contains(d.Error(), want) {
			t.Errorf("%v\ndoes not say %s", d, want)
		}
	}
	w.Close()

	w = sim.New(1)
	f, _ = open(t, w, "disk", []byte(digits))
	w.Go("click", func(ctx context.Context) {
		it := partsOf(f)(ctx)
		it.NextAsync()
		it.CloseAsync().Await()
	})
	if d := sprung(t, w); d == nil || !d.Trap || !strings.Contains(d.Error(), "parts, which awaits f.ReadAtAsync(ctx, buf, at)") {
		t.Errorf("%v", d)
	}
}

// TestDeadlockOfAStreamThatIsLeft: it is the author's line that is named, also where a panic has left the range.
func TestDeadlockOfAStreamThatIsLeft(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	f, _ := open(t, w, "disk", []byte(digits))
	never := async.NewSource0For(w.Context())
	stream := async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 {
		return async.Go0(ctx, func(ctx context.Context) error {
			defer never.Task().Await()
			return parts(ctx, f, out)
		})
	})
	w.Go("click", func(ctx context.Context) {
		for range stream.Await(ctx) {
			panic("in a body")
		}
	})
	const want = "UI thread is blocked on an Await in sim_test.TestDeadlockOfAStreamThatIsLeft.func2"
	if d := deadlock(w); d == nil || !strings.Contains(d.Error(), want) || strings.Contains(d.Error(), "stream.go:") {
		t.Errorf("%v\ndoes not say %s", d, want)
	}
}

// fan waits on its own thread while others yield.
//
//nothread:async
func fan(ctx, others context.Context, out async.Yielder[string]) error {
	other := fannedAsync(others, out)
	async.Delay(others, time.Millisecond).Await()
	return other.Await()
}

//nothread:async
func fanned(ctx context.Context, out async.Yielder[string]) error {
	async.Delay(ctx, 2*time.Millisecond).Await()
	return out.YieldAsync("from another").Await()
}

// TestNoTrapOfAStream: a producer that waits for a thread which is blocked on its stream is none if another yields.
func TestNoTrapOfAStream(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	got := ""
	w.Go("click", func(ctx context.Context) {
		it := async.NewStream(func(ctx context.Context, out async.Yielder[string]) async.Task0 {
			return fanAsync(ctx, w.Context(), out)
		})(ctx)
		got, _, _ = it.NextAsync().Await()
	})
	if d := deadlock(w); d != nil || got != "from another" {
		t.Errorf("%q, and %v", got, d)
	}
}

//nothread:async pool
func single(ctx context.Context, out async.Yielder[string]) error {
	return out.YieldAsync("only").Await()
}

// TestStreamOfATailAwait: a producer from a pool that ends with a yield hands that on as its own task.
func TestStreamOfATailAwait(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	s := async.NewStream(singleAsync)
	for _, ctx := range []context.Context{w.Context(), w.UIContext(), context.Background()} {
		for _, last := range []string{"only", "none"} {
			if all, err := joinAsync(ctx, s, last).Await(); all != "only" || err != nil {
				t.Errorf("%q, %v", all, err)
			}
		}
		it := s(ctx)
		it.NextAsync().Await()
		if err := it.CloseAsync().Await(); err != nil {
			t.Error(err)
		}
	}
}

// TestDumpOfAStream: from the request to the producer, and from that to the consumer, also where the context of both
// carries no World.
func TestDumpOfAStream(t *testing.T) {
	for _, own := range []bool{true, false} {
		w := sim.New(1)
		ctx := context.Background()
		if own {
			ctx = w.Context()
		}
		joinAsync(ctx, partsOf(hole(t, w)), "none")
		const want = `
2 machines in flight
  read of 10 bytes on hole, issued by main: with hole\.sys .*
    sim_test\.parts  .* state 1, awaits f\.ReadAtAsync\(ctx, buf, at\), .*
        .*
    awaited by a stream of package async
    sim_test\.join  .* state 1, awaits parts\.Await\(ctx\), .*
        .*
    nobody awaits it
`
		if dump := w.Dump(); !regexp.MustCompile(want).MatchString(dump) {
			t.Errorf("it does not lead from the request to the consumer:\n%s", dump)
		}
		w.Close()
	}
}

// TestStreamFindsItsWorld: who blocks on one whose context carries no World lets the one run that its producer waits for.
func TestStreamFindsItsWorld(t *testing.T) {
	nobodys := context.Background()
	w := sim.New(1)
	defer w.Close()
	f, _ := open(t, w, "disk", []byte(digits))
	if first, err := joinAsync(nobodys, partsOf(f), digits[:10]).Await(); err != nil || first != digits[:10] {
		t.Errorf("%q, %v", first, err)
	}
	all := ""
	for part, err := range partsOf(f).Await(nobodys) {
		if all += part; err != nil {
			t.Error(err)
		}
	}
	w.Go("click", func(context.Context) {
		for part := range partsOf(f).Await(nobodys) {
			all += part
		}
	})
	if w.Run(); all != digits+digits {
		t.Errorf("%q", all)
	}
}

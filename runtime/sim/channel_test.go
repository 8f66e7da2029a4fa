package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// produce writes n values, with a pause before each.
//
//nothread:async
func produce(ctx context.Context, c *async.Channel[string], name string, n int) error {
	for i := range n {
		if err := async.Delay(ctx, time.Duration(i+len(name))*time.Millisecond).Await(); err != nil {
			return err
		}
		if err := c.WriteAsync(ctx, fmt.Sprint(name, i)).Await(); err != nil {
			return err
		}
	}
	return nil
}

// consume reads until there is nothing more, slower than it is written.
//
//nothread:async
func consume(ctx context.Context, c *async.Channel[string], lock *async.Semaphore) (read []string, err error) {
	for {
		v, err := c.ReadAsync(ctx).Await()
		if err == io.EOF {
			return read, nil
		}
		if err != nil {
			return read, err
		}
		if err := lock.AcquireAsync(ctx).Await(); err != nil {
			return read, err
		}
		async.Delay(ctx, 3*time.Millisecond).Await()
		lock.Release()
		read = append(read, v)
	}
}

// gather is consume by a range.
//
//nothread:async
func gather(ctx context.Context, c *async.Channel[string], lock *async.Semaphore) (read []string, err error) {
	for v, err := range c.All().Await(ctx) {
		if err != nil {
			return read, err
		}
		if err := lock.AcquireAsync(ctx).Await(); err != nil {
			return read, err
		}
		async.Delay(ctx, 3*time.Millisecond).Await()
		lock.Release()
		read = append(read, v)
	}
	return read, nil
}

// line has three producers and two consumers, of which one at a time may work.
//
//nothread:async
func line(ctx context.Context) ([]string, error) {
	c := async.NewChannel(async.ChannelConfig[string]{Capacity: 2})
	lock := async.NewSemaphore(1)
	producers := []async.Task0{produceAsync(ctx, c, "a", 5), produceAsync(ctx, c, "bb", 4), produceAsync(ctx, c, "ccc", 3)}
	consumers := []async.Task[[]string]{consumeAsync(ctx, c, lock), gatherAsync(ctx, c, lock)}
	if err := async.WhenAll0(ctx, producers...).Await(); err != nil {
		return nil, err
	}
	c.Close(nil)
	read, err := async.WhenAll(ctx, consumers...).Await()
	return slices.Concat(read...), err
}

// TestChannels: machines of a World hand values on, and its threads, which run the synchronous form, alike; a seed says
// how.
func TestChannels(t *testing.T) {
	all := []string{"a0", "a1", "a2", "a3", "a4", "bb0", "bb1", "bb2", "bb3", "ccc0", "ccc1", "ccc2"}
	run := func(start func(context.Context) async.Task[[]string]) (order string, after time.Duration) {
		w := sim.New(1)
		defer w.Close()
		read, err := start(w.Context()).Await()
		order = fmt.Sprint(read)
		if slices.Sort(read); err != nil || !slices.Equal(read, all) {
			t.Errorf("read %v, %v", read, err)
		}
		return order, w.Elapsed()
	}
	order, after := run(lineAsync)
	if again, then := run(lineAsync); again != order || then != after {
		t.Errorf("%s after %v; before it was %s after %v", again, then, order, after)
	}
	if again, _ := run(func(ctx context.Context) async.Task[[]string] { return async.Go(ctx, line) }); again != order {
		t.Errorf("on threads %s, in machines %s", again, order)
	}
	if least := time.Duration(len(all)) * 3 * time.Millisecond; after < least {
		t.Errorf("two worked at a time: all took %v, one after the other they take %v", after, least)
	}
}

// merge reads of whichever of two channels has something until both have ended, and does not wait for the one if the other
// has; it says which are whose.
//
//nothread:async
func merge(ctx context.Context) (read []string, err error) {
	a := async.NewChannel(async.ChannelConfig[string]{Capacity: 1})
	b := async.NewChannel(async.ChannelConfig[string]{})
	for i, c := range []*async.Channel[string]{a, b} {
		async.Forget(ctx, async.Go0(ctx, func(ctx context.Context) error {
			defer c.Close(nil)
			return produceAsync(ctx, c, string("ab"[i]), 4+i).Await()
		}))
	}
	open := []*async.Channel[string]{a, b}
	for len(open) > 0 {
		var ready []async.Task[bool]
		for _, c := range open {
			ready = append(ready, c.WaitToReadAsync(ctx))
		}
		i, err := async.WhenAny(ctx, ready...).Await()
		if err != nil {
			return read, err
		}
		if more, err := ready[i].Await(); !more {
			if err != nil {
				return read, err
			}
			open = slices.Delete(open, i, i+1)
			continue
		}
		if v, ok := open[i].TryRead(); ok {
			read = append(read, v)
		}
	}
	return read, nil
}

// TestChannelsAreMerged: in both forms, in a World and without one, nothing is lost, and each channel's values come in order.
func TestChannelsAreMerged(t *testing.T) {
	w := sim.New(1)
	forms := map[string]async.Task[[]string]{
		"machine": mergeAsync(w.UIContext()), "thread": async.Go(w.Context(), merge),
		"machine without a World": mergeAsync(t.Context()), "goroutine": async.Go(t.Context(), merge),
	}
	for name, task := range forms {
		read, err := task.Await()
		slices.SortStableFunc(read, func(a, b string) int { return strings.Compare(a[:1], b[:1]) })
		if got := strings.Join(read, " "); got != "a0 a1 a2 a3 b0 b1 b2 b3 b4" || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if lints := w.Lint(0); len(lints) > 0 {
		t.Error(lints)
	}
}

// TestChannelsAreCancelled: what waits in a line ends when its context does.
func TestChannelsAreCancelled(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	ctx, cancel := w.WithTimeout(w.Context(), 10*time.Millisecond)
	defer cancel()
	c := async.NewChannel(async.ChannelConfig[string]{})
	lock := async.NewSemaphore(1)
	reader, writer := consumeAsync(ctx, c, lock), async.NewChannel(async.ChannelConfig[int]{}).WriteAsync(ctx, 1)
	if read, err := reader.Await(); len(read) > 0 || !errors.Is(err, context.DeadlineExceeded) || w.Elapsed().Truncate(time.Millisecond) != 10*time.Millisecond {
		t.Errorf("%v, %v after %v", read, err, w.Elapsed())
	}
	if err := writer.Await(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestDeadlockOfAChannel: nobody will ever write; the World says who waits for it.
func TestDeadlockOfAChannel(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	c := async.NewChannel(async.ChannelConfig[string]{})
	w.Go("reader", func(ctx context.Context) { consumeAsync(ctx, c, async.NewSemaphore(1)).Await() })
	if d := deadlock(w); d == nil || !strings.Contains(d.State, "awaits c.ReadAsync(ctx)") {
		t.Errorf("%v\n%s", d, d.State)
	}
}

// TestChannelServesNobodyWhoseContextIsDone: not in the callbacks that come before a read's own either, nor before the
// World's next step, which a foreign context waits for.
func TestChannelServesNobodyWhoseContextIsDone(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	var c async.Channel[int]
	ctx, cancel := w.WithCancel(w.Context())
	own := c.ReadAsync(ctx)
	async.AfterFunc(ctx, func() {
		if c.TryWrite(1) {
			t.Error("a read whose context ends took a value")
		}
	})
	cancel()
	ctx, cancel = context.WithCancel(w.Context())
	foreign := c.ReadAsync(ctx)
	cancel()
	if c.TryWrite(2) {
		t.Error("a read whose context is done took a value")
	}
	for _, read := range []async.Task[int]{own, foreign} {
		if v, err := read.Await(); err != context.Canceled {
			t.Error(v, err)
		}
	}
}

package async_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/nothread/nothread/runtime/async"
)

// A pass through a channel ends as the channel does: with what is left, and then the error
// that it was closed with.
func TestC51_C55_APassThroughAChannel(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("broken")
	for _, end := range []error{nil, io.EOF, broken} {
		c := async.NewChannel(async.ChannelConfig[int]{Capacity: 3})
		for i := range 3 {
			c.TryWrite(i)
		}
		c.Close(end)
		var got []string
		for v, err := range c.All().Await(ctx) {
			got = append(got, fmt.Sprint(v, err))
		}
		want := []string{"0 <nil>", "1 <nil>", "2 <nil>"}
		if end == broken {
			want = append(want, "0 broken")
		}
		if !slices.Equal(got, want) {
			t.Errorf("closed with %v: %q", end, got)
		}
		it := c.All()(ctx)
		if _, ok, err := it.NextAsync().Await(); ok || err != nil && end != broken {
			t.Error(ok, err)
		}
		if _, ok, err := it.NextAsync().Await(); ok || err != nil {
			t.Error("C51: it has ended, but then", ok, err)
		}
	}
}

// What waits in the channel's line leaves it when the pass is closed, so that the next
// value is another reader's.
func TestC48_APassThroughAChannelThatIsLeft(t *testing.T) {
	ctx := context.Background()
	var c async.Channel[int]
	it := c.All()(ctx)
	next, other := it.NextAsync(), c.ReadAsync(ctx)
	if next.IsCompleted() {
		t.Fatal("there is a value")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("C50: a second value was asked for before the first had come")
			}
		}()
		it.NextAsync()
	}()
	for range 2 {
		if err := it.CloseAsync().Await(); err != nil {
			t.Error(err)
		}
	}
	if _, ok, err := next.Await(); ok || err != nil {
		t.Error(ok, err)
	}
	if !c.TryWrite(1) {
		t.Error("the other reader is gone")
	}
	if v, err := other.Await(); v != 1 || err != nil {
		t.Error(v, err)
	}
	if _, ok, err := it.NextAsync().Await(); ok || err != nil {
		t.Error("C51:", ok, err)
	}
	if c.TryWrite(2) {
		t.Error("a pass that was closed took a value")
	}
}

// A pass fails with its context, and takes nothing more.
func TestPassThroughAChannelWhoseContextEnds(t *testing.T) {
	var c async.Channel[int]
	ctx, cancel := context.WithCancel(context.Background())
	it := c.All()(ctx)
	next := it.NextAsync()
	cancel()
	if _, ok, err := next.Await(); ok || !errors.Is(err, context.Canceled) {
		t.Error(ok, err)
	}
	if _, ok, err := it.NextAsync().Await(); ok || err != nil {
		t.Error("C51:", ok, err)
	}
}

// Values go from many writers to many passes, each to one.
func TestPassesShareAChannel(t *testing.T) {
	const writers, readers, each = 4, 3, 2000
	ctx := context.Background()
	c := async.NewChannel(async.ChannelConfig[int]{Capacity: 2})
	var tasks []async.Task[int]
	for range readers {
		tasks = append(tasks, async.Go(ctx, func(ctx context.Context) (sum int, err error) {
			for v, err := range c.All().Await(ctx) {
				if err != nil {
					return sum, err
				}
				sum += v
			}
			return sum, nil
		}))
	}
	var written []async.Task0
	for range writers {
		written = append(written, async.Go0(ctx, func(ctx context.Context) error {
			for i := range each {
				if err := c.WriteAsync(ctx, i).Await(); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	if err := async.WhenAll0(ctx, written...).Await(); err != nil {
		t.Fatal(err)
	}
	c.Close(nil)
	sums, err := async.WhenAll(ctx, tasks...).Await()
	sum := 0
	for _, s := range sums {
		sum += s
	}
	if want := writers * each * (each - 1) / 2; err != nil || sum != want {
		t.Errorf("%d, %v; want %d", sum, err, want)
	}
}

package main

import (
	"context"
	"io"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of ValueTask: a buffered reader has most of its bytes already
// when it is asked for them. A task is a value here, with the finished result in
// it; only one that has to wait is an object.
//
// Look at the objects made for each byte.

// A bufferedReader reads a file byte by byte.
type bufferedReader struct {
	file   *overlapped.File
	buf    []byte
	unread []byte
	fills  int // times that it had to wait for the disk
}

// Next returns the next byte.
//
//nothread:async
func (r *bufferedReader) Next(ctx context.Context) (byte, error) {
	if len(r.unread) == 0 {
		n, err := r.file.ReadAsync(ctx, r.buf).Await()
		if err != nil {
			return 0, err
		}
		r.fills++
		r.unread = r.buf[:n]
	}
	b := r.unread[0]
	r.unread = r.unread[1:]
	return b, nil
}

// nextTask is Next where a task is always an object, as C#'s Task<byte> is.
func (r *bufferedReader) nextTask(ctx context.Context) async.Task[byte] {
	source := async.NewSourceFor[byte](ctx)
	b, err := r.NextAsync(ctx).GetResult()
	source.Complete(nil, b, err)
	return source.Task()
}

// Sum adds up all bytes. It awaits each of them.
//
//nothread:async
func (r *bufferedReader) Sum(ctx context.Context) (count, sum int, err error) {
	for {
		b, err := r.NextAsync(ctx).Await()
		if err == io.EOF {
			return count, sum, nil
		}
		if err != nil {
			return count, sum, err
		}
		count++
		sum += int(b)
	}
}

func tellValueTask(t *teller, _ []string) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	data := make([]byte, 100_000)
	for i := range data {
		data[i] = byte(i)
	}
	file, err := t.file("disk", data, device.DiskConfig{})
	if err != nil {
		return err
	}
	r := &bufferedReader{file: file, buf: make([]byte, 4096)}
	ctx := t.world.Context()
	t.printf("A buffered reader of 4096 bytes over a file of %d. Seed %d.\n", len(data), t.seed)

	task := r.NextAsync(ctx)
	t.printf("\nThe first byte: completed when the call returns: %v.\n", task.IsCompleted())
	if _, err := task.Await(); err != nil {
		return err
	}
	task = r.NextAsync(ctx)
	t.printf("The second one: completed when the call returns: %v.\n", task.IsCompleted())
	task.GetResult()

	t.printf("\nObjects made for each byte that was there already:\n\n")
	const calls = 1000
	t.printf("  %-40s %d\n", "a task is a value (ValueTask)", allocations(func() {
		for range calls {
			r.NextAsync(ctx).GetResult()
		}
	})/calls)
	t.printf("  %-40s %d\n", "a task is an object (Task)", allocations(func() {
		for range calls {
			r.nextTask(ctx).GetResult()
		}
	})/calls)

	var count, sum int
	made := allocations(func() { count, sum, err = r.SumAsync(ctx).Await() })
	if err := t.stop(); err != nil {
		return err
	}
	t.printf("\nSum awaited the other %d bytes one by one: %d. It had to wait %d times.\n", count, sum, r.fills-1)
	const surely = 256 // what Go's own runtime makes meanwhile counts too, and differs: no finer figure is the same each time
	t.printf("It made fewer than one object for each %d awaits.\n", min(surely, powerBelow(count/max(made, 1))))
	return err
}

// powerBelow is the greatest power of two that is not above n: a number that a
// few objects of the Go runtime's own do not change.
func powerBelow(n int) int {
	p := 1
	for 2*p <= n {
		p *= 2
	}
	return p
}

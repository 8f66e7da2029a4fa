package inflight_test

import (
	"context"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/overlapped"
)

//go:generate go run ../../cmd/nothread

// fetch reads a block, and forgets what it does not need any more.
//
//nothread:async
func fetch(ctx context.Context, f *overlapped.File, at int64, why string) (int, error) {
	buf := make([]byte, 512)
	if why == "" {
		return 0, nil
	}
	n, err := f.ReadAtAsync(ctx, buf, at).Await()
	return n + int(at), err
}

// serve fetches a block.
//
//nothread:async
func serve(ctx context.Context, f *overlapped.File, at int64, limit time.Duration) (int, error) {
	n, err := fetchAsync(ctx, f, at, "asked").Await()
	if err != nil {
		return 0, err
	}
	return n + int(limit), nil
}

// both serves two at once.
//
//nothread:async
func both(ctx context.Context, f *overlapped.File) (int, error) {
	served, err := async.WhenAll(ctx, serveAsync(ctx, f, 0, time.Second), serveAsync(ctx, f, 512, time.Second)).Await()
	return len(served), err
}

// listen waits for what nobody may ever complete.
//
//nothread:async
func listen(ctx context.Context, done async.Task[int], names []string, seen map[string]bool) (int, error) {
	n, err := done.Await()
	return n + len(names) + len(seen), err
}

// anywhere has no context, and awaits listen.
//
//nothread:async
func anywhere(task async.Task[int], title string) (string, error) {
	n, err := task.Await()
	return title[:n], err
}

// each takes two as they come.
//
//nothread:async
func each(ctx context.Context, f *overlapped.File) (int, error) {
	sum := 0
	for t := range async.WhenEach(ctx, fetchAsync(ctx, f, 0, "asked"), fetchAsync(ctx, f, 512, "asked")) {
		n, err := t.Await()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

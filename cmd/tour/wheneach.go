package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
)

// This is the story of WhenEach: several reads are in flight, and each result is
// dealt with when it comes, not when its turn comes.
//
// Look at the times, and at what a loop over WhenAny costs when there are more.

// InOrder deals with the results in the order in which they were asked for.
//
//nothread:async
func InOrder(ctx context.Context, downloads []async.Task[string]) error {
	for _, task := range downloads {
		name, err := task.Await()
		if err != nil {
			return err
		}
		say(ctx, "%s", name)
	}
	return nil
}

// AsTheyCome deals with them in the order in which they come.
//
//nothread:async
func AsTheyCome(ctx context.Context, downloads []async.Task[string]) error {
	for task := range async.WhenEach(ctx, downloads...) {
		name, err := task.Await()
		if err != nil {
			return err
		}
		say(ctx, "%s", name)
	}
	return nil
}

// WithWhenAny does the same as it had to be done before: WhenAny, in a loop.
//
//nothread:async
func WithWhenAny(ctx context.Context, downloads []async.Task[string]) error {
	rest := append([]async.Task[string](nil), downloads...)
	for len(rest) > 0 {
		i, err := async.WhenAny(ctx, rest...).Await()
		if err != nil {
			return err
		}
		name, err := rest[i].Await()
		if err != nil {
			return err
		}
		say(ctx, "%s", name)
		rest = append(rest[:i], rest[i+1:]...)
	}
	return nil
}

// Download reads a disk.
//
//nothread:async
func Download(ctx context.Context, t *teller, name string, access time.Duration) (string, error) {
	file, err := t.file(name, make([]byte, 1000), device.DiskConfig{Access: access})
	if err != nil {
		return "", err
	}
	n, err := file.ReadAsync(ctx, make([]byte, 4096)).Await()
	return fmt.Sprintf("%s has %d bytes", name, n), err
}

// A loop is one way to deal with results.
type loop struct {
	name string
	run  func(ctx context.Context, downloads []async.Task[string]) async.Task0
}

var loops = []loop{
	{"in the order of asking", InOrderAsync},
	{"WhenEach", AsTheyComeAsync},
	{"WhenAny, in a loop", WithWhenAnyAsync},
}

func tellWhenEach(t *teller, _ []string) error {
	t.printf("Four downloads at once. Seed %d; » is the program's own word.\n", t.seed)
	for _, l := range loops {
		if err := t.downloads(l); err != nil {
			return err
		}
	}
	t.printf("\n(A range over a function whose body awaits keeps the function on a coroutine: the one place where a\n" +
		"machine has a goroutine. So WhenEach in a for costs one for each loop, not one for each task.)\n")
	t.printf("\nBytes allocated for each task, where there are so many:\n\n  %-24s", "")
	sizes := []int{64, 128, 256, 512}
	for _, n := range sizes {
		t.printf(" %6d", n)
	}
	t.printf("\n")
	for _, l := range loops {
		t.printf("  %-24s", l.name)
		for _, n := range sizes {
			t.printf(" %6d", t.bytesPerTask(l, n))
		}
		t.printf("\n")
	}
	return nil
}

// downloads runs a loop over four reads.
func (t *teller) downloads(l loop) error {
	if err := t.start(nothing); err != nil {
		return err
	}
	var done async.Task0
	t.onUI("download", func(ctx context.Context) {
		done = l.run(ctx, []async.Task[string]{
			DownloadAsync(ctx, t, "the large one", 900*time.Microsecond),
			DownloadAsync(ctx, t, "the small one", 100*time.Microsecond),
			DownloadAsync(ctx, t, "the next one", 500*time.Microsecond),
			DownloadAsync(ctx, t, "the quick one", 20*time.Microsecond),
		})
	})
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	t.printCounted(l.name)
	return done.GetResult()
}

// bytesPerTask runs a loop over n tasks that complete from the last to the
// first, and says how many bytes that takes.
func (t *teller) bytesPerTask(l loop, n int) int {
	ctx := t.hears(context.Background())
	sources := make([]async.Source[string], n)
	tasks := make([]async.Task[string], n)
	for i := range sources {
		tasks[i] = sources[i].Task()
	}
	t.rows = make([]row, 0, n)
	return allocated(func() {
		done := l.run(ctx, tasks)
		for i := range sources {
			sources[n-1-i].SetResult("one")
		}
		done.GetResult()
	}).bytes / n
}

package main

import (
	"context"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of the async cliff: the same job in both its forms, for more
// and more operations at once. The synchronous form has a thread for each, and
// the thread its stack; the asynchronous form has an object for each.
//
// Look at where the lesser number changes its column.

// Job reads three blocks, one after the other.
//
//nothread:async
func Job(ctx context.Context, f *overlapped.File) (int, error) {
	buf := make([]byte, 64)
	sum := 0
	for i := range 3 {
		n, err := f.ReadAtAsync(ctx, buf, int64(64*i)).Await()
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

// Hot awaits what is always there.
//
//nothread:async
func Hot(ctx context.Context, task async.Task[int]) (int, error) {
	n, err := task.Await()
	return n + 1, err
}

// onThread is the job's synchronous form on a thread of its own.
func onThread(ctx context.Context, f *overlapped.File) async.Task[int] {
	return async.Go(ctx, func(ctx context.Context) (int, error) { return Job(ctx, f) })
}

// A bill is what a form of the job has cost.
type bill struct {
	blocked    int           // threads, at once
	goroutines int           // at once
	memory     int           // for each operation, in flight
	virtual    time.Duration // the machine's time for all
	wall       time.Duration // for each operation: the simulation's
}

func tellCliff(t *teller, _ []string) error {
	t.printf("Three reads one after the other, for N at once, in both forms. Seed %d.\n\n", t.seed)
	t.printf("  %6s  %-5s %8s %11s %13s %16s %10s   %s\n", "N", "form", "blocked", "goroutines", "bytes for each",
		"machine's time", "wall each", "less memory, less time")
	for n := 1; ; n = min(8*n, t.count) {
		sync, err := t.bill(n, onThread)
		if err != nil {
			return err
		}
		machine, err := t.bill(n, JobAsync)
		if err != nil {
			return err
		}
		t.printBill(n, "sync", sync)
		t.printf("\n")
		t.printBill(n, "async", machine)
		t.printf("   %s, %s\n", lesser(sync.memory, machine.memory), lesser(int(sync.virtual), int(machine.virtual)))
		if n == t.count {
			break
		}
	}
	t.printHot()
	return t.printOne()
}

// bill does the job n times at once.
func (t *teller) bill(n int, job func(ctx context.Context, f *overlapped.File) async.Task[int]) (*bill, error) {
	if err := t.start(nothing); err != nil {
		return nil, err
	}
	// The later reads wait for the earlier ones' time to have passed: all are in flight at once.
	slow := device.DiskConfig{Depth: min(n, 1<<16), Access: time.Millisecond + time.Duration(n)*20*time.Microsecond}
	file, err := t.file("disk", make([]byte, 192), slow)
	if err != nil {
		return nil, err
	}
	b := new(bill)
	tasks := make([]async.Task[int], n)
	before := inUse()
	t.onUI("begin", func(ctx context.Context) {
		ctx = async.WithSyncContext(ctx, nil)
		for i := range tasks {
			tasks[i] = job(ctx, file)
		}
	})
	var began time.Time
	var measuring time.Duration
	t.onUI("measure", func(context.Context) {
		start := time.Now()
		b.memory = (inUse().bytes - before.bytes) / n
		measuring = time.Since(start)
	})
	began = time.Now()
	t.world.Run()
	b.wall = (time.Since(began) - measuring) / time.Duration(n)
	if err := t.stop(); err != nil {
		return nil, err
	}
	b.blocked, b.goroutines, b.virtual = t.blocked, t.goroutines, t.world.Elapsed()
	for _, task := range tasks {
		if _, err := task.GetResult(); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (t *teller) printBill(n int, form string, b *bill) {
	t.printf("  %6d  %-5s %8d %11d %13d %16v %10v", n, form, b.blocked, b.goroutines, b.memory, b.virtual,
		b.wall.Round(100*time.Nanosecond))
}

// lesser names the form of the lesser number.
func lesser(sync, machine int) string {
	switch {
	case sync < machine:
		return "sync"
	case machine < sync:
		return "async"
	}
	return "equal"
}

// printHot is the other side: where nothing has to wait, the machine buys
// nothing.
func (t *teller) printHot() {
	ctx := context.Background()
	task := async.Completed(1, nil)
	const batches, calls = 20, 50_000
	measure := func(call func()) (fastest time.Duration, made int) {
		for batch := range batches { // the fastest is the one that the computer has disturbed the least
			began := time.Now()
			made += allocations(func() {
				for range calls {
					call()
				}
			})
			if took := time.Since(began); batch == 0 || took < fastest {
				fastest = took
			}
		}
		return fastest, made / (batches * calls)
	}
	direct, directMade := measure(func() { Hot(ctx, task) })
	machine, machineMade := measure(func() { HotAsync(ctx, task).GetResult() })
	t.printf("\nA million calls where nothing has to wait:\n\n")
	t.printf("  %-5s %6.1f ns each, %d objects\n", "sync", float64(direct.Nanoseconds())/calls, directMade)
	t.printf("  %-5s %6.1f ns each, %d objects\n", "async", float64(machine.Nanoseconds())/calls, machineMade)
	t.printf("  less time: %s\n", lesser(int(direct), int(machine)))
}

// printOne reads once, where there is nothing else to do: on a handle without the
// overlapped flag, and on one with it (see the story "overlapped").
func (t *teller) printOne() error {
	var took [2]time.Duration
	for i, read := range []func(ctx context.Context, done func()){
		func(ctx context.Context, done func()) {
			readFileBlocking(ctx, "disk", 19)
			done()
		},
		func(ctx context.Context, done func()) {
			task, _ := readFileNative(ctx, "disk", 19)
			task.OnCompleted(async.ContinuationFunc(func(*async.Executor) { done() }))
		},
	} {
		if err := t.startNative(nothing); err != nil {
			return err
		}
		t.onUI("read", func(ctx context.Context) { read(ctx, func() { took[i] = t.world.Elapsed() }) })
		t.world.Run()
		if err := t.stop(); err != nil {
			return err
		}
	}
	t.printf("\nOne read, and nothing else to do:\n\n")
	t.printf("  %-5s %12v of the machine's time\n", "sync", took[0])
	t.printf("  %-5s %12v\n", "async", took[1])
	t.printf("  less time: %s\n", lesser(int(took[0]), int(took[1])))
	return nil
}

package sim_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// TestDump: who is blocked, on what; what waits for whom; and where requests are.
func TestDump(t *testing.T) {
	w := sim.New(7, sim.WithWorkers(1))
	defer w.Close()
	f, _ := open(t, w, "disk", make([]byte, 1<<12))
	h := hole(t, w)
	w.AfterFunc(time.Hour, func() {})
	w.Go("block", func(ctx context.Context) { h.ReadAsync(ctx, make([]byte, 5)).Await() })
	w.Go("later", func(ctx context.Context) {})
	for range 2 {
		w.Workers().Go(func() { async.NewSourceFor[int](w.Context()).Task().Await() })
	}
	dump := ""
	w.AfterFunc(time.Millisecond, func() {
		ctx, cancel := w.WithCancel(w.Context())
		for i := range 3 {
			f.ReadAtAsync(w.Context(), make([]byte, 8), int64(i)*100)
		}
		h.ReadAsync(ctx, make([]byte, 6))
		cancel()
		dump = w.Dump()
	})
	if deadlock(w) == nil {
		t.Error("no deadlock")
	}
	const want = `World at T, seed 7, no faults:
  worker 1 is waiting, blocked on an Await in sim_test.TestDump.func4 (dump_test.go:LINE)
  timer thread 2 is running
  UI thread is waiting, blocked on an Await in sim_test.TestDump.func2 (dump_test.go:LINE), while 0 continuations and 1 other messages wait to run on it
  1 packets wait for a thread of the pool: worker
  3 timers are set, the next not before T
0 machines in flight
  read of 5 bytes on hole, issued by UI thread: with hole.sys (irp#1 at 0), for T
    awaited by UI thread, blocked on an Await in sim_test.TestDump.func2 (dump_test.go:LINE)
  read of 8 bytes on disk, issued by timer thread 2: started by disk.sys: the device has it (irp#2 at 0), for T
    nobody awaits it
  2 × read of 8 bytes on disk, issued by timer thread 2: in the device queue of disk.sys (irp#3 at 100, irp#4 at 200), for T to T
    nobody awaits it
  read of 6 bytes on hole, issued by timer thread 2: with hole.sys; cancelled (irp#5 at 0), for T
    nobody awaits it
`
	if !strings.HasPrefix(dump, "World at 1.00475ms, ") { // as durations are written, like those of what waits
		t.Errorf("it begins %.20q", dump)
	}
	got := regexp.MustCompile(`\d+(\.\d+)?[mµn]?s\b`).ReplaceAllString(dump, "T")
	got = regexp.MustCompile(`go:\d+`).ReplaceAllString(got, "go:LINE")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

package sim_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// once counts completions.
type once struct {
	async.Anywhere
	task  async.Task[int]
	count *int
}

func (o *once) MoveNext(*async.Executor) async.Continuation {
	if n, err := o.task.GetResult(); n == 512 && err == nil {
		*o.count++
	}
	return nil
}

// TestMillionReads has a million reads in flight at one moment: no goroutine but the World's, and half a kilobyte for
// each, continuation and all.
func TestMillionReads(t *testing.T) {
	n, limit := 1_000_000, uint64(512)
	if testing.Short() || raceEnabled {
		n, limit = 50_000, 1024 // what each World has counts
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines := runtime.NumGoroutine()
	w := sim.New(1, sim.WithoutVerifier())
	slow := device.DiskConfig{Depth: min(n, 1<<16), Access: 2 * time.Second} // none is done before all have been started
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), slow)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	buf := make([]byte, 512)
	done := 0
	w.UI().Go("start", func() {
		for range n {
			o := &once{count: &done, task: f.ReadAtAsync(w.Context(), buf, 0)}
			if !o.task.OnCompleted(o) {
				t.Error("a read is complete at once")
			}
		}
	})
	most := uint64(0)
	w.AfterFunc(time.Microsecond, func() {
		most = w.Counters().IRPsInFlight
		runtime.ReadMemStats(&during)
		if g := runtime.NumGoroutine(); g > goroutines {
			t.Errorf("%d goroutines, %d before", g, goroutines)
		}
	})
	w.Run()
	perOp := (during.Sys - before.Sys) / uint64(n)
	t.Logf("%d reads, %d in flight at a time, %v, %d bytes of memory each", n, most, time.Since(began).Round(time.Millisecond), perOp)
	if done != n || most != uint64(n) || w.Counters().IRPsInFlight != 0 {
		t.Errorf("%d of %d reads done, %d in flight at a time, %d left", done, n, most, w.Counters().IRPsInFlight)
	}
	if perOp > limit {
		t.Errorf("%d bytes for each read", perOp)
	}
}

// TestGoroutinesInstead is the other column of the table: the same job with a goroutine for each read in flight, each
// blocked until its result comes. It only measures; what a goroutine takes is not ours to promise.
func TestGoroutinesInstead(t *testing.T) {
	n := uint64(50_000)
	if raceEnabled {
		n = 5_000 // the detector takes no more
	}
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	result, done := make(chan int), make(chan int, n)
	read := func(buf []byte) int { return copy(buf, make([]byte, <-result)) }
	buf := make([]byte, 512)
	for range n {
		go func() { done <- read(buf[:512:512]) }()
	}
	for runtime.NumGoroutine() < int(n) {
		runtime.Gosched()
	}
	runtime.ReadMemStats(&during)
	for range n {
		result <- 0
	}
	for range n {
		<-done
	}
	perOp := (during.StackSys + during.HeapAlloc - before.StackSys - before.HeapAlloc) / n
	t.Logf("%d goroutines, %v, %d bytes of memory each", n, time.Since(began).Round(time.Millisecond), perOp)
	if perOp < 1024 {
		t.Errorf("a goroutine for %d bytes: compare again", perOp)
	}
}

// TestCopyKeepsNothing copies a file to another, with a trace into a third, and looks at how much memory the process has
// taken for it: a run must not remember what it has done. The size is in MiB.
func TestCopyKeepsNothing(t *testing.T) {
	size := 8
	if s := os.Getenv("NOTHREAD_COPY_MIB"); s != "" {
		fmt.Sscan(s, &size)
	}
	dir := t.TempDir()
	create := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	from, to, trace := create("from"), create("to"), create("trace")
	block := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for range size {
		from.Write(block)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := sim.New(1, sim.WithTrace(trace))
	open := func(name string, b device.Backing) *overlapped.File {
		d, err := w.NewDisk(name, b, device.DiskConfig{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := d.Open()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	n, err := copyAll(w.Context(), open("to", to), open("from", from))
	runtime.ReadMemStats(&after)
	if err != nil || n != int64(size)<<20 || w.TraceError() != nil {
		t.Fatal(n, err, w.TraceError())
	}
	if end, _ := trace.Seek(0, io.SeekEnd); end < int64(size)<<20/4096*1000 {
		t.Errorf("a trace of %d bytes", end)
	}
	grown := int64(after.Sys-before.Sys) >> 20 // it may have given some back
	t.Logf("%d MiB copied, %d MiB of memory taken meanwhile", size, grown)
	if grown > 32 {
		t.Errorf("%d MiB of memory taken for a copy of %d MiB", grown, size)
	}
}

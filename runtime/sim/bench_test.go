package sim_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// reader is a machine by hand: it reads again and again.
type reader struct {
	async.Anywhere
	file *overlapped.File
	w    *sim.World
	buf  []byte
	task async.Task[int]
	left *int
}

func (r *reader) MoveNext(*async.Executor) async.Continuation {
	for {
		if *r.left--; *r.left < 0 {
			return nil
		}
		r.task = r.file.ReadAtAsync(r.w.Context(), r.buf, 0)
		if r.task.OnCompleted(r) {
			return nil
		}
	}
}

// benchmarkRead reads 512 bytes b.N times, twice the disk's depth at a time.
func benchmarkRead(b *testing.B, depth int) {
	w := sim.New(1)
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), device.DiskConfig{Depth: depth})
	if err != nil {
		b.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		b.Fatal(err)
	}
	left := b.N
	b.ReportAllocs()
	b.ResetTimer()
	w.UI().Go("start", func() {
		for range 2 * depth {
			r := &reader{file: f, w: w, buf: make([]byte, 512), left: &left}
			r.MoveNext(nil)
		}
	})
	w.Run()
	if c := w.Counters(); int(c.Packets) < b.N {
		b.Fatalf("%d packets of %d", c.Packets, b.N)
	}
}

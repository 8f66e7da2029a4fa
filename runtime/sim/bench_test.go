package sim_test

import (
	"fmt"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
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
		if n, err := r.task.GetResult(); err != nil || n < 0 {
			panic(err)
		}
		if *r.left--; *r.left < 0 {
			return nil
		}
		if r.task = r.file.ReadAtAsync(r.w.Context(), r.buf, 0); r.task.OnCompleted(r) {
			return nil
		}
	}
}

// request is the same below package overlapped: an OVERLAPPED used again and again, and no task.
type request struct {
	kernel.Overlapped
	k      *kernel.Kernel
	handle kernel.Handle
	buf    []byte
	left   *int
}

func (r *request) start() {
	if *r.left--; *r.left >= 0 {
		r.k.CPU().Request(r.handle, kernel.MajorRead, r.buf, 0, &r.Overlapped)
	}
}

// Complete implements pool.Completion.
func (r *request) Complete(*async.Executor, *kernel.Thread, *kernel.Packet) { r.start() }

// inFlight are the numbers of operations in flight that are measured.
var inFlight = []int{1, 1000, 1_000_000}

// benchmarkDisk makes a World with a disk that takes as many commands at a time as it can, of n.
func benchmarkDisk(b testing.TB, n int) (*sim.World, *sim.Disk) {
	w := sim.New(1, sim.WithoutVerifier())
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), device.DiskConfig{Depth: min(n, 1<<16)})
	if err != nil {
		b.Fatal(err)
	}
	return w, d
}

// BenchmarkRequest is the machine alone: a request of 512 bytes through kernel, driver, disk, interrupt, DPC, APC and port,
// n of them in flight, b.N in all.
func BenchmarkRequest(b *testing.B) {
	for _, n := range inFlight {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, d := benchmarkDisk(b, n)
			k := w.Kernel()
			h, _ := k.CPU().Open(d.Name(), kernel.OpenOptions{})
			k.BindPort(h, w.IOPort(), nil)
			left := n
			buf := make([]byte, 512)
			requests := make([]request, n)
			start := func() {
				for i := range requests {
					r := &requests[i]
					r.k, r.handle, r.buf, r.left = k, h, buf, &left
					r.Context = r
					r.start()
				}
				w.Run()
			}
			start() // as many as there will ever be: what is pooled is now in its pool
			left = max(b.N, n)
			b.ReportAllocs()
			b.ResetTimer()
			start()
			b.StopTimer()
			if c := w.Counters(); int(c.Packets) < b.N || c.IRPsInFlight != 0 {
				b.Fatalf("%+v", c)
			}
		})
	}
}

// BenchmarkReadAsync is the same through package overlapped: files and tasks.
func BenchmarkReadAsync(b *testing.B) {
	for _, n := range inFlight {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, d := benchmarkDisk(b, n)
			f, err := d.Open()
			if err != nil {
				b.Fatal(err)
			}
			left := max(b.N, n)
			buf := make([]byte, 512)
			b.ReportAllocs()
			b.ResetTimer()
			w.UI().Go("start", func() {
				for range n {
					(&reader{file: f, w: w, buf: buf, left: &left}).MoveNext(nil)
				}
			})
			w.Run()
			if c := w.Counters(); int(c.Packets) < b.N {
				b.Fatalf("%d packets of %d", c.Packets, b.N)
			}
		})
	}
}

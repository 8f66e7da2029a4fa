package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// TestEveryDeparture: whatever goes otherwise than in a calm World, at whatever place, every fault among it, a small job on
// each device does what it says or gets an error, and comes to an end. With -sim.explore=2 -sim.worlds=100000 any two things do,
// which takes minutes.
func TestEveryDeparture(t *testing.T) {
	for name, job := range map[string]func(*testing.T, *sim.World){"disk": diskJob, "cache": cacheJob, "network": networkJob, "toaster": toasterJob, "timer": timerJob} {
		for _, cpus := range []int{1, 2} {
			for _, completion := range []string{"classic", "modern"} {
				t.Run(fmt.Sprintf("%s, %d CPUs, %s", name, cpus, completion), func(t *testing.T) {
					if testing.Short() && (cpus == 2) != (completion == "modern") {
						t.Skip("half of them will do")
					}
					opts := []sim.Option{sim.WithCPUs(cpus), sim.WithFaults(sim.AllFaults(10 * sim.Percent))}
					if completion == "modern" {
						opts = append(opts, sim.WithModernCompletion())
					}
					sim.Explore(t, 1, func(w *sim.World) { job(t, w) }, opts...)
				})
			}
		}
	}
}

// diskJob has three threads that write a block each and read it again, not for ever.
func diskJob(t *testing.T, w *sim.World) {
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), device.DiskConfig{Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		w.StartThread(func() {
			block, got := bytes.Repeat([]byte{byte('a' + i)}, 100), make([]byte, 100)
			written, failed := f.WriteAtAsync(w.Context(), block, int64(512*i)).Await()
			ctx, cancel := w.WithTimeout(w.Context(), time.Duration(60+20*i)*time.Microsecond)
			defer cancel()
			n, err := f.ReadAtAsync(ctx, got, int64(512*i)).Await()
			if failed == nil && (written != 100 || err == nil && (n != 100 || !bytes.Equal(got, block))) {
				t.Errorf("wrote %d bytes, read %q, %v", written, got[:n], err)
			}
		})
	}
	w.Run()
}

// cacheJob writes a block to a disk with a write cache, flushes it, writes another one over it and pulls the disk out. Then
// one of them is there, and if the first was flushed nothing of what was before.
func cacheJob(t *testing.T, w *sim.World) {
	medium := device.NewMemory(make([]byte, device.SectorSize))
	d, err := w.NewDisk("disk", medium, device.DiskConfig{WriteCache: device.SectorSize})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	write := func(b byte) error {
		_, err := f.WriteAtAsync(w.Context(), bytes.Repeat([]byte{b}, device.SectorSize), 0).Await()
		return err
	}
	least := byte(0)
	if write('a') == nil && f.FlushAsync(w.Context()).Await() == nil {
		least = 'a'
	}
	write('b')
	d.Remove()
	if left := medium.Bytes(); slices.Min(left) < least { // a mixture, if a command moved a part
		t.Errorf("what was flushed was %q, what is left is %q", least, left)
	}
	w.Run()
}

// networkJob has a server that gives back what it reads until its client is done, and a client, which waits for that, not for
// ever.
func networkJob(t *testing.T, w *sim.World) {
	var adapters [2]*sim.Adapter
	for i, name := range []string{"client", "server"} {
		var err error
		if adapters[i], err = w.NewAdapter(name, uint16(1+i), device.AdapterConfig{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sim.NewWire(adapters[0], adapters[1], device.WireConfig{Loss: 1, Duplicates: 1, Reorders: 1}); err != nil {
		t.Fatal(err)
	}
	l, err := overlapped.Listen(w, "server", 80)
	if err != nil {
		return // for want of an IRP
	}
	defer l.Close()
	ctx, stop := w.WithCancel(w.Context())
	w.StartThread(func() {
		if c, err := l.AcceptAsync(ctx).Await(); err == nil {
			giveBack(ctx, c)
		}
	})
	w.StartThread(func() {
		defer stop()
		text := []byte("there is no thread")
		if got := ask(t, w, l.Addr(), text); !bytes.HasPrefix(text, got) {
			t.Errorf("got %q", got)
		}
	})
	w.Run()
}

func giveBack(ctx context.Context, c *overlapped.Conn) {
	defer c.Close()
	buf := make([]byte, 64)
	for {
		n, err := c.ReadAsync(ctx, buf).Await()
		if err != nil {
			return
		}
		if _, err := c.WriteAsync(ctx, buf[:n]).Await(); err != nil {
			return
		}
	}
}

// ask sends a text and returns what of it came back in time.
func ask(t *testing.T, w *sim.World, to overlapped.Addr, text []byte) (got []byte) {
	c, err := overlapped.DialAsync(w.Context(), w, "client", to).Await()
	if err != nil {
		return nil
	}
	defer c.Close()
	if n, err := c.WriteAsync(w.Context(), text).Await(); err == nil && n != len(text) {
		t.Errorf("wrote %d bytes, without an error", n)
	}
	ctx, cancel := w.WithTimeout(w.Context(), 50*time.Millisecond)
	defer cancel()
	for buf := make([]byte, 10); len(got) < len(text); {
		n, err := c.ReadAsync(ctx, buf).Await()
		if err != nil {
			break
		}
		got = append(got, buf[:n]...)
	}
	return got
}

// toasterJob makes five slices of toast, two at a time.
func toasterJob(t *testing.T, w *sim.World) {
	d, err := w.NewToaster("toaster", device.ToasterConfig{Jams: 1, Jitter: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	toaster, err := d.Open()
	if err != nil {
		return
	}
	defer toaster.Close()
	n, err := toaster.WriteAsync(w.Context(), []byte("bread")).Await()
	if plate := d.Device().Plate(); err == nil && n != 5 || n > len(plate) {
		t.Errorf("%d slices, %v, on the plate: %q", n, err, plate)
	}
}

// timerJob has two timers run, the one that is set first the longer.
func timerJob(t *testing.T, w *sim.World) {
	d, err := w.NewTimer("timer", device.TimerConfig{Jitter: 10 * time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Open()
	if err != nil {
		return
	}
	defer c.Close()
	for _, wait := range []time.Duration{100 * time.Microsecond, 50 * time.Microsecond} {
		w.StartThread(func() {
			before := w.Elapsed()
			if _, err := c.AfterAsync(w.Context(), wait).Await(); err == nil && w.Elapsed() < before+wait {
				t.Errorf("slept %v in place of %v", w.Elapsed()-before, wait)
			}
		})
	}
	w.Run()
}

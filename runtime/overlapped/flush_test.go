package overlapped_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// unflushable is a backing that cannot be flushed.
type unflushable struct{ device.Memory }

func (*unflushable) Sync() error { return errFull }

var errFull = errors.New("the medium is full")

// TestFlush: a flush is of what was written before, through whichever file; its errors say so.
func TestFlush(t *testing.T) {
	w := sim.New(1)
	medium := device.NewMemory(nil)
	d, err := w.NewDisk("disk", medium, device.DiskConfig{Depth: 4, WriteCache: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	one, _ := d.Open()
	other, _ := d.Open()
	for range 3 { // an operation that is used again, too
		if _, err := one.WriteAsync(w.Context(), []byte("abc")).Await(); err != nil {
			t.Fatal(err)
		}
		if err := other.FlushAsync(w.Context()).Await(); err != nil || len(medium.Bytes()) != int(one.Position()) {
			t.Errorf("%v, the medium has %q", err, medium.Bytes())
		}
	}
	gone, cancel := context.WithCancel(w.Context())
	cancel()
	check := func(what string, err, want error) {
		t.Helper()
		var path *fs.PathError
		if !errors.Is(err, want) || !errors.As(err, &path) || path.Op != "flush" || path.Path != "disk" {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	check("its context has ended", one.FlushAsync(gone).Await(), context.Canceled)
	one.Close()
	check("the file is closed", one.FlushAsync(w.Context()).Await(), os.ErrClosed)
	d.Remove()
	check("the disk was pulled out", other.FlushAsync(w.Context()).Await(), overlapped.ErrRemoved)

	w = sim.New(1)
	f := newFile(t, w, new(unflushable), device.DiskConfig{})
	check("the backing fails", f.FlushAsync(w.Context()).Await(), errFull)
}

// TestFlushIsCancelled: one that waits for the disk ends with its context; one that the disk works on is done.
func TestFlushIsCancelled(t *testing.T) {
	w := sim.New(1)
	f := newFile(t, w, device.NewMemory(nil), device.DiskConfig{Access: time.Millisecond})
	ctx, cancel := w.WithCancel(w.Context())
	working, waiting := f.FlushAsync(ctx), f.FlushAsync(ctx)
	w.RunFor(time.Microsecond)
	cancel()
	if err := waiting.Await(); !errors.Is(err, context.Canceled) || w.Elapsed() >= time.Millisecond {
		t.Errorf("%v after %v", err, w.Elapsed())
	}
	if err := working.Await(); err != nil {
		t.Error(err)
	}
}

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of CopyStream: a loop with two awaits copies a file from one
// disk to another. The disks are simulated, the bytes on them are the files'.
//
// Look at the generated CopyStreamAsync in copy_async.go: the loop is still
// there, and so are its variables.

// CopyStream copies src to dst until src ends and returns the bytes copied.
//
//nothread:async
func CopyStream(ctx context.Context, src, dst *overlapped.File) (int64, error) {
	buf := make([]byte, 0x1000)
	var copied int64
	for {
		n, err := src.ReadAsync(ctx, buf).Await()
		if err == io.EOF {
			return copied, nil
		}
		if err != nil {
			return copied, err
		}
		if _, err := dst.WriteAsync(ctx, buf[:n]).Await(); err != nil {
			return copied, err
		}
		copied += int64(n)
	}
}

// tellCopy copies args[0] to args[1]. The target changes at the very end, if all
// has gone well until then.
func tellCopy(t *teller, args []string) error {
	src, dst := args[0], args[1]
	source, err := openSource(src)
	if err != nil {
		return err
	}
	defer source.Close()
	if err := t.traceApartFrom(src, dst); err != nil {
		return err
	}
	interrupt, stop := t.listen()
	defer stop()
	target, err := createTarget(dst, source)
	if err != nil {
		return cannotWrite(dst, err)
	}
	defer target.Discard()
	if err := t.start(firstResumptions(2)); err != nil {
		return err
	}
	copied, err := t.copyStream(interrupt, source, target)
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err := errors.Join(err, t.stop()); err != nil {
		return err
	}
	if err := target.Commit(); err != nil {
		return cannotWrite(dst, err)
	}
	t.printf("CopyStream copies %s to %s. Seed %d.\n", src, dst, t.seed)
	t.printf("Its first operations, hop by hop:\n\n")
	t.printRows()
	t.printCounts(copied)
	t.printThesis()
	return nil
}

// listen returns a context that ends when the program is interrupted. Who
// listens for that is no goroutine of the story's.
func (t *teller) listen() (context.Context, context.CancelFunc) {
	before := runtime.NumGoroutine()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t.listeners = runtime.NumGoroutine() - before
	return ctx, stop
}

// copyStream runs CopyStream over two disks, begun by the UI thread; an interrupt
// cancels it.
func (t *teller) copyStream(interrupt context.Context, source, target device.Backing) (int64, error) {
	from, err := t.disk("source disk", device.ReadOnly(source))
	if err != nil {
		return 0, err
	}
	to, err := t.disk("target disk", target)
	if err != nil {
		return 0, err
	}
	src, err := from.Open()
	if err != nil {
		return 0, err
	}
	dst, err := to.Open()
	if err != nil {
		return 0, err
	}
	var task async.Task[int64]
	t.onUI("copy the file", func(ctx context.Context) {
		ctx, cancel := t.world.WithCancel(ctx)
		t.world.OnDone(interrupt, cancel)
		task = CopyStreamAsync(ctx, src, dst)
	})
	t.world.Run()
	return task.GetResult()
}

// firstResumptions keeps the hops until the UI thread has resumed what it left
// for the n-th time.
func firstResumptions(n int) func(h *kernel.Hop) bool {
	return func(h *kernel.Hop) bool {
		if n == 0 || h.Kind == kernel.HopDecision {
			return false
		}
		if h.Kind == kernel.HopResumed {
			n--
		}
		return true
	}
}

// printCounts prints what the copy took, from the World's counters.
func (t *teller) printCounts(copied int64) {
	c := t.world.Counters()
	t.printf("\nThe whole copy took %v of the machine's time:\n\n", t.world.Elapsed())
	for _, line := range []struct {
		what  string
		count int64
		means string
	}{
		{"bytes", copied, "copied"},
		{"IRPs", int64(c.IRPs), "built by the I/O manager, one for each read and write"},
		{"interrupts", int64(c.Interrupts), "raised by the disks when they were done"},
		{"DPCs", int64(c.DPCs), "queued by the drivers' interrupt service routines"},
		{"APCs", int64(c.APCs), "to write a result into the memory of who asked for it"},
		{"packets", int64(c.Packets), "through the completion port, each borrowing an I/O thread"},
		{"suspensions", int64(t.suspensions), "of CopyStream: the UI thread left it, and came back"},
	} {
		t.printf("  %-12s %12d  %s\n", line.what, line.count, line.means)
	}
}

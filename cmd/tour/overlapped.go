package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// This is the story of the raw overlapped read, with nothing left to trust: no
// library, no generated code. readFileNative opens a device with the flag that
// means "async", binds the handle to the completion port, and issues the read;
// a callback completes a task by hand.
//
// Look at step 5, and at what the same request does on a handle without the flag.

// A callback is what the system calls when a request has completed, on a thread
// of the pool that the handle's port belongs to. (pool.Completion is its face.)
type callback func(ex *async.Executor, status kernel.Status, n int)

// Complete is called on a thread that nobody here has started.
func (f callback) Complete(ex *async.Executor, _ *kernel.Thread, packet *kernel.Packet) {
	f(ex, packet.Status, packet.Information)
}

// readFileNative reads the first bytes of a device.
func readFileNative(ctx context.Context, name string, bytesToRead int) (async.Task[[]byte], error) {
	var none async.Task[[]byte]
	world := worldOf(ctx)
	k := world.Kernel()

	// 1. A container that the caller gets now, and that is filled later.
	source := async.NewSourceFor[[]byte](ctx)
	buffer := make([]byte, bytesToRead)

	// 2. Open the device in its async-capable mode: the bit that the kernel looks at.
	handle, status := k.CPU().Open(name, kernel.OpenOptions{Synchronous: false})
	say(ctx, "step 2: opened for overlapped I/O: %v", status)
	if !status.IsSuccess() {
		return none, fmt.Errorf("cannot open %s: %v", name, status)
	}

	// 3. Wire the handle to the completion port.
	status = k.BindPort(handle, world.IOPort(), nil)
	say(ctx, "step 3: bound to the completion port: %v", status)
	if !status.IsSuccess() {
		k.CPU().CloseHandle(handle)
		return none, fmt.Errorf("cannot bind %s: %v", name, status)
	}

	// 4. What to call when the read has finished. It does not run now.
	native := &kernel.Overlapped{Context: callback(func(ex *async.Executor, status kernel.Status, n int) {
		k.CPU().CloseHandle(handle)
		var err error
		if !status.IsSuccess() {
			err = fmt.Errorf("the read failed: %v", status)
		}
		say(ctx, "the callback runs: %v, %d bytes; task completed: %v", status, n, source.Task().IsCompleted())
		source.Complete(ex, buffer[:n], err) // fills the container that was handed out
		say(ctx, "the callback ends; task completed: %v", source.Task().IsCompleted())
	})}

	// 5. Issue the read: the hand-off. It does not wait for the device.
	status = k.CPU().Request(handle, kernel.MajorRead, buffer, 0, native)
	say(ctx, "step 5: the read returns %v", status)
	if status != kernel.StatusPending && !status.IsSuccess() {
		k.CPU().CloseHandle(handle)
		return none, fmt.Errorf("cannot begin the read: %v", status)
	}

	// 6. The kernel owns the operation now. Nobody waits for it.
	say(ctx, "step 6: return the task; completed: %v", source.Task().IsCompleted())
	return source.Task(), nil
}

// readFileBlocking is the same on a handle without the flag.
func readFileBlocking(ctx context.Context, name string, bytesToRead int) ([]byte, error) {
	world := worldOf(ctx)
	k := world.Kernel()
	buffer := make([]byte, bytesToRead)
	handle, status := k.CPU().Open(name, kernel.OpenOptions{Synchronous: true})
	say(ctx, "step 2: opened without the flag: %v", status)
	status = k.BindPort(handle, world.IOPort(), nil)
	say(ctx, "step 3: not to be bound to a completion port: %v", status)
	status = k.CPU().Request(handle, kernel.MajorRead, buffer, 0, nil)
	say(ctx, "step 5: the read returns %v", status)
	if !status.IsSuccess() {
		return nil, fmt.Errorf("the read failed: %v", status)
	}
	n := k.SynchronousResult(handle)
	k.CPU().CloseHandle(handle)
	return buffer[:n], nil
}

func tellOverlapped(t *teller, _ []string) error {
	if err := t.startNative(nothing); err != nil {
		return err
	}
	var task async.Task[[]byte]
	var failed error
	t.onUI("read", func(ctx context.Context) { task, failed = readFileNative(ctx, "disk", 19) })
	t.onUI("paint", func(ctx context.Context) { say(ctx, "the window is painted") })
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	data, err := task.GetResult()
	if err != nil {
		return err
	}
	t.printf("A read without a library. Seed %d; » is the program's own word.\n\n", t.seed)
	t.printf("With the flag that makes a handle overlapped:\n\n")
	t.printRows()
	t.printf("\n  The task's result: %s\n", data)
	t.printThesis()

	if err := t.startNative(nothing); err != nil {
		return err
	}
	t.onUI("read", func(ctx context.Context) { data, failed = readFileBlocking(ctx, "disk", 19) })
	t.onUI("paint", func(ctx context.Context) { say(ctx, "the window is painted") })
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	t.printf("\nWithout it:\n\n")
	t.printRows()
	t.printf("\n  The result: %s\n", data)
	t.printThesis()
	return nil
}

// startNative makes a World with something to read.
func (t *teller) startNative(record func(h *kernel.Hop) bool) error {
	if err := t.start(record); err != nil {
		return err
	}
	_, err := t.disk("disk", device.NewMemory([]byte("There is no thread.")))
	return err
}

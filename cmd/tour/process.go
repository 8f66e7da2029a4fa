package main

import (
	"context"
	"fmt"
	"io"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of the method that pauses in the middle, and does not:
// ProcessFile leaves its thread at the await, stack and all, and comes back with
// its variables as they were, for they stand in a struct on the heap.
//
// Look at what userID and path are before the await and after it.

// ProcessFile says how much a user's file is.
//
//nothread:async
func ProcessFile(ctx context.Context, path string) (string, error) {
	userID := 42
	say(ctx, "ProcessFile begins: userID is %d, path is %s", userID, path)
	data, err := FetchAsync(ctx, path).Await()
	if err != nil {
		return "", err
	}
	say(ctx, "ProcessFile goes on: userID is %d, path is %s", userID, path)
	return fmt.Sprintf("User %d processed %d bytes", userID, len(data)), nil
}

// Fetch reads the disk of that name from its beginning to its end.
//
//nothread:async
func Fetch(ctx context.Context, name string) ([]byte, error) {
	file, err := overlapped.Open(worldOf(ctx), name)
	if err != nil {
		return nil, err
	}
	var data []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := file.ReadAsync(ctx, buf).Await()
		if err == io.EOF {
			return data, file.Close()
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		data = append(data, buf[:n]...)
	}
}

func tellProcess(t *teller, args []string) error {
	path := args[0]
	bytes, err := openSource(path)
	if err != nil {
		return err
	}
	defer bytes.Close()
	if err := t.traceApartFrom(path); err != nil {
		return err
	}
	if err := t.start(func(h *kernel.Hop) bool { return h.Kind == kernel.HopMessage }); err != nil {
		return err
	}
	if _, err := t.disk(path, device.ReadOnly(bytes)); err != nil {
		return err
	}
	var process async.Task[string]
	t.onUI("process the file", func(ctx context.Context) {
		process = ProcessFileAsync(ctx, path)
		if !process.IsCompleted() {
			say(ctx, "ProcessFile has returned an incomplete task; its stack is gone")
		}
	})
	t.onUI("paint the window", func(ctx context.Context) { say(ctx, "the window is painted") })
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	result, err := process.GetResult()
	if err != nil {
		return err
	}
	t.printf("ProcessFile reads %s. Seed %d; » is the program's own word.\n\n", path, t.seed)
	t.printRows()
	t.printf("\n%s\n", result)
	t.printThesis()
	return nil
}

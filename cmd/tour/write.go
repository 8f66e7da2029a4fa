package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// This is the story of "There Is No Thread": a button click writes to a device.
// The request goes down to the hardware, where nobody works on it but the
// hardware, and its completion comes up again.
//
// Look at the column "runs on".

// A window has a button, and a status line under it.
type window struct {
	device *overlapped.File
	status string
}

// Click handles the button.
//
//nothread:async
func (w *window) Click(ctx context.Context) error {
	data := []byte("There is no thread.")
	say(ctx, "Click begins")
	n, err := w.device.WriteAsync(ctx, data).Await()
	if err != nil {
		return err
	}
	say(ctx, "Click goes on after its await")
	w.status = fmt.Sprintf("%d bytes written", n)
	return nil
}

func tellWrite(t *teller, _ []string) error {
	if err := t.start(func(h *kernel.Hop) bool { return h.Kind != kernel.HopDecision }); err != nil {
		return err
	}
	disk, err := t.disk("disk", device.NewMemory(nil))
	if err != nil {
		return err
	}
	file, err := disk.Open()
	if err != nil {
		return err
	}
	w := &window{device: file}
	var click async.Task0
	t.onUI("the button is clicked", func(ctx context.Context) {
		click = w.ClickAsync(ctx)
		if !click.IsCompleted() {
			say(ctx, "Click has returned an incomplete task, and the UI thread is free")
		}
	})
	t.onUI("paint the window", func(ctx context.Context) { say(ctx, "the window is painted") })
	t.onUI("the mouse moves", func(ctx context.Context) { say(ctx, "the pointer follows") })
	t.world.Run()
	if err := t.stop(); err != nil {
		return err
	}
	if err := click.GetResult(); err != nil {
		return err
	}
	t.printf("A button click writes to a disk. Seed %d; » is the program's own word.\n\n", t.seed)
	t.printRows()
	t.printf("\nThe status line says: %s.\n", w.status)
	t.printThesis()
	return nil
}

// A button of a window with one UI thread: its handler writes to a device and
// then sets the label. The machine captures the UI thread's context at its
// kickoff, and so it goes on there, between other messages.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// A window belongs to its UI thread.
type window struct {
	world  *sim.World
	device *overlapped.File
	label  string
	frames int // painted so far
}

// buttonClick is the button's handler.
//
//nothread:async
func (w *window) buttonClick(ctx context.Context) {
	w.label = "writing"
	before := w.frames
	data := []byte("There is no thread.")
	written, err := w.device.WriteAsync(ctx, data).Await()
	if err != nil {
		w.label = err.Error()
		return
	}
	w.label = fmt.Sprintf("%d bytes written, on the %v", written, w.world.Kernel().CPU().Thread().Name())
	fmt.Fprintln(os.Stderr, "painted meanwhile:", w.frames-before)
}

// main clicks the button and lets the window be painted every 20µs. With the
// argument "source" the handler is the function as it stands above: its await
// blocks the UI thread, and nothing is painted meanwhile.
func main() {
	world := sim.New(5)
	memory := device.NewMemory(nil)
	disk, err := world.NewDisk("device", memory, device.DiskConfig{})
	if err != nil {
		log.Fatal(err)
	}
	w := &window{world: world}
	if w.device, err = disk.Open(); err != nil {
		log.Fatal(err)
	}
	click := func(ctx context.Context) { w.buttonClickAsync(ctx) }
	if len(os.Args) > 1 && os.Args[1] == "source" {
		click = w.buttonClick
	}
	world.Go("click", click)
	for i := range 5 {
		world.AfterFunc(time.Duration(i)*20*time.Microsecond, func() {
			world.Go("paint", func(context.Context) { w.frames++ })
		})
	}
	world.Run()
	fmt.Println(w.label)
	fmt.Printf("%s; %d frames\n", memory.Bytes(), w.frames)
}

// CopyStream over two disks of a simulated machine: a loop with two awaits, an
// early return in an if, and a shadowed error. Which of its variables survive an
// await is the whole of its state.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

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
		// Only what was read, which is less than a buffer at the end.
		if _, err := dst.WriteAsync(ctx, buf[:n]).Await(); err != nil {
			return copied, err
		}
		copied += int64(n)
	}
}

// main copies files of a few sizes; with the argument "source" it runs the
// function as it stands above, whose awaits block.
func main() {
	for _, size := range []int{0, 1, 4095, 4096, 4097, 50_000} {
		data := bytes.Repeat([]byte("There is no thread. "), size/20+1)[:size]
		world := sim.New(7)
		target := device.NewMemory(nil)
		src, dst := open(world, "src", device.NewMemory(data)), open(world, "dst", target)

		var copied int64
		var err error
		if len(os.Args) > 1 && os.Args[1] == "source" {
			copied, err = CopyStream(world.Context(), src, dst)
		} else {
			copied, err = CopyStreamAsync(world.Context(), src, dst).Await()
		}
		fmt.Println(copied, err, bytes.Equal(data, target.Bytes()), world.Counters().Interrupts, "interrupts")
	}
}

// open plugs a disk in and opens it.
func open(world *sim.World, name string, backing device.Backing) *overlapped.File {
	disk, err := world.NewDisk(name, backing, device.DiskConfig{})
	if err != nil {
		log.Fatal(err)
	}
	file, err := disk.Open()
	if err != nil {
		log.Fatal(err)
	}
	return file
}

// ProcessFile sets two variables, awaits what another async function fetches,
// and uses one of them: the user is still 42, because it was never on a stack
// that could go away.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// ProcessFile says how much of the file there is for the user.
//
//nothread:async
func ProcessFile(ctx context.Context, file *overlapped.File) (string, error) {
	userID := 42
	data, err := fetchAsync(ctx, file).Await() // ← the suspension point
	if err != nil {
		return "", fmt.Errorf("processing %s: %w", file.Name(), err)
	}
	return fmt.Sprintf("User %d processed %d bytes", userID, len(data)), nil
}

// fetch reads a file to its end.
//
//nothread:async
func fetch(ctx context.Context, file *overlapped.File) (data []byte, err error) {
	for buf := make([]byte, 512); ; {
		n, err := file.ReadAsync(ctx, buf).Await()
		switch {
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
		data = append(data, buf[:n]...)
	}
}

// main processes a file, and once more after it is closed; with the argument
// "source" it runs the functions as they stand above, whose awaits block.
func main() {
	world := sim.New(42)
	disk, err := world.NewDisk("config.dat", device.NewMemory(make([]byte, 1234)), device.DiskConfig{})
	if err != nil {
		log.Fatal(err)
	}
	file, err := disk.Open()
	if err != nil {
		log.Fatal(err)
	}
	process := func() (string, error) { return ProcessFileAsync(world.Context(), file).Await() }
	if len(os.Args) > 1 && os.Args[1] == "source" {
		process = func() (string, error) { return ProcessFile(world.Context(), file) }
	}
	fmt.Println(process())
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	text, err := process()
	fmt.Printf("%q %v %t\n", text, err, errors.Is(err, os.ErrClosed))
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"regexp"
	"testing"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// TestThesisIsMeasured tells the copy in its synchronous form: there is a thread
// then, and the closing lines must say so.
func TestThesisIsMeasured(t *testing.T) {
	var page bytes.Buffer
	tell := &teller{seed: 1, out: bufio.NewWriter(&page)}
	if err := tell.start(func(*kernel.Hop) bool { return false }); err != nil {
		t.Fatal(err)
	}
	var files []*overlapped.File
	for _, name := range []string{"source disk", "target disk"} {
		disk, err := tell.disk(name, device.NewMemory(make([]byte, 5000)))
		if err != nil {
			t.Fatal(err)
		}
		file, err := disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	tell.onUI("copy the file", func(ctx context.Context) {
		if n, err := CopyStream(ctx, files[0], files[1]); n != 5000 || err != nil {
			t.Errorf("copied %d bytes, %v", n, err)
		}
	})
	tell.world.Run()
	if err := tell.stop(); err != nil {
		t.Fatal(err)
	}
	tell.printThesis()
	tell.out.Flush()
	said := regexp.MustCompile(`^\nIRPs: 5\. Threads that waited for one: 5\. Goroutines in flight: [0-9]+, counted at each of [0-9]+ hops\.\n$`)
	if !said.Match(page.Bytes()) {
		t.Errorf("of a thread that waits it says: %s", &page)
	}
}

package sim_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/sim"
)

func Example() {
	data, buf := []byte("0123456789"), make([]byte, 4)

	w := sim.New(7)
	disk, _ := w.NewDisk("disk", device.NewMemory(data), device.DiskConfig{})
	file, _ := disk.Open()
	n, err := file.ReadAsync(w.Context(), buf).Await() // runs the World until the read is done

	fmt.Println(n, err, string(buf))
	// Output: 4 <nil> 0123
}

// What was flushed stays; of what was written after that, the seed decides.
func ExampleDisk_Remove() {
	for _, seed := range []uint64{9, 10, 11} {
		w := sim.New(seed)
		medium := device.NewMemory(nil)
		disk, err := w.NewDisk("disk", medium, device.DiskConfig{WriteCache: 1 << 20})
		if err != nil {
			log.Fatal(err)
		}
		file, err := disk.Open()
		if err != nil {
			log.Fatal(err)
		}
		write := func(text string) {
			if _, err := file.WriteAtAsync(w.Context(), []byte(text), 0).Await(); err != nil {
				log.Fatal(err)
			}
		}
		write("one")
		if err := file.FlushAsync(w.Context()).Await(); err != nil {
			log.Fatal(err)
		}
		write("two")
		write("three")
		disk.Remove()
		fmt.Printf("%s ", medium.Bytes())
	}
	// Output: three one two
}

// TestTheEssayIsTrue: what doc.go shows of Go is the example's.
func TestTheEssayIsTrue(t *testing.T) {
	essay, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(essay)) {
		if line, ok := strings.CutPrefix(line, "//\t"); ok {
			if lines++; !strings.Contains(string(example), "\n\t"+line) {
				t.Errorf("the example has no line %s", line)
			}
		}
	}
	if lines == 0 {
		t.Error("the essay shows nothing")
	}
}

package sim_test

import (
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/sim"
)

// A World keeps track of its machines if it is told to, or has the verifier.
func TestWithMachines(t *testing.T) {
	for _, c := range []struct {
		name string
		opts []sim.Option
		want bool
	}{
		{"as a program has it", []sim.Option{sim.WithoutVerifier()}, false},
		{"told to", []sim.Option{sim.WithoutVerifier(), sim.WithMachines()}, true},
		{"with the verifier", []sim.Option{sim.WithVerifier()}, true},
	} {
		w := sim.New(1, c.opts...)
		disk, err := w.NewDisk("disk", device.NewMemory(nil), device.DiskConfig{})
		if err != nil {
			t.Fatal(err)
		}
		file, err := disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		task := innerAsync(w.Context(), file)
		if dump := w.Dump(); strings.Contains(dump, "1 machines in flight") != c.want {
			t.Errorf("%s: machines wanted: %v\n%s", c.name, c.want, dump)
		}
		if _, err := task.Await(); err == nil {
			t.Errorf("%s: an empty disk is read", c.name)
		}
	}
}

package sim_test

import (
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/sim"
)

// TestConfigurationsRefused: what makes no sense is refused where the device is plugged in, or the wire.
func TestConfigurationsRefused(t *testing.T) {
	const many = 1<<16 + 1
	w := sim.New(1)
	for _, cfg := range []device.DiskConfig{{Depth: -1}, {Depth: many}, {Access: -1}, {Jitter: -1}, {PerKilobyte: -1},
		{Coalesce: device.Coalescing{Threshold: -1}}, {Coalesce: device.Coalescing{Time: -1}}} {
		if _, err := w.NewDisk("disk", device.NewMemory(nil), cfg); err == nil {
			t.Errorf("a disk with %+v", cfg)
		}
	}
	for _, cfg := range []device.AdapterConfig{{Receive: -1}, {Receive: many}, {Transmit: -1}, {Transmit: many}, {MTU: -1}, {PerFrame: -1},
		{PerKilobyte: -1}, {Coalesce: device.Coalescing{Threshold: -1}}, {Coalesce: device.Coalescing{Time: -1}}} {
		if _, err := w.NewAdapter("adapter", 1, cfg); err == nil {
			t.Errorf("an adapter with %+v", cfg)
		}
	}
	for _, cfg := range []device.TimerConfig{{Resolution: -1}, {Jitter: -1}} {
		if _, err := w.NewTimer("timer", cfg); err == nil {
			t.Errorf("a timer with %+v", cfg)
		}
	}
	for _, cfg := range []device.ToasterConfig{{Slots: -1}, {Brown: -1}, {Jitter: -1}, {Jams: -1}, {Jams: 1_000_001}} {
		if _, err := w.NewToaster("toaster", cfg); err == nil {
			t.Errorf("a toaster with %+v", cfg)
		}
	}
	a, err := w.NewAdapter("adapter", 1, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err) // none of those above has taken the name
	}
	for _, cfg := range []device.WireConfig{{Delay: -1}, {Jitter: -1}, {Loss: -1}, {Duplicates: 1_000_001}, {Reorders: -1}} {
		if _, err := sim.NewWire(a, a, cfg); err == nil {
			t.Errorf("a wire with %+v", cfg)
		}
	}
}

// TestTimesOfAConfiguration: the times of a device take their defaults together; so a disk with an Access alone needs just that.
func TestTimesOfAConfiguration(t *testing.T) {
	took := func(seed uint64, cfg device.DiskConfig) time.Duration {
		w := sim.New(seed)
		d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 1<<10)), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f, _ := d.Open()
		began := w.Elapsed()
		f.ReadAsync(w.Context(), make([]byte, 1<<10)).Await()
		return w.Elapsed() - began
	}
	alone, given := make(map[time.Duration]bool), make(map[time.Duration]bool)
	for seed := range uint64(5) {
		alone[took(seed, device.DiskConfig{Access: time.Millisecond})] = true
		given[took(seed, device.DiskConfig{})] = true
	}
	if len(alone) != 1 || len(given) == 1 {
		t.Errorf("with an Access alone %v, with nothing %v", alone, given)
	}
}

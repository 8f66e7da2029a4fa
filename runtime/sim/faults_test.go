package sim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// TestHeal loses every interrupt, so that only the watchdog finds completions; after Heal interrupts come again.
func TestHeal(t *testing.T) {
	w := sim.New(1, sim.WithFaults(sim.Faults{LostInterrupt: sim.Always}))
	f, _ := open(t, w, "disk", []byte("abc"))
	read := func() time.Duration {
		began := w.Now()
		if n, err := f.ReadAtAsync(w.Context(), make([]byte, 3), 0).Await(); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		return w.Now().Sub(began)
	}
	if took := read(); took < 20*time.Millisecond {
		t.Errorf("a read whose interrupt was lost took %v", took)
	}
	w.Heal()
	if took := read(); took > time.Millisecond {
		t.Errorf("a read after Heal took %v", took)
	}
	if got := w.Faults().String(); got != "lost interrupt 100%" {
		t.Errorf("faults %q", got)
	}
}

// TestFaultsReachTheCaller: what a driver cannot help is an error that says what it is.
func TestFaultsReachTheCaller(t *testing.T) {
	for want, faults := range map[string]sim.Faults{
		"hardware fails":         {DeviceError: sim.Always},
		"INSUFFICIENT_RESOURCES": {NoIRPMemory: 2 * sim.Always}, // more than always is always
		"pulled out":             {SurpriseRemoval: sim.Always},
	} {
		w := sim.New(1, sim.WithFaults(faults))
		f, _ := open(t, w, "disk", []byte("abc"))
		_, err := f.ReadAsync(w.Context(), make([]byte, 3)).Await()
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, overlapped.ErrDevice) != (want == "hardware fails") {
			t.Errorf("%v: %v", faults, err)
		}
		if m := w.Marks(); m[0].Reached != 1 {
			t.Errorf("%v: mark %v", faults, m[0])
		}
	}
}

// TestSwarm: each seed has other rates, every kind is on in some and off in others, and none without the option.
func TestSwarm(t *testing.T) {
	on := map[string]int{}
	for seed := range uint64(100) {
		for _, kind := range strings.Split(sim.New(seed, sim.Swarm()).Faults().String(), ", ") {
			on[kind[:strings.LastIndexByte(kind, ' ')]]++
		}
	}
	if len(on) != 17 {
		t.Errorf("kinds %v", on)
	}
	for kind, n := range on {
		if n < 25 || n > 75 {
			t.Errorf("%s is on in %d of 100 seeds", kind, n)
		}
	}
	if f := sim.New(1).Faults(); f != (sim.Faults{}) || f.String() != "no faults" {
		t.Errorf("a World without the option has %v", f)
	}
}

// TestHealMendsDisksAndToasters: after Heal no bit turns over any more, and no toaster jams.
func TestHealMendsDisksAndToasters(t *testing.T) {
	const always = 1_000_000
	w := sim.New(1)
	d, err := w.NewDisk("disk", device.ReadOnly(strings.NewReader("text")), device.DiskConfig{BitRot: always})
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	hardware, err := w.NewToaster("toaster", device.ToasterConfig{Jams: always})
	if err != nil {
		t.Fatal(err)
	}
	toaster, err := hardware.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, healed := range []bool{false, true} {
		text := make([]byte, 4)
		if _, err := f.ReadAtAsync(w.Context(), text, 0).Await(); err != nil || (string(text) == "text") != healed {
			t.Errorf("healed %v: %q, %v", healed, text, err)
		}
		if _, err := toaster.WriteAsync(w.Context(), []byte("ab")).Await(); (err == nil) != healed {
			t.Errorf("healed %v: %v", healed, err)
		}
		w.Heal()
	}
}

// TestHealMendsWires: after Heal no frame is lost any more.
func TestHealMendsWires(t *testing.T) {
	w := sim.New(1)
	a, err := w.NewAdapter("net", 1, device.AdapterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := sim.NewWire(a, a, device.WireConfig{Loss: 1_000_000, Duplicates: 1_000_000, Reorders: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	s, err := overlapped.ListenDatagram(w, "net", 9)
	if err != nil {
		t.Fatal(err)
	}
	for healed := range 2 {
		if _, err := s.SendToAsync(w.Context(), []byte("hello"), s.Addr()).Await(); err != nil {
			t.Fatal(err)
		}
		w.Run()
		if c := wire.Counts(); c != (device.WireCounts{Carried: uint64(healed), Lost: 1}) {
			t.Errorf("healed %d times: %+v", healed, c)
		}
		w.Heal()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

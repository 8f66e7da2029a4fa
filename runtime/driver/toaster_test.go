package driver_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

func newToaster(t *testing.T, r *rig, cfg device.ToasterConfig) (*device.Toaster, *kernel.Line) {
	t.Helper()
	dev, err := device.NewToaster("toaster", cfg)
	if err != nil {
		t.Fatal(err)
	}
	line := r.NewLine("toaster", kernel.LevelSensitive, kernel.DeviceLevel, 0)
	dev.Connect(&r.clk, r, line, nil)
	if _, status := driver.NewToaster(r.Kernel, dev, line); status != kernel.StatusSuccess {
		t.Fatal(status)
	}
	return dev, line
}

func TestToasterTakesASliceAtATime(t *testing.T) {
	r := newRig(1)
	dev, _ := newToaster(t, r, device.ToasterConfig{Slots: 3})
	h := r.open(t, "toaster")
	a := r.start(h, kernel.MajorWrite, []byte("white bread"), 0)
	b := r.start(h, kernel.MajorWrite, []byte("rye"), 0)
	none := r.start(h, kernel.MajorWrite, nil, 0)
	if none.InFlight() || none.Status != kernel.StatusSuccess {
		t.Errorf("a write of nothing: %+v", none)
	}
	r.rest(t)
	if a.Status != kernel.StatusSuccess || a.Information != 11 || b.Status != kernel.StatusSuccess || b.Information != 3 {
		t.Errorf("%v, %d; %v, %d", a.Status, a.Information, b.Status, b.Information)
	}
	if string(dev.Plate()) != "white breadrye" {
		t.Errorf("on the plate: %q", dev.Plate())
	}
	if c := r.Counts(); c.Spurious != 0 || c.Asserts < 5 {
		t.Errorf("%+v", c)
	}
}

// TestA20_ToasterRaces cancels each of three writes at every moment of their lives: each completes once, with a slice
// count that is what lies on the plate, and the toaster is free again.
func TestA20_ToasterRaces(t *testing.T) {
	seen := map[kernel.Status]int{}
	short := 0
	for at := clock.Time(0); at < 800_000; at += 1771 {
		r := newRig(uint64(at))
		dev, _ := newToaster(t, r, device.ToasterConfig{})
		h := r.open(t, "toaster")
		var ovs []*kernel.Overlapped
		for range 3 {
			ovs = append(ovs, r.start(h, kernel.MajorWrite, make([]byte, 4), 0))
		}
		for i, ov := range ovs {
			r.at(at+clock.Time(i), func(c *kernel.CPU) { c.Cancel(ov) })
		}
		r.rest(t)
		toast := 0
		for i, ov := range ovs {
			seen[ov.Status]++
			toast += ov.Information
			if ov.InFlight() || ov.Status == kernel.StatusCancelled && ov.Information != 0 {
				t.Fatalf("cancel at %v: write %d: %+v", at, i, ov)
			}
			if ov.Status == kernel.StatusSuccess && ov.Information < 4 {
				short++
			}
		}
		if toast != len(dev.Plate()) {
			t.Fatalf("cancel at %v: %d slices reported, %d on the plate", at, toast, len(dev.Plate()))
		}
		if ov := r.start(h, kernel.MajorWrite, []byte("x"), 0); true {
			if r.rest(t); ov.Status != kernel.StatusSuccess {
				t.Fatalf("cancel at %v: the next write: %v", at, ov.Status)
			}
		}
	}
	if seen[kernel.StatusSuccess] == 0 || seen[kernel.StatusCancelled] == 0 || len(seen) != 2 || short == 0 {
		t.Errorf("outcomes %v, %d of them short", seen, short)
	}
}

// TestA27_ToasterInterruptLost: the line is dead, and the watchdog finds what no interrupt has told of.
func TestA27_ToasterInterruptLost(t *testing.T) {
	r := newRig(1)
	dev, line := newToaster(t, r, device.ToasterConfig{})
	h := r.open(t, "toaster")
	line.Mask()
	ov := r.start(h, kernel.MajorWrite, []byte("12345"), 0)
	r.rest(t)
	if ov.Status != kernel.StatusSuccess || string(dev.Plate()) != "12345" {
		t.Errorf("%v, %q", ov.Status, dev.Plate())
	}
}

func TestA25_ToasterISR(t *testing.T) {
	r := newRig(1)
	dev, line := newToaster(t, r, device.ToasterConfig{})
	h := r.open(t, "toaster")
	if line.Poll(r.CPU()) {
		t.Error("the ISR claims an interrupt that is not its toaster's")
	}
	ov := r.start(h, kernel.MajorWrite, []byte("1"), 0)
	r.CPU().RaiseIRQL(kernel.HighLevel)
	r.clk.Advance(r.clk.Now() + 1_000_000)
	r.CPU().LowerIRQL(kernel.DispatchLevel)
	if dev.InterruptPending() || r.Counts().DPCs != 0 {
		t.Error("the ISR did not dismiss the interrupt, or its DPC ran at DISPATCH")
	}
	r.CPU().LowerIRQL(kernel.PassiveLevel)
	// Duplicates: the DPC finds nothing and completes nothing.
	line.Assert()
	line.Deassert()
	r.rest(t)
	if ov.Status != kernel.StatusSuccess || r.Counts().Completions != 1 {
		t.Errorf("%v, %d completions", ov.Status, r.Counts().Completions)
	}
}

func TestToasterJams(t *testing.T) {
	r := newRig(1)
	dev, _ := newToaster(t, r, device.ToasterConfig{Slots: 1, Jams: 300_000})
	h := r.open(t, "toaster")
	jams, toast := 0, 0
	for range 100 {
		ov := r.start(h, kernel.MajorWrite, []byte("abc"), 0)
		r.rest(t)
		toast += ov.Information
		if ov.Status == kernel.StatusIoDeviceError && ov.Information < 3 {
			jams++
		} else if ov.Status != kernel.StatusSuccess {
			t.Fatal(ov.Status)
		}
	}
	if jams < 30 || jams > 95 || toast != len(dev.Plate()) || dev.LastError() != device.ErrJammed {
		t.Errorf("%d jams, %d slices, %d on the plate, %v", jams, toast, len(dev.Plate()), dev.LastError())
	}
}

func TestToasterCleanup(t *testing.T) {
	r := newRig(1)
	newToaster(t, r, device.ToasterConfig{})
	h := r.open(t, "toaster")
	a, b := r.start(h, kernel.MajorWrite, []byte("ab"), 0), r.start(h, kernel.MajorWrite, []byte("ab"), 0)
	r.CPU().CloseHandle(h)
	r.rest(t)
	if a.Status != kernel.StatusSuccess || b.Status != kernel.StatusCancelled {
		t.Errorf("%v, %v", a.Status, b.Status)
	}
}

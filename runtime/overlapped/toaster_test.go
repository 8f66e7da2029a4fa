package overlapped_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

func newToaster(t testing.TB, w *sim.World, cfg device.ToasterConfig) (*overlapped.Toaster, *device.Toaster) {
	t.Helper()
	d, err := w.NewToaster("toaster", cfg)
	if err != nil {
		t.Fatal(err)
	}
	f, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	return f, d.Device()
}

func TestToaster(t *testing.T) {
	w := sim.New(1, sim.WithVerifier())
	toaster, dev := newToaster(t, w, device.ToasterConfig{})
	first := toaster.WriteAsync(w.Context(), []byte("breakfast"))
	timed, stop := w.WithTimeout(w.Context(), 700*time.Microsecond)
	defer stop()
	second := toaster.WriteAsync(timed, []byte("elevenses")) // begins when the first is done
	ctx, cancel := w.WithCancel(w.Context())
	third := toaster.WriteAsync(ctx, []byte("lunch"))
	cancel()
	if n, err := third.Await(); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the queue: %d, %v", n, err)
	}
	if n, err := first.Await(); n != 9 || err != nil {
		t.Error(n, err)
	}
	n, err := second.Await()
	if n == 0 || n == 9 || !errors.Is(err, context.DeadlineExceeded) || string(dev.Plate()) != "breakfastelevenses"[:9+n] {
		t.Errorf("out of time in the middle: %d, %v; on the plate %q", n, err, dev.Plate())
	}
	running, waiting := toaster.WriteAsync(w.Context(), []byte("x")), toaster.WriteAsync(w.Context(), []byte("y"))
	if err := toaster.Close(); err != nil {
		t.Error(err)
	}
	if n, err := running.Await(); n != 1 || err != nil {
		t.Errorf("in the toaster while the handle is closed: %d, %v", n, err)
	}
	if _, err := waiting.Await(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("waiting while the handle is closed: %v", err)
	}
	if _, err := toaster.WriteAsync(w.Context(), nil).Await(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := toaster.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	if w.Run(); w.Counters().IRPsInFlight != 0 {
		t.Error("IRPs left")
	}
}

func TestToasterErrors(t *testing.T) {
	w, other := sim.New(1), sim.New(2)
	toaster, _ := newToaster(t, w, device.ToasterConfig{Jams: 1_000_000})
	if n, err := toaster.WriteAsync(w.Context(), []byte("ab")).Await(); n != 0 || !errors.Is(err, overlapped.ErrDevice) || !errors.Is(err, device.ErrJammed) {
		t.Errorf("a jam: %d, %v", n, err)
	}
	if _, err := toaster.WriteAsync(other.Context(), []byte("ab")).Await(); !errors.Is(err, overlapped.ErrOtherWorld) {
		t.Errorf("another World's context: %v", err)
	}
	if _, err := w.NewToaster("toaster", device.ToasterConfig{}); err == nil {
		t.Error("two toasters of one name: no error")
	}
	if _, err := w.NewToaster("t2", device.ToasterConfig{Slots: -1}); err == nil {
		t.Error("minus one slot: no error")
	}
	if _, err := overlapped.OpenToaster(w, "nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("open of an unknown device: %v", err)
	}
	if _, err := w.NewDisk("disk", device.NewMemory(nil), device.DiskConfig{}); err != nil {
		t.Fatal(err)
	}
	if _, err := overlapped.OpenToaster(w, "disk"); !errors.Is(err, os.ErrInvalid) || !strings.Contains(err.Error(), "open disk: ") || !strings.Contains(err.Error(), "it is no toaster") {
		t.Errorf("a disk as a toaster: %v", err)
	}
	if _, err := overlapped.OpenClock(w, "toaster"); !errors.Is(err, os.ErrInvalid) || !strings.Contains(err.Error(), "it is no timer chip") {
		t.Errorf("a toaster as a clock: %v", err)
	}
}

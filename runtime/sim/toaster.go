package sim

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// Toaster is a USB toaster of a World, with its driver.
type Toaster struct {
	world  *World
	device *device.Toaster
}

// toasterLevel is the IRQL of toasters' interrupt lines: of all devices it can best wait.
const toasterLevel = kernel.DeviceLevel

// NewToaster plugs a toaster into the World and loads its driver. What cfg leaves open takes its defaults.
func (w *World) NewToaster(name string, cfg device.ToasterConfig) (*Toaster, error) {
	dev, err := device.NewToaster(name, cfg)
	if err != nil {
		return nil, err
	}
	line := w.NewLine(name, toasterLevel)
	dev.Connect(&w.clock, w.Oracle(), line, w.Probe())
	if _, status := driver.NewToaster(w.kernel, dev, line); !status.IsSuccess() {
		return nil, notPlugged("toaster", name, status)
	}
	w.tellers[name] = dev
	w.healers = append(w.healers, dev)
	return &Toaster{world: w, device: dev}, nil
}

// Open opens the toaster for overlapped I/O. It may be open several times.
func (t *Toaster) Open() (*overlapped.Toaster, error) {
	return overlapped.OpenToaster(t.world, t.device.Name())
}

// Device returns the hardware: what it has made is on its Plate.
func (t *Toaster) Device() *device.Toaster { return t.device }

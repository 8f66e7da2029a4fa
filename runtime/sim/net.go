package sim

import (
	"errors"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// Adapter is a network adapter of a World, with its drivers: sockets are opened with its name, by overlapped.Listen,
// overlapped.DialAsync and overlapped.ListenDatagram.
type Adapter struct {
	world  *World
	device *device.Adapter
	host   uint16
}

// adapterLevel is the IRQL of network adapters' interrupt lines: above disks, for frames do not wait.
const adapterLevel = kernel.DeviceLevel + 4

// NewAdapter plugs a network adapter into the World and loads its drivers. host is the machine's address on the wire.
// What cfg leaves open takes its defaults. It has no wire yet: see NewWire.
func (w *World) NewAdapter(name string, host uint16, cfg device.AdapterConfig) (*Adapter, error) {
	dev, err := device.NewAdapter(name, cfg)
	if err != nil {
		return nil, err
	}
	line := w.NewLine(name, adapterLevel)
	dev.Connect(&w.clock, w.Oracle(), line, w.Probe())
	if _, status := driver.NewNet(w.kernel, dev, line, host); !status.IsSuccess() {
		return nil, notPlugged("adapter", name, status)
	}
	return &Adapter{world: w, device: dev, host: host}, nil
}

// Name returns the adapter's name.
func (a *Adapter) Name() string { return a.device.Name() }

// Host returns the machine's address on the wire.
func (a *Adapter) Host() uint16 { return a.host }

// Device returns the hardware: its Counts say what it has sent, received and missed.
func (a *Adapter) Device() *device.Adapter { return a.device }

// NewWire joins two adapters that have no wire yet: two of one World, one with itself, or two of two Worlds, which then
// must be run by RunTogether, or by hand on one goroutine. What cfg leaves open takes its defaults.
func NewWire(a, b *Adapter, cfg device.WireConfig) (*device.Wire, error) {
	if a == nil || b == nil {
		return nil, errors.New("sim: a wire joins two adapters, and one of these is nil")
	}
	wire, err := device.NewWire(a.device, b.device, cfg)
	if err == nil {
		a.world.wires = append(a.world.wires, wire)
		if b.world != a.world {
			b.world.wires = append(b.world.wires, wire)
		}
	}
	return wire, err
}

package sim

import (
	"errors"
	"slices"

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
// What cfg leaves open takes its defaults. It has no wire yet: see NewWire and NewSwitch.
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

// Remove pulls the adapter out. What is in flight on it fails once its driver has noticed. Another one with its address may take
// its place at a Switch.
func (a *Adapter) Remove() { a.device.Remove() }

// NewWire joins two adapters that have no wire yet: two of one World, one with itself, or two of two Worlds, which then
// must be run by RunTogether, or by hand on one goroutine. What cfg leaves open takes its defaults.
func NewWire(a, b *Adapter, cfg device.WireConfig) (*device.Wire, error) {
	if a == nil || b == nil {
		return nil, errors.New("sim: a wire joins two adapters, and one of these is nil")
	}
	wire, err := device.NewWire(a.device, b.device, cfg)
	if err == nil {
		keep(wire, a, b)
	}
	return wire, err
}

// keep lets the Worlds of two adapters know the wire between them.
func keep(wire *device.Wire, a, b *Adapter) {
	a.world.healers = append(a.world.healers, wire)
	if b.world != a.world {
		b.world.healers = append(b.world.healers, wire)
	}
}

// Switch joins any number of adapters.
type Switch struct {
	device   *device.Switch
	adapters []*Adapter // all that it has ever joined
}

// NewSwitch joins adapters that have no wire yet, each with each and with itself: a frame goes to the machine whose address it
// bears. They are of one World, or of several, as for NewWire; no two have one address. Between any two is a wire of its own,
// as cfg says to begin with.
func NewSwitch(cfg device.WireConfig, adapters ...*Adapter) (*Switch, error) {
	if slices.Contains(adapters, nil) {
		return nil, errors.New("sim: a switch joins adapters, and one of these is nil")
	}
	d, err := device.NewSwitch(cfg, devicesOf(adapters)...)
	if err != nil {
		return nil, err
	}
	s := &Switch{device: d}
	for _, a := range adapters {
		s.know(a)
	}
	return s, nil
}

// Join joins one more adapter. If one with its address was pulled out it takes that one's place, at the same wires: the machine
// has started again.
func (s *Switch) Join(a *Adapter) error {
	if a == nil {
		return errors.New("sim: a switch joins adapters, and this one is nil")
	}
	err := s.device.Join(a.device)
	if err == nil {
		s.know(a)
	}
	return err
}

// know lets the Worlds know an adapter's wires.
func (s *Switch) know(a *Adapter) {
	s.adapters = append(s.adapters, a)
	for _, b := range s.adapters {
		if wire := s.Wire(a, b); wire != nil { // b may have been replaced
			keep(wire, a, b)
		}
	}
}

func devicesOf(adapters []*Adapter) []*device.Adapter {
	var list []*device.Adapter
	for _, a := range adapters {
		list = append(list, a.device)
	}
	return list
}

// Wire returns the wire between two of the adapters, nil if one is none of them: to cut it, or to change how it is.
func (s *Switch) Wire(a, b *Adapter) *device.Wire { return s.device.Wire(a.device, b.device) }

// Partition lets frames pass within each group of adapters only; those in no group are one together, so without groups all of
// them pass. What a wire loses by chance, or how long it takes, stays as it is.
func (s *Switch) Partition(groups ...[]*Adapter) {
	devices := make([][]*device.Adapter, len(groups))
	for i, g := range groups {
		devices[i] = devicesOf(g)
	}
	s.device.Partition(devices...)
}

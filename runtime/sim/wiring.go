package sim

import (
	"fmt"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is what a device is wired to when it is plugged into a World: a line, an oracle and a probe, besides the clock,
// which is Kernel().Clock().

// NewLine makes an interrupt line of its own for a device; the lines of a World are spread over its CPUs. It signals by
// messages where the World's faults have such get lost.
func (w *World) NewLine(name string, level kernel.IRQL) *kernel.Line {
	mode := kernel.LevelSensitive
	if w.hazard != nil && w.hazard.faults.LostInterrupt > 0 {
		mode = kernel.MessageSignaled
	}
	line := w.kernel.NewLine(name, mode, level, w.lines%w.kernel.CPUs())
	w.lines++
	return line
}

// notPlugged says why a device could not be plugged in.
func notPlugged(kind, name string, status kernel.Status) error {
	switch {
	case name == "":
		return fmt.Errorf("sim: the %s has no name", kind)
	case kind == "adapter" && status == kernel.StatusInvalidParameter:
		return fmt.Errorf("sim: adapter %s: its MTU leaves no room behind the header of a frame", name)
	}
	return fmt.Errorf("sim: %s %s: the kernel reports %v", kind, name, status)
}

// teller is a device that can say what failed when it last reported an error.
type teller interface{ LastError() error }

// DeviceError returns what the device of that name says has failed, when it last reported an error: of a disk what its backing
// said. It is part of overlapped.World.
func (w *World) DeviceError(device string) error {
	if d := w.tellers[device]; d != nil {
		return d.LastError()
	}
	return nil
}

// Oracle makes a device's choices: the World's decisions. In a World with faults it is a device.Hazard too.
func (w *World) Oracle() device.Oracle {
	if w.hazard == nil {
		return &w.decisions
	}
	return deviceHazard{w.hazard}
}

// Probe tells the trace what a device does by itself; nil if nobody would hear of it.
func (w *World) Probe() device.Probe {
	if !w.kernel.Traced() {
		return nil
	}
	return probe{w}
}

type probe struct{ world *World }

// DMADone implements device.Probe.
func (p probe) DMADone(name string, op device.Op, offset int64, n int, status device.Status) {
	p.world.kernel.TraceHardware(kernel.HopDMADone, name, int64(n), offset)
}

package sim

import (
	"fmt"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// timerLevel is the IRQL of timer chips' interrupt lines: above all other devices.
const timerLevel = kernel.DeviceLevel + 6

// NewTimer plugs a timer chip into the World, loads its driver and opens it. Zero fields of cfg take the defaults. (The
// World's own AfterFunc and contexts need none: they are on the kernel's timers.)
func (w *World) NewTimer(name string, cfg device.TimerConfig) (*overlapped.Clock, error) {
	dev, err := device.NewTimer(name, cfg)
	if err != nil {
		return nil, err
	}
	line := w.newLine(name, timerLevel)
	dev.Connect(&w.clock, &w.decisions, line)
	if _, status := driver.NewTimer(w.kernel, dev, line); !status.IsSuccess() {
		return nil, fmt.Errorf("sim: timer %s: the kernel reports %v", name, status)
	}
	return overlapped.OpenClock(w, name)
}

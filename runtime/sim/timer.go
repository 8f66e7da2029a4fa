package sim

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// timerLevel is the IRQL of timer chips' interrupt lines: above all other devices.
const timerLevel = kernel.DeviceLevel + 6

// Timer is a timer chip of a World, with its driver.
type Timer struct {
	world  *World
	device *device.Timer
}

// NewTimer plugs a timer chip into the World and loads its driver. What cfg leaves open takes its defaults. (The World's own
// AfterFunc and contexts need none: they are on the kernel's timers.)
func (w *World) NewTimer(name string, cfg device.TimerConfig) (*Timer, error) {
	dev, err := device.NewTimer(name, cfg)
	if err != nil {
		return nil, err
	}
	line := w.NewLine(name, timerLevel)
	dev.Connect(&w.clock, w.Oracle(), line)
	if _, status := driver.NewTimer(w.kernel, dev, line); !status.IsSuccess() {
		return nil, notPlugged("timer", name, status)
	}
	return &Timer{world: w, device: dev}, nil
}

// Open opens the timer for overlapped I/O. It may be open several times.
func (t *Timer) Open() (*overlapped.Clock, error) {
	return overlapped.OpenClock(t.world, t.device.Name())
}

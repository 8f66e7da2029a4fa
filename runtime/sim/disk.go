package sim

import (
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
)

// Disk is a disk of a World, with its driver.
type Disk struct {
	world  *World
	device *device.Disk
}

// diskLevel is the IRQL of disks' interrupt lines.
const diskLevel = kernel.DeviceLevel + 2

// NewDisk plugs a disk into the World and loads its driver. The backing holds its bytes: device.NewMemory, an *os.File,
// device.ReadOnly and so on; the World's goroutine reads and writes it. What cfg leaves open takes its defaults.
func (w *World) NewDisk(name string, backing device.Backing, cfg device.DiskConfig) (*Disk, error) {
	dev, err := device.NewDisk(name, backing, cfg)
	if err != nil {
		return nil, err
	}
	line := w.NewLine(name, diskLevel)
	dev.Connect(&w.clock, w.Oracle(), line, w.Probe())
	if _, status := driver.NewDisk(w.kernel, dev, line); !status.IsSuccess() {
		return nil, notPlugged("disk", name, status)
	}
	w.tellers[name] = dev
	w.healers = append(w.healers, dev)
	return &Disk{world: w, device: dev}, nil
}

// Open opens the disk as a file, for overlapped I/O, at position 0. It may be open several times.
func (d *Disk) Open() (*overlapped.File, error) { return d.world.Open(d.device.Name()) }

// Name returns the disk's name.
func (d *Disk) Name() string { return d.device.Name() }

// Remove pulls the disk out. What is in flight on it fails once its driver has noticed, and what is in its write cache may be
// lost. Its backing may then be that of another disk, with another name.
func (d *Disk) Remove() { d.device.Remove() }

// LastError returns what the backing said when the disk last reported an error to its driver.
func (d *Disk) LastError() error { return d.device.LastError() }

// Open opens the device of that name for overlapped I/O.
func (w *World) Open(name string) (*overlapped.File, error) { return overlapped.Open(w, name) }

package sim_test

import (
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/sim"
)

// This file is a device, its driver and its handle as a module outside makes them: of exported names alone. Its faults are
// the World's.

// die is a device: it is rolled, and some time after calls by its line.
type die struct {
	clock  clock.Clock
	oracle device.Oracle
	line   device.Line
	roll   clock.Timer

	interrupt bool // the interrupt status register
	spots     byte // the result register; 0: it has not come to rest
	slipped   int  // how often it fell off the table
}

const rollTime = 10 * time.Microsecond

func (d *die) Roll() { d.clock.Set(&d.roll, d.clock.Now().Add(rollTime)) }

// Ring is the moment at which the die comes to rest, or falls off the table: a fault, if the oracle knows faults.
func (d *die) Ring(clock.Time) {
	if hazard, ok := d.oracle.(device.Hazard); ok && hazard.Strike(device.PassingError) {
		d.slipped++
		d.Roll()
		return
	}
	d.spots = byte(1 + d.oracle.Choose("die.spots", 6))
	d.interrupt = true
	d.line.Assert()
}

// dieDriver reads one byte at a time: a roll.
type dieDriver struct {
	die      *die
	line     *kernel.Line
	driver   kernel.DriverObject
	device   kernel.DeviceObject
	isr      kernel.Interrupt
	dpc      kernel.DPC
	current  *kernel.IRP
	watchdog kernel.Timer
}

func plugDie(w *sim.World, name string) (*die, kernel.Status) {
	line := w.NewLine(name, kernel.DeviceLevel+1)
	dev := &die{clock: w.Kernel().Clock(), oracle: w.Oracle(), line: line}
	dev.roll.Alarm = dev
	d := &dieDriver{die: dev, line: line}
	d.driver.Name = "die.sys"
	d.driver.Major[kernel.MajorRead] = d.dispatch
	d.driver.StartIo = d.startIo
	d.device = kernel.DeviceObject{Name: name, Driver: &d.driver, DeferredStartIo: true}
	d.isr = kernel.Interrupt{Name: name, Service: d.service, Mode: line.Mode(), Shared: true}
	d.dpc = kernel.DPC{Name: "the DPC of " + name, Routine: d.deferred}
	d.watchdog.DPC = &kernel.DPC{Name: "the watchdog of " + name, Routine: d.watch}
	if status := line.Connect(&d.isr); !status.IsSuccess() {
		return nil, status
	}
	return dev, w.Kernel().AddDevice(&d.device, 1)
}

func (d *dieDriver) dispatch(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	irp.MarkPending()
	c.StartPacket(dev, irp, nil) // rolls are short: nobody need cancel one
	return kernel.StatusPending
}

func (d *dieDriver) startIo(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) {
	d.current = irp
	d.die.Roll()
	c.Kernel().SetTimer(&d.watchdog, c.Now().Add(2*rollTime))
}

func (d *dieDriver) service(c *kernel.CPU, _ *kernel.Interrupt) bool {
	if !d.die.interrupt {
		return false
	}
	d.die.interrupt = false
	d.die.line.Deassert()
	c.QueueDPC(&d.dpc, nil)
	return true
}

func (d *dieDriver) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	if d.current == nil || d.die.spots == 0 {
		return
	}
	c.Kernel().CancelTimer(&d.watchdog)
	irp := d.current
	irp.UserBuffer[0], d.die.spots, d.current = d.die.spots, 0, nil
	irp.Status, irp.Information = kernel.StatusSuccess, 1
	c.StartNextPacket(&d.device)
	c.CompleteRequest(irp)
}

// watch asks, where the interrupt may be lost, as that would have done.
func (d *dieDriver) watch(c *kernel.CPU, _ *kernel.DPC, _ any) {
	if d.current != nil {
		c.Kernel().SetTimer(&d.watchdog, c.Now().Add(2*rollTime))
		d.line.Poll(c)
	}
}

// TestOwnDevice: the World's faults reach a device of one's own, of the line and of the hardware, and it survives them.
func TestOwnDevice(t *testing.T) {
	slipped, lost := 0, uint64(0)
	sim.Test(t, func(w *sim.World) {
		dev, status := plugDie(w, "die")
		if !status.IsSuccess() {
			t.Fatal(status)
		}
		f, err := w.Open("die")
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			buf := make([]byte, 1)
			if n, err := f.ReadAsync(w.Context(), buf).Await(); n != 1 || err != nil || buf[0] < 1 || buf[0] > 6 {
				t.Fatalf("%d, %v, spots %d", n, err, buf[0])
			}
		}
		slipped += dev.slipped
		for _, m := range w.Marks() {
			if m.Name == "fault: "+kernel.LostInterrupt.String() {
				lost += m.Reached
			}
		}
	}, sim.WithFaults(sim.Faults{PassingError: 20 * sim.Percent, LostInterrupt: 20 * sim.Percent}))
	if slipped == 0 || lost == 0 {
		t.Errorf("the die slipped %d times, and %d interrupts were lost", slipped, lost)
	}
}

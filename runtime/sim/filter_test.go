package sim_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/sim"
)

// This file is a driver that stands above another one, as a module outside makes it: of exported names alone. It keeps from a
// disk what is written to it.

// cipher flips every byte on its way down, and back on its way up.
type cipher struct {
	driver kernel.DriverObject
	device kernel.DeviceObject
}

// plugCipher makes a device of that name which stands above another.
func plugCipher(w *sim.World, name, above string) kernel.Status {
	lower := w.Kernel().Device(above)
	if lower == nil {
		return kernel.StatusNoSuchDevice
	}
	d := new(cipher)
	d.driver.Name = "cipher.sys"
	for _, major := range []kernel.MajorFunction{kernel.MajorCreate, kernel.MajorCleanup, kernel.MajorClose, kernel.MajorFlush} {
		d.driver.Major[major] = d.pass
	}
	d.driver.Major[kernel.MajorRead], d.driver.Major[kernel.MajorWrite] = d.read, d.write
	d.device = kernel.DeviceObject{Name: name, Driver: &d.driver, Type: lower.Type, Lower: lower}
	return w.Kernel().AddDevice(&d.device, 1)
}

// pass has nothing to do with a request: below, it has this driver's location.
func (d *cipher) pass(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	irp.SkipCurrent()
	return c.CallDriver(dev.Lower, irp)
}

func (d *cipher) read(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	irp.CopyToNext()
	irp.SetCompletionRoutine(func(_ *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP, _ any) kernel.Status {
		if irp.PendingReturned {
			irp.MarkPending()
		}
		flip(irp.UserBuffer[:irp.Information])
		return kernel.StatusSuccess
	}, nil, true, false, false)
	return c.CallDriver(dev.Lower, irp)
}

// write gives the disk a buffer of its own: the requester's must stay as it is.
func (d *cipher) write(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	plain := irp.UserBuffer
	irp.UserBuffer = bytes.Clone(plain)
	flip(irp.UserBuffer)
	irp.CopyToNext()
	irp.SetCompletionRoutine(func(_ *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP, _ any) kernel.Status {
		if irp.PendingReturned {
			irp.MarkPending()
		}
		irp.UserBuffer = plain
		return kernel.StatusSuccess
	}, nil, true, true, true)
	return c.CallDriver(dev.Lower, irp)
}

func flip(b []byte) {
	for i := range b {
		b[i] ^= 0xff
	}
}

// TestFilterOfOnesOwn: a disk below a filter is opened, read, written, cancelled and closed as one without, whatever fails.
func TestFilterOfOnesOwn(t *testing.T) {
	sim.Test(t, func(w *sim.World) {
		kept := device.NewMemory(nil)
		if _, err := w.NewDisk("disk", kept, device.DiskConfig{Depth: 1}); err != nil {
			t.Fatal(err)
		}
		if status := plugCipher(w, "cipher", "disk"); !status.IsSuccess() {
			t.Fatal(status)
		}
		f, err := w.Open("cipher")
		if err != nil {
			return // no memory for the IRP that opens it
		}
		for i := range 8 {
			text := fmt.Sprint("plain ", i)
			if _, err := f.WriteAtAsync(w.Context(), []byte(text), 0).Await(); err != nil {
				continue
			}
			if bytes.Contains(kept.Bytes(), []byte("plain")) {
				t.Errorf("the disk has %q", kept.Bytes())
			}
			buf := make([]byte, 20)
			n, err := f.ReadAtAsync(w.Context(), buf, 0).Await()
			if got := string(buf[:n]); err == nil && got != text {
				t.Errorf("read %q, written %q", got, text)
			}
			w.Sometimes("it comes back", err == nil)
		}
		ctx, cancel := w.WithTimeout(w.Context(), time.Microsecond)
		defer cancel()
		f.ReadAtAsync(w.Context(), make([]byte, 1), 0)
		f.ReadAtAsync(ctx, make([]byte, 2), 0) // in the queue of the disk
		w.RunFor(2 * time.Microsecond)
		f.ReadAtAsync(w.Context(), make([]byte, 3), 0) // ended by Close
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}, sim.Swarm())
}

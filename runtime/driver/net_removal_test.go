package driver_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// TestAdapterPulledOut: at whatever moment, all that waits for the adapter fails once, what has arrived can still be read,
// and what comes later fails at once. The other side hears nothing, and finds out when it writes.
func TestAdapterPulledOut(t *testing.T) {
	const gone = kernel.StatusDeviceRemoved
	for at := clock.Time(0); at < 200_000; at += 4_000 {
		l := newLAN(t, uint64(at/4000), device.AdapterConfig{}, device.WireConfig{})
		client, server, listener := l.connection(t)
		accepting, token := l.socket(t)
		caller, datagram := l.open(t, "net2"), l.open(t, "net2/datagram")
		if ov := l.control(datagram, driver.ControlBind, block(0, 53, 0)); ov.Status != kernel.StatusSuccess {
			t.Fatal(ov.Status)
		}
		l.start(client, kernel.MajorWrite, []byte("early"), 0)
		l.run()
		l.at(at, func(*kernel.CPU) { l.adapters[1].Remove() })
		waiting := map[string]*kernel.Overlapped{
			"accept":  l.control(listener, driver.ControlAccept, token),
			"call":    l.control(caller, driver.ControlConnect, block(0, 0, 1<<16|99)),
			"write":   l.start(server, kernel.MajorWrite, make([]byte, 1<<20), 0),
			"receive": l.control(datagram, driver.ControlReceive, make([]byte, 100)),
		}
		read := l.start(server, kernel.MajorRead, make([]byte, 5), 0)
		waiting["read"] = l.start(server, kernel.MajorRead, make([]byte, 5), 0)
		l.run()
		if read.Status != kernel.StatusSuccess || read.Information != 5 {
			t.Errorf("%v: what had arrived: %v, %d bytes", at, read.Status, read.Information)
		}
		for what, ov := range waiting {
			if ov.InFlight() || ov.Status != gone && !(what == "call" && ov.Status == driver.StatusConnectionRefused) {
				t.Errorf("%v: %s: %v, in flight: %v", at, what, ov.Status, ov.InFlight())
			}
		}
		for what, ov := range map[string]*kernel.Overlapped{
			"accept":  l.control(listener, driver.ControlAccept, token),
			"listen":  l.control(accepting, driver.ControlListen, block(0, 81, 0)),
			"write":   l.start(server, kernel.MajorWrite, make([]byte, 1), 0),
			"read":    l.start(server, kernel.MajorRead, make([]byte, 1), 0),
			"send":    l.start(datagram, kernel.MajorWrite, make([]byte, 1), port80),
			"receive": l.control(datagram, driver.ControlReceive, make([]byte, 100)),
		} {
			if ov.InFlight() {
				t.Errorf("%v: later, %s waits", at, what)
			}
		}
		if _, status := l.CPU().Open("net2", kernel.OpenOptions{}); status != gone {
			t.Errorf("%v: open: %v", at, status)
		}
		if ov := l.start(client, kernel.MajorWrite, []byte("late"), 0); ov.Status != kernel.StatusSuccess && at > 0 {
			t.Logf("%v: the other side's write: %v", at, ov.Status) // it may have given up on what it sent before
		}
		end := l.start(client, kernel.MajorRead, make([]byte, 1<<21), 0)
		l.run()
		if end.Status == kernel.StatusSuccess { // what had left before
			end = l.start(client, kernel.MajorRead, make([]byte, 1), 0)
		}
		if end.Status != kernel.StatusIoTimeout {
			t.Errorf("%v: the other side reads %v", at, end.Status)
		}
		for _, h := range []kernel.Handle{client, server, listener, accepting, caller, datagram} {
			l.CPU().CloseHandle(h)
		}
		l.gone(t, at)
	}
}

// TestA33_ManyFailAtOnce: a thousand reads of one connection, and a hundred connections, fail in DPCs that keep their budget.
func TestA33_ManyFailAtOnce(t *testing.T) {
	l := newLAN(t, 1, device.AdapterConfig{}, device.WireConfig{})
	client, server, listener := l.connection(t)
	handles := []kernel.Handle{client, server, listener}
	var all []*kernel.Overlapped
	for range 1000 {
		all = append(all, l.start(client, kernel.MajorRead, make([]byte, 1), 0))
	}
	for range 100 {
		h := l.open(t, "net1")
		handles = append(handles, h)
		all = append(all, l.control(h, driver.ControlConnect, block(0, 0, 3<<16|7))) // there is no host 3
	}
	l.at(100_000, func(*kernel.CPU) { l.adapters[0].Remove() })
	l.run()
	for i, ov := range all {
		if ov.InFlight() || ov.Status != kernel.StatusDeviceRemoved {
			t.Fatalf("request %d: %v, in flight: %v", i, ov.Status, ov.InFlight())
		}
	}
	for _, h := range handles {
		l.CPU().CloseHandle(h)
	}
	l.gone(t, "many")
}

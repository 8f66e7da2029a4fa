package driver_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/driver"
	"github.com/nothread/nothread/runtime/kernel"
)

// lan is two adapters on a wire, in one machine.
type lan struct {
	*rig
	lines    [2]*kernel.Line
	adapters [2]*device.Adapter
	nets     [2]*driver.Net
	wire     *device.Wire
}

func newLAN(t *testing.T, seed uint64, cfg device.AdapterConfig, wire device.WireConfig) *lan {
	t.Helper()
	l := &lan{rig: newRig(seed)}
	for i, name := range []string{"net1", "net2"} {
		a, err := device.NewAdapter(name, cfg)
		if err != nil {
			t.Fatal(err)
		}
		l.lines[i] = l.NewLine(name, kernel.LevelSensitive, kernel.DeviceLevel, i%l.CPUs())
		a.Connect(&l.clk, l, l.lines[i], nil)
		net, status := driver.NewNet(l.Kernel, a, l.lines[i], uint16(i+1))
		if status != kernel.StatusSuccess {
			t.Fatal(status)
		}
		l.adapters[i], l.nets[i] = a, net
	}
	var err error
	if l.wire, err = device.NewWire(l.adapters[0], l.adapters[1], wire); err != nil {
		t.Fatal(err)
	}
	return l
}

// gone complains of what the drivers hold when all is closed.
func (l *lan) gone(t *testing.T, when any) {
	t.Helper()
	l.rest(t)
	for i, n := range l.nets {
		if n.Counts() != (driver.NetCounts{}) {
			t.Fatalf("%v: net%d still holds %+v", when, i+1, n.Counts())
		}
	}
}

func block(token uint64, local, remote uint64) []byte {
	b := make([]byte, driver.SocketBlock)
	binary.LittleEndian.PutUint64(b, token)
	binary.LittleEndian.PutUint64(b[8:], local)
	binary.LittleEndian.PutUint64(b[16:], remote)
	return b
}

const port80 = 2<<16 | 80

func (l *lan) control(h kernel.Handle, code int64, b []byte) *kernel.Overlapped {
	return l.start(h, kernel.MajorDeviceControl, b, code)
}

// listen opens a listener on host 2.
func (l *lan) listen(t *testing.T) kernel.Handle {
	t.Helper()
	h := l.open(t, "net2")
	if ov := l.control(h, driver.ControlListen, block(0, 80, 0)); ov.Status != kernel.StatusSuccess {
		t.Fatal(ov.Status)
	}
	return h
}

// socket opens a socket on host 2, for an accept; block is what that needs.
func (l *lan) socket(t *testing.T) (h kernel.Handle, block []byte) {
	t.Helper()
	h, block = l.open(t, "net2"), make([]byte, driver.SocketBlock)
	if ov := l.control(h, driver.ControlName, block); ov.Status != kernel.StatusSuccess {
		t.Fatal(ov.Status)
	}
	return h, block
}

// connection returns both ends of a connection and the listener.
func (l *lan) connection(t *testing.T) (client, server, listener kernel.Handle) {
	t.Helper()
	listener, client = l.listen(t), l.open(t, "net1")
	server, token := l.socket(t)
	accept := l.control(listener, driver.ControlAccept, token)
	connect := l.control(client, driver.ControlConnect, block(0, 0, port80))
	l.run()
	if accept.Status != 0 || connect.Status != 0 {
		t.Fatal(accept.Status, connect.Status)
	}
	return client, server, listener
}

// TestA18_CancelledBeforeTheDriver: whichever IRP is cancelled while a request goes down, at whichever moment: if it was
// the request's, before it had a cancel routine, the request is cancelled all the same.
func TestA18_CancelledBeforeTheDriver(t *testing.T) {
	cancelled := map[string]int{}
	for i := range 4 * 8 {
		for _, what := range []string{"read", "write", "accept", "connect"} {
			l := newLAN(t, 1, device.AdapterConfig{}, device.WireConfig{})
			client, server, listener := l.connection(t)
			spare, token := l.socket(t)
			caller := l.open(t, "net1")
			l.stray, l.whom = 1+i/8, uint64(i%8)
			var ov *kernel.Overlapped
			switch what {
			case "read":
				ov = l.start(client, kernel.MajorRead, make([]byte, 1), 0)
			case "write":
				ov = l.start(client, kernel.MajorWrite, make([]byte, 1<<20), 0)
			case "accept":
				ov = l.control(listener, driver.ControlAccept, token)
			case "connect":
				ov = l.control(caller, driver.ControlConnect, block(0, 0, port80))
			}
			l.stray = 0
			l.run()
			if ov.Status == kernel.StatusCancelled || what == "write" && ov.Status == kernel.StatusSuccess {
				cancelled[what]++
			}
			for _, h := range []kernel.Handle{client, server, listener, spare, caller} {
				l.CPU().CloseHandle(h)
			}
			l.gone(t, what)
		}
	}
	if len(cancelled) != 4 {
		t.Errorf("never struck: only %v", cancelled)
	}
}

// TestSmallRings: two transmit and four receive descriptors, interrupts saved up: frames wait for descriptors, and some
// are missed, and all bytes arrive.
func TestSmallRings(t *testing.T) {
	for seed := range uint64(8) {
		cfg := device.AdapterConfig{Transmit: 2, Receive: 4, MTU: 200}
		if seed%2 == 0 {
			cfg.Coalesce = device.Coalescing{Threshold: 1, Time: 1}
		}
		l := newLAN(t, seed, cfg, device.WireConfig{})
		client, server, listener := l.connection(t)
		out, in := make([]byte, 20_000), make([]byte, 20_000)
		for i := range out {
			out[i] = byte(i / 7)
		}
		write := l.start(client, kernel.MajorWrite, out, 0)
		for got := 0; got < len(in); {
			ov := l.start(server, kernel.MajorRead, in[got:], 0)
			l.run()
			if ov.Status != kernel.StatusSuccess {
				t.Fatalf("seed %d: after %d bytes: %v", seed, got, ov.Status)
			}
			got += ov.Information
		}
		if write.Information != len(out) || !bytes.Equal(in, out) {
			t.Fatalf("seed %d: wrote %d bytes; the same arrived: %v", seed, write.Information, bytes.Equal(in, out))
		}
		for _, h := range []kernel.Handle{client, server, listener} {
			l.CPU().CloseHandle(h)
		}
		l.gone(t, seed)
	}
}

// TestA27_NetInterruptLost: one side's line is dead; its watchdog looks at what it sends, and with it at what arrives.
func TestA27_NetInterruptLost(t *testing.T) {
	l := newLAN(t, 1, device.AdapterConfig{Transmit: 2}, device.WireConfig{})
	client, server, listener := l.connection(t)
	l.lines[0].Mask()
	write := l.start(client, kernel.MajorWrite, make([]byte, 10_000), 0)
	read := l.start(server, kernel.MajorRead, make([]byte, 10_000), 0)
	l.run()
	if write.Status != kernel.StatusSuccess || read.Status != kernel.StatusSuccess {
		t.Errorf("%v, %v", write.Status, read.Status)
	}
	l.lines[0].Unmask()
	for _, h := range []kernel.Handle{client, server, listener} {
		l.CPU().CloseHandle(h)
	}
	l.gone(t, "")
}

// TestA20_SocketRaces cancels a connect, an accept, a read and a write at every moment of their lives: each completes
// once, and when all is closed nothing is left anywhere.
func TestA20_SocketRaces(t *testing.T) {
	seen := map[string]int{}
	step := clock.Time(6011)
	if testing.Short() {
		step = 20011
	}
	for at := clock.Time(0); at < 700_000; at += step {
		for victim := range 4 {
			l := newLAN(t, uint64(at), device.AdapterConfig{MTU: 600}, device.WireConfig{Loss: 50_000, Reorders: 100_000})
			raceOnce(t, l, at, victim, seen)
		}
	}
	for _, want := range []string{"connect cancelled", "connect ok", "accept cancelled", "accept ok", "read cancelled", "read ok", "write ok", "write short"} {
		if seen[want] == 0 {
			t.Errorf("never: %s; %v", want, seen)
		}
	}
}

func raceOnce(t *testing.T, l *lan, at clock.Time, victim int, seen map[string]int) {
	names := [...]string{"connect", "accept", "read", "write"}
	note := func(i int, ov *kernel.Overlapped, size int) {
		switch {
		case ov.InFlight():
			t.Fatalf("cancel of the %s at %v: the %s never completes", names[victim], at, names[i])
		case ov.Status == kernel.StatusCancelled && ov.Information == 0:
			seen[names[i]+" cancelled"]++
		case ov.Status == kernel.StatusSuccess && ov.Information < size:
			seen[names[i]+" short"]++
		case ov.Status == kernel.StatusSuccess:
			seen[names[i]+" ok"]++
		default:
			seen[names[i]+" other"]++
		}
	}
	cancel := func(i int, ov *kernel.Overlapped) {
		if i == victim {
			l.at(at, func(c *kernel.CPU) { c.Cancel(ov) })
		}
	}
	listener, client := l.listen(t), l.open(t, "net1")
	server, token := l.socket(t)
	accept := l.control(listener, driver.ControlAccept, token)
	cancel(1, accept)
	connect := l.control(client, driver.ControlConnect, block(0, 0, port80))
	cancel(0, connect)
	l.run()
	if connect.Status == kernel.StatusSuccess && accept.Status == kernel.StatusCancelled {
		accept = l.control(listener, driver.ControlAccept, token) // the call is not lost
		l.run()
		seen["accept cancelled"]++
	} else if accept.InFlight() {
		l.CPU().Cancel(accept)
	}
	note(0, connect, 0)
	note(1, accept, 0)
	if connect.Status == kernel.StatusSuccess && accept.Status == kernel.StatusSuccess {
		const size = 150_000
		read := l.start(server, kernel.MajorRead, make([]byte, 100), 0)
		cancel(2, read)
		write := l.start(client, kernel.MajorWrite, make([]byte, size), 0)
		cancel(3, write)
		l.run()
		sink := make([]byte, size)
		for write.InFlight() {
			l.start(server, kernel.MajorRead, sink, 0)
			l.run()
		}
		if read.InFlight() {
			l.CPU().Cancel(read)
		}
		note(2, read, 0)
		note(3, write, size)
	}
	for _, h := range []kernel.Handle{server, client, listener} {
		l.CPU().CloseHandle(h)
	}
	l.gone(t, at)
}

// TestSocketMisuse: each request on a socket that is not ready for it is refused with a status, at once.
func TestSocketMisuse(t *testing.T) {
	l := newLAN(t, 1, device.AdapterConfig{}, device.WireConfig{})
	h, d := l.open(t, "net1"), l.open(t, "net1/datagram")
	for what, ov := range map[string]*kernel.Overlapped{
		"read":              l.start(h, kernel.MajorRead, make([]byte, 1), 0),
		"write":             l.start(h, kernel.MajorWrite, make([]byte, 1), 0),
		"accept":            l.control(h, driver.ControlAccept, block(0, 0, 0)),
		"shutdown":          l.control(h, driver.ControlShutdown, nil),
		"unknown":           l.control(h, 99, block(0, 0, 0)),
		"a datagram":        l.start(d, kernel.MajorWrite, make([]byte, 1), port80),
		"datagrams unbound": l.control(d, driver.ControlReceive, make([]byte, 99)),
	} {
		if ov.Status != driver.StatusInvalidConnection {
			t.Errorf("%s: %v", what, ov.Status)
		}
	}
	if ov := l.control(h, driver.ControlListen, make([]byte, 3)); ov.Status != kernel.StatusInvalidParameter {
		t.Errorf("a block of 3 bytes: %v", ov.Status)
	}
	l.CPU().CloseHandle(h)
	l.CPU().CloseHandle(d)
	l.gone(t, "")
}

// TestClosedListener: calls that were answered and that nobody accepts are hung up on, and an accept whose socket was
// closed takes no call with it.
func TestClosedListener(t *testing.T) {
	l := newLAN(t, 1, device.AdapterConfig{}, device.WireConfig{})
	listener := l.listen(t)
	server, token := l.socket(t)
	accept := l.control(listener, driver.ControlAccept, token)
	if again := l.control(listener, driver.ControlAccept, token); again.Status != driver.StatusInvalidConnection {
		t.Errorf("two accepts with one socket: %v", again.Status)
	}
	l.CPU().CloseHandle(server)
	var clients []kernel.Handle
	var reads []*kernel.Overlapped
	for range 3 {
		h := l.open(t, "net1")
		l.control(h, driver.ControlConnect, block(0, 0, port80))
		l.run()
		reads = append(reads, l.start(h, kernel.MajorRead, make([]byte, 1), 0))
		clients = append(clients, h)
	}
	if accept.Status != driver.StatusInvalidConnection {
		t.Errorf("an accept whose socket was closed: %v", accept.Status)
	}
	server, token = l.socket(t)
	if ov := l.control(listener, driver.ControlAccept, token); ov.Status != kernel.StatusSuccess {
		t.Error(ov.Status)
	}
	l.CPU().CloseHandle(listener)
	l.run()
	if !reads[0].InFlight() || reads[1].Status != driver.StatusConnectionReset || reads[2].Status != driver.StatusConnectionReset {
		t.Errorf("accepted: %v; not: %v, %v", reads[0].Status, reads[1].Status, reads[2].Status)
	}
	for _, h := range append(clients, server) {
		l.CPU().CloseHandle(h)
	}
	l.gone(t, "")
}

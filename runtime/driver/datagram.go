package driver

import (
	"maps"
	"slices"

	"github.com/nothread/nothread/runtime/kernel"
)

// Datagrams is the transport of datagram sockets: each write is one frame, which arrives whole, or not, or twice, in any
// order. Requests on a socket:
//
//	ControlBind      as ControlListen: gives the socket a port. Nothing else works before it
//	write            to the address that is the ByteOffset. Complete once the frame is handed to the adapter: a copy
//	ControlReceive   the next datagram. The buffer gets the sender's address, DatagramPrefix bytes, then the payload, as
//	                 much as there is room for: StatusBufferOverflow, a warning, says that there was more
//
// A datagram that nobody waits for is kept, up to a limit; beyond that it is lost.
type Datagrams struct {
	// Fixed by newDatagrams.
	net    *Net
	driver kernel.DriverObject
	device kernel.DeviceObject

	// Under the lock. Neither of the maps is ever ranged over where its order could be seen.
	sockets map[*kernel.FileObject]*datagramSocket
	ports   map[uint16]*datagramSocket
	port    uint16 // the last ephemeral port given
}

// DatagramPrefix is the size of the sender's address before a received datagram.
const DatagramPrefix = 8

const maxDatagrams = 64 // kept for a socket

// datagramSocket is a file object's part.
type datagramSocket struct {
	file     *kernel.FileObject
	port     uint16 // 0: not bound
	receives irpQueue
	kept     []datagram
}

type datagram struct {
	from    address
	payload []byte
}

func newDatagrams(k *kernel.Kernel, n *Net, name string) (*Datagrams, kernel.Status) {
	t := &Datagrams{
		net: n, port: firstEphemeral - 1,
		sockets: make(map[*kernel.FileObject]*datagramSocket), ports: make(map[uint16]*datagramSocket),
	}
	t.driver.Name = "datagram.sys"
	t.driver.Major[kernel.MajorCreate] = n.locked(t.create)
	t.driver.Major[kernel.MajorWrite] = n.locked(t.write)
	t.driver.Major[kernel.MajorDeviceControl] = n.locked(t.control)
	t.driver.Major[kernel.MajorCleanup] = t.cleanup
	t.device = kernel.DeviceObject{Name: name, Driver: &t.driver, Type: kernel.DeviceNetwork}
	return t, k.AddDevice(&t.device, 1)
}

func (t *Datagrams) create(_ *kernel.CPU, irp *kernel.IRP) kernel.Status {
	if t.net.gone {
		return t.net.done(irp, kernel.StatusDeviceRemoved, 0)
	}
	s := &datagramSocket{file: irp.File()}
	s.receives.init(t.net, func(_ *kernel.CPU, irp *kernel.IRP) { t.net.done(irp, kernel.StatusCancelled, 0) })
	t.sockets[irp.File()] = s
	return t.net.done(irp, kernel.StatusSuccess, 0)
}

func (t *Datagrams) control(c *kernel.CPU, irp *kernel.IRP) kernel.Status {
	s := t.sockets[irp.File()]
	switch code := irp.CurrentStackLocation().Parameters.ByteOffset; {
	case t.net.gone && len(s.kept) == 0:
		return t.net.done(irp, kernel.StatusDeviceRemoved, 0)
	case code == ControlBind && s.port == 0 && len(irp.UserBuffer) == SocketBlock:
		return t.bind(irp, s)
	case code == ControlReceive && s.port != 0 && len(irp.UserBuffer) >= DatagramPrefix:
		if len(s.kept) > 0 && s.receives.len() == 0 {
			d := s.kept[0]
			s.kept = append(s.kept[:0], s.kept[1:]...)
			n, status := d.put(irp.UserBuffer)
			return t.net.done(irp, status, n)
		}
		return s.receives.pend(c, &t.device, irp)
	}
	return t.net.done(irp, StatusInvalidConnection, 0)
}

// bind gives a socket a port.
func (t *Datagrams) bind(irp *kernel.IRP, s *datagramSocket) kernel.Status {
	_, local, _ := block(irp.UserBuffer)
	port := local.port
	if port == 0 {
		port = ephemeral(t.ports, &t.port)
	}
	if port == 0 || t.ports[port] != nil {
		return t.net.done(irp, StatusAddressAlreadyExists, 0)
	}
	s.port, t.ports[port] = port, s
	setBlock(irp.UserBuffer, 0, address{t.net.host, port}, address{})
	return t.net.done(irp, kernel.StatusSuccess, SocketBlock)
}

// write sends a datagram.
func (t *Datagrams) write(c *kernel.CPU, irp *kernel.IRP) kernel.Status {
	s, n := t.sockets[irp.File()], len(irp.UserBuffer)
	switch {
	case t.net.gone:
		return t.net.done(irp, kernel.StatusDeviceRemoved, 0)
	case s.port == 0:
		return t.net.done(irp, StatusInvalidConnection, 0)
	case n > t.net.adapter.MTU()-headerSize:
		return t.net.done(irp, StatusBufferTooLong, 0)
	}
	f := t.net.pool.get(n)
	h := header{
		protocol: protocolDatagram, length: uint16(n), from: address{t.net.host, s.port},
		to: unpack(uint64(irp.CurrentStackLocation().Parameters.ByteOffset)),
	}
	h.encode(f.data)
	copy(f.payload(), irp.UserBuffer)
	t.net.send(c, f)
	return t.net.done(irp, kernel.StatusSuccess, n)
}

// receive gives a datagram to who waits for it, or keeps a copy.
func (t *Datagrams) receive(c *kernel.CPU, h *header, payload []byte) {
	s := t.ports[h.to.port]
	if s == nil {
		return
	}
	d := datagram{h.from, payload}
	if irp := s.receives.next(c, s.file); irp != nil {
		n, status := d.put(irp.UserBuffer)
		t.net.done(irp, status, n)
		return
	}
	if len(s.kept) < maxDatagrams {
		d.payload = append([]byte(nil), payload...)
		s.kept = append(s.kept, d)
	}
}

// failReceives fails the receives that wait, within the budget: the adapter is gone.
func (t *Datagrams) failReceives(c *kernel.CPU) {
	for _, port := range slices.Sorted(maps.Keys(t.ports)) {
		s := t.ports[port]
		for t.net.budget > 0 {
			irp := s.receives.next(c, s.file)
			if irp == nil {
				break
			}
			t.net.budget--
			t.net.done(irp, kernel.StatusDeviceRemoved, 0)
		}
	}
}

// put writes a datagram to a receive's buffer.
func (d *datagram) put(b []byte) (int, kernel.Status) {
	le.PutUint64(b, d.from.pack())
	n := copy(b[DatagramPrefix:], d.payload)
	if n < len(d.payload) {
		return DatagramPrefix + n, kernel.StatusBufferOverflow
	}
	return DatagramPrefix + n, kernel.StatusSuccess
}

// cleanup is the close of a socket.
func (t *Datagrams) cleanup(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	file := irp.File()
	t.net.enter(c)
	s := t.sockets[file]
	delete(t.sockets, file)
	if s.port != 0 {
		delete(t.ports, s.port)
	}
	t.net.leave(c)
	s.receives.cancelAll(c, dev, file)
	return complete(c, irp, kernel.StatusSuccess, 0)
}

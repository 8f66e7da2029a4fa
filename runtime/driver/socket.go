package driver

import (
	"cmp"
	"maps"
	"slices"

	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the stream transport's upper half: what requests on a stream socket do. The lower half, what a connection
// does with frames, is stream.go.

// The control codes of sockets: the ByteOffset of a device control request. Its buffer is a block of SocketBlock bytes,
// three little-endian numbers: a token, a local address, a remote address. An address is a host's number times 65536
// plus a port.
const (
	ControlListen  = 1 + iota // in: local port, 0 for any; token: how many may wait. out: local address
	ControlConnect            // in: remote address. Pends until connected. out: local address
	ControlName               // out: the socket's token
	ControlAccept             // in: token of a new socket. Pends until somebody calls; then that socket is the connection, whatever
	// becomes of the listener. out: both addresses
	ControlShutdown // no more writes: after the last byte the other side reads the end of the stream
	ControlBind     // of a datagram socket: as ControlListen
	ControlReceive  // of a datagram socket: see Datagrams
)

// SocketBlock is the size of a control's buffer.
const SocketBlock = 24

// The statuses of sockets, with Windows' values.
const (
	StatusAddressAlreadyExists kernel.Status = 0xC000020A
	StatusConnectionReset      kernel.Status = 0xC000020D
	StatusConnectionRefused    kernel.Status = 0xC0000236
	StatusBufferTooLong        kernel.Status = 0xC0000206 // STATUS_INVALID_BUFFER_SIZE
	StatusInvalidConnection    kernel.Status = 0xC0000140
	StatusPipeClosing          kernel.Status = 0xC00000B1 // a write after the shutdown
)

const (
	firstEphemeral = 49152 // ports from here on are given to those who do not ask for one
	defaultBacklog = 128
)

// Streams is the transport of stream sockets: a driver whose file objects are sockets. A socket begins as nothing, and
// becomes a listener (ControlListen) or one end of a connection (ControlConnect, and ControlAccept of a listener).
//
// Its state is touched under the adapter's lock only. Every request that cannot be answered at once stands in an irpQueue, so it
// can be cancelled at any time; no IRP is ever the hardware's, for what goes over the wire are copies.
type Streams struct {
	// Fixed by newStreams.
	net    *Net
	driver kernel.DriverObject
	device kernel.DeviceObject

	// Under the lock. None of the maps is ever ranged over where its order could be seen.
	sockets   map[*kernel.FileObject]*socket
	streams   map[streamKey]*stream
	listeners map[uint16]*listener
	byToken   map[uint64]*socket
	calls     uint32 // number of the last call from here
	tokens    uint64
	port      uint16    // the last ephemeral port given
	due       []*stream // owe the other side an answer
	behind    []*stream // have more to send than one DPC may
}

// streamKey is by what an arriving frame finds its connection.
type streamKey struct {
	local      uint16
	remote     address
	connection uint32
}

// socket is what a file object is.
type socket struct {
	file     *kernel.FileObject
	token    uint64
	stream   *stream
	listener *listener
	promised bool // an accept waits with it
}

// unused reports whether a socket is nothing yet.
func (k *socket) unused() bool { return k.stream == nil && k.listener == nil && !k.promised }

// listener is a socket that others call.
type listener struct {
	file    *kernel.FileObject
	port    uint16
	backlog int // calls that may be waiting, for us or for the caller's last word
	waiting int // how many do
	ready   []*stream
	halfway []*stream
	accepts irpQueue
}

func newStreams(k *kernel.Kernel, n *Net, name string) (*Streams, kernel.Status) {
	t := &Streams{
		net: n, port: firstEphemeral - 1,
		sockets: make(map[*kernel.FileObject]*socket), streams: make(map[streamKey]*stream),
		listeners: make(map[uint16]*listener), byToken: make(map[uint64]*socket),
	}
	t.driver.Name = "stream.sys"
	t.driver.Major[kernel.MajorCreate] = n.locked(t.create)
	t.driver.Major[kernel.MajorRead] = n.locked(t.read)
	t.driver.Major[kernel.MajorWrite] = n.locked(t.write)
	t.driver.Major[kernel.MajorDeviceControl] = n.locked(t.control)
	t.driver.Major[kernel.MajorCleanup] = t.cleanup
	t.device = kernel.DeviceObject{Name: name, Driver: &t.driver, Type: kernel.DeviceNetwork}
	return t, k.AddDevice(&t.device, 1)
}

func (t *Streams) create(_ *kernel.CPU, irp *kernel.IRP) kernel.Status {
	if t.net.gone {
		return t.net.done(irp, kernel.StatusDeviceRemoved, 0)
	}
	t.tokens++
	k := &socket{file: irp.File(), token: t.tokens}
	t.sockets[irp.File()], t.byToken[k.token] = k, k
	return t.net.done(irp, kernel.StatusSuccess, 0)
}

// read answers from what has arrived, or waits for more.
func (t *Streams) read(c *kernel.CPU, irp *kernel.IRP) kernel.Status {
	s := t.sockets[irp.File()].stream
	switch {
	case s == nil:
		return t.net.done(irp, StatusInvalidConnection, 0)
	case len(irp.UserBuffer) == 0:
		return t.net.done(irp, kernel.StatusSuccess, 0)
	case s.reads.len() > 0 || !s.readable():
		return s.reads.pend(c, &t.device, irp)
	}
	n, status := s.consume(c, irp.UserBuffer)
	return t.net.done(irp, status, n)
}

// write cuts the buffer into frames as far as the other side's window and ours let it; the rest waits for them. So it is
// complete when all its bytes are copied, and none of them need have arrived.
func (t *Streams) write(c *kernel.CPU, irp *kernel.IRP) kernel.Status {
	s := t.sockets[irp.File()].stream
	switch {
	case s == nil || s.state == connecting:
		return t.net.done(irp, StatusInvalidConnection, 0)
	case len(irp.UserBuffer) == 0:
		return t.net.done(irp, kernel.StatusSuccess, 0)
	case s.over != kernel.StatusSuccess:
		return t.net.done(irp, s.over, 0)
	case s.shut:
		return t.net.done(irp, StatusPipeClosing, 0)
	}
	irp.Information = 0
	if s.writes.len() == 0 && s.fill(c, irp) {
		return t.net.done(irp, kernel.StatusSuccess, len(irp.UserBuffer))
	}
	return s.writes.pend(c, &t.device, irp)
}

// control is everything else.
func (t *Streams) control(c *kernel.CPU, irp *kernel.IRP) kernel.Status {
	sl := irp.CurrentStackLocation()
	k := t.sockets[irp.File()]
	if sl.Parameters.ByteOffset != ControlShutdown && len(irp.UserBuffer) != SocketBlock {
		return t.net.done(irp, kernel.StatusInvalidParameter, 0)
	}
	switch code := sl.Parameters.ByteOffset; {
	case t.net.gone && code != ControlShutdown:
		return t.net.done(irp, kernel.StatusDeviceRemoved, 0)
	case code == ControlName:
		setBlock(irp.UserBuffer, k.token, address{}, address{})
		return t.net.done(irp, kernel.StatusSuccess, SocketBlock)
	case code == ControlListen && k.unused():
		return t.listen(irp, k)
	case code == ControlConnect && k.unused():
		return t.connect(c, irp, k)
	case code == ControlAccept && k.listener != nil:
		return t.accept(c, irp, k.listener)
	case code == ControlShutdown && k.stream != nil && k.stream.state != connecting:
		k.stream.shut = true
		k.stream.pump(c)
		return t.net.done(irp, kernel.StatusSuccess, 0)
	}
	return t.net.done(irp, StatusInvalidConnection, 0)
}

// listen makes a listener of a socket.
func (t *Streams) listen(irp *kernel.IRP, k *socket) kernel.Status {
	token, local, _ := block(irp.UserBuffer)
	port := local.port
	if port == 0 {
		port = ephemeral(t.listeners, &t.port)
	}
	if port == 0 || t.listeners[port] != nil {
		return t.net.done(irp, StatusAddressAlreadyExists, 0)
	}
	l := &listener{file: irp.File(), port: port, backlog: int(min(token, 1<<20))}
	if l.backlog == 0 {
		l.backlog = defaultBacklog
	}
	l.accepts.init(t.net, func(_ *kernel.CPU, irp *kernel.IRP) {
		if k := t.promised(irp); k != nil {
			k.promised = false
		}
		t.net.done(irp, kernel.StatusCancelled, 0)
	})
	k.listener, t.listeners[port] = l, l
	setBlock(irp.UserBuffer, 0, address{t.net.host, port}, address{})
	return t.net.done(irp, kernel.StatusSuccess, SocketBlock)
}

// ephemeral returns the next port after the last one given that is not in use, 0 if all are: for who does not ask for one.
func ephemeral[S any](inUse map[uint16]S, last *uint16) uint16 {
	for range 1<<16 - firstEphemeral {
		*last = max(*last+1, firstEphemeral)
		if _, taken := inUse[*last]; !taken {
			return *last
		}
	}
	return 0
}

// connect calls another machine, or this one.
func (t *Streams) connect(c *kernel.CPU, irp *kernel.IRP, k *socket) kernel.Status {
	_, _, remote := block(irp.UserBuffer)
	local := ephemeral(t.listeners, &t.port)
	if local == 0 {
		return t.net.done(irp, StatusAddressAlreadyExists, 0)
	}
	t.calls++
	s := t.newStream(streamKey{local, remote, t.calls})
	s.state, s.file, k.stream = connecting, irp.File(), s
	setBlock(irp.UserBuffer, 0, address{t.net.host, s.key.local}, remote)
	status := s.calls.pend(c, &t.device, irp)
	if s.calls.len() > 0 { // else it was cancelled already
		s.sendSyn(c)
	}
	return status
}

// accept answers with a call that waits, or waits for one.
func (t *Streams) accept(c *kernel.CPU, irp *kernel.IRP, l *listener) kernel.Status {
	k := t.promised(irp)
	if k == nil || !k.unused() {
		return t.net.done(irp, StatusInvalidConnection, 0)
	}
	k.promised = true
	if len(l.ready) > 0 && l.accepts.len() == 0 {
		return t.hand(l, irp)
	}
	return l.accepts.pend(c, &t.device, irp)
}

// promised returns the socket that an accept brings along; nil if it was closed meanwhile.
func (t *Streams) promised(accept *kernel.IRP) *socket {
	token, _, _ := block(accept.UserBuffer)
	return t.byToken[token]
}

// hand answers an accept: its socket becomes the end of the connection that has waited longest.
func (t *Streams) hand(l *listener, accept *kernel.IRP) kernel.Status {
	k := t.promised(accept)
	if k == nil {
		return t.net.done(accept, StatusInvalidConnection, 0)
	}
	s := l.ready[0]
	l.ready = slices.Delete(l.ready, 0, 1)
	l.waiting--
	s.listener = nil
	k.stream, k.promised, s.file = s, false, k.file
	setBlock(accept.UserBuffer, k.token, address{t.net.host, s.key.local}, s.key.remote)
	return t.net.done(accept, kernel.StatusSuccess, SocketBlock)
}

// failAccepts fails the accepts that wait, within the budget: the adapter is gone.
func (t *Streams) failAccepts(c *kernel.CPU) {
	for _, port := range slices.Sorted(maps.Keys(t.listeners)) {
		l := t.listeners[port]
		for t.net.budget > 0 {
			accept := l.accepts.next(c, l.file)
			if accept == nil {
				break
			}
			t.net.budget--
			if k := t.promised(accept); k != nil {
				k.promised = false
			}
			t.net.done(accept, kernel.StatusDeviceRemoved, 0)
		}
	}
}

// byCall is an order of connections.
func byCall(a, b *stream) int {
	return cmp.Or(cmp.Compare(a.key.local, b.key.local), cmp.Compare(a.key.remote.pack(), b.key.remote.pack()),
		cmp.Compare(a.key.connection, b.key.connection))
}

// ring tells a listener that a call has come through.
func (t *Streams) ring(c *kernel.CPU, l *listener) {
	for len(l.ready) > 0 {
		accept := l.accepts.next(c, l.file)
		if accept == nil {
			return
		}
		t.hand(l, accept)
	}
}

// cleanup is the close of a socket: what waits on it is cancelled; a connection ends in order if all that arrived was
// read, and is reset if not. What a connection has taken of writes is still delivered.
func (t *Streams) cleanup(c *kernel.CPU, dev *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
	file := irp.File()
	t.net.enter(c)
	k := t.sockets[file]
	delete(t.sockets, file)
	delete(t.byToken, k.token)
	if k.listener != nil {
		delete(t.listeners, k.listener.port)
	}
	if k.stream != nil {
		k.stream.shut, k.stream.closed = true, true
	}
	t.net.leave(c)
	if l := k.listener; l != nil {
		l.accepts.cancelAll(c, dev, file)
	}
	if s := k.stream; s != nil {
		for _, q := range [...]*irpQueue{&s.calls, &s.reads, &s.writes} {
			q.cancelAll(c, dev, file)
		}
	}
	t.net.enter(c)
	t.hangUp(c, k)
	t.net.leave(c)
	return complete(c, irp, kernel.StatusSuccess, 0)
}

// hangUp ends what a socket was, when nothing waits on it any more.
func (t *Streams) hangUp(c *kernel.CPU, k *socket) {
	if l := k.listener; l != nil {
		for _, s := range append(l.ready, l.halfway...) {
			s.listener = nil
			s.abort(c)
		}
		l.ready, l.halfway = nil, nil
	}
	if s := k.stream; s != nil {
		s.file = nil
		if s.state == connecting || s.unread() > 0 {
			s.abort(c)
		} else {
			s.pump(c)
		}
	}
}

// block reads a control's buffer.
func block(b []byte) (token uint64, local, remote address) {
	return le.Uint64(b), unpack(le.Uint64(b[8:])), unpack(le.Uint64(b[16:]))
}

// setBlock writes it.
func setBlock(b []byte, token uint64, local, remote address) {
	le.PutUint64(b, token)
	le.PutUint64(b[8:], local.pack())
	le.PutUint64(b[16:], remote.pack())
}

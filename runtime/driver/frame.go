package driver

import (
	"encoding/binary"

	"github.com/nothread/nothread/runtime/clock"
)

// This file is what goes over the wire: a header of fixed size and a payload.

// address is a machine and a port on it.
type address struct{ host, port uint16 }

// pack makes one number of an address, as requests and the blocks of controls carry it.
func (a address) pack() uint64 { return uint64(a.host)<<16 | uint64(a.port) }

func unpack(n uint64) address { return address{uint16(n >> 16), uint16(n)} }

// The protocols.
const (
	protocolStream   = 1
	protocolDatagram = 2
)

// The flags of a stream's frames.
const (
	flagSyn    = 1 << iota // the first frame of a direction; takes one number of the sequence
	flagFin                // the last one; takes one number of the sequence
	flagAck                // ack, edge and seen are valid
	flagReset              // there is no such connection, or no more
	flagUpdate             // answer this: it is about a window that was closed
)

// header stands before each payload. Positions count bytes of one direction of a stream, from 0; the SYN is number 0.
type header struct {
	protocol   uint8
	flags      uint8
	length     uint16 // of the payload
	from, to   address
	connection uint32 // which of the connections between the two addresses; the caller's choice
	seq        uint64 // the position of the first byte
	ack        uint64 // the position up to which all has arrived
	edge       uint64 // the position up to which the other side may send
	seen       uint64 // the largest edge that was received from the other side
}

const headerSize = 48

// le is how numbers are written, on the wire and in control blocks.
var le = binary.LittleEndian

// encode writes the header to the beginning of a frame.
func (h *header) encode(b []byte) {
	b[0], b[1] = h.protocol, h.flags
	le.PutUint16(b[2:], h.length)
	le.PutUint32(b[4:], uint32(h.from.pack()))
	le.PutUint32(b[8:], uint32(h.to.pack()))
	le.PutUint32(b[12:], h.connection)
	le.PutUint64(b[16:], h.seq)
	le.PutUint64(b[24:], h.ack)
	le.PutUint64(b[32:], h.edge)
	le.PutUint64(b[40:], h.seen)
}

// decode takes a frame apart; false if it is none of ours.
func decode(b []byte) (h header, payload []byte, ok bool) {
	if len(b) < headerSize {
		return h, nil, false
	}
	h = header{
		protocol: b[0], flags: b[1], length: le.Uint16(b[2:]),
		from: unpack(uint64(le.Uint32(b[4:]))), to: unpack(uint64(le.Uint32(b[8:]))),
		connection: le.Uint32(b[12:]), seq: le.Uint64(b[16:]), ack: le.Uint64(b[24:]), edge: le.Uint64(b[32:]), seen: le.Uint64(b[40:]),
	}
	payload = b[headerSize:]
	return h, payload, len(payload) == int(h.length)
}

// frame is a frame in memory, with what its stream knows of it. It is pooled: refs counts who still needs it.
type frame struct {
	data    []byte // header and payload
	refs    int
	leaving bool // the adapter, or the backlog before it, has it: its bytes must not change

	// A stream's.
	flags  uint8
	seq    uint64 // the position of its first byte
	end    uint64 // the position after its last
	sentAt clock.Time
	again  bool // sent more than once: it tells nothing about the time that a frame takes

	next     *frame // in the list of frames that wait for the adapter, or in the pool
	nextSent *frame // in a stream's list of frames that are not acknowledged
}

func (f *frame) payload() []byte { return f.data[headerSize:] }

// to is the machine that the frame is for.
func (f *frame) to() uint16 { return unpack(uint64(le.Uint32(f.data[8:]))).host }

// frameList is a first-in, first-out list.
type frameList struct{ head, tail *frame }

func (l *frameList) push(f *frame) {
	f.next = nil
	if l.head == nil {
		l.head = f
	} else {
		l.tail.next = f
	}
	l.tail = f
}

func (l *frameList) pop() *frame {
	f := l.head
	l.head = f.next
	f.next = nil
	return f
}

// framePool keeps frames that nobody needs.
type framePool struct {
	size int // bytes of a frame
	free *frame
	out  int // frames that are not in the pool
}

// get returns a frame with room for n bytes of payload. The caller does not hold a reference yet.
func (p *framePool) get(n int) *frame {
	f := p.free
	if f == nil {
		f = &frame{data: make([]byte, p.size)}
	} else {
		p.free = f.next
	}
	p.out++
	*f = frame{data: f.data[:headerSize+n]}
	return f
}

// release gives a reference up.
func (p *framePool) release(f *frame) {
	f.refs--
	if f.refs > 0 {
		return
	}
	p.out--
	f.next = p.free
	p.free = f
}

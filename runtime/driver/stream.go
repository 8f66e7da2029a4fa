package driver

import (
	"slices"

	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the lower half of a stream socket: a connection as a small TCP has it. Bytes are numbered, each frame says
// how far the other direction has arrived, and what is not acknowledged in time is sent again (streamtimer.go).
//
//	caller                      listener
//	SYN          ──▶                        a call
//	             ◀──         SYN, ACK       taken
//	ACK          ──▶                        and now it can be accepted
//	bytes, ACK   ◀─▶       bytes, ACK       each direction by itself
//	FIN, ACK     ──▶                        "no more from me": the other side reads the end
//	             ◀──         FIN, ACK       when it is done too
//	ACK          ──▶                        should this be lost, FIN comes again and finds nobody: a RST, and that is an answer too
//
// A window that closes opens again by the reader's doing: it repeats its frame until the writer has answered. So nothing
// runs for a connection on which both sides wait, and a World with only such ones has nothing left to do.

const (
	receiveWindow = 64 << 10 // bytes that may be on their way to a reader or wait for it
	sendWindow    = 64 << 10 // bytes that may be unacknowledged
	maxEarly      = 256      // frames kept that arrived before an earlier one
)

// streamState is where a connection is in its life.
type streamState uint8

const (
	connecting  streamState = iota // a SYN is sent
	answering                      // a SYN has come, and was answered
	established                    // until both directions have ended
	gone                           // the network knows nothing of it any more; a socket may
)

// stream is one end of a connection. Its fields are touched under the adapter's lock.
type stream struct {
	t        *Streams
	key      streamKey
	state    streamState
	listener *listener          // which a call has come to that is not accepted yet
	file     *kernel.FileObject // whose socket it is; nil before and after
	over     kernel.Status      // how it ended, if that was not in order

	// Requests that wait.
	calls, reads, writes irpQueue

	// What goes out.
	una        uint64    // all before it has arrived
	next       uint64    // the position after the last byte sent
	edge       uint64    // the position up to which the reader takes
	unacked    frameList // in order, linked by nextSent
	shut       bool      // no more writes
	closed     bool      // no more reads either: there is no socket
	finSent    bool
	late       bool // stands in t.behind
	duplicates int  // acknowledgements that said nothing new
	recover    uint64

	// What comes in.
	arrived  uint64 // all before it is here
	buffered []byte // what has arrived, from consumed on not read yet
	consumed int
	ended    bool    // their FIN is here, and all before it
	early    []early // by position
	seen     uint64  // the edge that the writer knows of for certain
	owes     bool    // an answer
	due      bool    // stands in t.due

	timing // streamtimer.go
}

// early is what arrived before something that should have come first.
type early struct {
	seq  uint64
	data []byte
	fin  bool
}

func (t *Streams) newStream(key streamKey) *stream {
	s := &stream{t: t, key: key}
	s.calls.init(t.net, func(c *kernel.CPU, irp *kernel.IRP) {
		s.abort(c)
		s.t.net.done(irp, kernel.StatusCancelled, 0)
	})
	s.reads.init(t.net, func(_ *kernel.CPU, irp *kernel.IRP) { s.t.net.done(irp, kernel.StatusCancelled, 0) })
	s.writes.init(t.net, func(c *kernel.CPU, irp *kernel.IRP) {
		// What has gone cannot be taken back: then it is a short write.
		if n := irp.Information; n > 0 {
			s.t.net.done(irp, kernel.StatusSuccess, n)
		} else {
			s.t.net.done(irp, kernel.StatusCancelled, 0)
		}
		s.pump(c) // it may have held up others, or the end
	})
	s.timing.init(s)
	t.streams[key] = s
	return s
}

// receive finds out whom a frame is for.
func (t *Streams) receive(c *kernel.CPU, h *header, payload []byte) {
	s := t.streams[streamKey{h.to.port, h.from, h.connection}]
	switch l := t.listeners[h.to.port]; {
	case s != nil:
		s.input(c, h, payload)
	case h.flags&flagReset != 0:
	case h.flags&(flagSyn|flagAck) == flagSyn && l != nil:
		if l.waiting < l.backlog { // else the caller will call again
			t.answer(c, l, h)
		}
	default:
		t.sendBare(c, h.from, header{flags: flagReset, connection: h.connection, from: h.to})
	}
}

// answer takes a call. The connection counts once the caller has confirmed it.
func (t *Streams) answer(c *kernel.CPU, l *listener, h *header) {
	s := t.newStream(streamKey{h.to.port, h.from, h.connection})
	s.state, s.listener = answering, l
	s.arrived, s.edge, s.seen = 1, h.edge, h.seen
	l.waiting++
	l.halfway = append(l.halfway, s)
	s.transmit(c, s.newFrame(0, flagSyn|flagAck))
}

// sendSyn calls.
func (s *stream) sendSyn(c *kernel.CPU) { s.transmit(c, s.newFrame(0, flagSyn)) }

// input is one frame of the connection.
func (s *stream) input(c *kernel.CPU, h *header, payload []byte) {
	if h.flags&flagReset != 0 {
		s.wasReset(c)
		return
	}
	if h.flags&flagAck != 0 && h.ack > s.next {
		if s.state == answering { // it confirms something else: an old call of the same number came late
			s.abort(c)
		}
		return
	}
	if h.flags&flagSyn != 0 {
		if s.state == connecting && h.flags&flagAck != 0 {
			s.arrived, s.seen = 1, h.seen
			s.connected(c)
		}
		s.owe() // also one that comes again: our answer to it was lost
	}
	if s.state == connecting {
		return
	}
	if h.flags&flagAck != 0 {
		s.acknowledged(c, h, len(payload))
	}
	if s.state == answering && s.una > 0 {
		s.confirmed(c)
	}
	if h.flags&flagUpdate != 0 {
		s.owe()
	}
	if len(payload) > 0 || h.flags&flagFin != 0 {
		s.arrive(c, h.seq, payload, h.flags&flagFin != 0)
	}
	if s.state != gone {
		s.pump(c)
		s.finish(c)
	}
}

// connected completes the call.
func (s *stream) connected(c *kernel.CPU) {
	s.state = established
	if call := s.calls.next(c, s.file); call != nil {
		s.t.net.done(call, kernel.StatusSuccess, SocketBlock)
	}
}

// confirmed makes a call that was answered one that can be accepted.
func (s *stream) confirmed(c *kernel.CPU) {
	s.state = established
	l := s.listener
	s.leaveHalfway()
	l.ready = append(l.ready, s)
	s.t.ring(c, l)
}

func (s *stream) leaveHalfway() {
	l := s.listener
	if i := slices.Index(l.halfway, s); i >= 0 {
		l.halfway = slices.Delete(l.halfway, i, i+1)
	}
}

// arrive takes bytes of a position, and what came too early for as long as it fits to them.
func (s *stream) arrive(c *kernel.CPU, seq uint64, data []byte, fin bool) {
	s.owe()
	if seq > s.arrived {
		s.keepEarly(seq, data, fin)
		return
	}
	s.accept(c, seq, data, fin)
	for len(s.early) > 0 && s.early[0].seq <= s.arrived && s.state != gone {
		e := s.early[0]
		s.early = append(s.early[:0], s.early[1:]...)
		s.accept(c, e.seq, e.data, e.fin)
	}
}

// accept takes bytes of a position that has come, as far as they are new.
func (s *stream) accept(c *kernel.CPU, seq uint64, data []byte, fin bool) {
	old := s.arrived - seq
	if s.ended || old > uint64(len(data)) {
		return
	}
	data = data[old:]
	if len(data) > 0 && s.closed {
		s.abort(c) // nobody will read it, and the writer should know
		return
	}
	s.arrived += uint64(len(data))
	s.buffered = append(s.buffered, data...)
	if fin {
		s.ended = true
		s.arrived++
	}
	s.serve(c)
}

// keepEarly keeps a copy of bytes until those before them are there.
func (s *stream) keepEarly(seq uint64, data []byte, fin bool) {
	if len(s.early) >= maxEarly || seq+uint64(len(data)) > s.limit() {
		return
	}
	i := len(s.early)
	for i > 0 && s.early[i-1].seq >= seq {
		i--
	}
	if i < len(s.early) && s.early[i].seq == seq {
		return
	}
	s.early = append(s.early, early{})
	copy(s.early[i+1:], s.early[i:])
	s.early[i] = early{seq, append([]byte(nil), data...), fin}
}

// unread returns how many bytes have arrived and were not read.
func (s *stream) unread() int { return len(s.buffered) - s.consumed }

// limit returns the position up to which the other side may send.
func (s *stream) limit() uint64 { return s.arrived - uint64(s.unread()) + receiveWindow }

// readable reports whether a read can be answered.
func (s *stream) readable() bool {
	return s.unread() > 0 || s.ended || s.over != kernel.StatusSuccess
}

// consume is one read of a stream that is readable: bytes, or the end, or what ended it.
func (s *stream) consume(c *kernel.CPU, buf []byte) (int, kernel.Status) {
	if s.unread() == 0 {
		if s.ended {
			return 0, kernel.StatusEndOfFile
		}
		return 0, s.over
	}
	n := copy(buf, s.buffered[s.consumed:])
	s.consumed += n
	if s.consumed == len(s.buffered) {
		s.buffered, s.consumed = s.buffered[:0], 0
	} else if s.consumed > receiveWindow {
		s.buffered = append(s.buffered[:0], s.buffered[s.consumed:]...)
		s.consumed = 0
	}
	s.windowOpened(c)
	return n, kernel.StatusSuccess
}

// serve answers reads that wait.
func (s *stream) serve(c *kernel.CPU) {
	for s.readable() {
		irp := s.reads.next(c, s.file)
		if irp == nil {
			return
		}
		n, status := s.consume(c, irp.UserBuffer)
		s.t.net.done(irp, status, n)
	}
}

// pump sends what may be sent: of the writes that wait, and the FIN.
func (s *stream) pump(c *kernel.CPU) {
	if s.state != established {
		return
	}
	for {
		irp := s.writes.claim(c, s.file)
		if irp == nil {
			break
		}
		if !s.fill(c, irp) {
			s.writes.unclaim(c, irp)
			return
		}
		s.writes.remove(irp)
		s.t.net.done(irp, kernel.StatusSuccess, irp.Information)
	}
	if s.shut && !s.finSent && s.writes.len() == 0 {
		s.finSent = true
		s.transmit(c, s.newFrame(0, flagFin|flagAck))
	}
}

// fill sends a write's bytes as far as both windows let it and reports whether that was all. Information counts them.
func (s *stream) fill(c *kernel.CPU, irp *kernel.IRP) bool {
	for irp.Information < len(irp.UserBuffer) {
		room := min(int64(s.edge-s.next), sendWindow-int64(s.next-s.una))
		if room <= 0 {
			return false
		}
		if s.t.net.budget--; s.t.net.budget < 0 {
			s.fallBehind(c)
			return false
		}
		rest := irp.UserBuffer[irp.Information:]
		n := int(min(room, int64(s.segment()), int64(len(rest))))
		f := s.newFrame(n, flagAck)
		copy(f.payload(), rest)
		irp.Information += n
		s.transmit(c, f)
	}
	return true
}

// fallBehind leaves the rest to another DPC (A33).
func (s *stream) fallBehind(c *kernel.CPU) {
	if !s.late {
		s.late = true
		s.t.behind = append(s.t.behind, s)
	}
	c.QueueDPC(&s.t.net.dpc, nil)
}

// catchUp goes on with the streams that have fallen behind, in turn.
func (t *Streams) catchUp(c *kernel.CPU) {
	late := t.behind
	t.behind = nil
	for i, s := range late {
		if t.net.budget <= 0 {
			t.behind = append(t.behind, late[i:]...)
			return
		}
		s.late = false
		s.pump(c)
	}
}

// segment returns how many bytes a frame takes.
func (s *stream) segment() int { return s.t.net.adapter.MTU() - headerSize }

// finish lets the connection go when both directions have ended, with a last answer. Nobody needs to stay in case that is
// lost, as TCP does: numbers of connections are not used again, so a RST to a FIN can only mean that it has arrived.
func (s *stream) finish(c *kernel.CPU) {
	if s.state != established || !s.finSent || s.una != s.next || !s.ended {
		return
	}
	if s.owes {
		s.t.sendBare(c, s.key.remote, s.bare(flagAck))
	}
	s.forget(c)
}

// wasReset ends the connection because the other side knows nothing of it.
func (s *stream) wasReset(c *kernel.CPU) {
	switch {
	case s.state == connecting:
		s.fail(c, StatusConnectionRefused)
	case s.finSent && s.ended:
		s.forget(c) // it was over, and only the other side knew
	default:
		s.fail(c, StatusConnectionReset)
	}
}

// abort ends the connection and tells the other side.
func (s *stream) abort(c *kernel.CPU) {
	if s.state != gone {
		s.t.sendBare(c, s.key.remote, header{flags: flagReset, connection: s.key.connection, from: address{s.t.net.host, s.key.local}})
		s.fail(c, StatusConnectionReset)
	}
}

// fail ends the connection, and all that waits on it with it.
func (s *stream) fail(c *kernel.CPU, status kernel.Status) {
	s.over = status
	if s.state == answering && s.listener != nil {
		s.listener.waiting--
		s.leaveHalfway()
	}
	s.forget(c)
	s.serve(c)
	for _, q := range [...]*irpQueue{&s.calls, &s.writes} {
		for irp := q.next(c, s.file); irp != nil; irp = q.next(c, s.file) {
			s.t.net.done(irp, status, irp.Information)
		}
	}
}

// forget takes the connection off the network. What has arrived can still be read.
func (s *stream) forget(c *kernel.CPU) {
	s.state = gone
	delete(s.t.streams, s.key)
	s.stop(c)
	for f := s.unacked.head; f != nil; f = s.unacked.head {
		s.unacked.head = f.nextSent
		s.t.net.pool.release(f)
	}
	s.unacked.tail, s.early, s.owes = nil, nil, false
}

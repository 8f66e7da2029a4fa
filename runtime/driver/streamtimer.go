package driver

import (
	"time"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is what a connection knows of time: how long a frame takes, when to send one again, when to give up. And so
// it is the sending of frames and the receipt of acknowledgements.

const (
	firstTimeout = 5 * time.Millisecond   // until it is known how long a frame takes
	minTimeout   = 500 * time.Microsecond // no less: timers have other work
	maxTimeout   = 100 * time.Millisecond // each time that a frame is sent again it is twice as long, up to this
	maxTries     = 16                     // then the other side is unreachable
)

// timing is a stream's clockwork: one timer for the earlier of two deadlines, each 0 if there is none.
type timing struct {
	resendAt clock.Time // the oldest unacknowledged frame is sent again
	updateAt clock.Time // the writer has not answered about the window

	timer   kernel.Timer
	dpc     kernel.DPC
	armedAt clock.Time // 0: the timer is not set

	tries   int           // of the oldest frame
	updates int           // of the window update
	edgeTo  uint64        // what the update says
	timeout time.Duration // until a frame is sent again
	smooth  time.Duration // how long a frame and its acknowledgement take
	vary    time.Duration // and how much that varies
}

func (w *timing) init(s *stream) {
	w.timeout = firstTimeout
	w.dpc = kernel.DPC{Name: "the timer of a stream", Routine: func(c *kernel.CPU, _ *kernel.DPC, _ any) {
		s.t.net.enter(c)
		s.expired(c)
		s.t.net.leaveDPC(c)
	}}
	w.timer.DPC = &w.dpc
}

// arm sets the timer for the earliest deadline.
func (w *timing) arm(c *kernel.CPU) {
	var at clock.Time
	for _, d := range [...]clock.Time{w.resendAt, w.updateAt} {
		if d != 0 && (at == 0 || d < at) {
			at = d
		}
	}
	switch {
	case at == w.armedAt:
	case at == 0:
		c.Kernel().CancelTimer(&w.timer)
	default:
		c.Kernel().SetTimer(&w.timer, at)
	}
	w.armedAt = at
}

// stop ends the clockwork.
func (w *timing) stop(c *kernel.CPU) {
	w.resendAt, w.updateAt = 0, 0
	w.arm(c)
}

// expired is what the timer's DPC does.
func (s *stream) expired(c *kernel.CPU) {
	if s.state == gone {
		return
	}
	now := c.Now()
	s.armedAt = 0
	resend, update := s.resendAt != 0 && now >= s.resendAt, s.updateAt != 0 && now >= s.updateAt
	if resend && s.tries >= maxTries || update && s.updates >= maxTries {
		s.fail(c, kernel.StatusIoTimeout)
		return
	}
	if resend {
		s.tries++
		s.backOff()
		s.duplicates, s.recover = 0, s.next
		s.resend(c)
		s.resendAt = now.Add(s.timeout)
	}
	if update {
		s.backOff()
		s.sendUpdate(c)
	}
	s.arm(c)
}

func (w *timing) backOff() { w.timeout = min(2*w.timeout, maxTimeout) }

// measure learns from a frame that took d from sending to acknowledgement.
func (w *timing) measure(d time.Duration) {
	if w.smooth == 0 {
		w.smooth, w.vary = d, d/2
	} else {
		off := d - w.smooth
		if off < 0 {
			off = -off
		}
		w.vary += (off - w.vary) / 4
		w.smooth += (d - w.smooth) / 8
	}
	w.timeout = min(max(w.smooth+4*w.vary, minTimeout), maxTimeout)
}

// newFrame makes the next frame in order, with room for n bytes, and keeps it until it is acknowledged.
func (s *stream) newFrame(n int, flags uint8) *frame {
	f := s.t.net.pool.get(n)
	f.refs = 1
	f.flags, f.seq = flags, s.next
	f.end = s.next + uint64(n)
	if flags&(flagSyn|flagFin) != 0 {
		f.end++
	}
	s.next = f.end
	if s.unacked.head == nil {
		s.unacked.head = f
	} else {
		s.unacked.tail.nextSent = f
	}
	s.unacked.tail = f
	return f
}

// transmit sends a frame, with all that there is to say about the other direction.
func (s *stream) transmit(c *kernel.CPU, f *frame) {
	h := s.header(f.flags)
	h.seq, h.length = f.seq, uint16(len(f.payload()))
	h.encode(f.data)
	f.sentAt = c.Now()
	s.owes = false
	if s.resendAt == 0 {
		s.resendAt = c.Now().Add(s.timeout)
		s.arm(c)
	}
	s.t.net.send(c, f)
}

func (s *stream) header(flags uint8) header {
	return header{
		protocol: protocolStream, flags: flags, connection: s.key.connection,
		from: address{s.t.net.host, s.key.local}, to: s.key.remote,
		ack: s.arrived, edge: s.limit(), seen: s.edge,
	}
}

// sendBare sends a frame without bytes, which nobody acknowledges.
func (t *Streams) sendBare(c *kernel.CPU, to address, h header) {
	h.protocol, h.to = protocolStream, to
	f := t.net.pool.get(0)
	h.encode(f.data)
	t.net.send(c, f)
}

// resend sends the oldest unacknowledged frame again, unless it has not even left.
func (s *stream) resend(c *kernel.CPU) {
	if f := s.unacked.head; f != nil && !f.leaving {
		f.again = true
		s.transmit(c, f)
	}
}

// acknowledged takes what a frame says about our direction.
func (s *stream) acknowledged(c *kernel.CPU, h *header, length int) {
	s.seen = max(s.seen, h.seen)
	if s.updateAt != 0 && s.seen >= s.edgeTo {
		s.updateAt, s.updates = 0, 0
		s.arm(c)
	}
	opened := h.edge > s.edge
	s.edge = max(s.edge, h.edge)
	switch {
	case h.ack > s.una:
		s.release(c, h.ack)
	case h.ack == s.una && s.unacked.head != nil && length == 0 && h.flags == flagAck && !opened:
		if s.duplicates++; s.duplicates == 3 { // something after the oldest has arrived: it is lost
			s.recover = s.next
			s.resend(c)
		}
	}
}

// release lets the frames go that have arrived. Of several that were lost the next one is sent at once.
func (s *stream) release(c *kernel.CPU, ack uint64) {
	s.una = ack
	s.tries, s.duplicates = 0, 0
	for f := s.unacked.head; f != nil && f.end <= ack; f = s.unacked.head {
		if !f.again {
			s.measure(c.Now().Sub(f.sentAt))
		}
		s.unacked.head = f.nextSent
		s.t.net.pool.release(f)
	}
	s.resendAt = 0
	if s.unacked.head != nil {
		s.resendAt = c.Now().Add(s.timeout)
		if s.una < s.recover {
			s.resend(c)
		}
	}
	s.arm(c)
}

// owe notes that the other side must hear from us, at the latest when what runs now is done.
func (s *stream) owe() {
	s.owes = true
	if !s.due {
		s.due = true
		s.t.due = append(s.t.due, s)
	}
}

// flush answers whom an answer is owed that no frame with bytes has carried meanwhile.
func (t *Streams) flush(c *kernel.CPU) {
	for i := 0; i < len(t.due); i++ {
		s := t.due[i]
		s.due = false
		if s.owes && s.state != gone && s.state != connecting {
			s.owes = false
			t.sendBare(c, s.key.remote, s.bare(flagAck))
		}
	}
	clear(t.due)
	t.due = t.due[:0]
}

func (s *stream) bare(flags uint8) header {
	h := s.header(flags)
	h.seq = s.next
	return h
}

// windowOpened is called after a read. If the writer may believe that it must not send, and may send a good deal now, it
// must be told, for certain.
func (s *stream) windowOpened(c *kernel.CPU) {
	closed := int64(s.seen-s.arrived) < int64(s.segment())
	if s.state == established && !s.ended && s.updateAt == 0 && closed && int64(s.limit()-s.seen) >= receiveWindow/4 {
		s.sendUpdate(c)
		s.arm(c)
	}
}

// sendUpdate tells the writer how far it may send, until it answers that it knows.
func (s *stream) sendUpdate(c *kernel.CPU) {
	if s.updateAt == 0 {
		s.updates = 0
	}
	s.updates++
	s.edgeTo = s.limit()
	s.updateAt = c.Now().Add(s.timeout)
	s.owes = false
	s.t.sendBare(c, s.key.remote, s.bare(flagAck|flagUpdate))
}

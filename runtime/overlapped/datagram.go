package overlapped

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// DatagramSocket sends and receives messages that arrive whole, or not at all, or twice, in any order. Its methods may
// be called by whatever runs in the World.
type DatagramSocket struct {
	endpoint
	addr     Addr
	sends    calls[int]
	receives calls[fromAddr]
}

// ListenDatagram opens a datagram socket at a port of an adapter of the World; port 0 is any that is free. It fails with
// ErrAddressUsed if the port is not. The caller closes it.
func ListenDatagram(w World, adapter string, port uint16) (*DatagramSocket, error) {
	s := new(DatagramSocket)
	if err := s.open(w, adapter+"/datagram", kernel.DeviceNetwork); err != nil {
		return nil, err
	}
	var err error
	if s.addr, err = s.bind(controlBind, port); err != nil {
		return nil, err
	}
	s.sends.bind(&s.endpoint)
	s.receives.bind(&s.endpoint)
	return s, nil
}

// Addr returns the socket's address.
func (s *DatagramSocket) Addr() Addr { return s.addr }

// SendToAsync sends buf as one message. The task is complete when the network has a copy of it. It fails with ErrTooLong
// if no frame has room for it; of a message that is lost nobody tells.
func (s *DatagramSocket) SendToAsync(ctx context.Context, buf []byte, to Addr) async.Task[int] {
	if err := s.check(ctx); err != nil {
		return async.Completed(0, s.wrap("write", err))
	}
	op := s.sends.take(ctx, "SendToAsync", written)
	op.buf = buf
	return s.sends.start(op, kernel.MajorWrite, to.offset())
}

// ReceiveFromAsync receives one message. The task's results are its length and the sender's address. What a message has
// beyond len(buf) is lost, as with UDP. The buffer is the operation's until the task is complete (A21). Several may be
// in flight; they get the messages in the order in which they were started.
func (s *DatagramSocket) ReceiveFromAsync(ctx context.Context, buf []byte) async.Task2[int, Addr] {
	if err := s.check(ctx); err != nil {
		return async.Completed2(0, Addr{}, s.wrap("read", err))
	}
	op := s.receives.take(ctx, "ReceiveFromAsync", receivedFrom)
	r, again := op.owner.(*receive)
	if !again {
		r = new(receive)
		op.owner, op.prefix = r, datagramPrefix
	}
	r.user = buf
	r.frame = slices.Grow(r.frame[:0], datagramPrefix+len(buf))
	op.buf = r.frame[:datagramPrefix+len(buf)]
	return async.Task2Of(s.receives.start(op, kernel.MajorDeviceControl, controlReceive))
}

// datagramPrefix is the size of the sender's address before a received message.
const datagramPrefix = 8

// receive is what a ReceiveFromAsync has of its own. The driver writes address and message to one buffer; the message goes
// to the user's when it is there.
type receive struct {
	user, frame []byte
}

// fromAddr is a message's length, and who sent it.
type fromAddr = async.Pair[int, Addr]

func receivedFrom(op *call[fromAddr], status kernel.Status, n int) (fromAddr, error) {
	r := op.owner.(*receive)
	user := r.user
	r.user = nil
	if status == kernel.StatusBufferOverflow { // a warning: the rest is lost
		status = kernel.StatusSuccess
	}
	if err := op.failure("read", status); err != nil || n < datagramPrefix {
		return fromAddr{}, err
	}
	from := unpack(binary.LittleEndian.Uint64(op.buf))
	return fromAddr{First: copy(user, op.buf[datagramPrefix:n]), Second: from}, nil
}

// Close closes the socket. Receives in flight complete with os.ErrClosed.
func (s *DatagramSocket) Close() error { return s.close() }

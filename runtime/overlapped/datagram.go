package overlapped

import (
	"context"
	"encoding/binary"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// DatagramSocket sends and receives messages that arrive whole, or not at all, or twice, in any order. Its methods may
// be called by whatever runs in the World.
type DatagramSocket struct {
	endpoint
	addr    Addr
	pending async.Source[int]        // bound to the World, and never used: what each send's source begins as
	waiting async.Source2[int, Addr] // and each receive's
}

// ListenDatagram opens a datagram socket at a port of an adapter of the World; port 0 is any that is free. The caller
// closes it.
func ListenDatagram(w World, adapter string, port uint16) (*DatagramSocket, error) {
	s := new(DatagramSocket)
	if err := s.open(w, adapter+"/datagram"); err != nil {
		return nil, err
	}
	var block socketBlock
	if _, status := s.control(controlBind, block.set(0, Addr{Port: port}, Addr{})); !status.IsSuccess() {
		s.close()
		return nil, s.wrap("listen", s.errorOf(context.Background(), status))
	}
	s.addr = block.local()
	s.name = s.addr.String()
	s.pending.Bind(w)
	s.waiting.Bind(w)
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
	op := &call[int]{source: s.pending, endpoint: &s.endpoint, ctx: ctx, name: "SendToAsync", buf: buf, finish: transferred, owner: "write"}
	return op.start(kernel.MajorWrite, to.offset())
}

// ReceiveFromAsync receives one message. The task's results are its length and the sender's address. What a message has
// beyond len(buf) is lost, as with UDP. The buffer is the operation's until the task is complete (A21). Several may be
// in flight; they get the messages in the order in which they were started.
func (s *DatagramSocket) ReceiveFromAsync(ctx context.Context, buf []byte) async.Task2[int, Addr] {
	if err := s.check(ctx); err != nil {
		return async.Completed2(0, Addr{}, s.wrap("read", err))
	}
	r := &receive{source: s.waiting, user: buf}
	r.call = call[int]{endpoint: &s.endpoint, ctx: ctx, name: "ReceiveFromAsync", buf: make([]byte, datagramPrefix+len(buf))}
	r.call.finish = transferred
	return r.start()
}

// datagramPrefix is the size of the sender's address before a received message.
const datagramPrefix = 8

// receive is a ReceiveFromAsync in flight. The driver writes address and message to one buffer; the message goes to the
// user's when it is there.
type receive struct {
	call   call[int] // but for its source
	source async.Source2[int, Addr]
	user   []byte
}

func (r *receive) start() async.Task2[int, Addr] {
	op := &r.call
	op.owner = "read"
	op.overlapped.Context = r
	c := op.endpoint.world.Kernel().CPU()
	c.Trace(kernel.HopLibraryCall, nil, op.name, int64(len(r.user)), 0)
	status := c.Request(op.endpoint.handle, kernel.MajorDeviceControl, op.buf, controlReceive, &op.overlapped)
	if status == kernel.StatusPending || status == kernel.StatusBufferOverflow { // of a warning there is a packet (A12)
		if op.ctx.Done() != nil && op.overlapped.InFlight() {
			op.stop = op.endpoint.world.OnDone(op.ctx, op.cancel)
		}
		return r.source.Task()
	}
	n, from, err := r.result(status, op.overlapped.Information)
	return async.Completed2(n, from, err)
}

// Complete ends the call. It implements pool.Completion.
func (r *receive) Complete(_ *async.Executor, t *kernel.Thread, packet *kernel.Packet) {
	if r.call.stop != nil {
		r.call.stop()
		r.call.stop = nil
	}
	n, from, err := r.result(packet.Status, packet.Information)
	t.CPU().TraceID(kernel.HopTaskComplete, packet.IRP, r.call.name, int64(n), 0)
	if err != nil {
		r.source.SetError(err)
	} else {
		r.source.SetResult(n, from)
	}
}

func (r *receive) result(status kernel.Status, n int) (int, Addr, error) {
	if status == kernel.StatusBufferOverflow { // a warning: the rest is lost
		status = kernel.StatusSuccess
	}
	if n, err := transferred(&r.call, status, n); err != nil || n < datagramPrefix {
		return 0, Addr{}, err
	}
	from := unpack(binary.LittleEndian.Uint64(r.call.buf))
	return copy(r.user, r.call.buf[datagramPrefix:n]), from, nil
}

// Close closes the socket. Receives in flight complete with os.ErrClosed.
func (s *DatagramSocket) Close() error { return s.close() }

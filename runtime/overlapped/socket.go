package overlapped

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Addr is the address of a socket: a machine, and a port on it. It implements net.Addr.
type Addr struct{ Host, Port uint16 }

// Network returns "sim".
func (Addr) Network() string { return "sim" }

// String returns host and port, such as "2:80".
func (a Addr) String() string { return fmt.Sprintf("%d:%d", a.Host, a.Port) }

// Conn is one end of a connection: a stream of bytes each way, which arrive in order and once, whatever the wire does to
// frames. Its methods may be called by whatever runs in the World.
//
// Several reads may be in flight: they get what arrives in the order in which they were started. So may several writes.
type Conn struct {
	endpoint
	local, remote Addr
	calls         calls[int]
}

// socketBlock is a control's buffer: a token, a local and a remote address.
type socketBlock [24]byte

// The control codes of sockets. Package driver has the same; a test compares them.
const (
	controlListen = 1 + iota
	controlConnect
	controlName
	controlAccept
	controlShutdown
	controlBind
	controlReceive
)

func (b *socketBlock) set(token uint64, local, remote Addr) []byte {
	le := binary.LittleEndian
	le.PutUint64(b[:], token)
	le.PutUint64(b[8:], local.pack())
	le.PutUint64(b[16:], remote.pack())
	return b[:]
}

func (b *socketBlock) local() Addr  { return unpack(binary.LittleEndian.Uint64(b[8:])) }
func (b *socketBlock) remote() Addr { return unpack(binary.LittleEndian.Uint64(b[16:])) }

// bind asks, by one of the controls for it, for a port of a socket that was just opened; 0 is any that is free. The socket is
// called by its address from then on. One that does not get the port is closed.
func (e *endpoint) bind(code int64, port uint16) (Addr, error) {
	var block socketBlock
	if status := e.control(code, block.set(0, Addr{Port: port}, Addr{})); !status.IsSuccess() {
		e.close()
		return Addr{}, e.wrap("listen", e.errorOf(context.Background(), status))
	}
	addr := block.local()
	e.name = addr.String()
	return addr, nil
}

func (a Addr) pack() uint64   { return uint64(a.Host)<<16 | uint64(a.Port) }
func unpack(n uint64) Addr    { return Addr{uint16(n >> 16), uint16(n)} }
func (a Addr) offset() int64  { return int64(a.pack()) }
func (c *Conn) title() string { return c.local.String() + "->" + c.remote.String() }

// DialAsync connects to a listener through an adapter of the World. The task's result is the connection, whose owner is
// the caller: it must be closed. It fails with ErrRefused if nobody listens there, with ErrUnreachable if nobody answers
// at all, and with ctx's error if that is done first.
func DialAsync(ctx context.Context, w World, adapter string, to Addr) async.Task[*Conn] {
	c, err := openConn(w, adapter)
	if err != nil {
		return async.Completed[*Conn](nil, err)
	}
	c.name, c.remote = "->"+to.String(), to
	if err := c.check(ctx); err != nil {
		c.close()
		return async.Completed[*Conn](nil, c.wrap("dial", err))
	}
	op := &call[*Conn]{endpoint: &c.endpoint, ctx: ctx, name: "DialAsync", finish: dialed, owner: c}
	op.buf = new(socketBlock).set(0, Addr{}, to)
	return op.startOnce(kernel.MajorDeviceControl, controlConnect)
}

// openConn opens the socket of a connection to come.
func openConn(w World, adapter string) (*Conn, error) {
	c := new(Conn)
	if err := c.open(w, adapter, kernel.DeviceNetwork); err != nil {
		return nil, err
	}
	c.calls.bind(&c.endpoint)
	return c, nil
}

func dialed(op *call[*Conn], status kernel.Status, _ int) (*Conn, error) {
	c := op.owner.(*Conn)
	if !status.IsSuccess() {
		err := c.wrap("dial", c.errorOf(op.ctx, status))
		c.close()
		return nil, err
	}
	c.local = (*socketBlock)(op.buf).local()
	c.name = c.title()
	return c, nil
}

// ReadAsync reads up to len(buf) bytes: as many as have arrived, at least one. The task's result is how many; at the end
// of the stream, after the other side's CloseWrite or Close, it is 0 with io.EOF. What has arrived already is read at
// once, and the task is complete then. The buffer is the operation's until the task is complete (A21). A read that is
// cancelled has read nothing. Who only reads does not notice that the other side was pulled out, or that its reset was
// lost on the wire: as with TCP, nothing is sent that could stay unanswered. A deadline helps.
func (c *Conn) ReadAsync(ctx context.Context, buf []byte) async.Task[int] {
	if err := c.check(ctx); err != nil {
		return async.Completed(0, c.wrap("read", err))
	}
	if buf == nil {
		return async.Completed(0, c.wrap("read", ErrNilBuffer))
	}
	op := c.calls.take(ctx, "ReadAsync", received)
	op.buf = buf
	return c.calls.start(op, kernel.MajorRead, 0)
}

// received is the finish of reads. io.EOF stays bare.
func received(op *call[int], status kernel.Status, n int) (int, error) {
	if status == kernel.StatusEndOfFile {
		return 0, errorOf(status)
	}
	return n, op.failure("read", status)
}

// WriteAsync writes buf. The task is complete when the network has a copy of all of it; that does not mean that it has
// arrived. While the other side does not read, that takes as long as it does not. The task's result is how many bytes
// were taken, which is less than len(buf) only with an error beside it: after a cancellation it says how much of buf
// belongs to the stream. The buffer is the operation's until the task is complete (A21).
func (c *Conn) WriteAsync(ctx context.Context, buf []byte) async.Task[int] {
	if err := c.check(ctx); err != nil {
		return async.Completed(0, c.wrap("write", err))
	}
	op := c.calls.take(ctx, "WriteAsync", written)
	op.buf = buf
	return c.calls.start(op, kernel.MajorWrite, 0)
}

// CloseWrite says that no more will be written: after all that writes have taken or wait with, the other side reads
// io.EOF. The connection can still be read.
func (c *Conn) CloseWrite() error {
	if c.closed {
		return c.wrap("close", os.ErrClosed)
	}
	if status := c.control(controlShutdown, nil); !status.IsSuccess() {
		return c.wrap("close", c.errorOf(context.Background(), status))
	}
	return nil
}

// Close closes the connection. Operations in flight complete with os.ErrClosed; what writes have taken is delivered. If
// something has arrived that was not read, or arrives later, the other side gets ErrReset, as with TCP.
func (c *Conn) Close() error { return c.close() }

// LocalAddr returns this side's address.
func (c *Conn) LocalAddr() Addr { return c.local }

// RemoteAddr returns the other side's address.
func (c *Conn) RemoteAddr() Addr { return c.remote }

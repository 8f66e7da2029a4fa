package overlapped

import (
	"context"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Listener is a port at which others call. Its methods may be called by whatever runs in the World.
type Listener struct {
	endpoint
	device string
	addr   Addr
}

// Listen listens at a port of an adapter of the World; port 0 is any that is free. It fails with ErrAddressUsed if
// the port is not. The caller closes it.
func Listen(w World, adapter string, port uint16) (*Listener, error) {
	l := &Listener{device: adapter}
	if err := l.open(w, adapter, kernel.DeviceNetwork); err != nil {
		return nil, err
	}
	var err error
	if l.addr, err = l.bind(controlListen, port); err != nil {
		return nil, err
	}
	return l, nil
}

// Addr returns the address to dial.
func (l *Listener) Addr() Addr { return l.addr }

// AcceptAsync waits for a call. The task's result is the connection, whose owner is the caller: it must be closed.
// Several may be in flight; they get the calls in the order in which they were started. A call that came before is
// accepted at once. One whose accept is cancelled stays for the next accept. The connection's socket is opened before
// the wait, so that nothing can fail any more once a call has come.
func (l *Listener) AcceptAsync(ctx context.Context) async.Task[*Conn] {
	if err := l.check(ctx); err != nil {
		return async.Completed[*Conn](nil, l.wrap("accept", err))
	}
	c, err := openConn(l.world, l.device)
	if err != nil {
		return async.Completed[*Conn](nil, err)
	}
	block := new(socketBlock)
	if status := c.control(controlName, block[:]); !status.IsSuccess() {
		c.close()
		return async.Completed[*Conn](nil, l.wrap("accept", l.errorOf(ctx, status)))
	}
	op := &call[*Conn]{endpoint: &l.endpoint, ctx: ctx, name: "AcceptAsync", buf: block[:], finish: accepted, owner: c}
	return op.startOnce(kernel.MajorDeviceControl, controlAccept)
}

func accepted(op *call[*Conn], status kernel.Status, _ int) (*Conn, error) {
	c := op.owner.(*Conn)
	if !status.IsSuccess() {
		c.close()
		return nil, op.endpoint.wrap("accept", op.endpoint.errorOf(op.ctx, status))
	}
	block := (*socketBlock)(op.buf)
	c.local, c.remote = block.local(), block.remote()
	c.name = c.title()
	return c, nil
}

// Close stops listening. Accepts in flight complete with os.ErrClosed; calls that wait are hung up on. Connections that
// were accepted are not touched.
func (l *Listener) Close() error { return l.close() }

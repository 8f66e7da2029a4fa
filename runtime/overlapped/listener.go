package overlapped

import (
	"context"
	"os"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Listener is a port at which others call. Its methods may be called by whatever runs in the World.
type Listener struct {
	endpoint
	device string
	addr   Addr
}

// Listen listens at a port of an adapter of the World; port 0 is any that is free. The caller closes it.
func Listen(w World, adapter string, port uint16) (*Listener, error) {
	l := &Listener{device: adapter}
	if err := l.open(w, adapter); err != nil {
		return nil, err
	}
	var block socketBlock
	if _, status := l.control(controlListen, block.set(0, Addr{Port: port}, Addr{})); !status.IsSuccess() {
		l.close()
		return nil, l.wrap("listen", l.errorOf(context.Background(), status))
	}
	l.addr = block.local()
	l.name = l.addr.String()
	return l, nil
}

// Addr returns the address to dial.
func (l *Listener) Addr() Addr { return l.addr }

// AcceptAsync waits for a call. The task's result is the connection, whose owner is the caller: it must be closed.
// Several may be in flight; they get the calls in the order in which they were started. A call that came before is
// accepted at once. One whose accept is cancelled stays for the next accept.
func (l *Listener) AcceptAsync(ctx context.Context) async.Task[*Conn] {
	if err := l.check(ctx); err != nil {
		return async.Completed[*Conn](nil, l.wrap("accept", err))
	}
	op := &call[*Conn]{endpoint: &l.endpoint, ctx: ctx, name: "AcceptAsync", finish: accepted, owner: l}
	op.source.Bind(l.world)
	op.buf = new(socketBlock)[:]
	return op.start(kernel.MajorDeviceControl, controlAccept)
}

// accepted opens a socket for a call that has come.
func accepted(op *call[*Conn], status kernel.Status, _ int) (*Conn, error) {
	l := op.owner.(*Listener)
	if !status.IsSuccess() {
		return nil, l.wrap("accept", l.errorOf(op.ctx, status))
	}
	c := newConn(l.world)
	err := c.open(l.world, l.device)
	if err == nil {
		if _, status = c.control(controlAdopt, op.buf); !status.IsSuccess() {
			c.close()
			if err = l.wrap("accept", l.errorOf(op.ctx, status)); l.closed {
				err = l.wrap("accept", os.ErrClosed) // and that has hung up on it
			}
		}
	}
	if err != nil {
		if !l.closed {
			l.control(controlReject, op.buf) // nobody will ever ask for it
		}
		return nil, err
	}
	block := (*socketBlock)(op.buf)
	c.local, c.remote = block.local(), block.remote()
	c.name = c.title()
	return c, nil
}

// Close stops listening. Accepts in flight complete with os.ErrClosed; calls that wait are hung up on. Connections that
// were accepted are not touched.
func (l *Listener) Close() error { return l.close() }

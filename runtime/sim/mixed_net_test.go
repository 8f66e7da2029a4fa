package sim_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// This file is the network's part of the mixed workload: connections over a bad wire, each of which carries some bytes to
// the other side, where they must arrive in order and once, whatever fails in between.

// mixedNet is a network of one machine: an adapter wired to itself.
type mixedNet struct {
	m        *mixed
	adapter  *sim.Adapter
	wire     *device.Wire
	listener *overlapped.Listener
	calls    []*mixedCall
	arrived  [][]byte // what the server has read to the end, of each connection
	clients  int      // that have not ended
	servers  int
	closed   bool
	accepts  int
	dropped  int // accepts that failed: each may have cost a connection
}

// mixedCall is one connection as the client sees it.
type mixedCall struct {
	net  *mixedNet
	conn *overlapped.Conn
	data []byte // what it sends: its number first
	sent int
	err  error
}

// then calls f once p is complete.
func then(p async.Pending, f func()) {
	if !p.OnCompleted(&thenCalls{f: f}) {
		f()
	}
}

type thenCalls struct {
	async.Anywhere
	f func()
}

func (t *thenCalls) MoveNext(*async.Executor) async.Continuation { t.f(); return nil }

// passing reports whether an operation that failed so is worth another try.
func passing(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "INSUFFICIENT_RESOURCES")
}

// newMixedNet makes the network, on a wire of which each vice is on or off.
func newMixedNet(m *mixed) *mixedNet {
	w := m.w
	n := &mixedNet{m: m}
	a, err := w.NewAdapter("net", 1, device.AdapterConfig{Receive: 8 << w.Choose("mixed.ring size", 4)})
	if err != nil {
		panic(err)
	}
	n.adapter = a
	rate := func() int { return w.Choose("mixed.wire on", 2) * w.Choose("mixed.wire", 60_000) }
	if n.wire, err = sim.NewWire(a, a, device.WireConfig{Loss: rate(), Duplicates: rate(), Reorders: rate()}); err != nil {
		panic(err)
	}
	for n.listener == nil {
		if l, err := overlapped.Listen(w, "net", 80); err == nil {
			n.listener = l
		} else if !passing(err) {
			panic(err)
		}
	}
	for i := range 1 + w.Choose("mixed.connections", 3) {
		c := &mixedCall{net: n, data: make([]byte, 1+w.Choose("mixed.bytes", 6000))}
		for j := range c.data {
			c.data[j] = byte(i + j*7)
		}
		c.data[0] = byte(i)
		n.calls = append(n.calls, c)
		n.clients++
		w.Go("dial", func(context.Context) { c.dial() })
	}
	w.Go("accept", func(context.Context) { n.accept() })
	return n
}

// again calls f in a while.
func (n *mixedNet) again(f func()) { n.m.w.AfterFunc(70*time.Microsecond, f) }

func (c *mixedCall) dial() {
	w := c.net.m.w
	task := overlapped.DialAsync(w.Context(), w, "net", c.net.listener.Addr())
	then(task, func() {
		conn, err := task.GetResult()
		switch {
		case err == nil:
			c.conn = conn
			c.write()
		case passing(err):
			c.net.again(c.dial)
		default:
			c.end(err)
		}
	})
}

func (c *mixedCall) write() {
	w := c.net.m.w
	if c.sent == len(c.data) {
		if err := c.conn.CloseWrite(); err != nil && passing(err) {
			c.net.again(c.write)
		} else {
			c.end(err)
		}
		return
	}
	ctx, cancel := w.Context(), context.CancelFunc(func() {})
	if w.Choose("mixed.write context", 4) == 0 {
		ctx, cancel = w.WithTimeout(ctx, time.Duration(w.Choose("mixed.write patience", 300))*time.Microsecond)
	}
	size := min(len(c.data)-c.sent, 1+w.Choose("mixed.write size", 3000))
	task := c.conn.WriteAsync(ctx, c.data[c.sent:][:size])
	then(task, func() {
		cancel()
		n, err := task.GetResult()
		c.sent += n
		switch {
		case err == nil:
			c.write()
		case passing(err):
			c.net.again(c.write)
		default:
			c.end(err)
		}
	})
}

// end is the client's end; the connection is closed when the server has ended too, or at once after an error.
func (c *mixedCall) end(err error) {
	c.err = err
	if err != nil && c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
	c.net.clients--
	c.net.rest()
}

func (n *mixedNet) accept() {
	task := n.listener.AcceptAsync(n.m.w.Context())
	n.accepts++
	then(task, func() {
		n.accepts--
		conn, err := task.GetResult()
		switch {
		case err == nil:
			n.servers++
			n.read(conn, nil)
			n.accept()
		case errors.Is(err, os.ErrClosed) || errors.Is(err, overlapped.ErrRemoved):
		default:
			n.dropped++
			n.again(n.accept)
		}
	})
}

// read reads a connection to its end. A client that is gone may have said so in a frame that the wire has lost, so the
// server gives up after a minute of silence, as servers do.
func (n *mixedNet) read(conn *overlapped.Conn, got []byte) {
	buf := make([]byte, 1+n.m.w.Choose("mixed.read size", 2000))
	ctx, cancel := n.m.w.WithTimeout(n.m.w.Context(), time.Minute)
	task := conn.ReadAsync(ctx, buf)
	then(task, func() {
		cancel()
		k, err := task.GetResult()
		got = append(got, buf[:k]...)
		switch {
		case err == nil:
			n.read(conn, got)
		case passing(err) && !errors.Is(err, context.DeadlineExceeded):
			n.again(func() { n.read(conn, got) })
		default:
			if err == io.EOF {
				n.arrived = append(n.arrived, got)
			}
			conn.Close()
			n.servers--
			n.rest()
		}
	})
}

// rest closes everything when all have ended, and no connection has been waiting to be accepted for a while.
func (n *mixedNet) rest() {
	if n.clients > 0 || n.servers > 0 {
		return
	}
	n.m.w.AfterFunc(5*time.Second, func() { // longer than any frame is tried for
		if n.servers > 0 || n.closed {
			return
		}
		n.closed = true
		n.listener.Close()
		for _, c := range n.calls {
			if c.conn != nil {
				c.conn.Close()
			}
		}
	})
}

// check compares what has arrived with what was sent.
func (n *mixedNet) check() {
	missing, removed := 0, !n.adapter.Device().Present() // then nobody knows what has arrived
	for i, c := range n.calls {
		times := 0
		for _, got := range n.arrived {
			if len(got) > 0 && got[0] == byte(i) {
				times++
				if !bytes.Equal(got, c.data) {
					n.m.failf("connection %d: %d bytes were sent, and %d have arrived, not the same", i, len(c.data), len(got))
				}
			}
		}
		switch {
		case c.err != nil && !errors.Is(c.err, overlapped.ErrReset) && !errors.Is(c.err, overlapped.ErrUnreachable) &&
			!(removed && errors.Is(c.err, overlapped.ErrRemoved)):
			n.m.failf("connection %d: %v", i, c.err)
		case c.err == nil && times == 0 && (removed || missing < n.dropped):
			missing++
		case c.err == nil && times != 1:
			n.m.failf("connection %d: arrived %d times", i, times)
		}
	}
	if n.clients != 0 || n.servers != 0 || n.accepts != 0 {
		n.m.failf("%d clients and %d servers have not ended, %d accepts wait", n.clients, n.servers, n.accepts)
	}
}

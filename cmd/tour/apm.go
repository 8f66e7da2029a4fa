package main

import (
	"context"
	"io"
	"runtime"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// This is the story of Begin and End, the Asynchronous Programming Model: one
// operation is two calls and a callback. A connection is read byte by byte, to
// its end; most bytes have arrived already, so that most reads are complete when
// they begin, and their callback runs on top of the caller's stack.
//
// Look at how deep the stack gets, and at what the loop must look like that does
// not let it.

// A reading is what one way to read has come to.
type reading struct {
	conn     *overlapped.Conn
	buf      []byte
	bytes    int
	deepest  int // frames on the stack
	finished bool
	err      error
}

// took counts a byte.
func (r *reading) took() {
	r.bytes++
	r.deepest = max(r.deepest, frames())
}

// ended takes the error with which the reading ends.
func (r *reading) ended(err error) {
	r.finished = true
	if err != io.EOF {
		r.err = err
	}
}

// frames counts the calls on the stack.
func frames() int {
	var callers [8192]uintptr
	return runtime.Callers(0, callers[:])
}

// begin is the text's ReadData.
func (r *reading) begin() { r.conn.BeginRead(r.buf, r.onReadComplete, nil) }

// onReadComplete is the text's: it processes, and begins the next read. Where that
// is complete at once, this is called again before BeginRead returns.
func (r *reading) onReadComplete(ar *overlapped.AsyncResult) {
	if _, err := r.conn.EndRead(ar); err != nil {
		r.ended(err)
		return
	}
	r.took()
	r.conn.BeginRead(r.buf, r.onReadComplete, nil)
}

// loop is how it had to be written: the loop is left where a read has to wait, and
// entered again by its callback.
func (r *reading) loop() {
	for !r.finished {
		ar := r.conn.BeginRead(r.buf, r.onReadCompleteLater, nil)
		if !ar.CompletedSynchronously() {
			return
		}
		r.end(ar)
	}
}

func (r *reading) onReadCompleteLater(ar *overlapped.AsyncResult) {
	if ar.CompletedSynchronously() {
		return // the loop is on the stack below, and ends the read
	}
	r.end(ar)
	r.loop()
}

func (r *reading) end(ar *overlapped.AsyncResult) {
	if _, err := r.conn.EndRead(ar); err != nil {
		r.ended(err)
		return
	}
	r.took()
}

// ReadAll is a loop.
//
//nothread:async
func (r *reading) ReadAll(ctx context.Context) error {
	for {
		if _, err := r.conn.ReadAsync(ctx, r.buf).Await(); err != nil {
			r.ended(err)
			return nil
		}
		r.took()
	}
}

// ReadAllBridged is a loop over Begin and End: FromBeginEnd makes a task of them.
//
//nothread:async
func (r *reading) ReadAllBridged(ctx context.Context) error {
	for {
		if _, err := overlapped.FromBeginEnd(ctx, r.beginRead, r.conn.EndRead).Await(); err != nil {
			r.ended(err)
			return nil
		}
		r.took()
	}
}

func (r *reading) beginRead(callback func(*overlapped.AsyncResult)) *overlapped.AsyncResult {
	return r.conn.BeginRead(r.buf, callback, nil)
}

func tellAPM(t *teller, _ []string) error {
	const size = 500
	t.printf("A connection is read byte by byte, %d of them. Seed %d.\n\n", size, t.seed)
	t.printf("  %-44s %6s %16s %8s\n", "", "bytes", "frames of stack", "blocked")
	for _, way := range []struct {
		title string
		read  func(r *reading, ctx context.Context)
	}{
		{"callbacks that begin the next read", func(r *reading, _ context.Context) { r.begin() }},
		{"a loop around CompletedSynchronously", func(r *reading, _ context.Context) { r.loop() }},
		{"await", func(r *reading, ctx context.Context) { async.Forget(ctx, r.ReadAllAsync(ctx)) }},
		{"await, over the same Begin and End", func(r *reading, ctx context.Context) {
			async.Forget(ctx, r.ReadAllBridgedAsync(ctx))
		}},
	} {
		r, err := t.reading(size, way.read)
		if err != nil {
			return err
		}
		t.printf("  %-44s %6d %16d %8d\n", way.title, r.bytes, r.deepest, t.world.Counters().Blocks)
	}
	return nil
}

// reading reads what has come over a connection, one way or another.
func (t *teller) reading(size int, read func(r *reading, ctx context.Context)) (*reading, error) {
	if err := t.start(nothing); err != nil {
		return nil, err
	}
	conn, err := t.arrived(make([]byte, size))
	if err != nil {
		return nil, err
	}
	r := &reading{conn: conn, buf: make([]byte, 1)}
	base := 0
	t.onUI("read", func(ctx context.Context) {
		base = frames()
		read(r, ctx)
	})
	t.world.Run()
	r.deepest -= base
	return r, t.stop()
}

// arrived returns a connection over which these bytes have arrived, and its end.
func (t *teller) arrived(bytes []byte) (*overlapped.Conn, error) {
	here, err := t.world.NewAdapter("here", 1, device.AdapterConfig{})
	if err != nil {
		return nil, err
	}
	there, err := t.world.NewAdapter("there", 2, device.AdapterConfig{})
	if err != nil {
		return nil, err
	}
	if _, err := sim.NewWire(here, there, device.WireConfig{}); err != nil {
		return nil, err
	}
	listener, err := overlapped.Listen(t.world, "there", 80)
	if err != nil {
		return nil, err
	}
	ctx := t.world.Context()
	accept := listener.AcceptAsync(ctx)
	conn, err := overlapped.DialAsync(ctx, t.world, "here", listener.Addr()).Await()
	if err != nil {
		return nil, err
	}
	peer, err := accept.Await()
	if err != nil {
		return nil, err
	}
	if _, err := peer.WriteAsync(ctx, bytes).Await(); err != nil {
		return nil, err
	}
	if err := peer.Close(); err != nil {
		return nil, err
	}
	t.world.Run()
	return conn, nil
}

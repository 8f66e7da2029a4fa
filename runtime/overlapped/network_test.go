package overlapped_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// script is a machine by hand: step looks at what the last operation has given and starts the next one, nil at the end.
type script struct {
	async.Anywhere
	step func() async.Pending
}

func (s *script) MoveNext(*async.Executor) async.Continuation {
	for {
		p := s.step()
		if p == nil || p.OnCompleted(s) {
			return nil
		}
	}
}

func start(step func() async.Pending) { (&script{step: step}).MoveNext(nil) }

// sender is a script that writes data in pieces of random sizes, cancels some, and goes on from where they ended.
func sender(w *sim.World, rng *rand.Rand, c *overlapped.Conn, data []byte, fail func(string, ...any)) {
	var task async.Task[int]
	started := false
	start(func() async.Pending {
		if started {
			n, err := task.GetResult()
			if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
				fail("write: %v", err)
				return nil
			}
			data = data[n:]
		}
		started = true
		if len(data) == 0 {
			if err := c.CloseWrite(); err != nil {
				fail("CloseWrite: %v", err)
			}
			return nil
		}
		ctx := randomContext(w, rng)
		task = c.WriteAsync(ctx, data[:1+rng.IntN(min(len(data), 1+rng.IntN(40_000)))])
		return task
	})
}

// randomContext returns a context that is done soon, now and then.
func randomContext(w *sim.World, rng *rand.Rand) context.Context {
	if rng.IntN(4) > 0 {
		return w.Context()
	}
	ctx, _ := w.WithTimeout(w.Context(), time.Duration(1+rng.IntN(300_000)))
	return ctx
}

// receiver is a script that reads to the end in pieces of random sizes, cancels some, and closes.
func receiver(w *sim.World, rng *rand.Rand, c *overlapped.Conn, done func([]byte), fail func(string, ...any)) {
	var got []byte
	var task async.Task[int]
	var buf []byte
	started := false
	start(func() async.Pending {
		if started {
			n, err := task.GetResult()
			got = append(got, buf[:n]...)
			switch {
			case err == io.EOF:
				done(got)
				return nil
			case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
				if n != 0 {
					fail("a cancelled read of %d bytes", n)
				}
			case err != nil:
				fail("read after %d bytes: %v", len(got), err)
				return nil
			}
		}
		started = true
		buf = make([]byte, 1+rng.IntN(20_000))
		task = c.ReadAsync(randomContext(w, rng), buf)
		return task
	})
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// bad is a wire on which everything goes wrong that can, each at a rate drawn from the seed.
func bad(rng *rand.Rand) device.WireConfig {
	rate := func() int { return rng.IntN(2) * rng.IntN(200_000) }
	return device.WireConfig{Loss: rate(), Duplicates: rate(), Reorders: rate()}
}

// TestStreamsCarryAllBytesOnceInOrder: whatever the wire does, whatever the sizes of writes and reads, and whichever of
// them are cancelled, both directions of every connection arrive as they were sent.
func TestStreamsCarryAllBytesOnceInOrder(t *testing.T) {
	seeds := uint64(120)
	if testing.Short() {
		seeds = 20
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := sim.New(seed, sim.WithCPUs(1+int(seed%3)), sim.WithVerifier())
		newNetwork(t, w, bad(rng))
		l, err := overlapped.Listen(w, "net2", 80)
		if err != nil {
			t.Fatal(err)
		}
		fail := func(format string, args ...any) { t.Errorf("seed %d: "+format, append([]any{seed}, args...)...) }
		ends := 0
		converse := func(c *overlapped.Conn, out, in []byte) {
			sender(w, rng, c, out, fail)
			receiver(w, rng, c, func(got []byte) {
				ends++
				if !bytes.Equal(got, in) {
					fail("sent %d bytes, %d arrived, not the same", len(in), len(got))
				}
			}, fail)
		}
		var conns []*overlapped.Conn
		connections := 1 + rng.IntN(4)
		for range connections {
			client, err := overlapped.DialAsync(w.Context(), w, "net1", l.Addr()).Await()
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			server, err := l.AcceptAsync(w.Context()).Await()
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			there, back := randomBytes(rng, rng.IntN(300_000)), randomBytes(rng, rng.IntN(100_000))
			w.UI().Go("client", func() { converse(client, there, back) })
			w.UI().Go("server", func() { converse(server, back, there) })
			conns = append(conns, client, server)
		}
		w.Run()
		if ends != 2*connections {
			t.Fatalf("seed %d: %d of %d directions have ended", seed, ends, 2*connections)
		}
		for _, c := range conns {
			c.Close()
		}
		l.Close()
		rest(t, w)
	}
}

// TestOneSeedOneTrace: the same seed gives the same trace, byte for byte, on one processor or two, with a bad wire.
func TestOneSeedOneTrace(t *testing.T) {
	run := func(seed uint64) string {
		var out bytes.Buffer
		rng := rand.New(rand.NewPCG(seed, 1))
		w := sim.New(seed, sim.WithTrace(&out), sim.WithCPUs(2))
		newNetwork(t, w, device.WireConfig{Loss: 50_000, Duplicates: 50_000, Reorders: 50_000})
		client, server, _ := connect(t, w)
		fail := func(format string, args ...any) { t.Errorf(format, args...) }
		w.UI().Go("client", func() { sender(w, rng, client, randomBytes(rng, 100_000), fail) })
		w.UI().Go("server", func() { receiver(w, rng, server, func([]byte) {}, fail) })
		w.Run()
		return out.String()
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	one := run(3)
	runtime.GOMAXPROCS(2)
	if two := run(3); one != two {
		t.Error("one seed, different traces")
	}
	if run(4) == one || len(one) < 100_000 {
		t.Errorf("another seed, the same trace; or it is short: %d bytes", len(one))
	}
}

// TestAThousandConnections: all open at once, all talking, and no goroutine but the World's.
func TestAThousandConnections(t *testing.T) {
	const connections, rounds = 1000, 3
	before := runtime.NumGoroutine()
	w := sim.New(1)
	newNetwork(t, w, device.WireConfig{Loss: 1000})
	l, err := overlapped.Listen(w, "net2", 80)
	if err != nil {
		t.Fatal(err)
	}
	fail := func(format string, args ...any) { t.Errorf(format, args...) }
	open, most, goroutines, echoed := 0, 0, 0, 0
	// The server echoes until the end of the stream.
	serve := func(c *overlapped.Conn) {
		open++
		most = max(most, open)
		buf := make([]byte, 100)
		var task async.Task[int]
		reading, begun := false, false
		start(func() async.Pending {
			if begun {
				n, err := task.GetResult()
				if err != nil {
					if err != io.EOF {
						fail("server: %v", err)
					}
					c.Close()
					open--
					return nil
				}
				if reading {
					reading = false
					task = c.WriteAsync(w.Context(), buf[:n])
					return task
				}
			}
			begun, reading = true, true
			task = c.ReadAsync(w.Context(), buf)
			return task
		})
	}
	var accept async.Task[*overlapped.Conn]
	accepting := false
	acceptor := func() async.Pending {
		if accepting {
			c, err := accept.GetResult()
			if err != nil {
				return nil
			}
			serve(c)
		}
		accepting = true
		accept = l.AcceptAsync(w.Context())
		return accept
	}
	w.UI().Go("server", func() { start(acceptor) })
	for i := range connections {
		w.AfterFunc(time.Duration(i)*20*time.Microsecond, func() { talk(w, l.Addr(), i, rounds, &echoed, fail) })
	}
	w.AfterFunc(25*time.Millisecond, func() { goroutines = runtime.NumGoroutine() })
	w.Run()
	if echoed != connections*rounds || most != connections || open != 0 {
		t.Errorf("%d of %d echoes, %d connections at once, %d left", echoed, connections*rounds, most, open)
	}
	if goroutines > before || w.Goroutines() != 1 {
		t.Errorf("%d goroutines before, %d in flight", before, goroutines)
	}
	l.Close()
	rest(t, w)
}

// talk is one client: it dials, waits until all are there, and has rounds messages echoed.
func talk(w *sim.World, to overlapped.Addr, i, rounds int, echoed *int, fail func(string, ...any)) {
	dial := overlapped.DialAsync(w.Context(), w, "net1", to)
	var c *overlapped.Conn
	var task async.Task[int]
	message := []byte(fmt.Sprintf("I am number %d", i))
	buf, got := make([]byte, 100), []byte(nil)
	pause := func() async.Pending { return async.Delay(w.Context(), 40*time.Millisecond) }
	const dialing, pausing, writing, reading = 0, 1, 2, 3
	state := dialing
	start(func() async.Pending {
		switch state {
		case dialing:
			if !dial.IsCompleted() {
				return dial
			}
			var err error
			if c, err = dial.GetResult(); err != nil {
				fail("client %d: %v", i, err)
				return nil
			}
			state = pausing
			return pause()
		case reading:
			n, err := task.GetResult()
			if err != nil {
				fail("client %d: %v", i, err)
				return nil
			}
			if got = append(got, buf[:n]...); len(got) < len(message) {
				task = c.ReadAsync(w.Context(), buf)
				return task
			}
			if string(got) != string(message) {
				fail("client %d: %q", i, got)
			}
			*echoed++
			if rounds--; rounds == 0 {
				c.Close()
				return nil
			}
			got = nil
		case writing:
			state = reading
			task = c.ReadAsync(w.Context(), buf)
			return task
		}
		state = writing
		task = c.WriteAsync(w.Context(), message)
		return task
	})
}

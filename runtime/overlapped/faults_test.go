package overlapped_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// passing reports whether an error is one after which to try again: no memory, or a stray cancellation.
func passing(err error) bool {
	return errors.Is(err, context.Canceled) || err != nil && strings.Contains(err.Error(), "INSUFFICIENT_RESOURCES")
}

// stubborn calls f until its error is none, or one that does not pass.
func stubborn[T any](f func() (T, error)) (T, error) {
	for {
		if v, err := f(); !passing(err) {
			return v, err
		}
	}
}

// TestSwarm: connections over a bad wire, a toaster and timers, in Worlds with all kinds of faults at rates that each seed
// draws, on several processors. What comes to an end has the right bytes, and everything comes to an end.
func TestSwarm(t *testing.T) {
	finished := 0
	sim.Test(t, func(w *sim.World) {
		rng := rand.New(rand.NewPCG(w.Seed(), 2))
		newNetwork(t, w, bad(rng))
		toaster, err := w.NewToaster("toaster", device.ToasterConfig{Jams: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		timer, err := w.NewTimer("timer", device.TimerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		clock, err := stubborn(timer.Open)
		if err != nil {
			t.Fatal(err)
		}
		handle, err := stubborn(toaster.Open)
		if err != nil {
			t.Fatal(err)
		}
		breakfast(t, w, rng, handle, clock)
		finished += conversation(t, w, rng)
		w.RunFor(time.Second)
	}, sim.Swarm(), sim.WithCPUs(2))
	if finished == 0 {
		t.Error("no conversation has come to its end")
	}
}

// breakfast toasts and waits, again and again.
func breakfast(t *testing.T, w *sim.World, rng *rand.Rand, handle *overlapped.Toaster, c *overlapped.Clock) {
	left := 10
	start(func() async.Pending {
		if left--; left < 0 {
			return nil
		}
		if left%2 == 0 {
			return c.AfterAsync(randomContext(w, rng), time.Duration(rng.IntN(300_000)))
		}
		return handle.WriteAsync(randomContext(w, rng), make([]byte, 1+rng.IntN(5)))
	})
}

// conversation has a connection made and used; 1 if it has come to its end in order.
func conversation(t *testing.T, w *sim.World, rng *rand.Rand) int {
	l, err := stubborn(func() (*overlapped.Listener, error) { return overlapped.Listen(w, "net2", 80) })
	if err != nil {
		t.Fatal(err)
	}
	data := randomBytes(rng, 1+rng.IntN(60_000))
	var got []byte
	ended := 0
	w.Workers().Go(func() {
		for {
			c, err := stubborn(func() (*overlapped.Conn, error) { return l.AcceptAsync(w.Context()).Await() })
			if err != nil {
				return
			}
			got = nil
			buf := make([]byte, 3000)
			for err == nil {
				var n int
				n, err = stubborn(func() (int, error) { return patientRead(w, c, buf) })
				got = append(got, buf[:n]...)
			}
			if err == io.EOF {
				ended++
				if !bytes.Equal(got, data) {
					t.Errorf("sent %d bytes, %d arrived, not the same", len(data), len(got))
				}
			}
			c.Close()
		}
	})
	w.Workers().Go(func() {
		defer l.Close()
		c, err := stubborn(func() (*overlapped.Conn, error) {
			return overlapped.DialAsync(w.Context(), w, "net1", l.Addr()).Await()
		})
		if err != nil {
			return
		}
		defer c.Close()
		for rest := data; len(rest) > 0; {
			n, err := c.WriteAsync(w.Context(), rest[:min(len(rest), 1+rng.IntN(9000))]).Await()
			rest = rest[n:]
			if err != nil && !passing(err) {
				return
			}
		}
		stubborn(func() (int, error) { return 0, c.CloseWrite() })
		stubborn(func() (int, error) { return patientRead(w, c, make([]byte, 1)) })
	})
	w.RunFor(5 * time.Second)
	return ended
}

// patientRead reads, but not for ever: the other side's last word may be lost, and then nobody tells.
func patientRead(w *sim.World, c *overlapped.Conn, buf []byte) (int, error) {
	ctx, cancel := w.WithTimeout(w.Context(), 2*time.Second)
	defer cancel()
	return c.ReadAsync(ctx, buf).Await()
}

// TestTornFramesAreSentAgain: whatever part of a frame is lost in an adapter, out or in, all bytes arrive, once and in order.
func TestTornFramesAreSentAgain(t *testing.T) {
	for seed := range uint64(20) {
		w := sim.New(seed, sim.WithFaults(sim.Faults{ShortTransfer: 15 * sim.Percent, ZeroTransfer: 10 * sim.Percent}))
		newNetwork(t, w, device.WireConfig{})
		if ended := conversation(t, w, rand.New(rand.NewPCG(seed, 3))); ended != 1 {
			t.Errorf("seed %d: %d conversations have ended in order", seed, ended)
		}
		if c := w.Kernel().Marks(); !slices.ContainsFunc(c, func(m kernel.Mark) bool { return m.Name == "net: a frame that arrived in part" && m.Reached > 0 }) {
			t.Errorf("seed %d: no frame was torn", seed)
		}
	}
}

// TestAdapterPulledOut: who uses an adapter that is gone is told so.
func TestAdapterPulledOut(t *testing.T) {
	w := sim.New(1, sim.WithFaults(sim.Faults{SurpriseRemoval: sim.Always}))
	newNetwork(t, w, device.WireConfig{})
	l, err := overlapped.Listen(w, "net2", 80)
	if err != nil {
		t.Fatal(err)
	}
	accept := l.AcceptAsync(w.Context())
	for range 2 { // it goes when the first frame is sent
		if _, err := overlapped.DialAsync(w.Context(), w, "net1", l.Addr()).Await(); !errors.Is(err, overlapped.ErrRemoved) {
			t.Error(err)
		}
	}
	if accept.IsCompleted() {
		t.Error("the other adapter is there")
	}
	if err := w.Settle(time.Minute); err == nil {
		t.Error("the accept has ended")
	}
	l.Close()
	if _, err := accept.Await(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	rest(t, w)
}

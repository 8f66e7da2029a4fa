package overlapped_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// TestTwoWorlds: a client in one World, a server in another, a bad wire between them; the same seeds give the same two
// traces.
func TestTwoWorlds(t *testing.T) {
	run := func(seed uint64) (string, time.Duration) {
		var traces [2]bytes.Buffer
		var worlds [2]*sim.World
		var adapters [2]*sim.Adapter
		for i := range worlds {
			worlds[i] = sim.New(seed+uint64(i), sim.WithTrace(&traces[i]), sim.WithVerifier())
			a, err := worlds[i].NewAdapter("net", uint16(i+1), device.AdapterConfig{})
			if err != nil {
				t.Fatal(err)
			}
			adapters[i] = a
		}
		if _, err := sim.NewWire(adapters[0], adapters[1], device.WireConfig{Loss: 20_000, Reorders: 50_000}); err != nil {
			t.Fatal(err)
		}
		here, there := worlds[0], worlds[1]
		rng := rand.New(rand.NewPCG(seed, 1))
		data := randomBytes(rng, 200_000)
		fail := func(format string, args ...any) { t.Errorf(format, args...) }
		l, err := overlapped.Listen(there, "net", 80)
		if err != nil {
			t.Fatal(err)
		}
		done := false
		there.Go("accept", func(ctx context.Context) {
			accept := l.AcceptAsync(ctx)
			accept.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
				c, err := accept.GetResult()
				if err != nil {
					t.Error(err)
					return
				}
				receiver(there, rng, c, func(got []byte) {
					done = bytes.Equal(got, data)
					c.Close()
				}, fail)
			}))
		})
		here.Go("dial", func(ctx context.Context) {
			dial := overlapped.DialAsync(ctx, here, "net", l.Addr())
			dial.OnCompleted(async.ContinuationFunc(func(*async.Executor) {
				c, err := dial.GetResult()
				if err != nil {
					t.Error(err)
					return
				}
				sender(here, rng, c, data, fail)
			}))
		})
		sim.RunTogether(50*time.Microsecond, here, there)
		if !done {
			t.Errorf("seed %d: what arrived is not what was sent", seed)
		}
		for _, w := range worlds {
			w.Close()
		}
		return traces[0].String() + traces[1].String(), here.Elapsed()
	}
	one, took := run(5)
	two, _ := run(5)
	if one != two || len(one) < 100_000 {
		t.Errorf("the same seeds, different traces, or short ones: %d and %d bytes", len(one), len(two))
	}
	if took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

package sim_test

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/sim"
)

// scenarios are runs that between them use all of the machine. Each ends with a World that has nothing left to do.
var scenarios = map[string]struct {
	options []sim.Option
	run     func(t testing.TB, w *sim.World)
}{
	"one read": {nil, func(t testing.TB, w *sim.World) {
		f, _ := open(t, w, "disk", []byte("hello"))
		f.ReadAsync(w.Context(), make([]byte, 5)).Await()
	}},
	"threads block": {nil, func(t testing.TB, w *sim.World) {
		src, _ := open(t, w, "src", make([]byte, 30_000))
		dst, _ := open(t, w, "dst", nil)
		w.Go("copy", func(ctx context.Context) { copyAll(ctx, dst, src) })
		w.Workers().Go(func() { copyAll(w.Context(), dst, src) })
		w.Run()
	}},
	"three CPUs, cancellation": {[]sim.Option{sim.WithCPUs(3)}, func(t testing.TB, w *sim.World) {
		d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 1000)), device.DiskConfig{Depth: 4})
		if err != nil {
			t.Fatal(err)
		}
		f, _ := d.Open()
		for i := range 40 {
			ctx, cancel := w.WithTimeout(w.Context(), time.Duration(i*10)*time.Microsecond)
			f.ReadAtAsync(ctx, make([]byte, 100), int64(i*10))
			if i%5 == 0 {
				cancel()
			}
		}
		w.Run()
	}},
	"faults, in the code too": {[]sim.Option{sim.Swarm()}, func(t testing.TB, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 1000))
		for range 10 {
			for _, n := range batches(w.Context()) {
				f.ReadAtAsync(w.Context(), make([]byte, 100*n), 0).Await()
			}
		}
		w.Heal()
		w.Run()
	}},
	"modern completion": {[]sim.Option{sim.WithModernCompletion()}, func(t testing.TB, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 1000))
		w.Go("reads", func(ctx context.Context) {
			for range 3 {
				f.ReadAsync(ctx, make([]byte, 100)).Await()
			}
		})
		w.Run()
	}},
}

// run makes a World for a scenario and runs it; it returns the World and its trace.
func run(t testing.TB, name string, seed uint64, more ...sim.Option) (*sim.World, string) {
	s := scenarios[name]
	var out bytes.Buffer
	w := sim.New(seed, append(append([]sim.Option{sim.WithTrace(&out)}, s.options...), more...)...)
	s.run(t, w)
	return w, out.String()
}

// TestRunTwice runs each scenario twice from each of some seeds and compares what it did: byte for byte, by the hash,
// and by what the stream of decisions has come to.
func TestRunTwice(t *testing.T) {
	for name := range scenarios {
		t.Run(name, func(t *testing.T) {
			hashes := map[uint64]bool{}
			for seed := range uint64(10) {
				a, traceA := run(t, name, seed)
				b, traceB := run(t, name, seed)
				if traceA != traceB || a.Hash() != b.Hash() || a.Unseed() != b.Unseed() {
					t.Fatalf("seed %d: two runs differ: hashes %x and %x, unseeds %x and %x", seed, a.Hash(), b.Hash(), a.Unseed(), b.Unseed())
				}
				hashes[a.Hash()] = true
			}
			if len(hashes) < 10 {
				t.Errorf("10 seeds gave %d different runs", len(hashes))
			}
		})
	}
}

// TestHashWithoutTrace: tracing changes nothing, and the hash needs none.
func TestHashWithoutTrace(t *testing.T) {
	for name, s := range scenarios {
		traced, _ := run(t, name, 3)
		w := sim.New(3, s.options...)
		s.run(t, w)
		if w.Hash() != traced.Hash() {
			t.Errorf("%s: hash %x without a trace, %x with one", name, w.Hash(), traced.Hash())
		}
	}
}

// TestReplay takes a run's decisions from its recording, in another World and from its text form.
func TestReplay(t *testing.T) {
	for name := range scenarios {
		recorded, trace := run(t, name, 5, sim.WithRecording())
		text := recorded.Recording().String()
		r, err := sim.ParseRecording(text)
		if err != nil {
			t.Fatal(err)
		}
		if r.Seed() != 5 || r.Len() != recorded.Counters().Decisions || strings.ContainsAny(text, " \n") {
			t.Errorf("%s: seed %d, %d decisions in %q", name, r.Seed(), r.Len(), text)
		}
		if len(text) > 300+6*int(r.Len()) { // 300 for the labels, each of which is there once
			t.Errorf("%s: %d decisions take %d bytes", name, r.Len(), len(text))
		}
		replayed, again := run(t, name, 999, sim.WithReplay(r)) // another seed: it must not matter
		if again != trace || replayed.Hash() != recorded.Hash() {
			t.Errorf("%s: the replay does something else", name)
		}
		if replayed.Unseed() == recorded.Unseed() {
			t.Errorf("%s: the replay has taken its decisions from the seed", name)
		}
	}
}

// TestReplayDiverges replays a recording on a machine that asks for other choices.
func TestReplayDiverges(t *testing.T) {
	w, _ := run(t, "threads block", 5, sim.WithRecording())
	defer func() {
		d, ok := recover().(*sim.Divergence)
		if !ok || d.Number == 0 || !strings.Contains(d.Error(), "where the recorded run chose") {
			t.Errorf("no divergence, but %v", d)
		}
	}()
	run(t, "threads block", 5, sim.WithCPUs(2), sim.WithReplay(w.Recording()))
}

// TestReplayOfChoices: each choice is the recorded one as long as label and bound are; the first that differs is told of, and
// what comes behind the recording's end is the seed's.
func TestReplayOfChoices(t *testing.T) {
	type choice struct {
		label string
		of    int
	}
	asked := []choice{{"coin", 2}, {"die", 6}, {"coin", 3}, {"coin", 3}, {"die", math.MaxInt / 2}, {"coin", 2}}
	recorded := sim.New(5, sim.WithRecording())
	var chosen []int
	for _, c := range asked {
		chosen = append(chosen, recorded.Choose(c.label, c.of))
	}
	r, err := sim.ParseRecording(recorded.Recording().String())
	if err != nil {
		t.Fatal(err)
	}
	behind := recorded.Choose("card", math.MaxInt)
	for i, c := range asked {
		for _, other := range []choice{{"other", c.of}, {c.label, c.of + 1}, c} {
			w := sim.New(5, sim.WithReplay(r))
			for k, same := range asked[:i] {
				if got := w.Choose(same.label, same.of); got != chosen[k] {
					t.Errorf("choice %d is %d, and was %d", k, got, chosen[k])
				}
			}
			func() {
				defer func() {
					d, _ := recover().(*sim.Divergence)
					want := sim.Divergence{Number: uint64(i + 1), Label: other.label, WasLabel: c.label, Of: uint64(other.of), WasOf: uint64(c.of), Decided: uint64(chosen[i])}
					if other == c && d != nil || other != c && (d == nil || *d != want) {
						t.Errorf("%v in place of %v: %+v", other, c, d)
					}
				}()
				w.Choose(other.label, other.of)
			}()
			if other == c && i == len(asked)-1 {
				if got := w.Choose("card", math.MaxInt); got != behind {
					t.Errorf("behind the end %d, and not the seed's %d", got, behind)
				}
			}
		}
	}
}

func TestDamagedRecordings(t *testing.T) {
	w, _ := run(t, "one read", 5, sim.WithRecording())
	text := w.Recording().String()
	for _, bad := range []string{"", "7", "nothread3.", "nothread3.!", "nothread3.AAAA", text[:len(text)-3], text[1:], text + "AAAA", text + text} {
		if r, err := sim.ParseRecording(bad); err == nil {
			t.Errorf("%q: no error, but %d decisions", bad, r.Len())
		}
	}
	for i := range text {
		for _, c := range "0AaQ_w" {
			if damaged := text[:i] + string(c) + text[i+1:]; damaged != text {
				if r, err := sim.ParseRecording(damaged); err == nil {
					t.Errorf("with %c at %d: no error, but %d decisions", c, i, r.Len())
				}
			}
		}
	}
	if _, err := sim.ParseRecording(" " + text + "\n"); err != nil {
		t.Error(err)
	}
}

package sim_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/sim"
)

var (
	mixedSeeds = flag.Uint64("mixed.seeds", 400, "how many seeds TestMixed runs")
	mixedFirst = flag.Uint64("mixed.first", 0, "the first of them")
)

// TestMixed runs the mixed workload from many seeds, each twice, and compares the two runs. The long form is
//
//	go test ./runtime/sim -run TestMixed -v -args -mixed.seeds=100000
func TestMixed(t *testing.T) {
	seeds := *mixedSeeds
	if testing.Short() {
		seeds = min(seeds, 50)
	}
	s := soak{began: time.Now()}
	var workers sync.WaitGroup
	var next atomic.Uint64
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= seeds || t.Failed() {
					return
				}
				s.seed(t, *mixedFirst+i)
			}
		})
	}
	workers.Wait()
	s.report(t)
}

// soak counts what many runs did.
type soak struct {
	began time.Time
	mu    sync.Mutex
	runs  uint64
	irps  uint64
	marks map[string]uint64
	order []string
}

// seed runs one seed twice.
func (s *soak) seed(t *testing.T, seed uint64) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %d: %v\nreplay: go test ./runtime/sim -run TestMixed -args -mixed.first=%d -mixed.seeds=1", seed, r, seed)
		}
	}()
	first := newMixed(seed)
	wrong := first.run()
	again := newMixed(seed)
	again.run()
	if a, b := first.w.Hash(), again.w.Hash(); a != b {
		wrong = append(wrong, fmt.Sprintf("two runs differ: hashes %x and %x", a, b))
	}
	if len(wrong) > 0 {
		t.Errorf("seed %d (%v): %s\nreplay: go test ./runtime/sim -run TestMixed -args -mixed.first=%d -mixed.seeds=1",
			seed, first.w.Faults(), wrong, seed)
	}
	s.add(first.w)
}

// add takes the account of a run, and shows progress now and then.
func (s *soak) add(w *sim.World) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	s.irps += w.Counters().IRPs
	if s.marks == nil {
		s.marks = map[string]uint64{}
	}
	for _, m := range w.Marks() {
		if _, known := s.marks[m.Name]; !known {
			s.order = append(s.order, m.Name)
		}
		s.marks[m.Name] += m.Reached
	}
	if s.runs%5000 == 0 {
		fmt.Fprintf(os.Stderr, "TestMixed: %d seeds, %d IRPs, %v\n", s.runs, s.irps, time.Since(s.began).Round(time.Second))
	}
}

// report says how often each fault struck and each race was met; that all were, is what makes the rest worth something. The
// rarest come once in a thousand seeds.
func (s *soak) report(t *testing.T) {
	t.Logf("%d seeds, each twice, %d IRPs, %v", s.runs, s.irps, time.Since(s.began).Round(time.Millisecond))
	for _, name := range s.order {
		t.Logf("%9d  %s", s.marks[name], name)
		if s.marks[name] == 0 && s.runs >= 5000 {
			t.Errorf("no seed has reached: %s", name)
		}
	}
}

// TestMixedTraces compares the traces of some seeds byte for byte, where TestMixed compares hashes.
func TestMixedTraces(t *testing.T) {
	for seed := range uint64(10) {
		var one, two bytes.Buffer
		newMixed(seed, sim.WithTrace(&one)).run()
		newMixed(seed, sim.WithTrace(&two)).run()
		if one.Len() < 1000 || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("seed %d: traces of %d and %d bytes differ", seed, one.Len(), two.Len())
		}
	}
}

// TestTheVerifierOnlyLooks: where nothing fails and there is one CPU, a World without the verifier takes short ways. It does
// the same, at the same times, as one with it.
func TestTheVerifierOnlyLooks(t *testing.T) {
	cancels := 0
	run := func(seed uint64, options ...sim.Option) (hash, unseed uint64) {
		m := mixedIn(sim.New(seed, options...))
		defer m.w.Close()
		for _, complaint := range m.run() {
			t.Errorf("seed %d: %s", seed, complaint)
		}
		if m.w.Counters().Cancels > 0 {
			cancels++
		}
		return m.w.Hash(), m.w.Unseed()
	}
	for seed := range uint64(60) {
		hash, unseed := run(seed, sim.WithVerifier())
		quick, quickUnseed := run(seed, sim.WithoutVerifier())
		if hash != quick || unseed != quickUnseed {
			t.Errorf("seed %d: with the verifier %x %x, without %x %x", seed, hash, unseed, quick, quickUnseed)
		}
	}
	if cancels < 10 {
		t.Errorf("requests that wait were cancelled in %d runs only", cancels)
	}
}

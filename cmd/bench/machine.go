package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// block is what one read takes.
const block = 512

// latency is about what the simulated disk takes for it.
const latency = 80 * time.Microsecond

// newWorld makes a World with a disk that takes n commands at a time, as far as
// it can.
func newWorld(n int) (*sim.World, *overlapped.File) {
	return newWorldOf(device.DiskConfig{Depth: min(n, 1<<16)})
}

func newWorldOf(cfg device.DiskConfig) (*sim.World, *overlapped.File) {
	w := sim.New(1, sim.WithoutVerifier())
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 4096)), cfg)
	if err != nil {
		panic(err)
	}
	f, err := d.Open()
	if err != nil {
		panic(err)
	}
	return w, f
}

// inFlight keeps n reads in flight, each of a machine that awaits the next one as
// soon as it is resumed, and measures them once they all run.
func inFlight(n int) Observation {
	w, f := newWorld(n)
	buf, left := make([]byte, block), math.MaxInt
	w.UI().Go("start", func() {
		for range n {
			ours.ReadsAsync(w.Context(), f, buf, &left)
		}
	})
	w.RunFor(2 * latency * time.Duration(max(1, n>>16))) // the pools are full, and everybody is under way
	before := left
	var spent time.Duration
	cost := measure(1, func(int) {
		watch := startWatch()
		for step := latency; spent < 300*time.Millisecond; step *= 2 { // few calls: they cost something, too
			w.RunFor(step)
			spent = watch.time()
		}
	})
	done := float64(before - left)
	return Observation{Cost: Cost{float64(spent) / done, cost.Allocs / done, cost.Bytes / done}}
}

// goroutinesInFlight is the peer: n goroutines that each wait on a channel.
func goroutinesInFlight(n int) Observation {
	f := goroutine.NewInFlight(n)
	f.Complete(n)
	cost := measure(3*n, f.Complete)
	f.Close()
	return Observation{Cost: cost}
}

// readers are few and read often in readsInTurn.
const readers = 1000

// readsAtOnce reads n blocks, all of them at once.
func readsAtOnce(n int) Observation { return simulated(n, 1) }

// readsInTurn reads n blocks, by a thousand readers.
func readsInTurn(n int) Observation { return simulated(min(n, readers), max(1, n/readers)) }

func simulated(n, rounds int) Observation {
	w, f := newWorld(n)
	buf, left := make([]byte, block), n*rounds
	cost := measure(n*rounds, func(int) {
		tasks := make([]async.Task0, n)
		w.UI().Go("start", func() {
			for i := range tasks {
				tasks[i] = ours.ReadsAsync(w.Context(), f, buf, &left)
			}
		})
		w.Run()
		for _, task := range tasks {
			must(left, 0, task.Await())
		}
	})
	return Observation{Cost: cost}
}

func synctestAtOnce(n int) Observation { return underSynctest(n, 1) }

func synctestInTurn(n int) Observation {
	return underSynctest(min(n, readers), max(1, n/readers))
}

// underSynctest is the peer: the same reads, each a pause of simulated time and a
// copy, on goroutines. It needs a test around it, which reports and exits.
func underSynctest(n, rounds int) Observation {
	disk, buf := make([]byte, 4096), make([]byte, block)
	random := rand.New(rand.NewPCG(1, 2))
	pauses := make([]time.Duration, 1<<10) // drawn beforehand: they are shared
	for i := range pauses {
		pauses[i] = 60*time.Microsecond + time.Duration(random.Int64N(int64(40*time.Microsecond)))
	}
	run := func(t *testing.T) {
		report(Observation{Cost: measure(n*rounds, func(int) {
			synctest.Test(t, func(*testing.T) {
				must(goroutine.ReadSleeping(n, rounds, disk, buf, pauses), n*rounds, nil)
			})
		})})
	}
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{{Name: "reads", F: run}}, nil, nil)
	panic("testing.Main exits")
}

// machine is the whole way of an IRP, from issue to resume.
func (b *bench) machine() ([]Row, error) {
	rounds, numbers, others, jobs := 5, []int{1, 1000, 1_000_000}, 100_000, 100_000
	if b.quick {
		rounds, numbers, others, jobs = 1, []int{1, 100, 1000}, 1000, 1000
	}
	costs := make([]Cost, len(numbers))
	for i, n := range numbers {
		seen, err := observe(rounds, n, "in flight")
		if err != nil {
			return nil, err
		}
		costs[i] = seen["in flight"].Cost
	}
	peer, err := observe(rounds, others, "goroutines in flight")
	if err != nil {
		return nil, err
	}
	channels := cost(peer["goroutines in flight"].Cost)
	names := []string{"1", "1,000", "1,000,000"}
	var rows []Row
	for i := range numbers {
		rows = append(rows, row("IRP, issue to resume, "+names[i]+" in flight", cost(costs[i]), channel+", 100,000 in flight", &channels, noAllocs))
	}
	thousand := cost(costs[1])
	rows = append(rows,
		row("IRPs a second on one core, 1,000 in flight", figure(1e3/costs[1].Nanoseconds, "million"), "", nil, oursAtLeast(3)),
		row("IRP, issue to resume, 1,000,000 in flight", cost(costs[2]), "the same, 1,000 in flight", &thousand, ratioAtMost(2.5)))
	same, err := observe(rounds, jobs, "reads", "synctest reads", "readers", "synctest readers")
	if err != nil {
		return nil, err
	}
	for _, pair := range []struct{ what, ours, theirs string }{
		{"100,000 simulated reads, all at once", "reads", "synctest reads"},
		{"100,000 simulated reads by 1,000 readers", "readers", "synctest readers"},
	} {
		theirs := cost(same[pair.theirs].Cost)
		rows = append(rows, row(pair.what, cost(same[pair.ours].Cost), "goroutines under testing/synctest", &theirs, ratioAtMost(1.0/5)))
	}
	return rows, nil
}

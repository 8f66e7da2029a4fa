package main

import (
	"time"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/runtime/device"
)

// millionReads has n reads of a block in flight at one moment, each awaited by a
// machine, and completes them all.
func millionReads(n int) Observation {
	watch := startWatch()
	slow := device.DiskConfig{Depth: min(n, 1<<16), Access: 2 * time.Second} // none is done before all have been started
	w, f := newWorldOf(slow)
	buf, done := make([]byte, block), 0
	w.UI().Go("start", func() {
		for range n {
			ours.ReadOnceAsync(w.Context(), f, buf, &done)
		}
		must(int(w.Counters().IRPsInFlight), n, nil)
	})
	w.Run()
	took := watch.time()
	must(done, n, nil)
	return Observation{Took: milliseconds(took)}
}

// millionGoroutines is the same with a goroutine for each, which waits on a
// channel; the disk is a loop that sends to them all.
func millionGoroutines(n int) Observation {
	watch := startWatch()
	done := goroutine.ReadMillion(n, make([]byte, 4096), make([]byte, block))
	took := watch.time()
	must(done, n, nil)
	return Observation{Took: milliseconds(took)}
}

// million compares a million reads with a million goroutines.
func (b *bench) million() ([]Row, error) {
	n, rounds := 1_000_000, 3
	if b.quick {
		n, rounds = 1000, 1
	}
	const mine, theirs = "million reads", "million goroutines"
	seen, err := observe(rounds, n, mine, theirs)
	if err != nil {
		return nil, err
	}
	const peer = "a million goroutines + channels"
	took, peak := figure(seen[theirs].Took, "ms"), figure(seen[theirs].Peak, "MiB")
	return []Row{
		row("a million reads in flight at once: time", figure(seen[mine].Took, "ms"), peer, &took).
			because("ours are whole simulated requests, from the call to the interrupt and back; the peer's disk is a loop that sends"),
		row("a million reads in flight at once: peak memory", figure(seen[mine].Peak, "MiB"), peer, &peak),
	}, nil
}

package main

import (
	"math"
	"math/bits"
	"time"
	"unsafe"

	"github.com/nothread/nothread/cmd/bench/ours"
	"github.com/nothread/nothread/cmd/bench/peers/goroutine"
	"github.com/nothread/nothread/cmd/bench/peers/hand"
	"github.com/nothread/nothread/cmd/bench/peers/pull"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// powerOfTwo is the least one that holds n.
func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }

// suspendedMachines has n of the smallest loop, each with its operation.
func suspendedMachines(n int) Observation {
	return suspended(n, func() any {
		q := ours.NewQueue(powerOfTwo(n))
		for range n {
			if ours.WatchAsync(q.NewOperation()).IsCompleted() {
				panic("it is complete")
			}
		}
		return q
	})
}

func suspendedByHand(n int) Observation {
	return suspended(n, func() any {
		q := hand.NewQueue(powerOfTwo(n))
		for range n {
			hand.StartWatch(q)
		}
		return q
	})
}

func suspendedGoroutines(n int) Observation {
	return suspended(n, func() any { return goroutine.Watch(n) })
}

func suspendedPulls(n int) Observation {
	return suspended(n, func() any {
		q := pull.NewQueue(powerOfTwo(n))
		for range n {
			q.Push(pull.Start(math.MaxInt))
		}
		return q
	})
}

// copyBuffer is what a CopyStream has for its data.
const copyBuffer = 4096

// buffers has n of them alone, with something in each: what a CopyStream's takes, Go's
// bookkeeping of it included.
func buffers(n int) Observation {
	seen := suspended(n, func() any {
		list := make([][]byte, n)
		for i := range list {
			list[i] = make([]byte, copyBuffer)
			list[i][0] = 1
		}
		return list
	})
	seen.Each -= float64(unsafe.Sizeof([]byte(nil)))
	return seen
}

// suspendedCopies has n CopyStreams in a World, each in the middle of its first
// write: its buffer has been read into, and the disk has its command.
func suspendedCopies(n int) Observation {
	w := sim.New(1, sim.WithoutVerifier())
	open := func(name string, cfg device.DiskConfig) *overlapped.File {
		d, err := w.NewDisk(name, device.NewMemory(make([]byte, 2*copyBuffer)), cfg)
		if err != nil {
			panic(err)
		}
		f, err := d.Open()
		if err != nil {
			panic(err)
		}
		return f
	}
	depth := min(n, 1<<16)
	src := open("src", device.DiskConfig{Depth: depth})
	dst := open("dst", device.DiskConfig{Depth: depth, Access: time.Hour})
	seen := suspended(n, func() any {
		for range n {
			if ours.CopyStreamAsync(w.Context(), src, dst).IsCompleted() {
				panic("it is complete")
			}
			w.RunFor(time.Millisecond)
			if err := src.SetPosition(0); err != nil {
				panic(err)
			}
		}
		return w
	})
	if flying := w.Counters().IRPsInFlight; flying != uint64(n) {
		panic("not all of them wait for their write")
	}
	return seen
}

// resident is what a million suspended things take, and what a garbage collection
// then takes.
func (b *bench) resident() ([]Row, error) {
	n, copies := 1_000_000, 60_000
	if b.quick {
		n, copies = 1000, 1000
	}
	seen, err := observe(1, n, "suspended machines", "suspended by hand", "suspended goroutines", "suspended pulls")
	if err != nil {
		return nil, err
	}
	streams, err := observe(1, copies, "suspended copies", "buffers")
	if err != nil {
		return nil, err
	}
	const small, stream, collection = "bytes of a suspended minimal loop", "bytes of a suspended CopyStream, IRP and device, beyond its buffer", "garbage collection, 1,000,000 suspended"
	machines := seen["suspended machines"]
	var rows []Row
	bytes := func(peer, job string, demands ...demand) {
		theirs := figure(seen[job].Each, "B")
		rows = append(rows, row(small, figure(machines.Each, "B"), peer, &theirs, demands...))
	}
	bytes(byHand, "suspended by hand", oursAtMost(128))
	bytes(channel, "suspended goroutines")
	bytes(iterPull, "suspended pulls")
	rows = append(rows,
		row(small, figure(machines.Each, "B"), coroc, quoted(144, "B")).because(corocNote),
		row(stream, figure(streams["suspended copies"].Each-streams["buffers"].Each, "B"), channel, quoted(2842, "B"), oursAtMost(400)).
			because("of the peer, its buffer of another size included; ours as the difference to buffers of 4,096 bytes alone, each of which takes %s", amount(streams["buffers"].Each, "B")))
	collected := func(peer, job string, demands ...demand) {
		theirs := figure(seen[job].Collection, "ms")
		rows = append(rows, row(collection, figure(machines.Collection, "ms"), peer, &theirs, demands...).
			because("the world stands still for %s of ours, %s of the peer's", amount(machines.Pause, "ms"), amount(seen[job].Pause, "ms")))
	}
	collected(channel, "suspended goroutines", oursAtMost(40))
	collected(iterPull, "suspended pulls")
	collected(byHand, "suspended by hand")
	return append(rows, row(collection, figure(machines.Collection, "ms"), coroc, quoted(63, "ms")).because(corocNote)), nil
}

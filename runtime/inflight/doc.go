// Package inflight says what is in flight: every suspended machine, with its
// function, its place in the author's source, the context that it goes on in, the
// variables that it still needs, what it awaits, and who awaits it; and of that,
// what looks wrong (Lint). Machines in the same place, that wait for the
// same kind of thing and are awaited alike, are counted together.
//
//	3 × read of 4096 bytes on disk, started by disk.sys: the device has it (irp#7, irp#8, irp#9), for 2ms
//	  main.Fetch    fetch.go:31  state 2, awaits f.ReadAsync(ctx, buf), for 2ms
//	      buf = []byte of 4096, n = 12
//	  main.Serve    serve.go:12  state 1, awaits FetchAsync(ctx, f), context UI thread, for 3ms
//	      id = 7
//	  nobody awaits it
//
// A World keeps track of its machines if it was told to (sim.WithMachines, and in
// tests), and its Dump knows what the kernel has to do with them. A program
// without a World calls Track, and then Write whenever it likes, or OnSignal.
package inflight

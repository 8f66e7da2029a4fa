// Package sim builds a World: a clock, processors, devices, a kernel, thread pools and a UI thread, from a seed. The
// same seed gives the same run, byte for byte, on any machine.
//
//	w := sim.New(7)
//	disk, _ := w.NewDisk("disk", device.NewMemory(data), device.DiskConfig{})
//	file, _ := disk.Open()
//	n, err := file.ReadAsync(w.Context(), buf).Await() // runs the World until the read is done
//
// # Who runs it
//
// A World runs on one goroutine at a time and only when its owner, the goroutine that made it or was handed it, lets it: by
// Run, RunUntil, or by blocking on one of its tasks. The loop (loop.go) runs on the owner's goroutine, and so does the code of simulated
// threads: messages of the UI thread, continuations on pool threads. There is no goroutine for anything in flight.
//
// # Blocking
//
// Code on a simulated thread may block, by Await in its synchronous form. Then the goroutine that it runs on becomes that
// thread's stack, and the loop goes on on another one, a strand (strand.go). Exactly one strand runs at a time; the baton
// is handed over when a thread blocks and when the scheduler chooses a thread whose stack is elsewhere. So the count of
// goroutines is one plus the number of blocked threads.
//
// If the thread that blocks does so on the owner's goroutine, the owner's call cannot return before it: the World runs
// on, even after what the owner waits for is done, until that thread has unblocked. In
// RunTogether's turns nothing does so: there the loop keeps off the owner's goroutine.
//
// If nothing is left to happen and somebody still waits, that is a deadlock: a panic with a *Deadlock that names who
// waits, where, for what. A thread that blocks on a machine which is to go on on that thread alone is one at once, whatever
// else may still happen: on the machine itself, or through machines that await it, a Map, or a WhenAll whose context never
// ends. What blocks on it otherwise, such as through an async.Go that has a thread, or blocks all threads of a pool, is seen
// when nothing is left to happen.
//
// Threads do not preempt one another, only what has a higher IRQL does (A22): what is to run on a thread, such as a function
// of AfterFunc, waits until the one that runs is done with its piece of work. Code costs no time but by CPU.Spend.
//
// # Cancellation
//
// WithCancel and WithTimeout of a World make contexts of its own: they end at a moment of its clock, and call back
// synchronously. One of the standard library is foreign: it ends by real time, or when some goroutine calls cancel, and that
// enters the World at its next step. A World that has nothing left to do waits, in real time, for the deadlines of the
// foreign contexts that its operations watch, and if somebody is blocked, for a while for those that have none.
//
// # Decisions
//
// Whatever could go one way or the other is drawn from one stream of decisions: how long a disk takes, which of several
// ready threads runs next. Integer arithmetic only. Each decision has a number and a label; WithRecording writes them down,
// WithReplay plays them again and says where a run goes another way. Hash is a digest of all that a run did.
//
// Of each decision 0 is the calm choice: nothing fails, who came first goes first, nothing takes longer than it must. So a
// run is, beside its seed, what in it is not calm: its Deviations, a line of text if there are few. WithDeviations makes the
// World that has just these.
//
// # Faults
//
// WithFaults lets hardware and machine fail, each kind at its own rate; Swarm draws the rates. Drivers survive it: they try
// again, poll, or hand an error up. Heal ends it, and what is in flight then must come to an end. Code under test takes part:
// where async.Buggify says true it does what it may do but seldom does.
//
// To a disk with a write cache (device.DiskConfig), to be pulled out is a power failure: decisions say what of all that was
// not flushed is lost, sector by sector; calm is that nothing is. Disk.Remove is that at a moment of the test's own, SurpriseRemoval
// at any. Another disk with the same backing shows what whoever starts again has to live with.
//
// # Tests
//
// Test runs a test from many seeds, with the driver verifier on, and afterwards checks that the World settles (Settle): that
// nothing hangs and nothing is left. A failure names its seed and the command that runs it alone; a hang comes with a dump of
// what waits for what (Dump). What looks wrong in a World that has settled, such as a machine that nobody will ever resume,
// is told (Lint). What no seed has reached, of faults, races and the test's own marks (Sometimes), is told too.
//
// Explore runs a test in the calm World, then in all that differ from it in one decision, then in two: a search by size,
// where Test searches by chance. Flags of go test reach both (Test lists them): -sim.explore=2 explores any Test, and with
// -sim.shrink=30s a seed that has failed is brought down to few deviations by leaving out, in many processes, what is not
// needed for it to fail.
package sim

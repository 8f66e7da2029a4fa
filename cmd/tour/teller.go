package main

import (
	"bufio"
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// A teller is what a story has at hand: a World, a record of what happens in it,
// and a page to write on.
//
// A story first finds out whether it can be told at all, then calls start, lets
// the World run, calls stop, and prints. One that compares does so several times:
// each start makes another World, and the record begins anew.
type teller struct {
	seed      uint64
	recording recording
	count     int // of -n
	out       *bufio.Writer

	listeners int // goroutines that wait for the program to be interrupted

	world  *sim.World
	worlds int // made so far
	record func(h *kernel.Hop) bool

	// Taken from the World while it runs.
	rows        []row
	hops        int // of the whole run, recorded or not
	suspensions int // continuations that the UI thread has resumed
	goroutines  int // the most that the Go runtime has counted at a hop
	blocked     int // the most threads that were blocked at once
	blockedNow  int
	speakers    map[string]bool // threads on which the program had a word
}

// A row is a line of the record: a hop, or a word of the story's own program.
type row struct {
	pause string // what is to be said of the time before it; "": nothing
	time  clock.Time
	level string
	where string // a thread's name, or "no thread"
	what  string
	hop   kernel.HopKind // HopNone: the program's word
}

// start makes a World. Of its hops the record keeps those that record wants.
func (t *teller) start(record func(h *kernel.Hop) bool, options ...sim.Option) error {
	options = append(options, sim.WithObserver(t.observe))
	recorded, err := t.recording.options(t.out)
	if err != nil {
		return err
	}
	options = append(options, recorded...)
	t.record = record
	t.worlds++
	t.rows, t.hops, t.suspensions, t.goroutines, t.blocked, t.blockedNow = nil, 0, 0, 0, 0, 0
	t.speakers = make(map[string]bool)
	t.world = sim.New(t.seed, options...)
	return nil
}

// stop ends the World, and completes its part of the trace.
func (t *teller) stop() error {
	if err := t.world.Close(); err != nil {
		t.recording.broken = true
		return t.recording.cannot(err)
	}
	if t.recording.path == "-" {
		t.printf("\n")
	}
	return nil
}

// observe is told of every hop, as it happens.
func (t *teller) observe(h *kernel.Hop) {
	t.hops++
	t.goroutines = max(t.goroutines, runtime.NumGoroutine()-t.listeners)
	switch h.Kind {
	case kernel.HopThreadBlocked:
		t.blockedNow++
		t.blocked = max(t.blocked, t.blockedNow)
	case kernel.HopThreadUnblocked:
		t.blockedNow--
	}
	if h.Kind == kernel.HopResumed && h.Thread == t.world.UI().String() {
		t.suspensions++
	}
	if t.record(h) {
		r := row{time: h.Time, level: h.Level(), where: h.Where(), what: h.Sentence(), hop: h.Kind}
		if h.Kind == kernel.HopDMADone && len(t.rows) > 0 {
			r.pause = t.inFlight(h.Time.Sub(t.rows[len(t.rows)-1].time))
		}
		t.rows = append(t.rows, r)
	}
}

// inFlight says what the machine's threads do while a device works.
func (t *teller) inFlight(d time.Duration) string {
	threads := t.world.Kernel().Threads()
	run, blocked := 0, 0
	for _, thread := range threads {
		if thread.State() == kernel.Running {
			run++
		}
		if thread.Stack != nil {
			blocked++
		}
	}
	return fmt.Sprintf("in flight for %v: of %d threads %d run and %d are blocked", d, len(threads), run, blocked)
}

// run runs the World; it returns the deadlock in which that ends, if it does.
func (t *teller) run() (deadlock *sim.Deadlock) {
	defer func() {
		r := recover()
		var ok bool
		if deadlock, ok = r.(*sim.Deadlock); r != nil && !ok {
			panic(r)
		}
	}()
	t.world.Run()
	return nil
}

// tellerKey is where a context carries the teller: an ambient value, which flows
// across awaits with the context.
type tellerKey struct{}

// onUI posts f to the UI thread as a message. What f is given carries the UI
// thread, to resume there, and the teller, to speak to.
func (t *teller) onUI(name string, f func(ctx context.Context)) {
	t.world.Go(name, func(ctx context.Context) { f(t.hears(ctx)) })
}

// hears returns a context whose functions can speak to the teller.
func (t *teller) hears(ctx context.Context) context.Context {
	return context.WithValue(ctx, tellerKey{}, t)
}

// worker starts f on a thread of the worker pool; what f is given lets machines
// resume on any of them.
func (t *teller) worker(f func(ctx context.Context)) {
	ctx := t.hears(async.WithSyncContext(t.world.Context(), t.world.Workers()))
	t.world.Workers().Go(func() { f(ctx) })
}

// threadName is the name of the thread whose code runs.
func (t *teller) threadName() string {
	if thread := t.world.Kernel().CPU().Thread(); thread != nil {
		return thread.Name()
	}
	return "no thread"
}

// say records a word of the program's own, with when and where it was said.
func say(ctx context.Context, format string, args ...any) {
	t := ctx.Value(tellerKey{}).(*teller)
	where := t.threadName()
	t.speakers[where] = true
	t.rows = append(t.rows, row{time: t.world.Now(), level: t.world.Kernel().CPU().IRQL().String(), where: where,
		what: fmt.Sprintf(format, args...)})
}

// worldOf is the World that a context carries.
func worldOf(ctx context.Context) overlapped.World { return async.HostOf(ctx).(overlapped.World) }

// printf writes on the page; an error of it is told when the page is flushed.
func (t *teller) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// printRows prints the record as a table.
func (t *teller) printRows() { t.printRowsOf(t.rows) }

// printCounted writes what one of several ways has said, and what it took.
func (t *teller) printCounted(name string) {
	t.printf("\n%s:\n\n", capital(name))
	t.printRows()
	c := t.world.Counters()
	t.printf("\n  IRPs: %d. Threads that waited: %d. Goroutines: %d.\n", c.IRPs, c.Blocks, t.goroutines)
}

// printRowsOf prints a part of the record.
func (t *teller) printRowsOf(rows []row) {
	t.printf("  %12s  %-9s %-14s %s\n", "time", "IRQL", "runs on", "what happens")
	for _, r := range rows {
		if r.pause != "" {
			t.printf("\n  %12s  %s\n\n", "...", r.pause)
		}
		mark := ' '
		if r.hop == kernel.HopNone {
			mark = '»'
		}
		t.printf("  %12v  %-9s %-14s %c %s\n", r.time, r.level, r.where, mark, r.what)
	}
}

// printWords prints the program's words, without when they were said.
func (t *teller) printWords() {
	for _, r := range t.rows {
		if r.hop == kernel.HopNone {
			t.printf("  %-14s » %s\n", r.where, r.what)
		}
	}
}

// printThesis closes a story with what was measured: where the threads were
// while the operations were in flight.
func (t *teller) printThesis() {
	c := t.world.Counters()
	t.printf("\nIRPs: %d. Threads that waited for one: %d. Goroutines in flight: %d, counted at each of %d hops.\n",
		c.IRPs, c.Blocks, t.goroutines, t.hops)
	if c.Blocks == 0 && t.goroutines == 1 {
		t.printf("The one goroutine is the simulated machine itself. There is no thread.\n")
	}
}

// nothing records no hop: only the program's words.
func nothing(*kernel.Hop) bool { return false }

// file gives the World a disk with these bytes, and opens it.
func (t *teller) file(name string, bytes []byte, cfg device.DiskConfig) (*overlapped.File, error) {
	disk, err := t.world.NewDisk(name, device.NewMemory(bytes), cfg)
	if err != nil {
		return nil, err
	}
	return disk.Open()
}

// disk gives the World a disk with these bytes.
func (t *teller) disk(name string, bytes device.Backing) (*sim.Disk, error) {
	return t.world.NewDisk(name, bytes, device.DiskConfig{})
}

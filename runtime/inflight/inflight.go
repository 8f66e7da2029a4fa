package inflight

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/nothread/nothread/runtime/async"
)

// tracked is the list that Track keeps, for all who have called it.
var tracked struct {
	sync.Mutex
	users    int             // calls of Track that were not stopped
	machines *async.Machines // nil without users
	before   *async.Machines // who kept track before the first of them
	start    time.Time       // when they began
}

// Track makes the process keep track of the machines that belong to no World: of
// all that leave the stack from now on. One that nobody will ever resume is kept
// as long as it is tracked; that is what a dump is to show. It costs a lock and
// an entry in a map for each machine. Calls that overlap share one list; when the
// last of them is stopped, that ends it and forgets them.
func Track() (stop func()) {
	t := &tracked
	t.Lock()
	defer t.Unlock()
	if t.users++; t.users == 1 {
		start := time.Now()
		t.start = start
		t.machines = async.NewMachines(func() time.Duration { return time.Since(start) }, nil)
		t.before = async.Track(t.machines)
	}
	return sync.OnceFunc(func() {
		t.Lock()
		defer t.Unlock()
		if t.users--; t.users == 0 {
			async.Track(t.before)
			t.machines, t.before = nil, nil
		}
	})
}

// Write writes to w what machines are in flight of those that Track keeps track
// of. It may be called from any goroutine; machines that are about to go on wait
// until what is in them has been read. Variables are shown by type and size, and
// by value if they are numbers, strings, times or booleans; no method of theirs
// is called, but that a context.Context is asked whether it is done.
func Write(w io.Writer) error {
	r := report()
	if r == nil {
		_, err := io.WriteString(w, untracked+"\n")
		return err
	}
	_, err := w.Write(r.Append(nil))
	return err
}

// Lint says what looks wrong in what is in flight, of the machines that Track keeps track of, a sentence each: which have
// been waiting for longer than patience, and which wait on though a context that they still need is done.
func Lint(patience time.Duration) []string {
	r := report()
	if r == nil {
		return []string{untracked}
	}
	return r.Lint(patience)
}

const untracked = "nobody keeps track of machines: call inflight.Track first"

// report is of the machines that Track keeps track of; nil if there are none.
func report() *Report {
	tracked.Lock()
	defer tracked.Unlock()
	if tracked.machines == nil {
		return nil
	}
	return &Report{Machines: tracked.machines, Now: time.Since(tracked.start)}
}

// OnSignal calls report on a goroutine of its own each time the process gets one
// of the signals, until stop:
//
//	inflight.OnSignal(func() { inflight.Write(os.Stderr) }, syscall.SIGUSR1)
//	inflight.OnSignal(func() { world.Inject(func() { log.Print(world.Dump()) }) }, syscall.SIGUSR1)
func OnSignal(report func(), signals ...os.Signal) (stop func()) {
	arrived, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(arrived, signals...)
	go func() {
		for {
			select {
			case <-arrived:
				report()
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(arrived)
		close(done)
	})
}

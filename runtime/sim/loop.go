package sim

import (
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/pool"
)

// loop runs the World on a clean strand. It returns the strand that the baton must go to next; nil on the owner's
// strand means that the owner's wait is over.
func (w *World) loop(s *strand) (to *strand) {
	for {
		if w.fatal != nil || w.mainDue {
			if s == w.owner {
				w.raise()
				return nil
			}
			if w.owner.clean() || w.fatal != nil {
				return w.owner // or its occupant, who must make way
			}
		} else if s == w.owner && w.aside {
			return w.freshStrand()
		} else if s != w.owner && w.owner.clean() && !w.aside {
			return w.owner
		}
		if w.outside.full.Load() {
			w.takeInbox()
		}
		t, idle := w.kernel.Next()
		switch {
		case idle:
			w.idle()
		case t == nil:
		case t == w.main:
			w.mainDue = true
			w.kernel.Vacate(t)
			t.WaitIdle("its goroutine")
		case t.Stack != nil:
			return t.Stack.(*strand)
		default:
			w.runThread(s, t)
		}
	}
}

// raise panics on the owner's strand with what must rise there.
func (w *World) raise() {
	if f := w.fatal; f != nil {
		w.fatal = nil
		panic(f)
	}
}

// idle is called when nothing is left to happen.
func (w *World) idle() {
	if w.outside.full.Load() {
		return
	}
	if reached := w.atLimit; reached != nil {
		w.limit(-1, nil)
		reached()
		return
	}
	nobody := len(w.blocked()) == 0
	if w.mainDue && w.owner.clean() || w.awaitOutside(!w.untilIdle || !nobody) {
		return
	}
	if w.untilIdle && nobody {
		w.mainDue = true
		return
	}
	w.fatal = w.deadlock()
}

// Run runs the World until it has nothing left to do: no thread is ready, no device works, no timer is set. It panics
// with a *Deadlock if a thread is blocked then.
func (w *World) Run() {
	w.requireOwner("Run")
	w.untilIdle = true
	w.main.WaitIdle("the World to have nothing left to do")
	w.Park(w.main)
}

// RunFor runs the World until d has passed on its clock, or less if it has nothing left to do before that, or longer if
// a thread is blocked on the owner's goroutine (see the package's essay).
func (w *World) RunFor(d time.Duration) {
	w.requireOwner("RunFor")
	if d < 0 {
		panic(fmt.Sprintf("sim: RunFor %v: time does not go back", d))
	}
	w.limit(d, func() { w.mainDue = true })
	w.main.WaitIdle("time to pass")
	w.Park(w.main)
}

// limit has reached called, once, when d has passed or nothing is left to do, while the owner waits; d < 0 calls it off.
func (w *World) limit(d time.Duration, reached func()) {
	w.atLimit = reached
	if d < 0 {
		w.kernel.SetLimit(clock.Never)
	} else {
		w.kernel.SetLimit(w.clock.Now().Add(d))
	}
}

// RunUntil runs the World until p is complete, and possibly longer (see the package's essay). It panics with a *Deadlock
// if the World has nothing left to do before that.
func (w *World) RunUntil(p async.Pending) {
	w.requireOwner("RunUntil")
	w.Block(p)
}

// requireOwner refuses calls that only the owner may make.
func (w *World) requireOwner(call string) {
	if w.closed {
		panic("sim: " + call + " of a World that is closed: make another one")
	}
	if w.running.Load() {
		panic("sim: " + call + " of a World that runs already: code on a simulated thread awaits instead; another goroutine leaves it work by Inject")
	}
	w.main.Done()
}

// blocker is the continuation of a blocked thread.
type blocker struct {
	async.Anywhere
	world   *World
	thread  *kernel.Thread
	done    bool
	gone    bool // the thread waits for it no longer: a panic may have ended that
	callers [16]uintptr
}

// MoveNext wakes the thread.
func (b *blocker) MoveNext(*async.Executor) async.Continuation {
	b.done = true
	if !b.gone {
		b.world.kernel.Wake(b.thread)
	}
	return nil
}

// Block returns once p is complete. Called by the owner it runs the World until then; called by code on a simulated
// thread it parks that thread. It is part of async.Host.
func (w *World) Block(p async.Pending) {
	t := w.kernel.CPU().Thread()
	if w.closed {
		panic("sim: a blocking Await in a World that is closed")
	}
	if t == nil {
		panic("sim: a blocking Await where no simulated thread runs: in a driver, which must not wait, or on a goroutine that is not " +
			"the World's. A World belongs to one goroutine, its owner's; others leave it work by Inject")
	}
	b := &blocker{world: w, thread: t}
	if !p.OnCompleted(b) {
		return
	}
	defer func() { b.gone = true }()
	runtime.Callers(2, b.callers[:])
	for c := range queued(t) {
		w.spring(t, c, b.what)
	}
	if _, ui := t.Local.(*pool.UI); ui {
		w.stalls = append(w.stalls, stall{thread: t, since: w.Now(), on: b.what()})
		defer w.moves(t)
	}
	for !b.done {
		if t == w.main {
			t.Done()
			t.WaitIdle(b.what())
			w.Park(t)
		} else {
			t.Block(b.what())
		}
	}
}

// what says in words what the thread waits for.
func (b *blocker) what() string { return "an Await in " + caller(b.callers[:]) }

// caller returns the first function that is not part of the runtime rooms, nor of Go's runtime, with its file and line.
func caller(pcs []uintptr) string {
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		if f.Function != "" && !ours(f) {
			return fmt.Sprintf("%s (%s:%d)", f.Function[strings.LastIndexByte(f.Function, '/')+1:], filepath.Base(f.File), f.Line)
		}
		if !more {
			return "unknown code"
		}
	}
}

func ours(f runtime.Frame) bool {
	const rooms = "github.com/nothread/nothread/runtime/"
	room, ok := strings.CutPrefix(f.Function, rooms)
	return ok && (strings.HasPrefix(room, "async.") || strings.HasPrefix(room, "sim.(*World)")) ||
		filepath.Dir(f.File) == asyncFolder() || strings.HasPrefix(f.Function, "runtime.")
}

// asyncFolder is where package async is. A function literal of its that was inlined has the name of who called it.
var asyncFolder = sync.OnceValue(func() string {
	park := reflect.ValueOf(async.Park).Pointer()
	file, _ := runtime.FuncForPC(park).FileLine(park)
	return filepath.Dir(file)
})

// Deadlock says that somebody waits for ever: a World has nothing left to do, or a thread blocks on what only that thread
// could do.
type Deadlock struct {
	Seed    uint64
	Waiting []string // who waits for what, a sentence each
	Trap    bool     // a machine can only go on where all threads are blocked: on that very machine, as a rule
	State   string   // World.Dump

	idle bool // nothing was left that could happen
}

func (d *Deadlock) Error() string {
	s := fmt.Sprintf("sim: deadlock (seed %d): ", d.Seed)
	if d.idle {
		s += "nothing is left that could happen, and "
	}
	s += strings.Join(d.Waiting, "; ")
	if d.Trap {
		s += "; " + waysOut
	}
	return s
}

// blocked returns the threads that are blocked in the middle of their work.
func (w *World) blocked() []*kernel.Thread {
	var blocked []*kernel.Thread
	for _, t := range w.kernel.Threads() {
		if t.Stack != nil {
			blocked = append(blocked, t)
		}
	}
	return blocked
}

func (w *World) deadlock() *Deadlock {
	d := &Deadlock{Seed: w.seed, State: w.Dump(), idle: true}
	if !w.untilIdle && !w.mainDue {
		d.Waiting = append(d.Waiting, "the owner waits for "+w.main.WaitsFor())
	}
	for _, t := range w.blocked() {
		text, trap := blockage(t, t.WaitsFor())
		d.Waiting = append(d.Waiting, text)
		d.Trap = d.Trap || trap
	}
	for _, p := range w.pools() {
		if text, trap := starvation(p); text != "" {
			d.Waiting = append(d.Waiting, text)
			d.Trap = d.Trap || trap
		}
	}
	if s := w.outside.silence(); s != "" {
		d.Waiting = append(d.Waiting, s)
	}
	return d
}

// Close ends the World: goroutines of threads that are still blocked end, running their deferred calls. It is only
// needed if threads are blocked, or to flush a trace. What is started in the World after it never happens, so that deferred
// calls may end what they will; Run, Settle and a blocking Await say that it is closed. It returns the trace's error.
func (w *World) Close() error {
	if w.closed {
		return w.TraceError()
	}
	if w.running.Load() {
		panic("sim: Close of a World that runs")
	}
	w.closed = true
	w.gone = make(chan struct{})
	for _, t := range w.blocked() {
		s := t.Stack.(*strand)
		s.wake <- struct{}{}
		<-w.gone
	}
	w.tracer.flush()
	return w.TraceError()
}

// exitThread ends the goroutine of a blocked thread of a World that is closed.
func exitThread(t *kernel.Thread) {
	t.Stack = nil
	runtime.Goexit()
}

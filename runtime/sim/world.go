package sim

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/pool"
	"github.com/nothread/nothread/runtime/trace"
)

// Option changes how a World is built.
type Option func(*options)

type options struct {
	cpus      int
	ioThreads int
	workers   int
	trace     io.Writer
	observers []func(*kernel.Hop)
	modern    bool
	verify    bool
	machines  bool
	recorder  *trace.Recorder
	record    bool
	replay    *Recording
	script    *script
	faults    Faults
	swarm     bool
}

// WithCPUs sets the number of simulated processors; default 1.
func WithCPUs(n int) Option { return func(o *options) { o.cpus = n } }

// WithIOThreads sets the number of threads of the I/O pool; default 4.
func WithIOThreads(n int) Option { return func(o *options) { o.ioThreads = n } }

// WithWorkers sets the number of threads of the worker pool; default 4.
func WithWorkers(n int) Option { return func(o *options) { o.workers = n } }

// WithTrace writes the trace to w as it happens, a line a hop. It is complete when Run, RunUntil or a blocking Await of
// the owner returns. An error of w is told by World.TraceError.
func WithTrace(w io.Writer) Option { return func(o *options) { o.trace = w } }

// WithObserver calls f with every hop of the trace. The hop is valid during the call; f must not call into the World.
func WithObserver(f func(*kernel.Hop)) Option {
	return func(o *options) { o.observers = append(o.observers, f) }
}

// WithModernCompletion lets the completion of a request on a bound handle go to its port without the special kernel APC,
// as newer kernels do.
func WithModernCompletion() Option { return func(o *options) { o.modern = true } }

// WithVerifier switches the driver verifier on: it checks what costs time to check, and a bugcheck tells the history of its
// IRP. In tests it is on by default.
func WithVerifier() Option { return func(o *options) { o.verify = true } }

// WithoutVerifier switches it off: for benchmarks, and for tests with a million operations in flight. Contracts that cost
// nothing to check are checked all the same.
func WithoutVerifier() Option { return func(o *options) { o.verify = false } }

// World is a simulated machine. It must be used from one goroutine at a time: its owner's, or, while it runs, by the
// code that it calls. A World does not know goroutines apart: one that does not run may be handed to another, as any value
// without a lock may.
//
// While it runs, another goroutine leaves it work by Inject. One that does not is told so by a panic if it calls what only
// the owner may (Run, Settle, Close, a blocking Await), or opens, closes or starts something while none of the World's
// threads runs their code: while the World waits, or the kernel or a driver works. A call that comes while a thread's code
// runs looks like that code's: the race detector finds such.
type World struct {
	// Fixed.
	seed     uint64
	clock    clock.Virtual
	kernel   *kernel.Kernel
	io       *pool.Threads
	workers  *pool.Threads
	timers   *pool.Threads // run what AfterFunc is given, one at a time
	ui       *pool.UI
	tracer   *tracer
	machines *async.Machines // nil: nobody keeps track
	ctx      context.Context
	uiCtx    context.Context

	decisions Decisions
	hazard    *hazard           // faults.go; nil: none
	tellers   map[string]teller // devices that can say what failed, by name; never ranged over
	healers   []healer          // hardware with rates of its own
	healed    bool              // by Heal: buggify.go
	own       map[string]bool   // marks that Sometimes made; never ranged over in a run
	buggified map[string]bool   // places of Buggify, and whether they are on; never ranged over
	outside   outside           // foreign.go
	lines     int               // interrupt lines given to devices

	idleTimers *timer // timers.go

	stalls  []stall // lint.go: of UI threads, as they are now
	stalled stall   // the longest that is over

	// The loop's: loop.go and strand.go.
	main      *kernel.Thread // stands for the owner
	owner     *strand        // the owner's goroutine
	current   *strand        // who has the baton
	mainDue   bool           // main was chosen and can go on once the owner's strand is clean
	untilIdle bool           // main waits for the World to have nothing left to do
	running   atomic.Bool    // by its owner, or rather by whoever claims to be that
	strands   int            // goroutines beside the owner's
	started   int            // threads that StartThread made
	closed    bool
	aside     bool   // the loop keeps off the owner's strand
	exits     bool   // what ran aside has ended by runtime.Goexit, and so must the owner
	atLimit   func() // called when the World has come to its limit of time, or to rest; nil: none
	fatal     any    // what must rise on the owner's goroutine
	raised    any    // what did rise, in code that was in the way of the owner
	gone      chan struct{}
}

// New makes a World.
func New(seed uint64, opts ...Option) *World {
	o := options{cpus: 1, ioThreads: 4, workers: 4, verify: testing.Testing()}
	for _, opt := range opts {
		opt(&o)
	}
	if o.cpus < 1 || o.ioThreads < 1 || o.workers < 1 {
		panic("sim: a World needs at least one CPU, one I/O thread and one worker")
	}
	w := &World{seed: seed, decisions: Decisions{state: seed}, tellers: make(map[string]teller), outside: outside{bell: make(chan struct{}, 1)}}
	w.decisions.record(seed, &o)
	if s := w.decisions.script; s != nil {
		s.clock = &w.clock
	}
	w.owner = newStrand(w)
	w.current = w.owner
	cfg := kernel.Config{CPUs: o.cpus, Clock: &w.clock, Oracle: &w.decisions, Parker: w, Modern: o.modern, Verify: o.verify}
	if w.hazard = newHazard(w, &o); w.hazard != nil {
		cfg.Hazard = kernelHazard{w.hazard}
	}
	w.keepTrack(&o)
	if o.trace != nil || len(o.observers) > 0 {
		w.tracer = newTracer(o.trace, o.observers)
		cfg.Tracer = w.tracer
	}
	w.kernel = kernel.New(cfg)
	if w.tracer != nil {
		w.decisions.trace = func(label string, chosen, of uint64) {
			w.kernel.TraceHardware(kernel.HopDecision, label, int64(chosen), int64(of))
		}
	}
	w.main = w.kernel.NewThread("main", ownerBody{})
	w.kernel.Adopt(w.main)
	w.io = pool.NewThreads(w.kernel, "I/O thread", o.ioThreads, 0, w.trap)
	w.workers = pool.NewThreads(w.kernel, "worker", o.workers, 0, w.trap)
	w.timers = pool.NewThreads(w.kernel, "timer thread", 2, 1, w.trap)
	w.ui = pool.NewUI(w.kernel, "UI thread", w.trap)
	w.track()
	w.ctx = async.WithWorkers(async.WithHost(context.Background(), w), w.workers)
	w.uiCtx = async.WithSyncContext(w.ctx, w.ui)
	return w
}

// Seed returns the seed that the World was made from.
func (w *World) Seed() uint64 { return w.seed }

// Kernel returns the World's kernel.
func (w *World) Kernel() *kernel.Kernel { return w.kernel }

// Now returns the virtual time: nanoseconds since the World was made.
func (w *World) Now() clock.Time { return w.clock.Now() }

// Time is Now as a date: the World was made at midnight, UTC, of January 1, 2000. It is part of async.Clock.
func (w *World) Time() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(w.Elapsed()) }

// Elapsed returns the virtual time since the World was made as a duration.
func (w *World) Elapsed() time.Duration { return time.Duration(w.clock.Now()) }

// Context returns the context that carries the World, without a SyncContext: machines started with it resume where the
// completion runs, on an I/O thread.
func (w *World) Context() context.Context { return w.ctx }

// UIContext returns the context that carries the World and its UI thread: machines started with it resume there.
func (w *World) UIContext() context.Context { return w.uiCtx }

// UI returns the UI thread.
func (w *World) UI() *pool.UI { return w.ui }

// IO returns the pool of I/O threads.
func (w *World) IO() *pool.Threads { return w.io }

// Workers returns the pool of worker threads.
func (w *World) Workers() *pool.Threads { return w.workers }

// NewSerial makes a serial context over the workers: machines started with its Context resume there one at a time.
func (w *World) NewSerial(name string) *pool.Serial { return w.workers.NewSerial(name) }

// HandleErrors makes f take the failures of operations that nobody awaits (async.Forget), wherever in the World they were
// started, on the thread of their context; a serial context may have a handler of its own. Without a handler such a
// failure is a panic that leaves whatever runs the World (C43).
func (w *World) HandleErrors(f func(*async.OperationError)) {
	w.ui.HandleErrors(f)
	w.io.HandleErrors(f)
	w.workers.HandleErrors(f)
}

// IOPort returns the completion port of the I/O threads. It is part of overlapped.World.
func (w *World) IOPort() *kernel.CompletionPort { return w.io.Port() }

// refuseNil is asked by what takes a function to be called later: only now it is known who has forgotten it.
func refuseNil(isNil bool, call string) {
	if isNil {
		panic("sim: " + call + " of a nil function")
	}
}

// Go posts f to the UI thread as a message; the name is for the trace. f gets UIContext.
func (w *World) Go(name string, f func(ctx context.Context)) {
	refuseNil(f == nil, "Go")
	w.ui.Go(name, func() { f(w.uiCtx) })
}

// Counters are running totals.
type Counters struct {
	kernel.Counts
	Posts     uint64 // continuations posted to the UI thread, continuations and functions to the pools
	Decisions uint64 // choices made
}

// Counters returns the running totals.
func (w *World) Counters() Counters {
	return Counters{
		Counts:    w.kernel.Counts(),
		Posts:     w.ui.Posts() + w.io.Posts() + w.workers.Posts() + w.timers.Posts(),
		Decisions: w.decisions.Count(),
	}
}

// Executor returns who runs continuations on the simulated thread whose code runs now, nil if it is the owner's. It is
// part of async.Host.
func (w *World) Executor() *async.Executor {
	t := w.kernel.CPU().Thread()
	if t == nil {
		return nil
	}
	if e, ok := t.Local.(interface{ Executor() *async.Executor }); ok {
		return e.Executor()
	}
	return nil
}

// Post queues a continuation that belongs to no SyncContext: a worker resumes it. It is part of async.Poster.
func (w *World) Post(c async.Continuation) { w.workers.Post(c) }

// The faces of async that a World has besides async.Host.
var (
	_ async.Poster   = (*World)(nil)
	_ async.Timers   = (*World)(nil)
	_ async.Canceler = (*World)(nil)
	_ async.Starter  = (*World)(nil)

	_ async.MachineTracker     = (*World)(nil)
	_ async.ContextWatcher     = (*World)(nil)
	_ async.ContinuationTimers = (*World)(nil)
)

// ownerBody is the body of the main thread, which has none: its code is the owner's.
type ownerBody struct{}

func (ownerBody) Run(*kernel.Thread) { panic("sim: the main thread has no body") }

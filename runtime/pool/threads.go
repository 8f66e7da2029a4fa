package pool

import (
	"context"
	"strconv"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// Completion is what the requester (kernel.Packet.Requester) must be of a request whose handle is bound to a pool's port: a
// thread of the pool is borrowed to call it.
type Completion interface {
	Complete(ex *async.Executor, t *kernel.Thread, packet *kernel.Packet)
}

// Threads is a pool of simulated threads over a completion port. The seeds' machine has two: I/O threads, borrowed for
// completions, and workers, for everything else. A pool is a SyncContext: what is posted to it resumes on any of its
// threads.
type Threads struct {
	operations
	kernel *kernel.Kernel
	port   *kernel.CompletionPort
	name   string
	trap   Trap
	posts  uint64
}

// Trap hears of a continuation that is posted to where thread t would have to run it, while t is blocked: it may be the
// very one that t waits for.
type Trap func(t *kernel.Thread, c async.Continuation)

// posted tells the trap if t is blocked.
func (trap Trap) posted(t *kernel.Thread, c async.Continuation) {
	if trap != nil && t != nil && t.Stack != nil {
		trap(t, c)
	}
}

// NewThreads makes a pool of count threads named "name 1", "name 2" and so on, of which up to concurrency run at a time
// (0: as many as there are CPUs). trap may be nil.
func NewThreads(k *kernel.Kernel, name string, count, concurrency int, trap Trap) *Threads {
	p := &Threads{kernel: k, name: name, trap: trap, port: k.NewCompletionPort(name+" port", concurrency)}
	for i := range count {
		w := &poolThread{pool: p, executor: async.NewExecutor(p)}
		t := k.NewThread(name+" "+strconv.Itoa(i+1), w)
		t.Local = w
		p.port.Enlist(t)
	}
	return p
}

// Port returns the completion port, to bind handles to.
func (p *Threads) Port() *kernel.CompletionPort { return p.port }

// Posts returns how many continuations and functions were posted.
func (p *Threads) Posts() uint64 { return p.posts }

// Post queues a continuation. It implements async.SyncContext.
func (p *Threads) Post(c async.Continuation) {
	refuseNil(c == nil, p.name)
	cpu := p.kernel.CPU()
	p.posts++
	cpu.Trace(kernel.HopPosted, nil, p.name, 0, 0)
	p.port.Post(cpu, c, nil)
}

// Go queues a function. It may be called at up to DispatchLevel: a timer's DPC does.
func (p *Threads) Go(f func()) {
	refuseNil(f == nil, p.name)
	p.posts++
	p.port.Post(p.kernel.CPU(), work(f), nil)
}

// Context returns a context whose machines resume on the pool.
func (p *Threads) Context(parent context.Context) context.Context {
	return async.WithSyncContext(parent, p)
}

// turn queues the next turn of a serial context.
func (p *Threads) turn(s *Serial) { p.port.Post(p.kernel.CPU(), s, nil) }

// String returns the pool's name.
func (p *Threads) String() string { return p.name }

// work is a posted function.
type work func()

// poolThread is the body of one thread.
type poolThread struct {
	pool     *Threads
	executor *async.Executor
	serial   *Serial // whose turn it runs, nil if none
}

// Executor returns who runs continuations on the thread.
func (w *poolThread) Executor() *async.Executor {
	if w.serial != nil {
		return w.serial.executor
	}
	return w.executor
}

// Queued ranges over the continuations that only this thread could run: those of the serial context whose turn it runs.
func (w *poolThread) Queued(yield func(async.Continuation) bool) {
	if w.serial != nil {
		w.serial.queue.all(yield)
	}
}

// Waiting says in words what waits for the thread, for a World's deadlock message; "" if nothing does.
func (w *poolThread) Waiting() string {
	if w.serial == nil {
		return ""
	}
	return w.serial.waiting()
}

// maxPackets is how many packets a thread takes before it gives its CPU a chance to be given to another, even if none is
// there to take it: what comes from outside of the machine must be seen in time.
const maxPackets = 64

// Run takes packets and does what they say until somebody else would run; with none, the thread waits for the next.
func (w *poolThread) Run(t *kernel.Thread) {
	for range maxPackets {
		packet := w.pool.port.Remove(t)
		if packet == nil {
			return
		}
		w.do(t, packet)
		if !w.pool.kernel.Alone(t) {
			return
		}
	}
}

// do does what a packet says.
func (w *poolThread) do(t *kernel.Thread, packet *kernel.Packet) {
	t.CPU().TraceID(kernel.HopThreadBorrowed, packet.IRP, t.Name(), 0, 0)
	if packet.IRP != 0 {
		packet.Requester().(Completion).Complete(w.executor, t, packet)
	} else {
		w.take(t, packet)
	}
	t.CPU().TraceID(kernel.HopThreadReturned, packet.IRP, t.Name(), 0, 0)
}

// take does what was posted.
func (w *poolThread) take(t *kernel.Thread, packet *kernel.Packet) {
	switch what := packet.Key().(type) {
	case async.Continuation:
		t.CPU().Trace(kernel.HopResumed, nil, t.Name(), 0, 0)
		w.executor.Run(what)
	case *Serial:
		t.CPU().Trace(kernel.HopResumed, nil, t.Name(), 0, 0)
		what.run(w, t)
	case work:
		t.CPU().Trace(kernel.HopWork, nil, t.Name(), 0, 0)
		what()
	default:
		packet.Requester().(Completion).Complete(w.executor, t, packet)
	}
}

package kernel

import "github.com/nothread/nothread/runtime/clock"

// Oracle makes every choice: a number from 0 to n-1, n > 0. The label says what is chosen. 0 is always the calm choice:
// nothing fails, who came first goes first, and nothing takes longer than it must.
type Oracle interface {
	Choose(label string, n uint64) uint64
}

// Config is what a kernel is made of.
type Config struct {
	CPUs   int            // default 1
	Clock  *clock.Virtual // the World's
	Oracle Oracle
	Parker Parker
	Tracer Tracer // nil: no trace
	Hazard Hazard // nil: no faults
	Modern bool   // a bound handle's status is written without the APC hop, as newer kernels do
	Verify bool   // the driver verifier: check what costs time to check, and remember what happened
}

// Kernel is one simulated kernel. It belongs to one World and runs on one goroutine at a time.
type Kernel struct {
	// Fixed.
	clock  *clock.Virtual
	oracle Oracle
	parker Parker
	tracer Tracer
	hazard Hazard
	modern bool
	verify bool

	// Processors and threads.
	cpus        []*CPU
	cpu         *CPU // the one whose code runs now
	company     bool // there are others, or faults: cpu.go
	careful     bool // there is company, or the verifier: somebody sees what is done where nothing can come between
	delivering  bool // what runs is the kernel or a driver: cpu.go
	threads     []*Thread
	ready       []*Thread
	threadsMade int

	// Time.
	limit     clock.Time // Next goes no further
	clockLine *Line
	expired   []*Timer

	// I/O.
	cancelLock  SpinLock
	devices     map[string]*DeviceObject // by name; never ranged over
	handles     []handleEntry
	freeHandles []int
	closing     []*FileObject // whose last IRP has come back after their handle was closed
	irps        slabs
	freeIRP     *IRP   // the first of those that are free
	queues      uint32 // device queues that have ever had an IRP
	noAnnex     annex  // of the IRPs that have none
	ports       []*CompletionPort
	freeBlocks  *packetBlock // of packets, the first of those that are free

	filters  filters // stress.go
	locks    int     // spin locks held, if careful
	straying bool    // fault.go: within a stray cancel

	// What it tells of itself.
	marks   []Mark
	counts  Counts
	hash    uint64 // hash.go
	watched bool   // there is a tracer or a history
	hop     Hop    // scratch for both

	// The verifier's.
	history    history
	order      lockOrder
	freeFrame  *frame // of frames, the first of those that are free
	cancelling uint64 // the IRP whose cancel routine CancelIRP has called; 0: none
}

// Counts are running totals. They are kept whether there is a trace or not.
type Counts struct {
	IRPs         uint64 // built
	IRPsInFlight uint64 // built and not freed
	Completions  uint64 // IRPs that went all the way up
	Cancels      uint64 // cancel routines called
	Asserts      uint64 // times that a device asserted a line
	Interrupts   uint64 // serviced
	Spurious     uint64 // serviced and claimed by nobody
	DPCs         uint64
	APCs         uint64
	Packets      uint64 // through completion ports
	Switches     uint64 // context switches
	Blocks       uint64 // threads parked in the middle of their work
}

// New makes a kernel.
func New(cfg Config) *Kernel {
	if cfg.CPUs < 1 {
		cfg.CPUs = 1
	}
	k := &Kernel{
		clock: cfg.Clock, oracle: cfg.Oracle, parker: cfg.Parker, tracer: cfg.Tracer,
		limit: clock.Never, hazard: cfg.Hazard, modern: cfg.Modern, verify: cfg.Verify,
		devices: make(map[string]*DeviceObject),
	}
	k.noAnnex.kernel = k
	k.watched = k.tracer != nil || k.verify
	k.company = k.hazard != nil || cfg.CPUs > 1
	k.careful = k.company || k.verify
	k.cancelLock.Name = "the cancel lock"
	free := k.clock
	if k.company {
		free = &standing
	}
	for i := range cfg.CPUs {
		k.cpus = append(k.cpus, &CPU{kernel: k, free: free, number: i})
	}
	k.cpu = k.cpus[0]
	k.clockLine = k.NewLine("clock", MessageSignaled, ClockLevel, 0)
	k.clockLine.endangered = false
	k.filters.init()
	k.expectRaces()
	k.clockLine.Connect(&Interrupt{Name: "clock", Service: k.clockInterrupt, Mode: MessageSignaled})
	return k
}

// Clock returns the clock.
func (k *Kernel) Clock() *clock.Virtual { return k.clock }

// CPU returns the processor whose code runs now.
func (k *Kernel) CPU() *CPU { return k.cpu }

// CPUs returns the number of processors.
func (k *Kernel) CPUs() int { return len(k.cpus) }

// Processor returns a processor by number.
func (k *Kernel) Processor(number int) *CPU { return k.cpus[number] }

// Threads returns the threads that have not ended, in the order in which they were made. The slice is the kernel's.
func (k *Kernel) Threads() []*Thread { return k.threads }

// Counts returns the running totals.
func (k *Kernel) Counts() Counts { return k.counts }

// Next makes one step of the machine: what is pending on the processors, then a thread that is ready, then time. It
// returns a thread that is to run now, on its CPU: its body, or the stack that it is parked on. idle means that nothing
// is left to happen, or nothing before the limit.
func (k *Kernel) Next() (run *Thread, idle bool) {
	if k.clock.Now() > k.limit {
		return nil, true
	}
	for _, c := range k.cpus {
		if c.attention != 0 {
			k.cpu = c
			c.deliver()
		}
	}
	if len(k.closing) > 0 {
		k.sendCloses()
	}
	if len(k.ready) > 0 {
		return k.schedule(), false
	}
	if k.drainLazy() || k.clock.StepBy(k.limit) {
		return nil, false
	}
	return nil, true
}

// SetLimit sets the time behind which Next does nothing; clock.Never at first.
func (k *Kernel) SetLimit(at clock.Time) { k.limit = at }

// drainLazy runs the DPCs that were not worth draining a queue for: an idle processor does (A32).
func (k *Kernel) drainLazy() (any bool) {
	for _, c := range k.cpus {
		if c.dpcs.head != nil {
			k.cpu = c
			c.drainDPCs()
			c.deliver()
			any = true
		}
	}
	return any
}

// sendCloses closes file objects whose last request came back after their handle was closed.
func (k *Kernel) sendCloses() {
	for i := 0; i < len(k.closing); i++ {
		k.cpu.closeFile(k.closing[i])
	}
	clear(k.closing)
	k.closing = k.closing[:0]
}

// schedule chooses a ready thread and a processor, and switches the processor to the thread's context. It returns nil if
// the thread had kernel APCs to run and goes on waiting (A35).
func (k *Kernel) schedule() *Thread {
	i := 0
	last := len(k.ready) - 1
	if last > 0 {
		i = int(k.oracle.Choose("thread.next", uint64(last+1)))
	}
	t := k.ready[i]
	if i < last {
		copy(k.ready[i:], k.ready[i+1:])
	}
	k.ready[last] = nil
	k.ready = k.ready[:last]
	c := k.cpus[0]
	if n := len(k.cpus); n > 1 {
		c = k.cpus[k.oracle.Choose("thread.cpu", uint64(n))]
	}
	k.mix(hashThread|uint64(t.number)<<8|uint64(c.number), 0)
	t.queued = false
	if t.state == Terminated {
		return nil
	}
	return c.enter(t)
}

// enter switches the CPU to a thread's context and runs its kernel APCs. It returns nil, and leaves the context again,
// if the thread has nothing else to do.
func (c *CPU) enter(t *Thread) *Thread {
	k := c.kernel
	k.cpu = c
	c.thread, t.cpu = t, c
	if !t.kernelAPCs.empty() {
		c.attention |= attendAPC
	}
	if c.last != t {
		c.last = t
		k.counts.Switches++
		c.Spend(costContextSwitch)
	} else if c.attention != 0 {
		c.deliver()
	}
	if t.state != Ready || t.queued {
		c.thread = nil
		return nil
	}
	t.state = Running
	return t
}

// Alone reports whether nothing but the thread that runs would run if it left its CPU now: then it need not. With several
// CPUs it is never alone, for it might go on elsewhere.
func (k *Kernel) Alone(t *Thread) bool {
	return len(k.ready) == 0 && len(k.cpus) == 1 && t.state == Running && len(k.closing) == 0 && k.clock.Now() <= k.limit
}

// Left says that a thread's body has returned: the thread gives up its CPU, and is ready again unless it waits.
func (k *Kernel) Left(t *Thread) {
	if t.state == Running {
		t.state = Ready
		k.enqueue(t)
	}
	k.Vacate(t)
}

// Vacate takes a thread that waits off its CPU: what its Parker calls before it lets others run. A kernel APC that another
// CPU has queued to it meanwhile wakes it at once (A35).
func (k *Kernel) Vacate(t *Thread) {
	if t.cpu.thread == t {
		t.cpu.thread = nil
	}
	if t.state == Waiting && t.apcDeliverable() {
		k.enqueue(t)
	}
}

// Adopt puts a CPU into a thread's context from outside the scheduler: for the thread that stands for the World's owner,
// whose code runs whenever the loop does not.
func (k *Kernel) Adopt(t *Thread) { k.AdoptOn(k.cpus[0], t) }

// AdoptOn is Adopt on a CPU of choice: for a thread that is started by another one and runs at once, in its place.
func (k *Kernel) AdoptOn(c *CPU, t *Thread) {
	k.cpu = c
	k.delivering = false // also where a panic has come through
	c.thread, c.last, t.cpu = t, t, c
	t.state = Running
	if !t.kernelAPCs.empty() {
		c.attention |= attendAPC
	}
}

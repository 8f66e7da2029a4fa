package kernel

// This file is completion ports: a queue of packets, and a number of threads that may run for it at a time. Rules A36
// to A39.

// Packet is one entry of a completion port: a completed request, or something posted.
type Packet struct {
	Key         any         // of the handle that the request came through, or what was posted
	Overlapped  *Overlapped // of the request
	Status      Status
	Information int
	IRP         uint64 // the number of the IRP that it was; 0: posted
}

// post is a posted packet that waits. A completed request waits as its IRP.
type post struct {
	key        any
	overlapped *Overlapped
	after      uint64 // how many IRPs were queued before it, of all that ever were
	next       *post
}

// CompletionPort is a completion port.
type CompletionPort struct {
	// Fixed.
	kernel   *Kernel
	name     string
	max      int // threads that may run for it at a time
	waitText string

	requests   irpList // packets that wait: completed requests, first in first out,
	head, tail *post   // and, between them, what was posted
	posts      int
	waiters    *Thread // the most recent first
	current    int     // threads that run for it; may exceed max for a while (A38)
}

// NewCompletionPort makes a port for which up to max threads run at a time; 0 means as many as there are CPUs (A36).
func (k *Kernel) NewCompletionPort(name string, max int) *CompletionPort {
	if max <= 0 {
		max = len(k.cpus)
	}
	return &CompletionPort{kernel: k, name: name, max: max, waitText: "a packet of the " + name}
}

// Name returns the port's name.
func (p *CompletionPort) Name() string { return p.name }

// Len returns the number of packets that wait.
func (p *CompletionPort) Len() int { return p.requests.len() + p.posts }

// Running returns the number of threads that run for the port.
func (p *CompletionPort) Running() int { return p.current }

// Post queues a packet of the caller's own making (PostQueuedCompletionStatus).
func (p *CompletionPort) Post(c *CPU, key any, ov *Overlapped) {
	c.requireAtMost(DispatchLevel, "CompletionPort.Post")
	k := p.kernel
	packet := k.freePosts
	if packet == nil {
		packet = new(post)
	} else {
		k.freePosts = packet.next
		packet.next = nil
	}
	packet.key, packet.overlapped, packet.after = key, ov, p.requests.in
	k.counts.Packets++
	if k.watched {
		k.traceOn(c, HopPacket, 0, p.name, int64(p.Len()), 0)
	}
	if p.ready() {
		p.hand(nil, packet)
		return
	}
	if p.head == nil {
		p.head = packet
	} else {
		p.tail.next = packet
	}
	p.tail = packet
	p.posts++
}

// insertIRP queues the packet of a completed request: the IRP itself.
func (p *CompletionPort) insertIRP(c *CPU, irp *IRP) {
	k := p.kernel
	k.counts.Packets++
	if k.watched {
		k.traceOn(c, HopPacket, irp.id, p.name, int64(p.Len()), 0)
	}
	irp.stage = stagePacket
	if p.ready() {
		p.hand(irp, nil)
		return
	}
	p.requests.push(irp)
}

// ready reports whether a packet goes to a thread at once: to the one that waits least long, if the port may have one more
// running (A36).
func (p *CompletionPort) ready() bool {
	return p.waiters != nil && p.current < p.max && p.empty()
}

func (p *CompletionPort) empty() bool { return p.requests.head == nil && p.head == nil }

// hand gives a packet to the most recent waiter.
func (p *CompletionPort) hand(irp *IRP, packet *post) {
	t := p.waiters
	p.waiters = t.nextWaiter
	t.nextWaiter = nil
	p.current++
	t.active = true
	t.handed, t.posted = irp, packet
	p.kernel.wake(t, StatusSuccess)
}

// pop takes out the packet that has waited longest: a request's or a posted one.
func (p *CompletionPort) pop() (*IRP, *post) {
	if p.requests.head != nil && (p.head == nil || p.head.after != p.requests.out) {
		return p.requests.pop(), nil
	}
	packet := p.head
	p.head = packet.next
	packet.next = nil
	p.posts--
	return nil, packet
}

// Remove takes a packet, for the thread that the CPU runs (GetQueuedCompletionStatus). If there is none, or enough
// threads run for the port, it returns false and the thread waits: its body must return, and call Remove again when it
// runs next. A thread belongs to the port that it last asked (A39).
func (p *CompletionPort) Remove(t *Thread) (Packet, bool) {
	c := t.cpu
	if c.irql != PassiveLevel {
		c.wrongLevel(PassiveLevel, "CompletionPort.Remove")
	}
	if irp, packet := t.handed, t.posted; irp != nil || packet != nil { // handed to it while it waited
		t.handed, t.posted = nil, nil
		return p.open(c, irp, packet), true
	}
	if t.active { // it is done with the packet before: another may run, and that may be itself (A37)
		t.port.current--
		t.active = false
		if t.port != p {
			t.port.release()
		}
	}
	t.port = p
	if !p.empty() && p.current < p.max {
		p.current++
		t.active = true
		irp, packet := p.pop()
		return p.open(c, irp, packet), true
	}
	p.await(t)
	return Packet{}, false
}

// Enlist makes a new thread wait for its first packet without having run.
func (p *CompletionPort) Enlist(t *Thread) {
	t.port = p
	p.await(t)
}

func (p *CompletionPort) await(t *Thread) {
	t.nextWaiter = p.waiters
	p.waiters = t
	t.WaitIdle(p.waitText)
}

// open returns a packet's contents and frees it, and the IRP that it was.
func (p *CompletionPort) open(c *CPU, irp *IRP, packet *post) (contents Packet) {
	k := p.kernel
	c.Spend(costPacket)
	if irp == nil {
		contents.Key, contents.Overlapped = packet.key, packet.overlapped
		*packet = post{next: k.freePosts}
		k.freePosts = packet
	} else {
		contents = Packet{irp.file.key, irp.overlapped, irp.Status, irp.Information, irp.id}
		k.free(irp)
	}
	k.mix(hashPacket|contents.IRP<<8, uint64(c.number))
	return contents
}

// release lets a waiter run if the port has a packet and may have one more running (A38).
func (p *CompletionPort) release() {
	if !p.empty() && p.waiters != nil && p.current < p.max {
		p.hand(p.pop())
	}
}

// leave and resume keep the port's count right while one of its threads blocks elsewhere (A38).
func (p *CompletionPort) leave() {
	p.current--
	p.release()
}

func (p *CompletionPort) resume() { p.current++ }

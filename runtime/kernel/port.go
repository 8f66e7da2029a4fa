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

	irp  *IRP // whose packet it is; nil: posted
	next *Packet
}

// CompletionPort is a completion port.
type CompletionPort struct {
	// Fixed.
	kernel   *Kernel
	name     string
	max      int // threads that may run for it at a time
	waitText string

	head, tail *Packet
	length     int
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
func (p *CompletionPort) Len() int { return p.length }

// Running returns the number of threads that run for the port.
func (p *CompletionPort) Running() int { return p.current }

// Post queues a packet of the caller's own making (PostQueuedCompletionStatus).
func (p *CompletionPort) Post(c *CPU, key any, ov *Overlapped) {
	c.requireAtMost(DispatchLevel, "CompletionPort.Post")
	k := p.kernel
	var packet *Packet
	if n := len(k.freePackets); n > 0 {
		packet = k.freePackets[n-1]
		k.freePackets = k.freePackets[:n-1]
	} else {
		packet = new(Packet)
	}
	packet.Key, packet.Overlapped = key, ov
	p.insert(c, packet)
}

// insert hands a packet to the thread that waits least long, if the port may have one more running; else it queues the
// packet (A36).
func (p *CompletionPort) insert(c *CPU, packet *Packet) {
	k := p.kernel
	k.counts.Packets++
	if k.watched {
		k.traceOn(c, HopPacket, packet.IRP, p.name, int64(p.length), 0)
	}
	if p.waiters != nil && p.current < p.max && p.head == nil {
		p.hand(packet)
		return
	}
	if p.tail == nil {
		p.head = packet
	} else {
		p.tail.next = packet
	}
	p.tail = packet
	p.length++
}

// hand gives a packet to the most recent waiter.
func (p *CompletionPort) hand(packet *Packet) {
	t := p.waiters
	p.waiters = t.nextWaiter
	t.nextWaiter = nil
	p.current++
	t.active = true
	t.packet = packet
	p.kernel.wake(t, StatusSuccess)
}

func (p *CompletionPort) pop() *Packet {
	packet := p.head
	p.head = packet.next
	if p.head == nil {
		p.tail = nil
	}
	packet.next = nil
	p.length--
	return packet
}

// Remove takes a packet, for the thread that the CPU runs (GetQueuedCompletionStatus). If there is none, or enough
// threads run for the port, it returns false and the thread waits: its body must return, and call Remove again when it
// runs next. A thread belongs to the port that it last asked (A39).
func (p *CompletionPort) Remove(t *Thread) (Packet, bool) {
	c := t.cpu
	c.requireExactly(PassiveLevel, "CompletionPort.Remove")
	if packet := t.packet; packet != nil { // handed to it while it waited
		t.packet = nil
		return p.open(c, packet), true
	}
	if t.active { // it is done with the packet before: another may run, and that may be itself (A37)
		t.port.current--
		t.active = false
		if t.port != p {
			t.port.release()
		}
	}
	t.port = p
	if p.head != nil && p.current < p.max {
		p.current++
		t.active = true
		return p.open(c, p.pop()), true
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
func (p *CompletionPort) open(c *CPU, packet *Packet) Packet {
	k := p.kernel
	c.Spend(costPacket)
	contents := *packet
	k.mix(hashPacket|packet.IRP<<8, uint64(c.number))
	contents.irp = nil
	if packet.irp != nil {
		k.FreeIRP(packet.irp)
	} else {
		*packet = Packet{}
		k.freePackets = append(k.freePackets, packet)
	}
	return contents
}

// release lets a waiter run if the port has a packet and may have one more running (A38).
func (p *CompletionPort) release() {
	if p.head != nil && p.waiters != nil && p.current < p.max {
		p.hand(p.pop())
	}
}

// leave and resume keep the port's count right while one of its threads blocks elsewhere (A38).
func (p *CompletionPort) leave() {
	p.current--
	p.release()
}

func (p *CompletionPort) resume() { p.current++ }

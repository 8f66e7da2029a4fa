package kernel

import "github.com/nothread/nothread/runtime/clock"

// This file is completion ports: a queue of packets, and a number of threads that may run for it at a time. Rules A36
// to A39.

// Packet is one entry of a completion port: a completed request, or something posted. A completed request needs its IRP no
// more: others use it while the packet waits.
type Packet struct {
	Status      Status // of the request
	Information int    // bytes that it transferred, by convention
	IRP         uint64 // the number of the IRP that it was; 0: posted

	context any         // the request's: its *Overlapped, or what Submit was given; or what was posted
	file    *FileObject // of the request
	since   clock.Time
}

// posted is what Post has posted with an Overlapped.
type posted struct {
	key any
	ov  *Overlapped
}

// Key returns the key of the handle that the request came through, or what was posted.
func (p *Packet) Key() any {
	if p.IRP != 0 {
		return p.file.key
	}
	if both, ok := p.context.(*posted); ok {
		return both.key
	}
	return p.context
}

// Overlapped returns the request's Overlapped, or the one that was posted; nil if there is none.
func (p *Packet) Overlapped() *Overlapped {
	if p.IRP != 0 {
		ov, _ := p.context.(*Overlapped)
		return ov
	}
	if both, ok := p.context.(*posted); ok {
		return both.ov
	}
	return nil
}

// Requester returns who made the request: the Context of its Overlapped, or what Submit was given. Of what was posted it is
// the Context of the Overlapped that was posted with it, if any.
func (p *Packet) Requester() any {
	if p.IRP != 0 {
		return requester(p.context)
	}
	if ov := p.Overlapped(); ov != nil {
		return ov.Context
	}
	return nil
}

func requester(context any) any {
	if ov, ok := context.(*Overlapped); ok {
		return ov.Context
	}
	return context
}

// packetQueue is first in, first out. There may be a million packets: they lie side by side, in blocks.
type packetQueue struct {
	first, last *packetBlock
	out, in     int // how many of the first block's were taken out, and of the last one's put in
	n           int
}

// packetBlock is so many packets as a kilobyte holds.
type packetBlock struct {
	packets [18]Packet
	next    *packetBlock
}

// push returns the place of a packet that comes last, to be filled in.
func (q *packetQueue) push(k *Kernel) *Packet {
	if q.last == nil || q.in == len(q.last.packets) {
		b := k.freeBlocks
		if b == nil {
			b = new(packetBlock)
		} else {
			k.freeBlocks, b.next = b.next, nil
		}
		if q.last == nil {
			q.first = b
		} else {
			q.last.next = b
		}
		q.last, q.in = b, 0
	}
	p := &q.last.packets[q.in]
	q.in++
	q.n++
	return p
}

// pop moves the packet that has waited longest to where p says.
func (q *packetQueue) pop(k *Kernel, p *Packet) {
	from := &q.first.packets[q.out]
	*p = *from
	*from = Packet{}
	q.out++
	q.n--
	switch {
	case q.n == 0:
		q.out, q.in = 0, 0 // the block is the last one
	case q.out == len(q.first.packets):
		b := q.first
		q.first, q.out = b.next, 0
		b.next, k.freeBlocks = k.freeBlocks, b
	}
}

// all ranges over the packets, from the one that has waited longest.
func (q *packetQueue) all(yield func(*Packet) bool) {
	for b, i, n := q.first, q.out, q.n; n > 0; n-- {
		if !yield(&b.packets[i]) {
			return
		}
		if i++; i == len(b.packets) {
			b, i = b.next, 0
		}
	}
}

// CompletionPort is a completion port.
type CompletionPort struct {
	// Fixed.
	kernel   *Kernel
	name     string
	max      int // threads that may run for it at a time
	waitText string

	packets packetQueue // that wait
	waiters *Thread     // the most recent first
	current int         // threads that run for it; may exceed max for a while (A38)
}

// NewCompletionPort makes a port for which up to max threads run at a time; 0 means as many as there are CPUs (A36).
func (k *Kernel) NewCompletionPort(name string, max int) *CompletionPort {
	if max <= 0 {
		max = len(k.cpus)
	}
	p := &CompletionPort{kernel: k, name: name, max: max, waitText: "a packet of the " + name}
	k.ports = append(k.ports, p)
	return p
}

// Len returns the number of packets that wait.
func (p *CompletionPort) Len() int { return p.packets.n }

// Queued ranges over the packets that wait, from the one that has waited longest.
func (p *CompletionPort) Queued(yield func(*Packet) bool) { p.packets.all(yield) }

// Running returns the number of threads that run for the port.
func (p *CompletionPort) Running() int { return p.current }

// Post queues a packet of the caller's own making (PostQueuedCompletionStatus).
func (p *CompletionPort) Post(c *CPU, key any, ov *Overlapped) {
	c.requireAtMost(DispatchLevel, "CompletionPort.Post")
	if ov != nil {
		key = &posted{key, ov}
	}
	p.insert(c, 0).context = key
}

// insertIRP queues the packet of a completed request, which ends the IRP.
func (p *CompletionPort) insertIRP(c *CPU, file *FileObject, irp *IRP) {
	packet := p.insert(c, irp.id)
	packet.context = irp.context
	packet.Status, packet.Information, packet.IRP = irp.Status, irp.Information, irp.id
	packet.file, packet.since = file, irp.since
	p.kernel.free(irp)
}

// insert returns the place of a new packet, to be filled in: with the thread that waits least long, if the port may have one
// more running (A36), else at the end of the queue.
func (p *CompletionPort) insert(c *CPU, irp uint64) *Packet {
	k := p.kernel
	k.counts.Packets++
	if k.watched {
		k.traceOn(c, HopPacket, irp, p.name, int64(p.Len()), 0)
	}
	if p.waiters != nil && p.current < p.max && p.packets.n == 0 {
		return p.hand()
	}
	return p.packets.push(k)
}

// hand makes the most recent waiter ready, and returns the place of the packet that it will find.
func (p *CompletionPort) hand() *Packet {
	t := p.waiters
	p.waiters = t.nextWaiter
	t.nextWaiter = nil
	p.current++
	t.active, t.handed = true, true
	p.kernel.wake(t, StatusSuccess)
	return &t.packet
}

// Remove takes a packet, for the thread that the CPU runs (GetQueuedCompletionStatus). It is the thread's until it calls
// Remove again. If there is none, or enough threads run for the port, it returns nil and the thread waits: its body must
// return, and call Remove again when it runs next. A thread belongs to the port that it last asked (A39).
func (p *CompletionPort) Remove(t *Thread) *Packet {
	c := t.cpu
	if c.irql != PassiveLevel {
		t.checkDone() // with the packet before
	}
	if t.handed { // it got one while it waited
		t.handed = false
		p.charge(c, t.packet.IRP)
		return &t.packet
	}
	if t.active { // it is done with the packet before: another may run, and that may be itself (A37)
		t.port.current--
		t.active = false
		if t.port != p {
			t.port.release()
		}
	}
	t.port = p
	if p.packets.n > 0 && p.current < p.max {
		p.current++
		t.active = true
		p.packets.pop(p.kernel, &t.packet)
		p.charge(c, t.packet.IRP)
		return &t.packet
	}
	t.packet = Packet{} // what it has done is nobody's business any more
	p.await(t)
	return nil
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

// charge is what it costs to take a packet, and how the digest hears of it.
func (p *CompletionPort) charge(c *CPU, irp uint64) {
	if !c.pass(costPacket) {
		c.spend(costPacket)
	}
	p.kernel.mix(hashPacket|irp<<8, uint64(c.number))
}

// release lets a waiter run if the port has a packet and may have one more running (A38).
func (p *CompletionPort) release() {
	if p.packets.n > 0 && p.waiters != nil && p.current < p.max {
		p.packets.pop(p.kernel, p.hand())
	}
}

// leave and resume keep the port's count right while one of its threads blocks elsewhere (A38).
func (p *CompletionPort) leave() {
	p.current--
	p.release()
}

func (p *CompletionPort) resume() { p.current++ }

package driver

import (
	"maps"
	"slices"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// Net is the driver of a device.Adapter: it walks the rings. Nobody opens it; the two transports over it, Streams and
// Datagrams, are what applications see as devices. Their requests are IRPs; from transport to adapter driver a frame
// goes by a call, as it does in Windows (NDIS), because one request is many frames and one frame may serve many.
//
//	application   IRP ▼               ▲ completion
//	transport     Streams, Datagrams: a request becomes frames, frames complete requests
//	adapter       send ▼              ▲ receive, both under one lock
//	device        transmit ring ▼     ▲ receive ring, interrupt → ISR → DPC
type Net struct {
	// Fixed by NewNet.
	adapter   *device.Adapter
	line      *kernel.Line
	isr       kernel.Interrupt
	dpc       kernel.DPC
	host      uint16 // the machine's address
	streams   *Streams
	datagrams *Datagrams

	// The lock must be held when using these, and all of the two transports' state.
	lock     kernel.SpinLock
	rxNext   uint64   // the receive descriptor to look at next
	txNext   uint64   // the transmit descriptor to look at next
	txTail   uint64   // frames given to the adapter so far
	sent     []*frame // by transmit descriptor: what the adapter sends
	backlog  frameList
	pool     framePool
	watchdog kernel.Timer
	overdue  kernel.DPC // the watchdog's
	watching bool
	budget   int       // frames that what holds the lock may still handle
	gone     bool      // the adapter was pulled out
	doomed   []*stream // connections that will fail for that

	completed []completion   // what is to be completed when the lock is released (A17)
	spare     [][]completion // lists for that: completions may come in the middle of others
}

// completion is an IRP and its outcome.
type completion struct {
	irp    *kernel.IRP
	status kernel.Status
	n      int
}

const (
	costFrame     = 300 * time.Nanosecond // what a CPU spends on a frame
	dpcBatch      = 64                    // frames in and out, or completions, of one DPC; then another goes on (A33)
	watchPatience = 10 * time.Millisecond // without a word from the adapter while it has frames to send
)

// NewNet makes the drivers of an adapter of the machine with the address host, connects it to the line that the adapter
// asserts, and makes two devices known to the kernel: the adapter's name for stream sockets, and that and "/datagram".
// It returns the first status that is no success, and no driver then.
func NewNet(k *kernel.Kernel, adapter *device.Adapter, line *kernel.Line, host uint16) (*Net, kernel.Status) {
	n := &Net{adapter: adapter, line: line, host: host}
	adapter.Address = host
	n.isr = kernel.Interrupt{Name: adapter.Name(), Service: n.service, Mode: line.Mode(), Shared: true}
	n.dpc = kernel.DPC{Name: "the DPC of " + adapter.Name(), Routine: n.deferred}
	n.overdue = kernel.DPC{Name: "the watchdog of " + adapter.Name(), Routine: n.watch}
	n.watchdog.DPC = &n.overdue
	n.lock.Name = "the lock of " + adapter.Name()
	n.sent = make([]*frame, adapter.TransmitSize())
	n.pool.size = adapter.MTU()
	k.Expect(markTorn, markUnplugged)
	if adapter.MTU() <= headerSize {
		return nil, kernel.StatusInvalidParameter
	}
	if status := line.Connect(&n.isr); !status.IsSuccess() {
		return nil, status
	}
	var status kernel.Status
	if n.streams, status = newStreams(k, n, adapter.Name()); !status.IsSuccess() {
		return nil, status
	}
	if n.datagrams, status = newDatagrams(k, n, adapter.Name()+"/datagram"); !status.IsSuccess() {
		return nil, status
	}
	memory := make([]byte, adapter.ReceiveSize()*adapter.MTU())
	for i := range adapter.ReceiveSize() {
		end := (i + 1) * adapter.MTU()
		adapter.Receive(uint64(i)).Buffer = memory[i*adapter.MTU() : end : end]
	}
	adapter.ReceiveDoorbell(uint64(adapter.ReceiveSize()))
	return n, kernel.StatusSuccess
}

// The marks of this driver.
const (
	markTorn      = "net: a frame that arrived in part"
	markUnplugged = "net: requests failed because the adapter is gone"
)

// enter takes the lock: from here to leave, the adapter's drivers are the caller's.
func (n *Net) enter(c *kernel.CPU) {
	n.lock.Acquire(c)
	n.budget = dpcBatch
}

// leave answers whom an answer is owed, releases the lock and completes what is done.
func (n *Net) leave(c *kernel.CPU) { n.leaveWith(c, len(n.completed)) }

// leaveDPC is leave in a DPC, which has a budget (A33): of many completions it leaves some to another one.
func (n *Net) leaveDPC(c *kernel.CPU) {
	if len(n.completed) > dpcBatch {
		c.QueueDPC(&n.dpc, nil)
	}
	n.leaveWith(c, min(len(n.completed), dpcBatch))
}

// leaveWith is leave, with so many completions.
func (n *Net) leaveWith(c *kernel.CPU, count int) {
	n.streams.flush(c)
	if count == 0 {
		n.lock.Release(c)
		return
	}
	list := n.completed
	n.completed = nil
	if last := len(n.spare) - 1; last >= 0 {
		n.completed, n.spare = n.spare[last], n.spare[:last]
	}
	n.completed = append(n.completed, list[count:]...)
	n.lock.Release(c)
	for i := range list[:count] {
		complete(c, list[i].irp, list[i].status, list[i].n)
	}
	clear(list)
	n.spare = append(n.spare, list[:0])
}

// locked makes a dispatch routine of f, which runs under the lock.
func (n *Net) locked(f func(c *kernel.CPU, irp *kernel.IRP) kernel.Status) kernel.DispatchRoutine {
	return func(c *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
		n.enter(c)
		status := f(c, irp)
		n.leave(c)
		return status
	}
}

// done notes what an IRP is completed with, in leave. The IRP is nobody else's any more.
func (n *Net) done(irp *kernel.IRP, status kernel.Status, information int) kernel.Status {
	n.completed = append(n.completed, completion{irp, status, information})
	return status
}

// send hands a frame to the adapter, in order. The frame is the driver's too until it has left: a
// reference is counted.
func (n *Net) send(c *kernel.CPU, f *frame) {
	c.Spend(costFrame)
	f.refs++
	if n.gone {
		n.pool.release(f)
		return
	}
	f.leaving = true
	if n.backlog.head == nil && n.txTail-n.txNext == uint64(len(n.sent)) {
		n.reap() // perhaps some have left, and nobody has looked yet
	}
	if n.backlog.head != nil || n.txTail-n.txNext == uint64(len(n.sent)) {
		n.backlog.push(f)
		return
	}
	n.program(c, f)
}

// program gives a frame to the adapter.
func (n *Net) program(c *kernel.CPU, f *frame) {
	n.sent[n.txTail%uint64(len(n.sent))] = f
	d := n.adapter.Transmit(n.txTail)
	d.Frame, d.To = f.data, f.to()
	n.txTail++
	n.adapter.TransmitDoorbell(n.txTail)
	c.Trace(kernel.HopDMAStart, nil, n.adapter.Name(), int64(len(f.data)), 0)
	if !n.watching {
		n.watching = true
		c.Kernel().SetTimer(&n.watchdog, c.Now().Add(watchPatience))
	}
}

// reap takes back the frames that have left.
func (n *Net) reap() {
	for n.txNext < n.txTail && n.adapter.Transmit(n.txNext).Done {
		n.adapter.Transmit(n.txNext).Done = false
		i := n.txNext % uint64(len(n.sent))
		f := n.sent[i]
		n.sent[i] = nil
		n.txNext++
		f.left(n)
	}
}

// service is the ISR (A25). What is done stays Done in the rings, which the adapter does not overwrite.
func (n *Net) service(c *kernel.CPU, _ *kernel.Interrupt) bool {
	if !n.adapter.InterruptPending() {
		return false
	}
	n.adapter.Acknowledge()
	c.QueueDPC(&n.dpc, nil)
	return true
}

// deferred is the DPC: it goes through both rings from where it stopped last, for several interrupts may have found one
// DPC (A30).
func (n *Net) deferred(c *kernel.CPU, _ *kernel.DPC, _ any) {
	n.enter(c)
	if !n.adapter.Present() {
		n.unplugged(c)
		n.leaveDPC(c)
		return
	}
	n.reap()
	for n.backlog.head != nil && n.txTail-n.txNext < uint64(len(n.sent)) {
		n.program(c, n.backlog.pop())
	}
	n.streams.catchUp(c)
	for n.adapter.Receive(n.rxNext).Done && n.budget > 0 {
		n.budget -= 2 // itself, and an answer
		c.Spend(costFrame)
		d := n.adapter.Receive(n.rxNext)
		n.receive(c, d.Buffer[:d.Length])
		d.Done = false
		n.rxNext++
		n.adapter.ReceiveDoorbell(n.rxNext + uint64(n.adapter.ReceiveSize()))
	}
	if n.adapter.Receive(n.rxNext).Done || len(n.streams.behind) > 0 {
		c.QueueDPC(&n.dpc, nil)
	}
	n.leaveDPC(c)
}

// receive hands a frame to the transport that it is for. Its bytes are valid during the call.
func (n *Net) receive(c *kernel.CPU, data []byte) {
	h, payload, ok := decode(data)
	if !ok {
		c.Kernel().Reach(markTorn) // as good as lost
		return
	}
	if h.to.host != n.host {
		return
	}
	switch h.protocol {
	case protocolStream:
		n.streams.receive(c, &h, payload)
	case protocolDatagram:
		n.datagrams.receive(c, &h, payload)
	}
}

// watch is the watchdog's DPC. While frames go out there should be interrupts; one may be lost, so it asks as the
// interrupt would have done. What is received is not watched over: who waits for a frame that was lost is used to that.
func (n *Net) watch(c *kernel.CPU, _ *kernel.DPC, _ any) {
	n.enter(c)
	n.watching = n.txNext < n.txTail && !n.gone
	busy := n.watching
	n.leaveDPC(c)
	if busy {
		c.Kernel().SetTimer(&n.watchdog, c.Now().Add(watchPatience))
		if !n.line.Poll(c) {
			c.QueueDPC(&n.dpc, nil)
		}
	}
}

// unplugged is what the DPC does when the adapter is gone: all that waits for it fails, some in each DPC, for DPCs have a
// budget (A33). What has arrived can still be read.
func (n *Net) unplugged(c *kernel.CPU) {
	if !n.gone {
		n.gone = true
		c.Kernel().Reach(markUnplugged)
		c.Kernel().CancelTimer(&n.watchdog)
		for ; n.txNext < n.txTail; n.txNext++ {
			n.sent[n.txNext%uint64(len(n.sent))].left(n)
		}
		clear(n.sent)
		for n.backlog.head != nil {
			n.backlog.pop().left(n)
		}
		n.doomed = slices.SortedFunc(maps.Values(n.streams.streams), byCall)
	}
	for ; len(n.doomed) > 0 && n.budget > 0; n.budget-- {
		s := n.doomed[0]
		n.doomed = n.doomed[1:]
		if s.state != gone {
			s.fail(c, kernel.StatusDeviceRemoved)
		}
	}
	n.streams.failAccepts(c)
	n.datagrams.failReceives(c)
	if len(n.doomed) > 0 || n.budget <= 0 {
		c.QueueDPC(&n.dpc, nil)
	}
}

// left is the end of a frame's way to the adapter.
func (f *frame) left(n *Net) {
	f.leaving = false
	n.pool.release(f)
}

package device

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// Adapter is a network adapter: two rings of descriptors in memory, one of frames to send and one of buffers to receive
// into. Driver and adapter walk round each ring, the driver ahead; what lies between them is the adapter's.
//
// Its face towards a driver, in the order of use:
//
//	Receive(i)          a descriptor of the receive ring: the driver gives it a buffer
//	ReceiveDoorbell     moves the ring's tail: so many buffers have been given, ever
//	Transmit(i)         a descriptor of the transmit ring: the driver gives it a frame
//	TransmitDoorbell    moves the ring's tail: so many frames have been given, ever
//	…                   the line is asserted
//	InterruptPending    the interrupt status register: is it this adapter that calls?
//	Acknowledge         clears it, and the line with it ("thank you for the interrupt")
//	Receive, Transmit   the driver goes through the descriptors that are Done, from where it stopped last
//	Present             reads a register that is never zero: false if the adapter has been pulled out
//
// Frames are sent in order, each in the time that its length takes; one that arrives when no buffer is free is lost. An
// Adapter belongs to one World and is used from the goroutine that runs it.
//
// Its faults are those of devices. A HardError, a PassingError or a ZeroTransfer spoils a frame on its way out, which nobody
// hears of; a ShortTransfer lets a part of it leave, or arrive; a ZeroTransfer on the way in is a frame of no bytes; a
// HeavyTail holds the transmitter up; the interrupt may overtake what it tells of; and the adapter may be pulled out.
type Adapter struct {
	// The wiring, fixed by NewAdapter, Connect, and NewWire or NewSwitch.
	name   string
	cfg    AdapterConfig
	clock  clock.Clock
	oracle Oracle
	hazard Hazard // nil: it never fails
	line   Line
	probe  Probe
	medium medium // nil: it has none yet

	Address uint16 // a register: its address where a Switch joins it to others; the driver sets it

	// The hardware's state. Heads and tails count up for ever; a descriptor's index is the remainder.
	receive  []ReceiveDescriptor
	rxHead   uint64 // the next to be filled
	rxTail   uint64 // given by the driver so far
	transmit []TransmitDescriptor
	told     bool   // an interrupt has told of the next frame before it was sent (InterruptBeforeDMA)
	txHead   uint64 // the next to be sent
	txTail   uint64 // given by the driver so far

	sending   clock.Timer // armed while a frame goes out
	interrupt bool        // the interrupt status register
	held      int         // descriptors done that no interrupt has told of yet
	patience  clock.Timer // rings when those have been held for long enough
	removed   bool
	empty     clock.Timer // the slot's: rings until somebody has heard that it is empty
	counts    AdapterCounts
}

// AdapterConfig says how an adapter is built. Zero fields take the defaults; the two times do so together, if neither is
// given.
type AdapterConfig struct {
	Receive     int           // descriptors of the receive ring; default 256
	Transmit    int           // descriptors of the transmit ring; default 64
	MTU         int           // the longest frame in bytes; default 1536
	PerFrame    time.Duration // time to send a frame; default 300ns
	PerKilobyte time.Duration // time for each 1024 bytes on top of it; default 1µs
	Coalesce    Coalescing    // counts descriptors that are done, of both rings; default off (A29)
}

// AdapterCounts are running totals.
type AdapterCounts struct {
	Sent     uint64 // frames that have left
	Spoiled  uint64 // those of them that failed on the way out
	Received uint64 // frames that found a buffer
	Missed   uint64 // frames that found none, or one too short
	Torn     uint64 // frames that left or arrived in part, or as nothing
}

// ReceiveDescriptor is an entry of the receive ring.
type ReceiveDescriptor struct {
	Buffer []byte // the memory to receive into: the adapter's from the doorbell until Done
	Length int    // of the frame in it
	Done   bool   // the adapter has filled it; the driver clears it
}

// TransmitDescriptor is an entry of the transmit ring.
type TransmitDescriptor struct {
	Frame []byte // the memory to send: the adapter's from the doorbell until Done
	To    uint16 // the address of the adapter that it is for, as a Switch knows it
	Done  bool   // the adapter has sent it; the driver clears it
}

// NewAdapter returns an adapter that is not connected and has no wire yet.
func NewAdapter(name string, cfg AdapterConfig) (*Adapter, error) {
	if cfg.Receive < 0 || cfg.Transmit < 0 || cfg.Receive > maxDepth || cfg.Transmit > maxDepth || cfg.MTU < 0 ||
		cfg.PerFrame < 0 || cfg.PerKilobyte < 0 || cfg.Coalesce.Threshold < 0 || cfg.Coalesce.Time < 0 {
		return nil, fmt.Errorf("device: adapter %s: negative or too large value in %+v", name, cfg)
	}
	if cfg.Receive == 0 {
		cfg.Receive = 256
	}
	if cfg.Transmit == 0 {
		cfg.Transmit = 64
	}
	if cfg.MTU == 0 {
		cfg.MTU = 1536
	}
	if cfg.PerFrame == 0 && cfg.PerKilobyte == 0 {
		cfg.PerFrame, cfg.PerKilobyte = 300*time.Nanosecond, time.Microsecond
	}
	a := &Adapter{name: name, cfg: cfg}
	a.receive = make([]ReceiveDescriptor, cfg.Receive)
	a.transmit = make([]TransmitDescriptor, cfg.Transmit)
	a.sending.Alarm = a
	a.patience.Alarm = clock.AlarmFunc(func(clock.Time) { a.call() })
	a.empty.Alarm = clock.AlarmFunc(func(clock.Time) { a.sayEmpty() })
	return a, nil
}

// Connect plugs the adapter into a machine. The probe may be nil.
func (a *Adapter) Connect(c clock.Clock, o Oracle, l Line, p Probe) {
	a.clock, a.oracle, a.line, a.probe = c, o, l, p
	a.hazard, _ = o.(Hazard)
}

// Name returns the adapter's name.
func (a *Adapter) Name() string { return a.name }

// MTU returns the length of the longest frame.
func (a *Adapter) MTU() int { return a.cfg.MTU }

// Counts returns the running totals.
func (a *Adapter) Counts() AdapterCounts { return a.counts }

// ReceiveSize returns the number of descriptors of the receive ring.
func (a *Adapter) ReceiveSize() int { return len(a.receive) }

// TransmitSize returns the number of descriptors of the transmit ring.
func (a *Adapter) TransmitSize() int { return len(a.transmit) }

// Receive returns the descriptor that the count i falls on.
func (a *Adapter) Receive(i uint64) *ReceiveDescriptor {
	return &a.receive[i%uint64(len(a.receive))]
}

// Transmit returns the descriptor that the count i falls on.
func (a *Adapter) Transmit(i uint64) *TransmitDescriptor {
	return &a.transmit[i%uint64(len(a.transmit))]
}

// ReceiveDoorbell says that the driver has given buffers up to the count tail.
func (a *Adapter) ReceiveDoorbell(tail uint64) {
	if tail < a.rxTail || tail-a.rxHead > uint64(len(a.receive)) {
		panic(fmt.Sprintf("device: doorbell of adapter %s: receive tail %d, head %d, %d descriptors", a.name, tail, a.rxHead, len(a.receive)))
	}
	a.rxTail = tail
}

// TransmitDoorbell says that the driver has given frames up to the count tail.
func (a *Adapter) TransmitDoorbell(tail uint64) {
	if a.line == nil {
		panic("device: doorbell of adapter " + a.name + ", which is not connected")
	}
	if tail < a.txTail || tail-a.txHead > uint64(len(a.transmit)) {
		panic(fmt.Sprintf("device: doorbell of adapter %s: transmit tail %d, head %d, %d descriptors", a.name, tail, a.txHead, len(a.transmit)))
	}
	if a.removed {
		return // there is nobody to hear it
	}
	a.txTail = tail
	if !a.sending.Armed() {
		a.send()
	}
}

// send begins to send the next frame, if there is one.
func (a *Adapter) send() {
	if a.txHead == a.txTail {
		return
	}
	n := len(a.Transmit(a.txHead).Frame)
	took := a.cfg.PerFrame + time.Duration(int64(n)*int64(a.cfg.PerKilobyte)/1024)
	if a.strike(HeavyTail) { // twice as long, or with half the chance four times, or …
		took <<= 1 + bits.TrailingZeros64(^a.oracle.Choose("net.tail", 1<<9))
	}
	a.clock.Set(&a.sending, a.clock.Now().Add(took))
}

// Ring is the moment at which the last byte of a frame leaves: the wire has it now, and the next one begins.
func (a *Adapter) Ring(clock.Time) {
	if a.strike(Removal) {
		a.Remove()
		return
	}
	if !a.told && a.strike(InterruptBeforeDMA) {
		a.told = true
		a.clock.Set(&a.sending, a.clock.Now().Add(time.Duration(1+a.oracle.Choose("net.dma", 5_000))))
		a.call()
		return
	}
	d := a.Transmit(a.txHead)
	a.txHead++
	a.counts.Sent++
	status := OK
	switch {
	case len(d.Frame) > a.cfg.MTU:
		status = BadCommand // too long: it goes nowhere
	case a.strike(HardError) || a.strike(PassingError):
		status = DeviceError
		a.counts.Spoiled++
	case a.medium != nil:
		if frame := a.tear(d.Frame); len(frame) > 0 {
			a.medium.carry(a, d.To, frame)
		}
	}
	n := len(d.Frame)
	d.Frame, d.Done = nil, true
	if a.probe != nil {
		a.probe.DMADone(a.name, Write, 0, n, status)
	}
	a.send()
	if a.told {
		a.told = false
		return // it has been said, too early
	}
	a.hold()
}

// strike reports whether a fault happens here and now.
func (a *Adapter) strike(f Fault) bool { return a.hazard != nil && a.hazard.Strike(f) }

// tear returns what a transfer moves of a frame: all of it, unless a fault strikes.
func (a *Adapter) tear(frame []byte) []byte {
	switch {
	case a.hazard == nil:
		return frame
	case a.strike(ZeroTransfer):
		frame = nil
	case len(frame) > 1 && a.strike(ShortTransfer):
		frame = frame[:1+a.oracle.Choose("net.short", uint64(len(frame)-1))]
	default:
		return frame
	}
	a.counts.Torn++
	return frame
}

// arrive takes a frame from the wire: into the next buffer by DMA, or lost.
func (a *Adapter) arrive(frame []byte) {
	if a.removed || a.rxHead == a.rxTail || len(frame) > len(a.Receive(a.rxHead).Buffer) {
		a.counts.Missed++
		return
	}
	d := a.Receive(a.rxHead)
	a.rxHead++
	a.counts.Received++
	d.Length, d.Done = copy(d.Buffer, a.tear(frame)), true
	if a.probe != nil {
		a.probe.DMADone(a.name, Read, 0, d.Length, OK)
	}
	a.hold()
}

// hold counts a descriptor that is done and calls if that is enough (A29).
func (a *Adapter) hold() {
	a.held++
	c := a.cfg.Coalesce
	switch {
	case c.Threshold == 0 || c.Time == 0 || a.held > c.Threshold || a.held >= min(len(a.receive), len(a.transmit)):
		a.call()
	case a.held == 1:
		a.clock.Set(&a.patience, a.clock.Now().Add(time.Duration(c.Time)*100*time.Microsecond))
	}
}

// call asserts the line, for all descriptors that are done.
func (a *Adapter) call() {
	a.clock.Stop(&a.patience)
	a.held = 0
	a.interrupt = true
	a.line.Assert()
}

// Remove pulls the adapter out: what it has is never sent, nothing arrives, doorbells are not heard. It cannot be put back.
// The slot that it was in tells of that, by the adapter's line and its interrupt status register, again and again until
// somebody acknowledges: there may be nothing else by which a driver could find out.
func (a *Adapter) Remove() {
	if a.removed {
		return
	}
	a.removed = true
	a.clock.Stop(&a.sending)
	a.clock.Stop(&a.patience)
	for i := range a.transmit {
		a.transmit[i].Frame = nil
	}
	a.sayEmpty()
}

// repeat is how long an empty slot waits for somebody to hear it.
const repeat = time.Millisecond

func (a *Adapter) sayEmpty() {
	a.interrupt = true
	a.clock.Set(&a.empty, a.clock.Now().Add(repeat))
	a.line.Assert()
}

// Present reports whether the adapter is plugged in.
func (a *Adapter) Present() bool { return !a.removed }

// InterruptPending reads the interrupt status register: true if the adapter calls for attention.
func (a *Adapter) InterruptPending() bool { return a.interrupt }

// Acknowledge clears the interrupt status register and lets go of the line.
func (a *Adapter) Acknowledge() {
	a.interrupt = false
	a.clock.Stop(&a.empty)
	a.line.Deassert()
}

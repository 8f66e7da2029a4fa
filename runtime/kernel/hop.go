package kernel

import (
	"strconv"

	"github.com/nothread/nothread/runtime/clock"
)

// This file is what the kernel says of itself: hops, and how a hop reads as a line of text.

// HopKind says what happened. The kinds and the order of the hops of one request are stable: tools rely on them.
type HopKind uint8

// The hops of one overlapped request, in the order in which they happen, then everything else.
const (
	HopNone HopKind = iota

	HopLibraryCall    // the library is called: Name is the operation, N bytes, M offset
	HopOverlappedCall // the library calls the I/O manager on the device Name
	HopIRPBuilt       // the I/O manager has built the IRP
	HopCallDriver     // an IRP is handed to the driver Name
	HopMarkPending    // the driver Name has marked it pending
	HopQueued         // the device Name is busy: the IRP is the N-th in its queue
	HopStartIo        // the driver Name's StartIo gets the IRP
	HopDMAStart       // the driver has programmed the device Name: N bytes at M; the doorbell is rung
	HopPending        // the dispatch routine has returned StatusPending to the I/O manager
	HopTaskIncomplete // the library returns an incomplete task

	HopDMADone           // the device Name has moved N bytes at M by itself
	HopInterrupt         // the line Name is asserted, at level N
	HopISR               // an ISR runs: if its device has called, it says thank you for the interrupt
	HopDPCQueued         // a DPC is queued on CPU N
	HopDPC               // a DPC runs
	HopIRPComplete       // the driver completes the IRP with status N, information M
	HopCompletionRoutine // a driver above hears of it
	HopAPCQueued         // the special kernel APC is queued to the thread Name
	HopAPC               // and runs in its context
	HopPacket            // a packet is queued to the port Name, N before it
	HopThreadBorrowed    // a pool's thread takes it
	HopTaskComplete      // the task is completed: N bytes
	HopPosted            // a continuation is posted to the context Name
	HopResumed           // and runs on it
	HopThreadReturned    // a pool's thread is done with a packet

	HopMessage         // a message loop begins with message Name
	HopMessageLoop     // a message loop goes on with other messages, N of them
	HopWork            // a pool's thread begins with a work item
	HopCancel          // CancelIRP: N is 1 if a cancel routine was called
	HopTimer           // a timer's deadline has passed
	HopThreadBlocked   // code on the thread Name blocks: its stack stays
	HopThreadUnblocked // and goes on
	HopLineDisabled    // the storm guard disables the line Name: N of M interrupts were claimed by nobody
	HopDecision        // the oracle chose N of M for the label Name
	HopFault           // the fault Name strikes
	hopKinds
)

// Hop is one event of a trace: one step of a request's way, or something beside it.
type Hop struct {
	Time   clock.Time
	CPU    int // -1: none, hardware by itself
	IRQL   IRQL
	Thread string // on what it runs; "": no thread
	Kind   HopKind
	IRP    uint64 // 0: none
	Name   string // what it concerns; see the kinds
	N, M   int64  // see the kinds
}

// Tracer is told of every event, as it happens. The event is valid during the call only.
type Tracer interface {
	Trace(e *Hop)
}

// Traced reports whether anybody keeps what Trace reports: a tracer, or the verifier. Who reports much asks first.
func (k *Kernel) Traced() bool { return k.watched }

// Trace reports an event that happens on the CPU. It costs next to nothing if nobody keeps it.
func (c *CPU) Trace(kind HopKind, irp *IRP, name string, n, m int64) {
	if c.kernel.watched {
		c.trace(kind, irp, name, n, m)
	}
}

func (c *CPU) trace(kind HopKind, irp *IRP, name string, n, m int64) {
	var id uint64
	if irp != nil {
		id = irp.id
	}
	c.kernel.traceOn(c, kind, id, name, n, m)
}

// TraceID is Trace for an IRP of which only the number is left.
func (c *CPU) TraceID(kind HopKind, irp uint64, name string, n, m int64) {
	if c.kernel.watched {
		c.kernel.traceOn(c, kind, irp, name, n, m)
	}
}

func (k *Kernel) traceOn(c *CPU, kind HopKind, irp uint64, name string, n, m int64) {
	e := &k.hop
	*e = Hop{Time: k.clock.Now(), CPU: c.number, IRQL: c.irql, Kind: kind, IRP: irp, Name: name, N: n, M: m}
	if c.nesting == 0 && c.thread != nil {
		e.Thread = c.thread.name
	}
	k.tell()
}

// TraceHardware reports an event that happens on no CPU.
func (k *Kernel) TraceHardware(kind HopKind, name string, n, m int64) {
	if !k.watched {
		return
	}
	k.hop = Hop{Time: k.clock.Now(), CPU: -1, Kind: kind, Name: name, N: n, M: m}
	k.tell()
}

// tell passes the hop on.
func (k *Kernel) tell() {
	if k.verify {
		k.history.add(&k.hop)
	}
	if k.tracer != nil {
		k.tracer.Trace(&k.hop)
	}
}

// hopTexts has, by kind, the short name and the sentence. In a sentence %s stands for Name, %n and %m for N and M, and
// %x for N as a Status.
var hopTexts = [hopKinds]struct{ name, sentence string }{
	HopNone:              {"none", ""},
	HopLibraryCall:       {"library-call", "the library is called: %s of %n bytes at %m"},
	HopOverlappedCall:    {"overlapped-call", "it starts an overlapped operation on the handle of %s: %n bytes at %m"},
	HopIRPBuilt:          {"irp-built", "the I/O manager builds an IRP for %s: %n bytes at %m"},
	HopCallDriver:        {"call-driver", "the IRP goes down to the dispatch routine of %s"},
	HopMarkPending:       {"mark-pending", "%s marks the IRP pending"},
	HopQueued:            {"queued", "%s is busy: the IRP is number %n in its device queue"},
	HopStartIo:           {"start-io", "StartIo of %s gets the IRP"},
	HopDMAStart:          {"dma-start", "the driver writes the buffer's address to the registers of %s and rings the doorbell: DMA of %n bytes at %m"},
	HopPending:           {"pending", "the driver returns STATUS_PENDING for %s; nobody waits"},
	HopTaskIncomplete:    {"task-incomplete", "%s returns an incomplete task"},
	HopDMADone:           {"dma-done", "%s has moved %n bytes at %m by itself"},
	HopInterrupt:         {"interrupt", "%s asserts its interrupt line"},
	HopISR:               {"isr", "the ISR of %s runs and says: thank you for the interrupt"},
	HopDPCQueued:         {"dpc-queued", "%s is queued on CPU %n"},
	HopDPC:               {"dpc", "%s runs"},
	HopIRPComplete:       {"irp-complete", "the IRP is completed: %x, %m bytes"},
	HopCompletionRoutine: {"completion-routine", "a driver above hears of it"},
	HopAPCQueued:         {"apc-queued", "a special kernel APC is queued to %s, which issued the request"},
	HopAPC:               {"apc", "the special kernel APC runs in the context of %s and writes the result into its memory"},
	HopPacket:            {"packet", "a packet is queued to the completion port %s, behind %n others"},
	HopThreadBorrowed:    {"thread-borrowed", "%s is borrowed for a packet"},
	HopTaskComplete:      {"task-complete", "the task of %s is complete: %n bytes"},
	HopPosted:            {"posted", "its continuation is posted to %s"},
	HopResumed:           {"resumed", "%s resumes the continuation"},
	HopThreadReturned:    {"thread-returned", "%s goes back to its pool"},
	HopMessage:           {"message", "next message: %s"},
	HopMessageLoop:       {"message-loop", "%s goes on with other messages: %n wait"},
	HopWork:              {"work", "%s begins with a work item"},
	HopCancel:            {"cancel", "somebody asks to cancel the IRP; cancel routines called: %n"},
	HopTimer:             {"timer", "the timer %s has expired"},
	HopThreadBlocked:     {"thread-blocked", "%s blocks, and keeps its stack"},
	HopThreadUnblocked:   {"thread-unblocked", "%s goes on where it had blocked"},
	HopLineDisabled:      {"line-disabled", "the line %s is disabled: nobody claimed %n of %m interrupts"},
	HopDecision:          {"decision", "%s: %n of %m"},
	HopFault:             {"fault", "a fault strikes: %s"},
}

// String returns the kind's name, such as "dma-start".
func (k HopKind) String() string {
	if int(k) < len(hopTexts) {
		return hopTexts[k].name
	}
	return "unknown"
}

// Where returns on what the hop runs: a thread's name, or "no thread".
func (h *Hop) Where() string {
	if h.Thread == "" {
		return "no thread"
	}
	return h.Thread
}

// Level returns the hop's IRQL in words; "hardware" if it runs on no CPU.
func (h *Hop) Level() string {
	if h.CPU < 0 {
		return "hardware"
	}
	return h.IRQL.String()
}

// Sentence says in words what happened.
func (h *Hop) Sentence() string { return string(h.appendSentence(nil)) }

func (h *Hop) appendSentence(b []byte) []byte {
	if int(h.Kind) >= len(hopTexts) {
		return b
	}
	s := hopTexts[h.Kind].sentence
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		i++
		switch s[i] {
		case 's':
			b = append(b, h.Name...)
		case 'n':
			b = strconv.AppendInt(b, h.N, 10)
		case 'm':
			b = strconv.AppendInt(b, h.M, 10)
		case 'x':
			b = append(b, Status(h.N).String()...)
		}
	}
	return b
}

// Append appends the hop as one line of a trace, without a newline: time, CPU, IRQL, on what it runs, IRP, kind,
// sentence.
func (h *Hop) Append(b []byte) []byte {
	var t [32]byte
	time := h.Time.Append(t[:0])
	b = pad(b, 15-len(time)+1) // µ is two bytes
	b = append(b, time...)
	b = append(b, "  "...)
	if h.CPU < 0 {
		b = append(b, "-   "...)
	} else {
		b = append(b, "cpu"...)
		b = strconv.AppendInt(b, int64(h.CPU), 10)
	}
	b = column(append(b, "  "...), h.Level(), 10)
	b = column(b, h.Where(), 16)
	irp := len(b)
	if h.IRP != 0 {
		b = append(b, "irp#"...)
		b = strconv.AppendUint(b, h.IRP, 10)
	}
	b = pad(b, 10-(len(b)-irp))
	b = column(b, h.Kind.String(), 20)
	return h.appendSentence(b)
}

// column appends s and pads it to a width.
func column(b []byte, s string, width int) []byte {
	return append(pad(append(b, s...), width-len(s)-1), ' ')
}

func pad(b []byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, ' ')
	}
	return b
}

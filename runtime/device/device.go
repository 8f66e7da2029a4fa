// Package device is the hardware of the simulated machine. It knows no kernel, no driver and no thread: a device has
// registers, memory that it reads and writes by itself (DMA), a latency, and a wire to whoever listens (a Line).
//
// A request comes down as writes to registers, the last of which is the doorbell. From then on the device works by
// itself: nothing runs for it, there is only a timer in the World's clock that says when it will be done. Then it moves
// the bytes, writes down what happened, and asserts its Line. What that does is the machine's affair (kernel's
// interrupt controller); the device keeps the line asserted until a driver acknowledges.
//
// Every latency is drawn from an Oracle, the World's one stream of decisions. So is every fault, by rates of the machine's
// (fault.go), if the Oracle is a Hazard too, or of a disk's, a wire's or a toaster's own, and what a power failure leaves of a
// disk's write cache. Nothing else in a device is a choice.
package device

// Line is the wire over which a device calls for attention. The machine that the device is plugged into implements it.
//
// What an Assert means depends on how the machine has set up the line: on a level line it lasts until Deassert, on an
// edge line or a message-signalled one it is an event.
type Line interface {
	Assert()
	Deassert()
}

// Oracle makes every choice: a number from 0 to n-1, n > 0. The label says what is chosen, such as "disk.latency". 0 is
// always the calm choice: nothing fails, and nothing takes longer than it must.
type Oracle interface {
	Choose(label string, n uint64) uint64
}

// Probe is told what a device does by itself, on no CPU and no thread. It may be nil.
type Probe interface {
	// DMADone says that a device has moved n bytes at an offset, or failed to, and is about to assert its line.
	DMADone(device string, op Op, offset int64, n int, status Status)
}

// perMillion is what rates count in: so many times in a million.
const perMillion = 1_000_000

// happens decides whether something happens that has a rate of so many in a million.
func happens(o Oracle, label string, rate int) bool {
	return rate > 0 && o.Choose(label, perMillion) >= perMillion-uint64(rate)
}

// Op is what a command asks a device to do.
type Op uint8

// The operations. A Probe hears of those of all devices; a Disk's registers take one of them.
const (
	Read  Op = 1 + iota // device to memory
	Write               // memory to device
	Flush               // of what was written: it stays, whatever comes
)

func (op Op) String() string {
	switch op {
	case Read:
		return "read"
	case Write:
		return "write"
	case Flush:
		return "flush"
	}
	return "no operation"
}

// Status is what a device says of a command that it has finished.
type Status uint8

// The statuses.
const (
	OK             Status = iota // done; of a disk, a read past the end has transferred fewer bytes, or none
	DeviceError                  // failed: LastError of a Disk or a Toaster says how
	WriteProtected               // a write to a disk whose backing cannot be written
	TryAgain                     // failed, for a passing reason
	BadCommand                   // what makes no sense: an unknown operation, a negative offset, a frame beyond the MTU
)

func (s Status) String() string {
	switch s {
	case OK:
		return "ok"
	case DeviceError:
		return "device error"
	case WriteProtected:
		return "write protected"
	case TryAgain:
		return "try again"
	case BadCommand:
		return "bad command"
	}
	return "unknown status"
}

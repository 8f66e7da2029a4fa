package device

import "errors"

// Fault is a way in which hardware fails.
type Fault uint8

// The faults of devices. Those of the wires between them and the machine are the machine's affair.
const (
	HardError          Fault = iota // a command fails, and would fail again
	PassingError                    // a command fails, and may succeed if it is given again
	ShortTransfer                   // a command moves fewer bytes than it was told to
	ZeroTransfer                    // a command moves nothing and says that it is done
	InterruptBeforeDMA              // the interrupt comes before the bytes and the completion are visible, and not again
	Reordering                      // a command is held back behind others
	HeavyTail                       // a command takes up to a thousand times as long
	Removal                         // the device is pulled out with commands in it
	Faults                          // how many there are
)

func (f Fault) String() string {
	names := [...]string{
		"hard error", "passing error", "short transfer", "zero transfer", "interrupt before DMA", "reordering", "heavy tail",
		"surprise removal",
	}
	if int(f) < len(names) {
		return names[f]
	}
	return "unknown fault"
}

// Hazard decides whether a fault happens here and now. The Oracle that a device is connected to may be one; else its
// hardware never fails.
type Hazard interface {
	Strike(f Fault) bool
}

// ErrFault is what a disk's LastError says after a HardError or a PassingError.
var ErrFault = errors.New("device: the hardware fails (a fault of the simulation)")

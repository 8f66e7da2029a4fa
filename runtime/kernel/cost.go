package kernel

import "time"

// What things cost a simulated CPU. The values are of the right order for a machine of some gigahertz and have no other
// meaning; what varies from run to run is drawn by the devices.
const (
	costSystemCall    = 400 * time.Nanosecond  // from the library into the I/O manager
	costDispatch      = 150 * time.Nanosecond  // a driver's dispatch routine
	costStartIo       = 200 * time.Nanosecond  // programming a device
	costInterrupt     = 600 * time.Nanosecond  // entering an ISR
	costDPC           = 350 * time.Nanosecond  // entering a DPC
	costComplete      = 150 * time.Nanosecond  // walking a completed IRP's stack
	costAPC           = 300 * time.Nanosecond  // entering an APC
	costPacket        = 200 * time.Nanosecond  // taking a packet from a port
	costContextSwitch = 1200 * time.Nanosecond // from one thread to another
)

// The budgets of A33.
const (
	dpcBudget = 100 * time.Microsecond
	isrBudget = 25 * time.Microsecond
)

// cancelBudget is how long a cancelled IRP may take to be completed.
const cancelBudget = 5 * time.Minute

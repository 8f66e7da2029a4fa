//go:build !amd64 || race

package async

import "sync/atomic"

// publish ends a phase of a cell that its caller owns: it sets the status, and with it
// makes known what the caller has written to the cell.
func publish(status *uint32, s uint32) { atomic.StoreUint32(status, s) }

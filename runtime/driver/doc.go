// Package driver holds the drivers of the simulated machine, one file each: the request half (dispatch routine,
// StartIo) and the interrupt half (ISR, DPC) side by side, and cancellation between them.
//
// A driver sits between two rooms that do not know each other. From kernel it gets IRPs and the calls that go with
// them; towards device it writes registers. It never waits for anything.
package driver

// Package driver holds the drivers of the simulated machine: of each, the request half (dispatch routine, StartIo) and the
// interrupt half (ISR, DPC) side by side, and cancellation between them.
//
//	Toaster   toaster.go                the smallest complete one: read it first
//	Disk      disk.go, disk_watch.go    DMA, a queue of commands, retries; a watchdog
//	Timer     timer.go                  many requests on one comparator
//	Net       net.go                    descriptor rings; over it, by frames (frame.go), two transports:
//	          socket.go, stream.go      Streams: what requests do, and what a connection does with frames
//	          streamtimer.go            … and with time
//	          datagram.go               Datagrams
//	irpQueue  irpqueue.go               requests of which no hardware knows, and that can be cancelled at any time
//
// A driver sits between two rooms that do not know each other. From kernel it gets IRPs and the calls that go with
// them; towards device it writes registers. It never waits for anything.
package driver

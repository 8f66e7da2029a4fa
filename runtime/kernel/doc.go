// Package kernel is a small I/O kernel after Windows' model: interrupt request levels, interrupts, deferred and
// asynchronous procedure calls, I/O request packets, cancellation, threads, completion ports. Nothing in it is real: its
// processors spend virtual time, its threads are objects, and one goroutine runs all of it.
//
// # The way of an IRP
//
// This is the way of one overlapped write, hop by hop. The numbers are the rules of this kernel; each is a test of that
// name here, in package driver or in package device.
//
// Down, in the thread that asks:
//
//	Request (iomgr.go)          the I/O manager looks up the handle, checks the arguments (A13) and the level: PASSIVE
//	                            (A22, A23)
//	AllocateIRP (irp.go)        an IRP with a stack location for each driver that it will pass; it stands above them (A1)
//	CallDriver                  one location down, and into the driver's dispatch routine. From here on the IRP is the
//	                            driver's (A2). A driver in the middle passes it on, in its own location or the next (A3)
//	MarkPending                 the lowest driver says that it will answer later; first that, then anything by which
//	                            somebody could complete the IRP (A4)
//	StartPacket (devicequeue.go) an idle device gets it at once, a busy one queues it, where it can be cancelled
//	                            (A14, A16, A18)
//	StartIo                     at DISPATCH: the driver writes the device's registers and rings the doorbell (A15)
//	STATUS_PENDING              … which returns through all of them to the caller. The IRP may be complete by then (A6);
//	                            if it was completed at once, the status returned is its status (A5)
//
// Then there is no thread. The request is an IRP that a driver's device extension refers to, and a timer in the World's
// clock that stands for the hardware's work. CancelIRP now finds no cancel routine, and changes nothing (A19). The
// buffer is the device's (A21).
//
// Up, beneath whatever runs:
//
//	Assert (interrupt.go)       the device asserts its line; if it is masked or the CPU's level is not below the line's,
//	                            that waits (A22, A24)
//	ServiceRoutine              at the line's DIRQL, holding the interrupt lock (A24): is it my device? It makes it let
//	                            go, queues a DPC and returns (A25). Lines may be shared (A26), messages lost (A27),
//	                            stuck lines are given up on (A28), devices may save interrupts (A29)
//	QueueDPC (dpc.go)           queued at most once (A30), on this CPU or a target (A31), drained at once or later (A32)
//	DeferredRoutine             at DISPATCH, before any thread goes on (A33): it takes what the device has finished,
//	                            gives the device its next request (A15) and completes the IRP
//	CompleteRequest (complete.go) once, with a final status (A5, A8), walks up the stack and calls the completion
//	                            routines that asked for this outcome (A9); one may keep the IRP (A10) and all must hand
//	                            on that it was pending (A7)
//	special kernel APC (apc.go) to the thread that asked (A11), ahead of all other APCs (A34); if it waits it wakes,
//	                            runs it, and waits on (A35). There, where the thread's memory can be reached, the data
//	                            of buffered I/O is copied and the I/O status block written (A12)
//	packet (port.go)            if the handle is bound to a completion port, it gets a packet (A13, A39), and the IRP is
//	                            free for the next request
//	Remove                      the thread that waits least long is borrowed for it, or the next one that is done with
//	                            its packet takes it (A36, A37); should it block, another one is let go (A38)
//
// What the borrowed thread does with the packet is not this package's affair.
//
// # Cancellation
//
// An IRP may be cancelled at any moment (A20): before it is queued, in the queue, after it was taken out, while the
// device works, between interrupt and DPC, after its completion. The cancel routine is a token: whoever swaps it out of
// the IRP owns the completion (A16, A17, A18). So there is exactly one.
//
// # Who runs
//
// Every routine gets the *CPU that it runs on. A CPU has an IRQL, and is in some thread's context or idles. There are
// three ways in which code gets to run: the loop's next step (Kernel.Next) finds something pending or a thread ready;
// running code spends time (CPU.Spend), during which hardware makes progress; or it lowers the IRQL (CPU.LowerIRQL).
// In the last two, interrupts, DPCs and APCs run on top of the code that did so, as they do on a real processor's stack.
//
// With several CPUs, what is pending on the others runs where the current one spends time below DISPATCH, and all take
// turns otherwise; never two at a time.
//
// Threads run when the loop calls their Body, and then Thread.Done. One that blocks in the middle of its work hands itself to a
// Parker.
//
// # Checks
//
// What costs next to nothing is checked always, at every entry. What takes accounts (verify.go), time budgets and buffers
// touched in flight (buffer.go) are checked if Config.Verify is set: the driver verifier. violation.go lists the contracts.
// A violation ends the World by a panic with a *BugCheck, which names the code that Windows or its Driver Verifier has for
// it, the rule, the routine that is to blame, and, with the verifier on, the way of its IRP hop by hop.
//
// # Faults
//
// A machine with a Hazard fails as machines do (fault.go), where nobody breaks a rule: interrupts are lost, late, doubled or
// for nothing, there is no memory for an IRP, somebody cancels a request at any moment. Drivers must bear it. So must they
// what a driver verifier does to them (stress.go): a filter driver above them that they do not know of, and one that lets
// every request pend.
package kernel

package kernel

// This file is the list of the contracts whose breach ends a World. A test (verify_test.go) breaks each, and looks here for
// one that it does not know.

// Violation is a broken contract: the code that Windows, its Driver Verifier or its Static Driver Verifier (SDV) has for
// it, and the rule of this package's essay.
type Violation struct {
	Code string
	Rule string
	Text string // what a driver must do
}

const (
	iomanager = "DRIVER_VERIFIER_IOMANAGER_VIOLATION "
	detected  = "DRIVER_VERIFIER_DETECTED_VIOLATION "
)

var (
	vDispatchIRQL   = Violation{"IRQL_UNEXPECTED_VALUE (" + iomanager + "05)", "A23", "a dispatch routine leaves the IRQL as it found it"}
	vStatusPending  = Violation{iomanager + "06", "A5", "an IRP is completed with a final status"}
	vCancelSet      = Violation{iomanager + "07", "A8", "an IRP is completed or freed with no cancel routine set"}
	vCallIRQL       = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + iomanager + "0E)", "A23", "CallDriver is called at up to DISPATCH"}
	vCompleteIRQL   = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + iomanager + "10)", "A23", "CompleteRequest is called at up to DISPATCH"}
	vCancelPassed   = Violation{iomanager + "203", "A8", "an IRP is passed down with no cancel routine set"}
	vForwardQueued  = Violation{iomanager + "205", "A2", "an IRP is passed down by the driver that has it, and not while it is queued"}
	vCopied         = Violation{iomanager + "206", "A3", "a stack location is copied by CopyToNext, which leaves out the completion routine"}
	vCopiedPending  = Violation{iomanager + "207", "A3", "a location marked pending is neither skipped nor copied whole"}
	vNoLocations    = Violation{"NO_MORE_IRP_STACK_LOCATIONS (" + iomanager + "208)", "A1", "an IRP has a location for each driver"}
	vCompleteQueued = Violation{iomanager + "209", "A2", "an IRP is completed by the driver that has it, and not while it is queued"}
	vFreeQueued     = Violation{iomanager + "20A", "A2", "an IRP is freed when it is in no queue"}
	vFreeInThread   = Violation{iomanager + "20B", "A2", "an IRP that the I/O manager has built is completed, not freed"}
	vFreeInUse      = Violation{iomanager + "20C", "A2", "an IRP is freed when it has come back"}
	vStatusDiffers  = Violation{iomanager + "224", "A5", "a dispatch routine returns the status that it completed the IRP with"}
	vStatusMinusOne = Violation{iomanager + "225", "A5", "an IRP is not completed with status -1"}
	vNothingDone    = Violation{iomanager + "226", "A4", "a dispatch routine completes the IRP, passes it down, or marks it pending"}
	vUnmarked       = Violation{iomanager + "226 (SDV MarkIrpPending2)", "A4", "StatusPending is returned of an IRP that is marked pending"}
	vMarked         = Violation{iomanager + "226 (SDV MarkIrpPending)", "A4", "of an IRP that is marked pending StatusPending is returned"}
	vMarkedLate     = Violation{"SDV MarkingQueuedIrps", "A4", "an IRP is marked pending before it is put where somebody else could complete it"}
	vControlPended  = Violation{"DRIVER_FAULT", "A4", "a create, cleanup or close is complete when its dispatch routine returns"}
	vNotPropagated  = Violation{iomanager + "228", "A7", "a completion routine that sees PendingReturned calls MarkPending"}
	vCancelBelow    = Violation{iomanager + "229", "A2", "a cancel routine is set by the driver that has the IRP"}

	vReleaseIRQL    = Violation{detected + "32", "A23", "a spin lock is released at DISPATCH"}
	vReleaseTooLow  = Violation{detected + "41", "A23", "a spin lock taken by AcquireAtDispatch is released at DISPATCH, not below"}
	vAcquireIRQL    = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + detected + "42)", "A23", "a spin lock is acquired at up to DISPATCH"}
	vAcquireTooHigh = Violation{"IRQL_NOT_LESS_OR_EQUAL (AcquireAtDispatch)", "A23", "AcquireAtDispatch is called at DISPATCH, not above"}
	vAcquireTooLow  = Violation{detected + "40", "A23", "AcquireAtDispatch is called at DISPATCH, not below"}
	vWaitAbove      = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + detected + "3B (120))", "A23", "nobody waits above DISPATCH"}
	vWaitDispatch   = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + detected + "3B (121))", "A23", "nobody waits at DISPATCH"}
	vWaitTimed      = Violation{"IRQL_NOT_LESS_OR_EQUAL (" + detected + "3B (122))", "A23", "nobody waits at DISPATCH, for however short a time: to look without waiting the timeout is 0"}
	vISRContext     = Violation{detected + "110", "A25", "an ISR leaves the thread that it interrupts alone"}
	vISRIRQL        = Violation{"IRQL_UNEXPECTED_VALUE (" + detected + "111)", "A23", "an ISR leaves the IRQL as it found it"}
	vStorm          = Violation{"HARDWARE_INTERRUPT_STORM", "A25", "an ISR that claims an interrupt makes its device let go of the line"}
	vNotRestored    = Violation{"IRQL_UNEXPECTED_VALUE", "A23", "a DPC, an APC, StartIo and a cancel routine leave the IRQL as they found it"}
	vDPCBudget      = Violation{"DPC_WATCHDOG_VIOLATION", "A33", "a DPC takes 100µs at most"}
	vISRBudget      = Violation{"DPC_WATCHDOG_VIOLATION", "A33", "the ISRs of a line take 25µs at most"}
	vWorkIRQL       = Violation{"IRQL_GT_ZERO_AT_SYSTEM_SERVICE", "A23", "what runs on a thread leaves the IRQL as it found it: PASSIVE"}
	vCancelSlow     = Violation{detected + "135", "A17", "a cancelled IRP is completed within five minutes"}
	vCompletionIRQL = Violation{"IRQL_UNEXPECTED_VALUE (" + detected + "FA)", "A23", "a completion routine leaves the IRQL as it found it"}
	vCancelOutcome  = Violation{"DRIVER_FAULT", "A17", "a cancel routine that completes with StatusCancelled says that 0 bytes were transferred"}
	vLockTwice      = Violation{"SPIN_LOCK_ALREADY_OWNED (" + detected + "1000)", "A17", "a lock is not taken by whoever holds it"}
	vLockOrder      = Violation{detected + "1001", "A17", "locks are always taken in the same order"}
	vLockUnmade     = Violation{detected + "1002", "A17", "a lock is given its name, by InitializeSpinLock or where it is declared, before it is taken"}
	vLockRelease    = Violation{detected + "1003", "A17", "the lock taken last is released first"}
	vLockStranger   = Violation{detected + "1004", "A17", "a lock is released by whoever took it"}
	vLockMadeTwice  = Violation{detected + "1005", "A17", "a lock is initialized once"}
	vLockThread     = Violation{detected + "100A", "A17", "a thread that ends holds no lock"}
	vWorkLocked     = Violation{"SDV SpinLockSafe (thread)", "A17", "what runs on a thread releases the locks that it has taken"}
	vLockUnloaded   = Violation{detected + "100B", "A17", "a driver that goes holds no lock"}
	vLockNotOwned   = Violation{"SPIN_LOCK_NOT_OWNED (" + detected + "1007)", "A17", "a lock is released by whoever holds it"}
	vWriteChanged   = Violation{detected + "1010/1011 (write)", "A21", "the buffer of a write stays as it is until the write is complete"}
	vReadChanged    = Violation{detected + "1010/1011 (read)", "A21", "the buffer of a read is nobody else's until the read is complete"}

	vDoubleCompletion = Violation{"MULTIPLE_IRP_COMPLETE_REQUESTS (SDV DoubleCompletion)", "A8", "an IRP is completed once"}
	vPendedCompleted  = Violation{"SDV PendedCompletedRequest", "A4", "an IRP is marked pending before it is completed"}
	vSpinLockSafe     = Violation{"SDV SpinLockSafe", "A17", "a dispatch routine returns with the locks that it was called with"}
	vCompleteLocked   = Violation{"SDV SpinLockSafe (CompleteRequest)", "A17", "an IRP is completed when no spin lock is held: its completion routines may take any"}
	vCancelField      = Violation{"SDV IrpCancelField", "A16", "irp.Cancel is CancelIRP's to set"}
	vCancelSpinLock   = Violation{"SDV CancelSpinLock", "A17", "the cancel lock is not held when an IRP is completed or a cancel routine returns"}
	vStartIoRecursion = Violation{"SDV StartIoRecursion", "A15", "StartIo calls StartNextPacket only with DeferredStartIo"}
	vEventChecking    = Violation{"SDV CompletionEventChecking", "A7", "a driver that gets StatusPending from below waits for its completion routine, or returns it"}
	vUnloadTimer      = Violation{"TIMER_OR_DPC_INVALID", "A30", "a driver that goes has no timer set and no DPC queued"}
	vUnloadPending    = Violation{"DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS", "A2", "a driver that goes has no requests"}
	vOverrun          = Violation{"DRIVER_OVERRAN_BUFFER", "A12", "no more bytes are transferred than the buffer has, and no fewer than 0"}
	vFreedTwice       = Violation{"BAD_POOL_CALLER", "A2", "an IRP is freed once"}
)

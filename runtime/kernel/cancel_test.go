package kernel

import (
	"strings"
	"testing"
)

// cancellable makes a machine with an idle device whose StartIo keeps what it gets, and a device queue that it fills.
func cancellable(t *testing.T) (m *machine, dev *DeviceObject, cancel CancelRoutine, started *[]*IRP) {
	m = newMachine(Config{})
	started = new([]*IRP)
	dev = m.device(t, "device", nil, nil)
	dev.Driver.StartIo = func(c *CPU, _ *DeviceObject, irp *IRP) {
		c.AcquireCancelLock()
		irp.SetCancelRoutine(nil)
		c.ReleaseCancelLock(DispatchLevel)
		*started = append(*started, irp)
	}
	cancel = func(c *CPU, dev *DeviceObject, irp *IRP) {
		dev.Queue.RemoveEntry(irp)
		c.ReleaseCancelLock(irp.CancelIRQL)
		irp.Status, irp.Information = StatusCancelled, 0
		c.CompleteRequest(irp)
	}
	dev.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		c.StartPacket(dev, irp, cancel)
		return StatusPending
	}
	return m, dev, cancel, started
}

func TestA16_CancelIRP(t *testing.T) {
	m := newMachine(Config{})
	irp := m.irp(1)
	irp.current--
	irp.MarkPending()
	equal(t, "cancel without a routine", m.c().CancelIRP(irp), false)
	equal(t, "flag", irp.Cancel, true)
	calls, held, level := 0, false, IRQL(0)
	irp.SetCancelRoutine(func(c *CPU, _ *DeviceObject, irp *IRP) {
		calls++
		held, level = m.cancelLock.held, c.IRQL()
		equal(t, "routine swapped out", irp.cancelRoutine == nil, true)
		c.ReleaseCancelLock(irp.CancelIRQL)
		irp.Status = StatusCancelled
		c.CompleteRequest(irp)
	})
	equal(t, "cancel with a routine", m.c().CancelIRP(irp), true)
	equal(t, "calls", calls, 1)
	equal(t, "lock held in the routine", held, true)
	equal(t, "level in the routine", level, DispatchLevel)
	equal(t, "level after it", m.c().IRQL(), PassiveLevel)
	equal(t, "IRPs in flight", m.Counts().IRPsInFlight, 0)
}

func TestA17_CancelRoutineKeepsItsContract(t *testing.T) {
	m := newMachine(Config{})
	irp := m.irp(1)
	irp.current--
	irp.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {})
	breaks(t, "A17", "CancelSpinLock", func() { m.c().CancelIRP(irp) })

	m = newMachine(Config{})
	irp = m.irp(1)
	irp.current--
	irp.SetCancelRoutine(func(c *CPU, _ *DeviceObject, irp *IRP) {
		irp.Status = StatusCancelled
		c.CompleteRequest(irp) // still holding the lock
	})
	func() {
		defer func() {
			if b, ok := recover().(*BugCheck); !ok || b.Rule != "A17" || !strings.Contains(b.Text, "is completed while the cancel lock is held") {
				t.Errorf("completed with the cancel lock held: %v", b)
			}
		}()
		m.c().CancelIRP(irp)
	}()

	// It leaves the level as CancelIRP found it.
	m = newMachine(Config{})
	irp = m.irp(1)
	irp.current--
	irp.SetCancelRoutine(func(c *CPU, _ *DeviceObject, irp *IRP) {
		c.ReleaseCancelLock(APCLevel)
		irp.Status = StatusCancelled
		c.CompleteRequest(irp)
	})
	irp.MarkPending()
	breaks(t, "A23", "IRQL_UNEXPECTED_VALUE", func() { m.c().CancelIRP(irp) })

	// Nor is an IRP completed under any other lock; the verifier watches those.
	m = newMachine(Config{Verify: true})
	irp = m.irp(1)
	irp.current--
	lock := SpinLock{Name: "a driver's lock"}
	lock.Acquire(m.c())
	breaks(t, "A17", "SpinLockSafe", func() { m.c().CompleteRequest(irp) })

	// And no bytes come of a request that it has cancelled.
	m = newMachine(Config{Verify: true})
	irp = m.irp(1)
	irp.current--
	irp.SetCancelRoutine(func(c *CPU, _ *DeviceObject, irp *IRP) {
		c.ReleaseCancelLock(irp.CancelIRQL)
		irp.Status, irp.Information = StatusCancelled, 5
		c.CompleteRequest(irp)
	})
	irp.MarkPending()
	breaks(t, "A17", "DRIVER_FAULT", func() { m.c().CancelIRP(irp) })

	m = newMachine(Config{})
	breaks(t, "A17", "SPIN_LOCK_ALREADY_OWNED", func() { m.c().AcquireCancelLock(); m.c().AcquireCancelLock() })
	breaks(t, "A17", "SPIN_LOCK_NOT_OWNED", func() { new(SpinLock).Release(m.c()) })
}

func TestA18_OneOwnerOfTheCompletion(t *testing.T) {
	// The dequeuer was first: cancel finds no routine.
	m, dev, _, started := cancellable(t)
	h := m.handle(t, "device", OpenOptions{})
	first, second := new(Overlapped), new(Overlapped)
	m.c().Request(h, MajorRead, nil, 0, first)
	m.c().Request(h, MajorRead, nil, 0, second)
	equal(t, "started", len(*started), 1)
	equal(t, "cancel of the started one", m.c().CancelIRP(first.irp), false)
	equal(t, "still in flight", first.InFlight(), true)
	// Cancel was first: it owns the completion, and the queue does not have it any more.
	equal(t, "cancel of the queued one", m.c().CancelIRP(second.irp), true)
	m.run()
	equal(t, "status", second.Status, StatusCancelled)
	equal(t, "queue", dev.Queue.Len(), 0)
	m.finish((*started)[0], StatusSuccess, 0)
	m.run()
	equal(t, "status of the started one", first.Status, StatusSuccess)

	// Cancelled before it had a routine: whoever sets one looks again.
	m, dev, cancel, _ := cancellable(t)
	dev.Queue.capacity = 0 // busy
	dev.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		c.CancelIRP(irp)
		c.StartPacket(dev, irp, cancel)
		return StatusPending
	}
	ov := new(Overlapped)
	m.c().Request(m.handle(t, "device", OpenOptions{}), MajorRead, nil, 0, ov)
	m.run()
	equal(t, "status", ov.Status, StatusCancelled)
	equal(t, "IRPs in flight", m.Counts().IRPsInFlight, 0)
}

func TestA14_DeviceQueue(t *testing.T) {
	m := newMachine(Config{})
	c := m.c()
	q := &DeviceQueue{capacity: 1}
	breaks(t, "A23", "IRQL_UNEXPECTED_VALUE", func() { q.Insert(c, m.irp(1)) })
	c.RaiseIRQL(DispatchLevel)
	equal(t, "insert when idle", q.Insert(c, m.irp(1)), false)
	equal(t, "busy", q.Busy(), true)
	var irps []*IRP
	for i := range 3 {
		irps = append(irps, m.irp(1))
		equal(t, "insert when busy", q.Insert(c, irps[i]), true)
	}
	breaks(t, "A2", "209", func() { irps[0].Status = StatusSuccess; c.CompleteRequest(irps[0]) })
	full := &DeviceQueue{}
	full.Insert(c, m.irp(1))
	equal(t, "remove from another queue", full.RemoveEntry(irps[1]), false)
	equal(t, "remove from the middle", q.RemoveEntry(irps[1]), true)
	equal(t, "and again", q.RemoveEntry(irps[1]), false)
	equal(t, "first", q.Remove(c), irps[0])
	equal(t, "second", q.Remove(c), irps[2])
	equal(t, "busy with an empty queue", q.Busy(), true)
	equal(t, "third", q.Remove(c), nil)
	equal(t, "busy after that", q.Busy(), false)

	q.InsertByKey(c, m.irp(1), 0)
	for i, key := range []uint64{5, 1, 5, 3} {
		irps = append(irps[:i], m.irp(1))
		q.InsertByKey(c, irps[i], key)
	}
	for _, i := range []int{1, 3, 0, 2} {
		equal(t, "by key", q.Remove(c), irps[i])
	}
}

func TestA15_StartIoRecursion(t *testing.T) {
	for _, deferred := range []bool{false, true} {
		m := newMachine(Config{})
		depth, deepest, done := 0, 0, 0
		dev := m.device(t, "device", nil, nil)
		dev.DeferredStartIo = deferred
		dev.Driver.StartIo = func(c *CPU, dev *DeviceObject, irp *IRP) {
			depth++
			deepest = max(deepest, depth)
			equal(t, "current", dev.Current, irp)
			done++
			c.StartNextPacket(dev) // it has failed at once, say
			depth--
		}
		c := m.c()
		c.RaiseIRQL(DispatchLevel)
		dev.Queue.Insert(c, m.irp(1)) // the device has one
		for range 200 {
			c.StartPacket(dev, m.irp(1), nil)
		}
		if !deferred {
			breaks(t, "A15", "StartIoRecursion", func() { c.StartNextPacket(dev) })
			continue
		}
		c.StartNextPacket(dev)
		equal(t, "started", done, 200)
		equal(t, "deepest", deepest, 1)
		equal(t, "busy after all", dev.Queue.Busy(), false)
		equal(t, "current after all", dev.Current, nil)
	}
	// With the verifier once is enough.
	m := newMachine(Config{Verify: true})
	dev := m.device(t, "device", nil, nil)
	dev.Driver.StartIo = func(c *CPU, dev *DeviceObject, irp *IRP) { c.StartNextPacket(dev) }
	irp := m.irp(1)
	irp.current--
	irp.MarkPending()
	breaks(t, "A15", "StartIoRecursion", func() { m.c().StartPacket(dev, irp, nil) })

	m = newMachine(Config{})
	breaks(t, "A23", "IRQL", func() { m.c().StartNextPacket(&DeviceObject{}) })
}

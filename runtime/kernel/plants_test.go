package kernel

import "time"

// otherPlants has more ways in which to commit some of them.
var otherPlants = []struct {
	way   string
	v     *Violation
	plant func(b *bad)
}{
	{"marked, completed, and success returned", &vMarked, func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			return completes(StatusSuccess, 4)(c, dev, irp)
		})
	}},
	{"completed, and pending returned", &vUnmarked, func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 4)(c, dev, irp)
			return StatusPending
		})
	}},
	{"completed, and pending returned, below", &vUnmarked, func(b *bad) {
		b.below.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 4)(c, dev, irp)
			return StatusPending
		}
		b.request(b.passes(nil, pendsBelow))
	}},
	{"completed with another status below", &vStatusDiffers, func(b *bad) {
		b.below.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 4)(c, dev, irp)
			return StatusIoDeviceError
		}
		b.request(b.passes(nil, pendsBelow))
	}},
	{"fewer bytes than none", &vOverrun, func(b *bad) { b.request(completes(StatusSuccess, -5)) }},
	{"fewer bytes than none, and an error", &vOverrun, func(b *bad) { b.request(completes(StatusIoDeviceError, -1)) }},
	{"wait of no thread", &vWaitDispatch, func(b *bad) {
		b.c().QueueDPC(&DPC{Name: "bad", Importance: LowImportance, Routine: func(c *CPU, _ *DPC, _ any) { // drained when the CPU idles
			equal(b.t, "timeout of 0", c.Thread().WaitFor(new(Event), false, 0), StatusTimeout)
			c.Thread().Wait(new(Event), false)
		}}, nil)
		b.run()
	}},
	{"block of no thread", &vWaitDispatch, func(b *bad) {
		b.c().QueueDPC(&DPC{Name: "bad", Importance: LowImportance, Routine: func(c *CPU, _ *DPC, _ any) { c.Thread().Block("nothing") }}, nil)
		b.run()
	}},
	{"wait of no thread for a time", &vWaitDispatch, func(b *bad) {
		b.c().QueueDPC(&DPC{Name: "bad", Importance: LowImportance, Routine: func(c *CPU, _ *DPC, _ any) {
			c.Thread().WaitFor(new(Event), false, time.Second)
		}}, nil)
		b.run()
	}},
	{"two that claim every edge", &vStorm, func(b *bad) {
		l := b.NewLine("bad", Latched, DeviceLevel, 0)
		for range 2 {
			l.Connect(&Interrupt{Name: "bad", Mode: Latched, Shared: true, Service: func(*CPU, *Interrupt) bool { return true }})
		}
		l.Assert()
		b.c().Spend(1)
	}},
	{"a kernel thread that ends", &vWorkIRQL, func(b *bad) {
		b.Wake(b.NewThread("bad", bodyFunc(func(t *Thread) { t.CPU().RaiseIRQL(DispatchLevel); t.Exit() })))
		b.run()
	}},
	{"a thread that goes back to its port", &vWorkIRQL, func(b *bad) {
		p := b.NewCompletionPort("port", 1)
		b.Wake(b.NewThread("bad", bodyFunc(func(t *Thread) { t.CPU().RaiseIRQL(DispatchLevel); p.Remove(t) })))
		b.run()
	}},
	{"cancel routine", &vNotRestored, func(b *bad) {
		b.request(pends(&b.kept))
		b.kept.SetCancelRoutine(func(c *CPU, _ *DeviceObject, irp *IRP) {
			c.ReleaseCancelLock(irp.CancelIRQL)
			c.RaiseIRQL(APCLevel)
		})
		b.c().CancelIRP(b.kept)
	}},
	{"APC", &vNotRestored, func(b *bad) {
		b.c().QueueAPC(b.user, &APC{Kernel: func(c *CPU, _ *APC) { c.LowerIRQL(PassiveLevel) }})
	}},
	{"marked when it is below", &vMarkedLate, func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			c.CallDriver(b.below, irp)
			irp.MarkPending()
			return StatusPending
		})
	}},
	{"queued and not marked", &vMarkedLate, func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			c.RaiseIRQL(DispatchLevel)
			for !dev.Queue.Insert(c, irp) {
			}
			return StatusPending
		})
	}},
	{"completion in a completion routine", &vDoubleCompletion, func(b *bad) {
		b.request(b.passes(func(c *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
			c.CompleteRequest(irp)
			return StatusSuccess
		}, pendsBelow))
		b.finish(b.kept, StatusSuccess, 4)
	}},
}

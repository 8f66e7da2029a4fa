package kernel

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// bad is a machine with the verifier on and a bad driver, above a good one that pends.
type bad struct {
	*machine
	t     testing.TB
	below *DeviceObject
	kept  *IRP // that the good driver has
	lock  SpinLock
	other SpinLock
}

func newBad(t testing.TB) *bad {
	b := &bad{t: t, machine: newMachine(Config{Verify: true})}
	b.below = &DeviceObject{Name: "good", Driver: &DriverObject{Name: "good.sys"}}
	b.below.Driver.Major[MajorRead] = pends(&b.kept)
	b.AddDevice(b.below, 1)
	b.lock.Name, b.other.Name = "a lock", "another lock"
	return b
}

// request sends a read of 4 bytes to a driver with the given dispatch routine above the good one.
func (b *bad) request(dispatch DispatchRoutine) Status {
	dev := &DeviceObject{Name: "bad", Driver: &DriverObject{Name: "bad.sys"}, Lower: b.below}
	dev.Driver.Major[MajorRead], dev.Driver.Major[MajorWrite] = dispatch, dispatch
	b.AddDevice(dev, 1)
	h, _ := b.c().Open("bad", OpenOptions{})
	return b.c().Request(h, MajorRead, make([]byte, 4), 0, new(Overlapped))
}

// passes is a dispatch routine that passes the IRP down, with a completion routine if that is not nil, and then does
// something.
func (b *bad) passes(routine CompletionRoutine, then func(c *CPU, irp *IRP, status Status) Status) DispatchRoutine {
	return func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.CopyToNext()
		if routine != nil {
			irp.SetCompletionRoutine(routine, nil, true, true, true)
		}
		irp.MarkPending()
		status := c.CallDriver(b.below, irp)
		return then(c, irp, status)
	}
}

// does is a dispatch routine that does something and then completes.
func does(f func(c *CPU, irp *IRP)) DispatchRoutine {
	return func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		f(c, irp)
		return completes(StatusSuccess, 0)(c, dev, irp)
	}
}

// takes is a dispatch routine that completes, and then takes a lock and keeps it.
func takes(l *SpinLock) DispatchRoutine {
	return func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		status := completes(StatusSuccess, 0)(c, dev, irp)
		l.Acquire(c)
		return status
	}
}

// isr lets an ISR run.
func (b *bad) isr(service func(c *CPU)) {
	l := b.NewLine("bad", MessageSignaled, DeviceLevel, 0)
	l.Connect(&Interrupt{Name: "bad", Mode: MessageSignaled, Service: func(c *CPU, _ *Interrupt) bool { service(c); return true }})
	l.Assert()
	b.c().Spend(1)
}

// dpc lets a DPC run.
func (b *bad) dpc(f func(c *CPU)) {
	b.c().QueueDPC(&DPC{Name: "bad", Routine: func(c *CPU, _ *DPC, _ any) { f(c) }}, nil)
}

// work lets a thread do something.
func (b *bad) work(f func()) {
	b.Wake(b.NewThread("bad", bodyFunc(func(t *Thread) { f(); t.WaitIdle("nothing") })))
	b.run()
}

// nobody are the violations that are noticed when whoever has committed them is gone.
var nobody = []*Violation{&vWorkIRQL, &vWorkLocked, &vReadChanged, &vWriteChanged}

// plants has, by violation, a driver that commits it.
var plants = map[*Violation]func(b *bad){
	&vDispatchIRQL:   func(b *bad) { b.request(does(func(c *CPU, _ *IRP) { c.RaiseIRQL(APCLevel) })) },
	&vStatusPending:  func(b *bad) { b.request(completes(StatusPending, 0)) },
	&vStatusMinusOne: func(b *bad) { b.request(completes(statusMinusOne, 0)) },
	&vCancelSet: func(b *bad) {
		b.request(does(func(_ *CPU, irp *IRP) { irp.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {}) }))
	},
	&vCallIRQL: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			c.RaiseIRQL(DeviceLevel)
			return c.CallDriver(b.below, irp)
		})
	},
	&vCompleteIRQL: func(b *bad) { b.request(does(func(c *CPU, _ *IRP) { c.RaiseIRQL(DeviceLevel) })) },
	&vCancelPassed: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			irp.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {})
			return c.CallDriver(b.below, irp)
		})
	},
	&vForwardQueued: func(b *bad) {
		b.request(b.passes(nil, func(c *CPU, irp *IRP, _ Status) Status {
			irp.current++ // as one who takes it back would
			return c.CallDriver(b.below, irp)
		}))
	},
	&vCopied: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status { return StatusSuccess }, nil, true, true, true)
			next := *irp.NextStackLocation()
			irp.SkipCurrent()
			*irp.NextStackLocation() = next
			return c.CallDriver(b.below, irp)
		})
	},
	&vCopiedPending: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			*irp.NextStackLocation() = *irp.CurrentStackLocation()
			return c.CallDriver(b.below, irp)
		})
	},
	&vNoLocations: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			c.CallDriver(&DeviceObject{Driver: &DriverObject{Major: [majorFunctions]DispatchRoutine{
				MajorRead: func(c *CPU, _ *DeviceObject, irp *IRP) Status { return c.CallDriver(b.below, irp) },
			}}}, irp)
			return StatusSuccess
		})
	},
	&vCompleteQueued: func(b *bad) {
		b.request(b.passes(nil, func(c *CPU, irp *IRP, _ Status) Status {
			irp.Status = StatusSuccess
			c.CompleteRequest(irp)
			return StatusSuccess
		}))
	},
	&vFreeQueued: func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			c.RaiseIRQL(DispatchLevel)
			for !dev.Queue.Insert(c, irp) {
			}
			b.FreeIRP(irp)
			return StatusPending
		})
	},
	&vFreeInThread: func(b *bad) {
		b.request(func(_ *CPU, _ *DeviceObject, irp *IRP) Status { b.FreeIRP(irp); return StatusSuccess })
	},
	&vFreeInUse: func(b *bad) {
		own := b.AllocateIRP(1)
		own.NextStackLocation().Major = MajorRead
		b.c().CallDriver(b.below, own)
		b.FreeIRP(own)
	},
	&vStatusDiffers: func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 0)(c, dev, irp)
			return StatusIoDeviceError
		})
	},
	&vNothingDone: func(b *bad) {
		b.request(func(*CPU, *DeviceObject, *IRP) Status { return StatusSuccess })
	},
	&vUnmarked: func(b *bad) {
		b.request(func(*CPU, *DeviceObject, *IRP) Status { return StatusPending })
	},
	&vMarked: func(b *bad) {
		b.request(func(_ *CPU, _ *DeviceObject, irp *IRP) Status { irp.MarkPending(); return StatusSuccess })
	},
	&vMarkedLate: func(b *bad) {
		b.below.Driver.StartIo = func(*CPU, *DeviceObject, *IRP) {}
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			c.StartPacket(b.below, irp, nil)
			irp.MarkPending()
			return StatusPending
		})
	},
	&vControlPended: func(b *bad) {
		b.below.Driver.Major[MajorCreate] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			return StatusPending
		}
		b.c().Open("good", OpenOptions{})
	},
	&vNotPropagated: func(b *bad) {
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			irp.SetCompletionRoutine(func(*CPU, *DeviceObject, *IRP, any) Status { return StatusSuccess }, nil, true, true, true)
			return c.CallDriver(b.below, irp)
		})
		b.finish(b.kept, StatusSuccess, 0)
	},
	&vCancelBelow: func(b *bad) {
		b.request(b.passes(nil, func(_ *CPU, irp *IRP, _ Status) Status {
			irp.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {})
			return StatusPending
		}))
	},
	&vReleaseIRQL: func(b *bad) {
		b.lock.Acquire(b.c())
		b.c().RaiseIRQL(DeviceLevel)
		b.lock.Release(b.c())
	},
	&vReleaseTooLow: func(b *bad) {
		b.c().RaiseIRQL(DispatchLevel)
		b.lock.AcquireAtDispatch(b.c())
		b.c().LowerIRQL(PassiveLevel)
		b.lock.Release(b.c())
	},
	&vAcquireIRQL:    func(b *bad) { b.isr(func(c *CPU) { b.lock.Acquire(c) }) },
	&vAcquireTooHigh: func(b *bad) { b.isr(func(c *CPU) { b.lock.AcquireAtDispatch(c) }) },
	&vAcquireTooLow:  func(b *bad) { b.lock.AcquireAtDispatch(b.c()) },
	&vWaitAbove:      func(b *bad) { b.isr(func(c *CPU) { c.Thread().Wait(new(Event), false) }) },
	&vWaitDispatch: func(b *bad) {
		b.request(does(func(c *CPU, _ *IRP) {
			b.lock.Acquire(c)
			c.Thread().Wait(new(Event), false)
		}))
	},
	&vISRContext: func(b *bad) { b.isr(func(c *CPU) { b.AdoptOn(c, b.NewThread("other", nil)) }) },
	&vISRIRQL:    func(b *bad) { b.isr(func(c *CPU) { c.RaiseIRQL(HighLevel) }) },
	&vStorm: func(b *bad) {
		l := b.NewLine("bad", LevelSensitive, DeviceLevel, 0)
		l.Connect(&Interrupt{Name: "bad", Service: func(*CPU, *Interrupt) bool { return true }})
		l.Assert()
		b.c().Spend(1)
	},
	&vNotRestored:   func(b *bad) { b.dpc(func(c *CPU) { c.RaiseIRQL(HighLevel) }) },
	&vDPCBudget:     func(b *bad) { b.dpc(func(c *CPU) { c.Spend(time.Second) }) },
	&vISRBudget:     func(b *bad) { b.isr(func(c *CPU) { c.Spend(time.Second) }) },
	&vWorkIRQL:      func(b *bad) { b.work(func() { b.c().RaiseIRQL(APCLevel) }) },
	&vWorkLocked:    func(b *bad) { b.work(b.c().AcquireCancelLock) },
	&vCancelOutcome: func(b *bad) { b.cancelWith(StatusSuccess, 4); b.cancelWith(StatusCancelled, 5) },
	&vCancelSlow: func(b *bad) {
		b.request(pends(&b.kept))
		b.c().CancelIRP(b.kept)
		b.c().Spend(6 * time.Minute)
		b.finish(b.kept, StatusCancelled, 0)
	},
	&vCompletionIRQL: func(b *bad) {
		b.request(b.passes(func(c *CPU, _ *DeviceObject, irp *IRP, _ any) Status {
			irp.MarkPending()
			c.RaiseIRQL(HighLevel)
			return StatusSuccess
		}, pendsBelow))
		b.finish(b.kept, StatusSuccess, 0)
	},
	&vLockTwice: func(b *bad) { b.lock.Acquire(b.c()); b.lock.Acquire(b.c()) },
	&vLockOrder: func(b *bad) {
		third := SpinLock{Name: "a third lock"}
		for _, pair := range [][2]*SpinLock{{&b.lock, &third}, {&third, &b.other}, {&b.other, &b.lock}} {
			pair[0].Acquire(b.c())
			pair[1].Acquire(b.c())
			pair[1].Release(b.c())
			pair[0].Release(b.c())
		}
	},
	&vLockRelease: func(b *bad) {
		b.lock.Acquire(b.c())
		b.other.Acquire(b.c())
		b.lock.Release(b.c())
	},
	&vLockNotOwned: func(b *bad) { b.c().RaiseIRQL(DispatchLevel); b.lock.Release(b.c()) },
	&vLockUnmade:   func(b *bad) { new(SpinLock).Acquire(b.c()) },
	&vLockMadeTwice: func(b *bad) {
		var l SpinLock
		b.InitializeSpinLock(&l, "a lock")
		l.Acquire(b.c())
		l.Release(b.c())
		b.InitializeSpinLock(&l, "a lock")
	},
	&vLockStranger: func(b *bad) {
		b.lock.Acquire(b.c())
		b.AdoptOn(b.c(), b.NewThread("other", nil))
		b.lock.Release(b.c())
	},
	&vLockThread: func(b *bad) {
		b.lock.Acquire(b.c())
		b.user.Terminate()
	},
	&vCompleteLocked: func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			b.lock.Acquire(c)
			defer b.lock.Release(c)
			return completes(StatusSuccess, 0)(c, dev, irp)
		})
	},
	&vWaitTimed: func(b *bad) {
		b.request(does(func(c *CPU, _ *IRP) {
			c.RaiseIRQL(DispatchLevel)
			c.Thread().WaitFor(new(Event), false, 0) // that is allowed
			c.Thread().WaitFor(new(Event), false, time.Microsecond)
		}))
	},
	&vLockUnloaded: func(b *bad) { b.lock.Acquire(b.c()); b.RemoveDevice(b.below, &b.lock) },
	&vWriteChanged: func(b *bad) { b.touch(MajorWrite) },
	&vReadChanged:  func(b *bad) { b.touch(MajorRead) },
	&vDoubleCompletion: func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 0)(c, dev, irp)
			return completes(StatusSuccess, 0)(c, dev, irp)
		})
	},
	&vPendedCompleted: func(b *bad) {
		b.request(func(c *CPU, dev *DeviceObject, irp *IRP) Status {
			completes(StatusSuccess, 0)(c, dev, irp)
			irp.MarkPending()
			return StatusPending
		})
	},
	&vSpinLockSafe: func(b *bad) { b.request(takes(&b.lock)) },
	&vCancelField:  func(b *bad) { b.request(does(func(_ *CPU, irp *IRP) { irp.Cancel = true })) },
	&vCancelSpinLock: func(b *bad) {
		b.request(func(_ *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.MarkPending()
			irp.SetCancelRoutine(func(*CPU, *DeviceObject, *IRP) {})
			b.kept = irp
			return StatusPending
		})
		b.c().CancelIRP(b.kept)
	},
	&vStartIoRecursion: func(b *bad) {
		b.below.Driver.StartIo = func(c *CPU, dev *DeviceObject, _ *IRP) { c.StartNextPacket(dev) }
		b.c().RaiseIRQL(DispatchLevel)
		for range 2 { // one that is started, one that waits
			irp := b.irp(1)
			irp.current--
			irp.MarkPending()
			b.below.Queue.Insert(b.c(), irp)
		}
		b.c().StartNextPacket(b.below)
	},
	&vEventChecking: func(b *bad) {
		stops := func(*CPU, *DeviceObject, *IRP, any) Status { return StatusMoreProcessingRequired }
		b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
			irp.CopyToNext()
			irp.SetCompletionRoutine(stops, nil, true, true, true)
			c.CallDriver(b.below, irp)
			return StatusSuccess // and did not look whether it was StatusPending
		})
	},
	&vUnloadTimer: func(b *bad) {
		timer := &Timer{DPC: &DPC{Name: "late", Routine: func(*CPU, *DPC, any) {}}}
		b.SetTimer(timer, 100)
		b.RemoveDevice(b.below, timer, timer.DPC)
	},
	&vUnloadPending: func(b *bad) {
		b.c().Open("good", OpenOptions{})
		b.RemoveDevice(b.below)
	},
	&vOverrun: func(b *bad) {
		b.request(completes(StatusSuccess, 5))
	},
	&vFreedTwice: func(b *bad) { own := b.AllocateIRP(1); b.FreeIRP(own); b.FreeIRP(own) },
}

func pendsBelow(_ *CPU, _ *IRP, status Status) Status { return status }

// cancelWith has a cancel routine complete with an outcome.
func (b *bad) cancelWith(status Status, information int) {
	b.request(pends(&b.kept))
	b.kept.SetCancelRoutine(func(c *CPU, dev *DeviceObject, irp *IRP) {
		c.ReleaseCancelLock(irp.CancelIRQL)
		completes(status, information)(c, dev, irp)
	})
	b.c().CancelIRP(b.kept)
}

// touch writes to a buffer in flight.
func (b *bad) touch(major MajorFunction) {
	buf := make([]byte, 4)
	b.request(pends(&b.kept))
	h, _ := b.c().Open("bad", OpenOptions{})
	b.c().Request(h, major, buf, 0, new(Overlapped))
	buf[2] = 7
	b.finish(b.kept, StatusSuccess, 4)
	b.run()
}

// TestVerifierCatches plants each violation that violation.go declares in a bad driver.
func TestVerifierCatches(t *testing.T) {
	source, err := os.ReadFile("violation.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), "= Violation{"); n != len(plants) {
		t.Errorf("%d violations, %d of them planted", n, len(plants))
	}
	byText := func(v, w *Violation) int { return strings.Compare(v.Text, w.Text) }
	for _, v := range slices.SortedFunc(maps.Keys(plants), byText) {
		t.Run(v.Code, func(t *testing.T) { mustCatch(t, v, plants[v]) })
	}
	for _, other := range otherPlants {
		t.Run(other.way, func(t *testing.T) { mustCatch(t, other.v, other.plant) })
	}
}

// mustCatch commits a violation, and sees that it is caught and that whoever did it is told so.
func mustCatch(t *testing.T, v *Violation, plant func(b *bad)) {
	b := newBad(t)
	defer func() {
		check, ok := recover().(*BugCheck)
		switch {
		case !ok:
			t.Fatal("not caught")
		case check.Code != v.Code || check.Rule != v.Rule:
			t.Fatalf("%v, want %s (%s)", check, v.Code, v.Rule)
		}
		text := check.Error()
		if known := !slices.Contains(nobody, v); !strings.Contains(text, "rule: "+v.Text) || strings.Contains(check.Where, "_test.go:") != known || (check.Where != "") != known {
			t.Errorf("says not what was to be done, or not where it was not done:\n%s", text)
		}
		if check.IRP != 0 && (len(check.History) == 0 || check.History[0].IRP != check.IRP) {
			t.Errorf("no history of irp#%d:\n%s", check.IRP, text)
		}
	}()
	plant(b)
}

// TestVerifierAllows: a completion routine may mark the IRP pending (A7) while the driver below, which has completed it, is
// still in its dispatch routine.
func TestVerifierAllows(t *testing.T) {
	b := newBad(t)
	b.below.Driver.Major[MajorRead] = func(c *CPU, dev *DeviceObject, irp *IRP) Status {
		irp.MarkPending()
		completes(StatusSuccess, 4)(c, dev, irp)
		return StatusPending
	}
	status := b.request(func(c *CPU, _ *DeviceObject, irp *IRP) Status {
		irp.CopyToNext()
		irp.SetCompletionRoutine(handOn, nil, true, true, true)
		return c.CallDriver(b.below, irp)
	})
	equal(t, "status", status, StatusPending)
	b.run()
	equal(t, "IRPs left", b.Counts().IRPsInFlight, 0)
}

// TestVerifierHistory: the bugcheck tells an IRP's way hop by hop, and of no other IRP.
func TestVerifierHistory(t *testing.T) {
	b := newBad(t)
	b.request(pends(&b.kept))
	first := b.kept
	b.request(pends(&b.kept))
	defer func() {
		check := recover().(*BugCheck)
		var kinds []string
		for _, h := range check.History {
			kinds = append(kinds, h.Kind.String())
		}
		equal(t, "hops", strings.Join(kinds, " "), "irp-built call-driver mark-pending pending cancel")
		equal(t, "cut", check.Cut, false)
	}()
	b.c().CancelIRP(first)
	b.finish(first, StatusPending, 0)
}

// TestVerifierForgets: of an IRP that is older than what is remembered, the bugcheck says so; and only of such a one.
func TestVerifierForgets(t *testing.T) {
	for old, want := range map[bool]bool{true: true, false: false} {
		b := newBad(t)
		b.request(pends(&b.kept))
		irp := b.kept
		for range historyDepth {
			b.c().CancelIRP(irp)
		}
		if !old {
			b.request(pends(&b.kept))
			irp = b.kept
		}
		func() {
			defer func() {
				check := recover().(*BugCheck)
				equal(t, "cut", check.Cut, want)
				equal(t, "says so", strings.Contains(check.Error(), "what came before is forgotten"), want)
			}()
			b.finish(irp, StatusPending, 0)
		}()
	}
}

// TestVerifierBuffers: with the verifier on, what was read appears in the requester's buffer when the read is complete,
// and not before; two requests on one buffer are a mistake of the requester.
func TestVerifierBuffers(t *testing.T) {
	b := newBad(t)
	b.request(pends(&b.kept))
	h := b.handle(t, "bad", OpenOptions{})
	buf, ov := make([]byte, 4), new(Overlapped)
	b.c().Request(h, MajorRead, buf, 0, ov)
	copy(b.kept.UserBuffer, "data")
	equal(t, "buffer before the completion", string(buf), "\x00\x00\x00\x00")
	b.finish(b.kept, StatusSuccess, 4)
	b.run()
	equal(t, "buffer after it", string(buf), "data")

	b.c().Request(h, MajorRead, buf, 0, new(Overlapped))
	one := b.kept
	b.c().Request(h, MajorRead, buf, 0, new(Overlapped))
	copy(one.UserBuffer, "newer")
	b.finish(one, StatusSuccess, 4)
	breaks(t, "A21", "1010/1011 (read)", func() { b.finish(b.kept, StatusSuccess, 4); b.run() })
}

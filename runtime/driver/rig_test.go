package driver_test

import (
	"testing"

	"github.com/nothread/nothread/runtime/clock"
	"github.com/nothread/nothread/runtime/kernel"
)

// rig is a kernel with one thread that asks for things, and no World around it: what a driver can be plugged into.
type rig struct {
	*kernel.Kernel
	clk   clock.Virtual
	user  *kernel.Thread
	draw  uint64 // state of the oracle
	stray int    // the stray-th time that somebody could cancel something, he does; 0: nobody does
	whom  uint64 // and cancels this one of the kernel's IRPs
}

func (r *rig) Park(*kernel.Thread) { panic("nothing blocks here") }

// Choose makes a choice by a generator whose first state is the rig's seed.
func (r *rig) Choose(label string, n uint64) uint64 {
	if label == "cancel.irp" {
		return r.whom % n
	}
	r.draw = r.draw*6364136223846793005 + 1442695040888963407
	return r.draw >> 33 % n
}

// Strike implements kernel.Hazard.
func (r *rig) Strike(f kernel.Fault) bool {
	if f != kernel.StrayCancel || r.stray == 0 {
		return false
	}
	r.stray--
	return r.stray == 0
}

func newRig(seed uint64) *rig {
	r := &rig{draw: seed}
	r.Kernel = kernel.New(kernel.Config{Clock: &r.clk, Oracle: r, Parker: r, Hazard: r, Verify: true, CPUs: 1 + int(seed%2)})
	r.user = r.NewThread("user", nil)
	r.Adopt(r.user)
	return r
}

func (r *rig) open(t *testing.T, device string) kernel.Handle {
	t.Helper()
	h, status := r.CPU().Open(device, kernel.OpenOptions{})
	if status != kernel.StatusSuccess {
		t.Fatalf("open %s: %v", device, status)
	}
	return h
}

// start makes a request that ends in nobody's port: its outcome is in the Overlapped after run.
func (r *rig) start(h kernel.Handle, major kernel.MajorFunction, buf []byte, offset int64) *kernel.Overlapped {
	ov := new(kernel.Overlapped)
	r.CPU().Request(h, major, buf, offset, ov)
	return ov
}

// at calls f at DispatchLevel once d nanoseconds have passed.
func (r *rig) at(d clock.Time, f func(c *kernel.CPU)) {
	dpc := &kernel.DPC{Name: "at", Routine: func(c *kernel.CPU, _ *kernel.DPC, _ any) { f(c) }}
	r.SetTimer(&kernel.Timer{DPC: dpc}, r.clk.Now()+d)
}

// run lets the user wait until nothing is left to do.
func (r *rig) run() {
	r.user.WaitIdle("the end")
	r.Vacate(r.user)
	for {
		if _, idle := r.Next(); idle {
			break
		}
	}
	r.Adopt(r.user)
}

// rest runs and complains of what is left over.
func (r *rig) rest(t *testing.T) {
	t.Helper()
	r.run()
	if n := r.Counts().IRPsInFlight; n != 0 {
		t.Errorf("%d IRPs in flight when all is done", n)
	}
}

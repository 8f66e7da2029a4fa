package sim

import (
	"fmt"
	"strings"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
)

// Rate is how often a fault strikes: so many times in a million opportunities; more than a million is always.
type Rate uint32

// Rates to multiply: 3*Percent.
const (
	Percent Rate = 10_000
	Always  Rate = 1_000_000
)

// Faults says what goes wrong in a World, and how often: each field is the rate of one kind. What an opportunity is stands
// beside it. All are drawn from the World's decisions.
type Faults struct {
	// Of interrupt lines, for each assertion.
	LostInterrupt      Rate // it is never heard: message-signalled lines only, which this rate makes disks use
	DuplicateInterrupt Rate // it is heard twice
	SpuriousInterrupt  Rate // another one comes, for nothing
	LateInterrupt      Rate // it comes up to a millisecond late

	// Of devices, for each command of a disk, and each frame of a network adapter. (Held back behind others are frames on
	// the wire: device.WireConfig has that rate. Toasters and timers have none of these.)
	InterruptBeforeDMA Rate // the interrupt overtakes the data
	DeviceError        Rate // it fails, for good
	PassingError       Rate // it fails, and would succeed a second time
	ShortTransfer      Rate // it transfers a part
	ZeroTransfer       Rate // it transfers nothing
	Reordering         Rate // it is held back behind others
	HeavyTail          Rate // it takes two times as long, or four, … or a thousand
	SurpriseRemoval    Rate // the device is pulled out

	// Of the machine.
	NoIRPMemory     Rate // for each request: there is no memory for its IRP
	EarlyCompletion Rate // for each request: it may be complete before its driver returns
	StrayCancel     Rate // whenever a CPU spends time: somebody cancels a request in flight
	ForcedPending   Rate // for each read, write and flush: it pends, even if its driver was done at once
	FakeFilter      Rate // for each request: it passes a filter driver that nobody has loaded
}

// AllFaults has all kinds of faults at one rate, but those that would leave nothing of a run at a tenth (StrayCancel) and
// a hundredth (SurpriseRemoval) of it.
func AllFaults(r Rate) Faults {
	var f Faults
	for _, field := range f.fields() {
		*field = r
	}
	f.StrayCancel, f.SurpriseRemoval = r/10, r/100
	return f
}

// WithFaults lets hardware and machine fail at the given rates.
func WithFaults(f Faults) Option { return func(o *options) { o.faults = f } }

// Swarm draws the rates: each kind of fault is off with an even chance, else anything from rare to frequent. Many runs so
// reach combinations that no fixed set of rates does.
func Swarm() Option { return func(o *options) { o.swarm = true } }

// faultCount is how many kinds of faults there are.
const faultCount = int(kernel.Faults) + int(device.Faults)

// faultKinds are the kinds, the kernel's and the devices', in the order of Faults' fields.
var faultKinds = [faultCount]fmt.Stringer{
	kernel.LostInterrupt, kernel.DuplicateInterrupt, kernel.SpuriousInterrupt, kernel.LateInterrupt,
	device.InterruptBeforeDMA, device.HardError, device.PassingError, device.ShortTransfer, device.ZeroTransfer,
	device.Reordering, device.HeavyTail, device.Removal,
	kernel.NoIRPMemory, kernel.EarlyCompletion, kernel.StrayCancel, kernel.ForcedPending, kernel.FakeFilter,
}

// faultNames names the kinds; kernelFault and deviceFault say at what place each of theirs stands.
var faultNames, kernelFault, deviceFault = func() (names [faultCount]string, ofKernel [kernel.Faults]int, ofDevice [device.Faults]int) {
	for i, kind := range faultKinds {
		names[i] = kind.String()
		switch f := kind.(type) {
		case kernel.Fault:
			ofKernel[f] = i
		case device.Fault:
			ofDevice[f] = i
		}
	}
	return names, ofKernel, ofDevice
}()

// fields are the rates, in the order of faultKinds.
func (f *Faults) fields() [faultCount]*Rate {
	return [...]*Rate{
		&f.LostInterrupt, &f.DuplicateInterrupt, &f.SpuriousInterrupt, &f.LateInterrupt, &f.InterruptBeforeDMA,
		&f.DeviceError, &f.PassingError, &f.ShortTransfer, &f.ZeroTransfer, &f.Reordering, &f.HeavyTail,
		&f.SurpriseRemoval, &f.NoIRPMemory, &f.EarlyCompletion, &f.StrayCancel,
		&f.ForcedPending, &f.FakeFilter,
	}
}

// String names the faults that are on, with their rates.
func (f Faults) String() string {
	var on []string
	for i, rate := range f.fields() {
		if *rate > 0 {
			on = append(on, fmt.Sprintf("%s %g%%", faultNames[i], float64(*rate)/float64(Percent)))
		}
	}
	if len(on) == 0 {
		return "no faults"
	}
	return strings.Join(on, ", ")
}

// hazard strikes.
type hazard struct {
	*Decisions
	world  *World
	faults Faults
	rates  [faultCount]Rate
	struck [faultCount]uint64
}

func newHazard(w *World, o *options) *hazard {
	h := &hazard{Decisions: &w.decisions, world: w, faults: o.faults}
	if o.swarm {
		h.faults = w.decisions.swarm()
	}
	if h.faults == (Faults{}) {
		return nil
	}
	for i, rate := range h.faults.fields() {
		h.rates[i] = min(*rate, Always)
	}
	return h
}

// swarm draws rates.
func (d *Decisions) swarm() (f Faults) {
	most := AllFaults(30 * Percent)
	limits := most.fields()
	for i, rate := range f.fields() {
		if d.Choose("swarm.on: "+faultNames[i], 2) == 1 {
			*rate = *limits[i] >> d.Choose("swarm.rate: "+faultNames[i], 10)
		}
	}
	return f
}

func (h *hazard) strike(i int) bool {
	rate := h.rates[i]
	if rate == 0 || !h.strikes(faultNames[i], rate) {
		return false
	}
	h.struck[i]++
	h.world.kernel.TraceHardware(kernel.HopFault, faultNames[i], 0, 0)
	return true
}

// kernelHazard and deviceHazard are the faces of the hazard towards the rooms below.
type kernelHazard struct{ *hazard }

// Strike implements kernel.Hazard.
func (h kernelHazard) Strike(f kernel.Fault) bool { return h.strike(kernelFault[f]) }

type deviceHazard struct{ *hazard }

// Strike implements device.Hazard.
func (h deviceHazard) Strike(f device.Fault) bool { return h.strike(deviceFault[f]) }

// Faults returns the rates that the World was made with, or has drawn.
func (w *World) Faults() Faults {
	if w.hazard == nil {
		return Faults{}
	}
	return w.hazard.faults
}

// healer is hardware that fails by rates of its own.
type healer interface{ Heal() }

// Heal switches all faults off, those of wires, disks and toasters of their own, and Buggify, among them. What has been broken by then stays so: a disk that
// was pulled out, an interrupt that was lost, a wire that was cut. But whatever is in flight must now come to an end.
func (w *World) Heal() {
	w.healed = true
	if w.hazard != nil {
		clear(w.hazard.rates[:])
	}
	for _, h := range w.healers {
		h.Heal()
	}
}

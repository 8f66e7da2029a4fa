package device

import (
	"errors"
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// Toaster is the seeds' USB toaster: the smallest device that has every part of one, and the example of the guide in
// runtime/README.md. Each byte that is written to it is a slice of bread. It does no DMA: its driver puts slices into
// the slots, as many as there are, pulls the lever, and when the slices pop up it must come and do that again.
//
// Its face towards a driver, in the order of use:
//
//	Load                the slot registers: up to Slots slices
//	PullLever           starts it; the slots are the toaster's until they pop up
//	…                   the line is asserted
//	InterruptPending    the interrupt status register: is it this toaster that calls?
//	Acknowledge         clears it, and the line with it ("thank you for the interrupt")
//	TakePopped          the result register, which reading it clears
//
// A Toaster belongs to one World and is used from the goroutine that runs it.
type Toaster struct {
	// The wiring, fixed by NewToaster and Connect.
	name   string
	cfg    ToasterConfig
	clock  clock.Clock
	oracle Oracle
	probe  Probe
	line   Line

	// The hardware's state.
	slots     []byte      // the slices that are in it
	heat      clock.Timer // armed while the lever is down
	interrupt bool        // the interrupt status register
	popped    Popped      // the result register
	full      bool        // it holds a result
	plate     []byte      // all the toast that it has made
	lastError error
}

// ToasterConfig says how many slices a toaster takes and how long it needs. Zero fields take the defaults; the two times do
// so together, if neither is given.
type ToasterConfig struct {
	Slots  int           // default 2
	Brown  time.Duration // the least time from lever to pop; default 120µs: it is a fast one
	Jitter time.Duration // what is drawn goes from 0 to Jitter on top of it; default 30µs
	Jams   int           // of a million loads, so many jam and are lost; default 0
}

// Popped is the result register: how many slices popped up, and how it went.
type Popped struct {
	Slices int
	Status Status // OK, DeviceError (a jam: no slice is toast), BadCommand (the lever was pulled on nothing)
}

// ErrJammed is what Toaster.LastError says after a jam.
var ErrJammed = errors.New("device: the toaster has jammed")

// NewToaster returns a toaster that is not connected yet.
func NewToaster(name string, cfg ToasterConfig) (*Toaster, error) {
	if cfg.Slots < 0 || cfg.Brown < 0 || cfg.Jitter < 0 || cfg.Jams < 0 || cfg.Jams > perMillion {
		return nil, fmt.Errorf("device: toaster %s: negative or too large value in %+v", name, cfg)
	}
	if cfg.Slots == 0 {
		cfg.Slots = 2
	}
	if cfg.Brown == 0 && cfg.Jitter == 0 {
		cfg.Brown, cfg.Jitter = 120*time.Microsecond, 30*time.Microsecond
	}
	t := &Toaster{name: name, cfg: cfg, slots: make([]byte, 0, cfg.Slots)}
	t.heat.Alarm = t
	return t, nil
}

// Connect plugs the toaster into a machine. The probe may be nil.
func (t *Toaster) Connect(c clock.Clock, o Oracle, l Line, p Probe) {
	t.clock, t.oracle, t.line, t.probe = c, o, l, p
}

// Name returns the toaster's name.
func (t *Toaster) Name() string { return t.name }

// Patience returns a time after which the toaster has popped up for certain: what a driver's watchdog waits for.
func (t *Toaster) Patience() time.Duration {
	return 2 * (t.cfg.Brown + t.cfg.Jitter + time.Microsecond)
}

// Load puts slices into the slots and returns how many went in. The caller keeps the slice: a register is a copy.
func (t *Toaster) Load(slices []byte) int {
	if t.heat.Armed() {
		panic("device: toaster " + t.name + " is loaded while it is hot")
	}
	n := min(len(slices), t.cfg.Slots)
	t.slots = append(t.slots[:0], slices[:n]...)
	return n
}

// PullLever starts the toaster.
func (t *Toaster) PullLever() {
	if t.line == nil {
		panic("device: lever of toaster " + t.name + ", which is not connected")
	}
	if t.heat.Armed() {
		panic("device: lever of toaster " + t.name + ", which is down already")
	}
	brown := t.cfg.Brown
	if t.cfg.Jitter > 0 {
		brown += time.Duration(t.oracle.Choose("toaster.brown", uint64(t.cfg.Jitter)+1))
	}
	t.clock.Set(&t.heat, t.clock.Now().Add(brown))
}

// Ring is the moment at which the slices pop up: the result is written down and the line asserted.
func (t *Toaster) Ring(clock.Time) {
	t.popped, t.full = Popped{Slices: len(t.slots)}, true
	switch {
	case len(t.slots) == 0:
		t.popped.Status = BadCommand
	case happens(t.oracle, "toaster.jam", t.cfg.Jams):
		t.popped = Popped{Status: DeviceError}
		t.lastError = ErrJammed
	default:
		t.plate = append(t.plate, t.slots...)
	}
	if t.probe != nil {
		t.probe.DMADone(t.name, Write, int64(len(t.plate)-t.popped.Slices), t.popped.Slices, t.popped.Status)
	}
	t.slots = t.slots[:0]
	t.interrupt = true
	t.line.Assert()
}

// InterruptPending reads the interrupt status register: true if the toaster calls for attention.
func (t *Toaster) InterruptPending() bool { return t.interrupt }

// Acknowledge clears the interrupt status register and lets go of the line.
func (t *Toaster) Acknowledge() {
	t.interrupt = false
	t.line.Deassert()
}

// TakePopped reads and clears the result register; false if nothing has popped up since.
func (t *Toaster) TakePopped() (Popped, bool) {
	if !t.full {
		return Popped{}, false
	}
	t.full = false
	return t.popped, true
}

// Plate returns all the toast that it has made, in order; it is valid until the next slice pops up.
func (t *Toaster) Plate() []byte { return t.plate }

// LastError returns ErrJammed if it ever has: the toaster's sense data.
func (t *Toaster) LastError() error { return t.lastError }

// Heal ends what happens to loads by chance: none jams any more.
func (t *Toaster) Heal() { t.cfg.Jams = 0 }

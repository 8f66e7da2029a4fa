package device

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/nothread/nothread/runtime/clock"
)

// Wire joins two adapters, or an adapter with itself. A frame that leaves one arrives at the other after a delay, or
// never, or twice, or after one that left later: each of these is drawn from the sender's Oracle, and only if its rate
// is not 0. Without them frames arrive in the order in which they left.
//
// The adapters may belong to two Worlds. A frame then arrives on the clock of the receiver's, at once if that has gone
// on past the time; whoever steps the two Worlds keeps them together (sim.RunTogether).
type Wire struct {
	cfg    WireConfig
	ends   [2]*Adapter
	cut    [2]bool       // towards an end
	last   [2]clock.Time // when the last frame towards an end arrives
	free   *flight
	counts WireCounts
}

// medium is what an adapter's frames leave for: a Wire or a Switch.
type medium interface {
	carry(from *Adapter, to uint16, frame []byte)
}

// WireConfig says how long a wire is, and how bad. The two times take the defaults together, if neither is given; zero rates
// mean never.
type WireConfig struct {
	Delay      time.Duration // the least time that a frame takes; default 50µs
	Jitter     time.Duration // what is drawn goes from 0 to Jitter on top of it; default 20µs
	Loss       int           // of a million frames, so many are lost
	Duplicates int           // of a million frames, so many arrive twice
	Reorders   int           // of a million frames, so many are held up, for up to four times the delay
}

// WireCounts are running totals of both directions.
type WireCounts struct {
	Carried, Lost, Duplicated, Reordered uint64
}

// flight is a frame on its way.
type flight struct {
	wire  *Wire
	to    *Adapter
	frame []byte
	timer clock.Timer
	next  *flight // in the free list
}

// NewWire joins two adapters that have no wire yet; a and b may be the same one.
func NewWire(a, b *Adapter, cfg WireConfig) (*Wire, error) {
	w := &Wire{ends: [2]*Adapter{a, b}}
	if err := cmp.Or(a.joinable(), b.joinable(), w.SetConfig(cfg)); err != nil {
		return nil, err
	}
	a.medium, b.medium = w, w
	return w, nil
}

// joinable says why an adapter cannot have a wire, nil if it can.
func (a *Adapter) joinable() error {
	switch {
	case a == nil || a.medium != nil:
		return errors.New("device: a wire joins adapters that have none yet")
	case a.clock == nil:
		return errors.New("device: a wire joins adapters that are connected to a machine")
	}
	return nil
}

// SetConfig changes how the wire is, for frames that leave from now on.
func (w *Wire) SetConfig(cfg WireConfig) error {
	for _, rate := range [...]int{cfg.Loss, cfg.Duplicates, cfg.Reorders} {
		if rate < 0 || rate > perMillion {
			return fmt.Errorf("device: a rate of a wire lies from 0 to a million, not at %d", rate)
		}
	}
	if cfg.Delay < 0 || cfg.Jitter < 0 {
		return fmt.Errorf("device: a wire with a negative delay in %+v", cfg)
	}
	if cfg.Delay == 0 && cfg.Jitter == 0 {
		cfg.Delay, cfg.Jitter = 50*time.Microsecond, 20*time.Microsecond
	}
	w.cfg = cfg
	return nil
}

// Heal ends what happens to frames by chance: none that leaves from now on is lost, doubled or held up. A wire that is cut
// stays so.
func (w *Wire) Heal() { w.cfg.Loss, w.cfg.Duplicates, w.cfg.Reorders = 0, 0, 0 }

// Cut cuts the wire, or mends it: while it is cut, what leaves is lost.
func (w *Wire) Cut(cut bool) { w.cut = [2]bool{cut, cut} }

// CutTowards is Cut of one direction: of what leaves for an adapter that is one of its ends.
func (w *Wire) CutTowards(to *Adapter, cut bool) {
	for end := range w.ends {
		if w.ends[end] == to {
			w.cut[end] = cut
		}
	}
}

// Counts returns the running totals.
func (w *Wire) Counts() WireCounts { return w.counts }

// carry takes a frame from an adapter. The bytes are copied: the descriptor is free when it returns.
func (w *Wire) carry(from *Adapter, _ uint16, frame []byte) {
	to := 1 // of a loop it is the same adapter
	if from != w.ends[0] {
		to = 0
	}
	o := from.oracle
	if w.cut[to] || happens(o, "wire.loss", w.cfg.Loss) {
		w.counts.Lost++
		return
	}
	w.counts.Carried++
	w.launch(from, to, frame)
	if happens(o, "wire.duplicate", w.cfg.Duplicates) {
		w.counts.Duplicated++
		w.launch(from, to, frame)
	}
}

// launch sends a copy of a frame on its way.
func (w *Wire) launch(from *Adapter, to int, frame []byte) {
	at := from.clock.Now().Add(w.cfg.Delay)
	if w.cfg.Jitter > 0 {
		at = at.Add(time.Duration(from.oracle.Choose("wire.delay", uint64(w.cfg.Jitter)+1)))
	}
	if happens(from.oracle, "wire.reorder", w.cfg.Reorders) {
		w.counts.Reordered++
		at = at.Add(time.Duration(from.oracle.Choose("wire.holdup", uint64(4*(w.cfg.Delay+w.cfg.Jitter))+1)))
	} else {
		at = max(at, w.last[to])
		w.last[to] = at
	}
	f := w.free
	if f == nil {
		f = &flight{wire: w}
		f.timer.Alarm = f
	} else {
		w.free = f.next
	}
	f.to = w.ends[to]
	f.frame = append(f.frame[:0], frame...)
	f.to.clock.Set(&f.timer, at)
}

// Ring is the arrival.
func (f *flight) Ring(clock.Time) {
	f.to.arrive(f.frame)
	f.to, f.next = nil, f.wire.free
	f.wire.free = f
}

package sim

import (
	"fmt"
	"math/bits"
)

// Decisions is the World's one stream of choices. Each is a number below a bound, with a label, and is numbered from 1.
// They follow from the seed, or are those of a recording while that lasts, or all calm but for deviations.
type Decisions struct {
	state    uint64
	count    uint64
	hash     uint64
	recorder *Recording // nil: they are not written down
	player   *player    // nil: they are no recording's
	script   *script    // nil: nor calm
	trace    func(label string, chosen, of uint64)
}

// Count returns how many choices were made.
func (d *Decisions) Count() uint64 { return d.count }

// Choose makes the next choice: a number from 0 to n-1. It implements device.Oracle and kernel.Oracle.
func (d *Decisions) Choose(label string, n uint64) uint64 {
	if n == 0 {
		panic("sim: a choice " + label + " among nothing")
	}
	d.count++
	chosen, _ := bits.Mul64(d.next(), n)
	switch {
	case d.player != nil:
		chosen = d.player.choose(d, label, n, chosen)
	case d.script != nil:
		chosen = d.script.choose(label, n)
	}
	d.hash = mix(d.hash, chosen^n<<32)
	if d.recorder != nil {
		d.recorder.add(label, chosen, n)
	}
	if d.trace != nil {
		d.trace(label, chosen, n)
	}
	return chosen
}

// strikes decides whether something with a rate happens; calm is that it does not.
func (d *Decisions) strikes(label string, rate Rate) bool {
	return d.Choose(label, uint64(Always)) >= uint64(Always-rate)
}

// next is splitmix64. It goes on during a replay too, so that the stream behind a recording's end is the seed's own.
func (d *Decisions) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// mix adds one word to a hash, in its order.
func mix(hash, word uint64) uint64 {
	return (bits.RotateLeft64(hash, 23) ^ word) * 0x9e3779b97f4a7c15
}

// Hash is a digest of the run so far: of every decision, and of every request, interrupt, DPC, switch and packet with its
// time. It is kept with tracing off too. Two runs that did the same have the same hash; two that did not, as good as
// never.
func (w *World) Hash() uint64 {
	h := mix(mix(w.kernel.Hash(), w.decisions.hash), uint64(w.clock.Now()))
	return scramble(h)
}

// Unseed is what comes next in the stream of decisions, without taking it: two runs of one seed that made equally many
// choices have the same. It is the cheapest check that a run was deterministic.
func (w *World) Unseed() uint64 { return scramble(w.decisions.state + 0x9e3779b97f4a7c15) }

// Divergence is the panic of a replay that asks for another choice than the recorded run did: the code has changed since,
// or something in it does not follow from the World's decisions.
type Divergence struct {
	Number             uint64 // of the decision
	Label, WasLabel    string
	Of, WasOf, Decided uint64
}

func (d *Divergence) Error() string {
	return fmt.Sprintf("sim: the replay diverges at decision %d: it chooses %s among %d, where the recorded run chose %s among %d (and took %d)",
		d.Number, d.Label, d.Of, d.WasLabel, d.WasOf, d.Decided)
}

// Choose makes a choice of a test's own, a number from 0 to n-1, from the World's decisions: so it is recorded and replayed
// with the others.
func (w *World) Choose(label string, n int) int {
	if n <= 0 {
		panic(fmt.Sprintf("sim: Choose %s among %d", label, n))
	}
	return int(w.decisions.Choose(label, uint64(n)))
}

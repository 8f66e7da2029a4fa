package sim

import "math/bits"

// Decisions is the World's one stream of choices. Each is a number below a bound, with a label, and is numbered from 1.
type Decisions struct {
	state uint64
	count uint64
	trace func(label string, chosen, of uint64) // nil: nobody listens
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
	if d.trace != nil {
		d.trace(label, chosen, n)
	}
	return chosen
}

// next is splitmix64.
func (d *Decisions) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

package kernel

import "math/bits"

// This file is the digest of a run: what makes two runs comparable at the price of a few multiplications a request,
// whether there is a trace or not.

// What a word of the digest is about: its lowest byte.
const (
	hashIRP = 1 + iota
	hashComplete
	hashCancel
	hashInterrupt
	hashDPC
	hashThread
	hashPacket
)

// mix adds an event, and its time, to the digest.
func (k *Kernel) mix(event, detail uint64) {
	h := bits.RotateLeft64(k.hash, 23) ^ event ^ bits.RotateLeft64(detail, 32)
	k.hash = (h*0x9e3779b97f4a7c15 ^ uint64(k.clock.Now())) * 0xbf58476d1ce4e5b9
}

// Hash returns the digest of all requests built, completed and cancelled, interrupts, DPCs, switches and packets so far,
// with their order, outcomes, processors and times.
func (k *Kernel) Hash() uint64 { return k.hash }

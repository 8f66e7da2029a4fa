package device

import (
	"fmt"
	"slices"
)

// Switch joins any number of adapters, each with each and with itself, by a Wire of its own: whose times and rates may be
// changed, and that may be cut. A frame goes to the adapter whose Address it is for; one that is for nobody is lost.
type Switch struct {
	cfg   WireConfig
	ports []*Adapter
	wires []*Wire // of ports i and j ≤ i, at i*(i+1)/2+j
}

// NewSwitch joins adapters that have no wire yet, and each an address of its own. cfg is how all wires are to begin with.
func NewSwitch(cfg WireConfig, adapters ...*Adapter) (*Switch, error) {
	s := &Switch{cfg: cfg}
	for _, a := range adapters {
		if err := s.Join(a); err != nil {
			for _, joined := range s.ports {
				joined.medium = nil
			}
			return nil, err
		}
	}
	return s, nil
}

// Join joins one more adapter. If one with its address was pulled out it takes that one's place, at the same wires.
func (s *Switch) Join(a *Adapter) error {
	if err := a.joinable(); err != nil {
		return err
	}
	if i := s.port(a.Address); i >= 0 {
		return s.replace(i, a)
	}
	var wires []*Wire
	for _, b := range append(s.ports, a) {
		w := &Wire{ends: [2]*Adapter{a, b}}
		if err := w.SetConfig(s.cfg); err != nil {
			return err
		}
		wires = append(wires, w)
	}
	s.ports, s.wires = append(s.ports, a), append(s.wires, wires...)
	a.medium = s
	return nil
}

// replace puts an adapter in the place of one that was pulled out.
func (s *Switch) replace(i int, a *Adapter) error {
	old := s.ports[i]
	if old.Present() {
		return fmt.Errorf("device: the address %d is that of %s and of %s", a.Address, old.name, a.name)
	}
	for j := range s.ports {
		w := s.between(i, j)
		for end := range w.ends {
			if w.ends[end] == old {
				w.ends[end] = a
			}
		}
	}
	s.ports[i] = a
	a.medium = s
	return nil
}

// port returns which port has an address, -1 if none.
func (s *Switch) port(address uint16) int {
	return slices.IndexFunc(s.ports, func(a *Adapter) bool { return a.Address == address })
}

// Wire returns the wire between two of its adapters, nil if one is none of them.
func (s *Switch) Wire(a, b *Adapter) *Wire {
	return s.between(slices.Index(s.ports, a), slices.Index(s.ports, b))
}

func (s *Switch) between(i, j int) *Wire {
	if i < j {
		i, j = j, i
	}
	if j < 0 {
		return nil
	}
	return s.wires[i*(i+1)/2+j]
}

// Partition cuts the wires between adapters of different groups, and mends all others. Those that are in no group are one
// together, so that without groups all is whole.
func (s *Switch) Partition(groups ...[]*Adapter) {
	group := func(a *Adapter) int {
		return slices.IndexFunc(groups, func(g []*Adapter) bool { return slices.Contains(g, a) })
	}
	for i, a := range s.ports {
		for j, b := range s.ports[:i+1] {
			s.between(i, j).Cut(group(a) != group(b))
		}
	}
}

// carry takes a frame from an adapter.
func (s *Switch) carry(from *Adapter, to uint16, frame []byte) {
	if w := s.between(slices.Index(s.ports, from), s.port(to)); w != nil {
		w.carry(from, to, frame)
	}
}

package device

import (
	"fmt"
	"slices"
)

// Switch joins any number of adapters, each with each and with itself, by a Wire of its own: whose times and rates may be
// changed, and that may be cut. A frame goes to the adapter whose Address it is for; one that is for nobody is lost.
type Switch struct {
	ports []*Adapter
	wires []*Wire // of ports i and j ≤ i, at i*(i+1)/2+j
}

// NewSwitch joins adapters that have no wire yet, and each an address of its own.
func NewSwitch(cfg WireConfig, ports ...*Adapter) (*Switch, error) {
	s := &Switch{ports: slices.Clone(ports)}
	for i, a := range ports {
		for j, b := range ports[:i+1] {
			w, err := newWire(a, b, cfg)
			if err == nil && j < i && a.Address == b.Address {
				err = fmt.Errorf("device: the address %d is that of %s and of %s", a.Address, b.name, a.name)
			}
			if err != nil {
				return nil, err
			}
			s.wires = append(s.wires, w)
		}
	}
	for _, a := range ports {
		a.medium = s
	}
	return s, nil
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
	i := slices.IndexFunc(s.ports, func(a *Adapter) bool { return a.Address == to })
	if w := s.between(slices.Index(s.ports, from), i); w != nil {
		w.carry(from, to, frame)
	}
}

package kernel

import (
	"fmt"
	"strings"
	"testing"
)

// TestRefused: what a driver's author has left out, or mixed up, is said where it is used for the first time.
func TestRefused(t *testing.T) {
	for says, f := range map[string]func(m *machine){
		"Timer without a DPC":            func(m *machine) { m.SetTimer(new(Timer), 1) },
		"DPC late, which has no Rout":    func(m *machine) { m.c().QueueDPC(&DPC{Name: "late"}, nil) },
		"lazy.sys, which has no StartIo": func(m *machine) { m.c().StartPacket(m.device(t, "lazy", nil, nil), m.irp(1), nil) },
		"Spend of -1ns":                  func(m *machine) { m.c().Spend(-1) },
	} {
		func() {
			defer func() {
				if r := fmt.Sprint(recover()); !strings.Contains(r, says) {
					t.Errorf("%s: it says %s", says, r)
				}
			}()
			f(newMachine(Config{}))
		}()
	}
	m := newMachine(Config{})
	m.device(t, "device", completes(StatusSuccess, 0), nil)
	h := m.handle(t, "device", OpenOptions{})
	equal(t, "a function that there is not", m.c().Request(h, 77, nil, 0, new(Overlapped)), StatusInvalidDeviceRequest)
}

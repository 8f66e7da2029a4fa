package sim_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// cluster is adapters that a switch joins, with the addresses 1, 2 and so on, and a socket at each.
type cluster struct {
	*sim.Switch
	adapters []*sim.Adapter
	sockets  []*overlapped.DatagramSocket
	got      []string // "2>1": what came from 2 to 1
}

// newCluster makes machine i in the i-th of the Worlds.
func newCluster(t *testing.T, cfg device.WireConfig, worlds ...*sim.World) *cluster {
	t.Helper()
	c := new(cluster)
	for i, w := range worlds {
		a, err := w.NewAdapter(fmt.Sprint("net", i+1), uint16(i+1), device.AdapterConfig{})
		if err != nil {
			t.Fatal(err)
		}
		c.adapters = append(c.adapters, a)
	}
	var err error
	if c.Switch, err = sim.NewSwitch(cfg, c.adapters...); err != nil {
		t.Fatal(err)
	}
	for i, w := range worlds {
		s, err := overlapped.ListenDatagram(w, c.adapters[i].Name(), 9)
		if err != nil {
			t.Fatal(err)
		}
		c.sockets = append(c.sockets, s)
		w.StartThread(func() {
			for buf := make([]byte, 10); ; {
				_, from, err := s.ReceiveFromAsync(w.Context(), buf).Await()
				if err != nil {
					return
				}
				c.got = append(c.got, fmt.Sprintf("%d>%d", from.Host, s.Addr().Host))
			}
		})
	}
	return c
}

// passes lets each machine send to each, and returns which frames have come, in order.
func (c *cluster) passes(worlds ...*sim.World) string {
	c.got = nil
	for i, from := range c.sockets {
		for _, to := range c.sockets {
			from.SendToAsync(worlds[i].Context(), []byte("hello"), to.Addr())
		}
	}
	sim.RunTogether(50*time.Microsecond, slices.Compact(slices.Clone(worlds))...)
	slices.Sort(c.got)
	return strings.Join(c.got, " ")
}

// TestSwitch: a frame goes to the machine whose address it bears, in one World and in several, unless its wire is cut.
func TestSwitch(t *testing.T) {
	one, other := sim.New(1), sim.New(2)
	for _, worlds := range [][]*sim.World{{one, one, one}, {other, other, sim.New(3)}} {
		c := newCluster(t, device.WireConfig{}, worlds...)
		check := func(what, want string) {
			t.Helper()
			if got := c.passes(worlds...); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		const all = "1>1 1>2 1>3 2>1 2>2 2>3 3>1 3>2 3>3"
		check("whole", all)
		c.Partition(c.adapters[:1])
		check("1 alone", "1>1 2>2 2>3 3>2 3>3")
		c.Partition(c.adapters[:1], c.adapters[1:2], c.adapters[2:])
		check("each alone", "1>1 2>2 3>3")
		c.Partition()
		check("mended", all)
		c.Wire(c.adapters[0], c.adapters[2]).CutTowards(c.adapters[2].Device(), true)
		check("nothing from 1 to 3", "1>1 1>2 2>1 2>2 2>3 3>1 3>2 3>3")
		if err := c.Wire(c.adapters[2], c.adapters[1]).SetConfig(device.WireConfig{Loss: 1_000_000}); err != nil {
			t.Fatal(err)
		}
		check("2 and 3 lose all", "1>1 1>2 2>1 2>2 3>1 3>3")
		worlds[2].Heal()
		check("healed, but for what was cut", "1>1 1>2 2>1 2>2 2>3 3>1 3>2 3>3")
		for _, s := range c.sockets {
			s.Close()
		}
	}
}

// TestMachineStartsAgain: an adapter takes the place of one that was pulled out, and hears what that one would; its wires are
// as they were.
func TestMachineStartsAgain(t *testing.T) {
	w := sim.New(1)
	c := newCluster(t, device.WireConfig{}, w, w, w)
	c.Partition(c.adapters[2:])
	start := func(name string) error {
		a, err := w.NewAdapter(name, 1, device.AdapterConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return c.Join(a)
	}
	if err := start("too early"); err == nil || !strings.Contains(err.Error(), "the address 1 is that of net1 and of too early") {
		t.Error(err)
	}
	c.adapters[0].Remove()
	w.RunFor(time.Second)
	if err := start("again"); err != nil {
		t.Fatal(err)
	}
	s, err := overlapped.ListenDatagram(w, "again", 9)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, from := range c.sockets[1:] {
		if _, err := from.SendToAsync(w.Context(), []byte("hello"), s.Addr()).Await(); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 10)
	if n, from, err := s.ReceiveFromAsync(w.Context(), buf).Await(); string(buf[:n]) != "hello" || from.Host != 2 || err != nil {
		t.Errorf("%q from %v, %v", buf[:n], from, err)
	}
	if _, err := s.SendToAsync(w.Context(), []byte("hello"), c.sockets[1].Addr()).Await(); err != nil {
		t.Fatal(err)
	}
	if w.RunFor(time.Second); !slices.Equal(c.got, []string{"1>2"}) {
		t.Errorf("got %v", c.got)
	}
	if task := s.ReceiveFromAsync(w.Context(), buf); task.IsCompleted() {
		t.Error("3, which is cut off, was heard")
	}
	if c.Join(nil) == nil || c.Join(c.adapters[1]) == nil {
		t.Error("joined twice, or nothing")
	}
}

// TestSwitchCarriesStreams: each machine of three connects to each, through what a bad network does to it; one that is
// nowhere cannot be reached.
func TestSwitchCarriesStreams(t *testing.T) {
	sim.Test(t, func(w *sim.World) {
		c := newCluster(t, device.WireConfig{Loss: 50_000, Duplicates: 50_000, Reorders: 50_000}, w, w, w)
		for _, s := range c.sockets {
			s.Close()
		}
		done := 0
		for i, server := range c.adapters {
			l, err := overlapped.Listen(w, server.Name(), 80)
			if err != nil {
				t.Fatal(err)
			}
			w.StartThread(func() {
				defer l.Close()
				for range c.adapters {
					conn, err := l.AcceptAsync(w.Context()).Await()
					if err != nil {
						t.Error(err)
						return
					}
					giveBack(w.Context(), conn)
				}
			})
			for _, client := range c.adapters {
				w.StartThread(func() {
					text := fmt.Sprint("from ", client.Host(), " to ", i+1)
					conn, err := overlapped.DialAsync(w.Context(), w, client.Name(), l.Addr()).Await()
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					got := make([]byte, len(text))
					if _, err := conn.WriteAsync(w.Context(), []byte(text)).Await(); err != nil {
						t.Error(err)
					}
					for n := 0; n < len(got); {
						m, err := conn.ReadAsync(w.Context(), got[n:]).Await()
						if err != nil {
							t.Error(err)
							return
						}
						n += m
					}
					if string(got) == text {
						done++
					}
				})
			}
		}
		w.Run()
		if done != 9 {
			t.Errorf("%d of 9 had their text back", done)
		}
		nowhere := overlapped.Addr{Host: 7, Port: 80}
		if _, err := overlapped.DialAsync(w.Context(), w, "net1", nowhere).Await(); !errors.Is(err, overlapped.ErrUnreachable) {
			t.Error(err)
		}
	})
}

// TestSwitchRefuses: two machines of one address, an adapter that has a wire, none.
func TestSwitchRefuses(t *testing.T) {
	w := sim.New(1)
	adapter := func(name string, host uint16) *sim.Adapter {
		a, err := w.NewAdapter(name, host, device.AdapterConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a, b, twin, wired := adapter("a", 1), adapter("b", 2), adapter("twin", 1), adapter("wired", 3)
	if _, err := sim.NewWire(wired, wired, device.WireConfig{}); err != nil {
		t.Fatal(err)
	}
	for want, adapters := range map[string][]*sim.Adapter{
		"the address 1 is that of a and of twin": {a, b, twin},
		"have none yet":                          {a, wired},
		"one of these is nil":                    {a, nil},
	} {
		if _, err := sim.NewSwitch(device.WireConfig{}, adapters...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	s, err := sim.NewSwitch(device.WireConfig{}, a, b) // what was refused has joined nothing
	if err != nil {
		t.Fatal(err)
	}
	if s.Wire(a, wired) != nil || s.Wire(wired, b) != nil || s.Wire(b, a) == nil || s.Wire(b, a) != s.Wire(a, b) {
		t.Error("a wire to an adapter that is not there, or none")
	}
}

package trace

import (
	"fmt"
	"maps"
	"slices"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file draws a World: which record opens what on which track, and what it
// closes.

// A chart is one World's part of a trace.
type chart struct {
	recorder *Recorder
	world    int
	worlds   int

	firstTID int
	tracks   []namedTrack
	byName   map[string]track
	events   []event
	now      int64 // of the last record; strictly growing

	open  map[track][]slice // slices that contain others, outermost first
	leaf  map[track]event   // hops that are drawn and not closed
	onCPU map[int]track     // the track of the last hop on it

	way      // requests.go
	inFlight map[uint64]*machineSpan
	levels   [4]int64 // of the counters
}

// A slice is open on a track.
type slice struct {
	machine uint64 // whose code runs in it, 0: something else
	blocked bool   // a thread that blocks
}

func newChart(r *Recorder, world, worlds int) *chart {
	return &chart{recorder: r, world: world, worlds: worlds, byName: make(map[string]track),
		open: make(map[track][]slice), leaf: make(map[track]event), onCPU: make(map[int]track),
		way: newWay(), inFlight: make(map[uint64]*machineSpan)}
}

func (c *chart) process(p int) int { return c.world*processes + p }

// longest is how long a hop is drawn at most, in nanoseconds.
const longest = 1000

// draw makes the events, in order.
func (c *chart) draw() {
	records, _ := c.recorder.kept()
	for i := range records {
		x := &records[i]
		if x.machine == 0 && (x.hop.Kind == kernel.HopDecision || x.hop.Kind == kernel.HopNone) {
			continue
		}
		c.now = max(int64(x.hop.Time), c.now+1)
		if x.machine != 0 {
			c.machine(x)
		} else {
			c.hop(x)
		}
	}
	c.now++
	c.finish()
	c.events = append(c.metadata(), sorted(c.events)...)
}

func (c *chart) emit(e event) { c.events = append(c.events, e) }

// closeLeaf ends the hop that is drawn on a track.
func (c *chart) closeLeaf(t track) {
	if e, ok := c.leaf[t]; ok {
		delete(c.leaf, t)
		e.dur = max(1, min(c.now-e.ts, longest))
		c.emit(e)
	}
}

// begin opens a slice that may contain others.
func (c *chart) begin(t track, s slice, name string, args ...arg) {
	c.closeLeaf(t)
	c.open[t] = append(c.open[t], s)
	c.emit(event{ts: c.now, phase: 'B', track: t, name: name, args: args})
}

// end closes the slices of a track down to the innermost that is meant; if there
// is none, nothing.
func (c *chart) end(t track, meant func(slice) bool) {
	c.closeLeaf(t)
	list := c.open[t]
	for i := len(list) - 1; i >= 0; i-- {
		if meant(list[i]) {
			for range list[i:] {
				c.emit(event{ts: c.now, phase: 'E', track: t})
			}
			c.open[t] = list[:i]
			return
		}
	}
}

// outermost closes all that is open on a track.
func (c *chart) outermost(t track) {
	for len(c.open[t]) > 0 {
		c.end(t, func(slice) bool { return true })
	}
}

// hop draws a hop.
func (c *chart) hop(x *record) {
	h := &x.hop
	t := c.trackOf(h)
	if h.CPU >= 0 {
		c.closeLeaf(c.onCPU[h.CPU])
		c.onCPU[h.CPU] = t
	}
	c.closeLeaf(t)
	switch h.Kind {
	case kernel.HopMessageLoop, kernel.HopThreadReturned:
		c.drawHop(t, x)
		c.closeLeaf(t)
		c.now++
		c.outermost(t)
		c.requests(x, t)
		c.count(x)
		return
	case kernel.HopMessage:
		c.begin(t, slice{}, "message: "+h.Name)
	case kernel.HopThreadBorrowed:
		c.begin(t, slice{}, borrowedFor(h))
	case kernel.HopResumed:
		if len(c.open[t]) == 0 {
			c.begin(t, slice{}, "a continuation")
		}
	case kernel.HopThreadBlocked:
		c.begin(t, slice{blocked: true}, "blocked")
	case kernel.HopThreadUnblocked:
		c.end(t, func(s slice) bool { return s.blocked })
	}
	c.drawHop(t, x)
	c.requests(x, t)
	c.count(x)
}

func borrowedFor(h *kernel.Hop) string {
	if h.IRP == 0 {
		return "work"
	}
	return fmt.Sprintf("packet of irp#%d", h.IRP)
}

// drawHop draws a hop as a slice that ends with the next; a fault as an instant, which one sees from afar.
func (c *chart) drawHop(t track, x *record) {
	h := &x.hop
	if h.Kind == kernel.HopFault {
		c.emit(event{ts: c.now, phase: 'i', track: t, name: "fault: " + h.Name})
		return
	}
	args := []arg{{key: "what", text: h.Sentence()}}
	if int64(h.Time) != c.now { // it is drawn later than it was
		args = append(args, arg{key: "time", text: h.Time.String()})
	}
	if h.IRP != 0 {
		args = append(args, arg{key: "irp", n: int64(h.IRP)})
	}
	c.leaf[t] = event{ts: c.now, phase: 'X', track: t, name: h.Kind.String(), args: args}
}

// The counters.
const (
	countRequests = iota
	countMachines
	countBlocked
	countGoroutines
)

// counterNames are of what, and what is counted of it: Perfetto joins the two.
var counterNames = [4][2]string{{"requests", "in flight"}, {"machines", "in flight"}, {"threads", "blocked"}, {"goroutines", "alive"}}

// set draws a counter where it changes.
func (c *chart) set(counter int, n int64) {
	if c.levels[counter] == n {
		return
	}
	c.levels[counter] = n
	c.emit(event{ts: c.now, phase: 'C', track: track{c.process(counters), 0}, name: counterNames[counter][0],
		args: []arg{{key: counterNames[counter][1], n: n}}})
}

// count keeps the counters.
func (c *chart) count(x *record) {
	switch x.hop.Kind {
	case kernel.HopIRPBuilt:
		c.set(countRequests, c.levels[countRequests]+1)
	case kernel.HopIRPComplete:
		c.set(countRequests, max(0, c.levels[countRequests]-1))
	case kernel.HopThreadBlocked:
		c.set(countBlocked, c.levels[countBlocked]+1)
	case kernel.HopThreadUnblocked:
		c.set(countBlocked, max(0, c.levels[countBlocked]-1))
	}
	c.set(countGoroutines, int64(x.goroutines))
}

// A machineSpan is a machine in flight.
type machineSpan struct {
	name    string
	waits   string // the state that is drawn; "": it runs
	running track
}

// machine draws what has become of a machine: its span, the states in it, and
// where its code runs.
func (c *chart) machine(x *record) {
	m := c.inFlight[x.machine]
	if m == nil {
		if x.event == async.MachineEnded {
			return
		}
		m = &machineSpan{name: x.name}
		c.inFlight[x.machine] = m
		c.emit(c.ofMachine('b', x.machine, m.name))
		c.set(countMachines, c.levels[countMachines]+1)
	}
	if m.waits != "" {
		c.emit(c.ofMachine('e', x.machine, m.waits))
		m.waits = ""
	}
	switch x.event {
	case async.MachineBegan, async.MachineSuspended:
		m.waits = x.pos + "  " + x.awaits
		c.emit(c.ofMachine('b', x.machine, m.waits))
	case async.MachineEnded:
		delete(c.inFlight, x.machine)
		c.emit(c.ofMachine('e', x.machine, m.name))
		c.set(countMachines, max(0, c.levels[countMachines]-1))
	}
	if x.event == async.MachineResumed {
		m.running = c.trackOf(&x.hop)
		c.begin(m.running, slice{machine: x.machine}, m.name, arg{key: "goes on at", text: x.pos}, arg{key: "machine", n: int64(x.machine)})
		c.goesOn(x, m.running)
	} else if m.running.process != 0 {
		c.end(m.running, func(s slice) bool { return s.machine == x.machine })
		m.running = track{}
	}
}

func (c *chart) ofMachine(phase byte, number uint64, name string) event {
	return event{ts: c.now, phase: phase, track: track{c.process(machines), 0}, name: name, cat: "machine",
		id: uint64(c.world)<<32 + number}
}

// finish closes what is open at the end of the records.
func (c *chart) finish() {
	for _, t := range c.tracks {
		c.closeLeaf(t.track)
		c.outermost(t.track)
	}
	for _, number := range slices.Sorted(maps.Keys(c.inFlight)) {
		m := c.inFlight[number]
		if m.waits != "" {
			c.emit(c.ofMachine('e', number, m.waits))
		}
		c.emit(c.ofMachine('e', number, m.name))
	}
	c.spans()
}

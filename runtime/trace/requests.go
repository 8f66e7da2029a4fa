package trace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nothread/nothread/runtime/kernel"
)

// This file follows requests. The hops from the interrupt to the DPC have no IRP
// to their names, for the hardware knows none: which one they were for is seen
// when the DPC completes it. Nor has a post: it is for the task that was completed
// last on its thread.

// A point is a hop on a request's way.
type point struct {
	track track
	ts    int64
}

// A request is an IRP that was seen.
type request struct {
	id          uint64
	name        string
	began, last int64
	way         []point
	complete    bool
}

// way is what is known of requests, and of what they are caused by.
type way struct {
	byID  map[uint64]*request
	order []*request

	interrupts map[string]point      // the last of each line
	isrs       map[string][2]point   // by line: the interrupt, the ISR
	lastISR    map[int]string        // by CPU: the line of the last
	queued     map[string][2]point   // by DPC: why it was queued
	dpcs       map[int][]point       // by CPU: the DPC that runs, and what led to it
	completes  map[string]*request   // by thread: whose task was completed there, and not posted on
	posted     map[string][]*request // by context: whose continuations wait there, nil for others
}

func newWay() way {
	return way{byID: make(map[uint64]*request), interrupts: make(map[string]point), isrs: make(map[string][2]point),
		lastISR: make(map[int]string), queued: make(map[string][2]point), dpcs: make(map[int][]point),
		completes: make(map[string]*request), posted: make(map[string][]*request)}
}

// requests follows what a hop, drawn on t, means for requests.
func (c *chart) requests(x *record, t track) {
	h, here := &x.hop, point{t, c.now}
	c.cause(h, here)
	r := c.request(h)
	if r != nil {
		r.last = c.now
	}
	switch h.Kind {
	case kernel.HopIRPBuilt, kernel.HopDMAStart, kernel.HopAPC, kernel.HopPacket, kernel.HopThreadBorrowed:
		r.pass(here)
	case kernel.HopIRPComplete:
		if r != nil {
			r.complete = true
			r.way = append(r.way, c.dpcs[h.CPU]...)
		}
	case kernel.HopTaskComplete:
		c.completes[h.Thread] = r
	case kernel.HopPosted:
		r := c.completes[h.Thread]
		delete(c.completes, h.Thread)
		r.pass(here)
		c.posted[h.Name] = append(c.posted[h.Name], r)
	case kernel.HopResumed:
		context := h.Thread
		if pool := strings.LastIndexByte(context, ' '); len(c.posted[context]) == 0 && pool > 0 {
			context = context[:pool] // a pool's threads are named after it: "worker 2"
		}
		if list := c.posted[context]; len(list) > 0 {
			list[0].pass(here)
			if list[0] != nil {
				list[0].last = c.now
			}
			c.posted[context] = list[1:]
		}
	case kernel.HopThreadReturned, kernel.HopMessageLoop:
		delete(c.completes, h.Thread)
	}
}

// goesOn: a machine goes on at once, on the thread that has completed a task.
func (c *chart) goesOn(x *record, t track) {
	if r := c.completes[x.hop.Thread]; r != nil {
		delete(c.completes, x.hop.Thread)
		r.pass(point{t, c.now})
		r.last = c.now
	}
}

// cause keeps what leads from an interrupt to a DPC.
func (c *chart) cause(h *kernel.Hop, here point) {
	switch h.Kind {
	case kernel.HopInterrupt:
		c.interrupts[h.Name] = here
	case kernel.HopISR:
		c.isrs[h.Name] = [2]point{c.interrupts[h.Name], here}
		c.lastISR[h.CPU] = h.Name
	case kernel.HopDPCQueued:
		c.queued[h.Name] = c.isrs[c.lastISR[h.CPU]]
	case kernel.HopDPC:
		c.dpcs[h.CPU] = nil
		for _, p := range c.queued[h.Name] {
			if p.ts != 0 {
				c.dpcs[h.CPU] = append(c.dpcs[h.CPU], p)
			}
		}
		delete(c.queued, h.Name)
		c.dpcs[h.CPU] = append(c.dpcs[h.CPU], here)
	default:
		if h.CPU >= 0 && h.IRQL < kernel.DispatchLevel {
			delete(c.dpcs, h.CPU) // it is over
		}
	}
}

func (r *request) pass(p point) {
	if r != nil {
		r.way = append(r.way, p)
	}
}

// request returns the request that a hop belongs to, nil if it belongs to none.
func (c *chart) request(h *kernel.Hop) *request {
	if h.IRP == 0 {
		return nil
	}
	r := c.byID[h.IRP]
	if r == nil {
		r = &request{id: h.IRP, name: fmt.Sprintf("irp#%d", h.IRP), began: c.now}
		if h.Kind == kernel.HopIRPBuilt {
			r.name += fmt.Sprintf("  %s, %d bytes at %d", h.Name, h.N, h.M)
		}
		c.byID[h.IRP] = r
		c.order = append(c.order, r)
	}
	return r
}

// spans draws the requests: a span and its arrows each.
func (c *chart) spans() {
	for _, r := range c.order {
		id := uint64(c.world)<<32 + r.id
		at := track{c.process(requests), 0}
		end := r.last + 1
		if !r.complete {
			end = c.now
		}
		c.emit(event{ts: r.began, phase: 'b', track: at, name: r.name, cat: "irp", id: id})
		c.emit(event{ts: end, phase: 'e', track: at, name: r.name, cat: "irp", id: id})
		slices.SortStableFunc(r.way, func(a, b point) int { return int(a.ts - b.ts) })
		r.way = slices.Compact(r.way)
		if len(r.way) < 2 {
			continue
		}
		for i, p := range r.way {
			phase := byte('t')
			switch i {
			case 0:
				phase = 's'
			case len(r.way) - 1:
				phase = 'f'
			}
			c.emit(event{ts: p.ts, phase: phase, track: p.track, name: "way", cat: "way", id: id})
		}
	}
}

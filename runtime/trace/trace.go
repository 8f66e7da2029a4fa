// Package trace keeps what happens in a World, and shows it: as a file in the
// trace-event format, which Perfetto (ui.perfetto.dev) and Chrome's tracing page
// open, as lanes in a terminal, and as the way of one IRP, hop by hop.
//
// A Recorder is told of each hop and of each machine by sim.WithRecorder. What is
// written depends on that alone: the same seed gives the same bytes.
package trace

import (
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// A Recorder keeps what happens in a World. One World at a time uses it.
type Recorder struct {
	records []record
	most    int // so many of the last are kept; 0: all
	dropped int
}

// A record is a hop, or what has become of a machine.
type record struct {
	hop        kernel.Hop // for a machine: when, and on what
	goroutines int        // of the World

	machine uint64 // its number; 0: this is a hop
	event   async.MachineEvent
	name    string // of its function
	pos     string // in its source
	awaits  string
}

// NewRecorder returns a recorder. It keeps the last most records, all if most is 0.
func NewRecorder(most int) *Recorder { return &Recorder{most: most} }

// Begin forgets what there is: a World begins.
func (r *Recorder) Begin() {
	clear(r.records)
	r.records, r.dropped = r.records[:0], 0
}

// Hop keeps a hop of a World that has so many goroutines.
func (r *Recorder) Hop(h *kernel.Hop, goroutines int) {
	r.add(record{hop: *h, goroutines: goroutines})
}

// Machine keeps what has become of a machine at a time, on a thread of a CPU.
func (r *Recorder) Machine(e async.MachineEvent, number uint64, name string, states *async.States, state int, at kernel.Hop) {
	r.add(record{hop: at, machine: number, event: e, name: name, pos: states.Pos(state), awaits: states.At[state].Awaits})
}

func (r *Recorder) add(x record) {
	if r.most > 0 && len(r.records) >= 2*r.most {
		r.dropped += len(r.records) - r.most
		r.records = append(r.records[:0], r.records[len(r.records)-r.most:]...)
	}
	r.records = append(r.records, x)
}

// kept are the records to show.
func (r *Recorder) kept() (records []record, dropped int) {
	if r.most > 0 && len(r.records) > r.most {
		cut := len(r.records) - r.most
		return r.records[cut:], r.dropped + cut
	}
	return r.records, r.dropped
}

// Len returns how many records there were.
func (r *Recorder) Len() int { return r.dropped + len(r.records) }

// last is when the last record was.
func (r *Recorder) last() time.Duration {
	if len(r.records) == 0 {
		return 0
	}
	return time.Duration(r.records[len(r.records)-1].hop.Time)
}

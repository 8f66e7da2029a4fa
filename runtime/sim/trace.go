package sim

import (
	"io"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/inflight"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/trace"
)

// WithRecorder lets r keep what happens, hops and machines, to be shown by package trace. It begins anew with the World.
func WithRecorder(r *trace.Recorder) Option { return func(o *options) { o.recorder = r } }

// keepTrack prepares for whoever wants to hear of machines.
func (w *World) keepTrack(o *options) {
	if r := o.recorder; r != nil {
		r.Begin()
		w.machines = async.NewMachines(w.Elapsed, w.recordMachine(r))
		o.observers = append(o.observers, func(h *kernel.Hop) { r.Hop(h, w.Goroutines()) })
	} else if o.machines || o.verify {
		w.machines = async.NewMachines(w.Elapsed, nil)
	}
}

// recordMachine tells r of machines, with the place where their code runs.
func (w *World) recordMachine(r *trace.Recorder) func(async.MachineEvent, *async.InFlight) {
	return func(e async.MachineEvent, f *async.InFlight) {
		c := w.kernel.CPU()
		at := kernel.Hop{Time: w.clock.Now(), CPU: c.Number(), IRQL: c.IRQL()}
		if t := c.Thread(); t != nil {
			at.Thread = t.Name()
		}
		states, state := f.Machine.States()
		r.Machine(e, f.Number, inflight.NameOf(f.Machine), states, state, at)
	}
}

// traceBuffer is how much of a trace is kept before it is written.
const traceBuffer = 64 << 10

// tracer writes hops as lines and shows them to observers. A nil tracer does nothing.
type tracer struct {
	out       io.Writer // nil: observers only
	buffer    []byte
	err       error
	made      numbering // of the decisions
	observers []func(*kernel.Hop)
}

func newTracer(out io.Writer, observers []func(*kernel.Hop)) *tracer {
	t := &tracer{out: out, observers: observers}
	if out != nil {
		t.buffer, t.made = make([]byte, 0, traceBuffer), make(numbering)
	}
	return t
}

// Trace implements kernel.Tracer.
func (t *tracer) Trace(h *kernel.Hop) {
	for _, f := range t.observers {
		f(h)
	}
	if t.out == nil {
		return
	}
	if len(t.buffer) > traceBuffer-1024 {
		t.flush()
	}
	t.buffer = h.Append(t.buffer)
	if h.Kind == kernel.HopDecision {
		if d := t.made.deviation(h.Name, uint64(h.N), uint64(h.M)); d.Choice != 0 {
			t.buffer = append(append(t.buffer, ", which is "...), d.String()...)
		}
	}
	t.buffer = append(t.buffer, '\n')
}

func (t *tracer) flush() {
	if t == nil || len(t.buffer) == 0 {
		return
	}
	if t.err == nil {
		_, t.err = t.out.Write(t.buffer)
	}
	t.buffer = t.buffer[:0]
}

// TraceError returns the first error of writing the trace.
func (w *World) TraceError() error {
	if w.tracer == nil {
		return nil
	}
	return w.tracer.err
}

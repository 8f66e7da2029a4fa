package sim

import (
	"io"

	"github.com/nothread/nothread/runtime/kernel"
)

// traceBuffer is how much of a trace is kept before it is written.
const traceBuffer = 64 << 10

// tracer writes hops as lines and shows them to observers. A nil tracer does nothing.
type tracer struct {
	out       io.Writer // nil: observers only
	buffer    []byte
	err       error
	observers []func(*kernel.Hop)
}

func newTracer(out io.Writer, observers []func(*kernel.Hop)) *tracer {
	t := &tracer{out: out, observers: observers}
	if out != nil {
		t.buffer = make([]byte, 0, traceBuffer)
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
	t.buffer = append(h.Append(t.buffer), '\n')
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

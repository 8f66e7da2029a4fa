package trace

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the trace-event format: what is written, and in which order.
//
// # Tracks
//
//	threads      one each: messages, packets and machines that run, and hops in them
//	processors   one for each CPU at each level above PASSIVE: ISRs, DPCs, APCs
//	devices      one each: what the hardware does by itself; faults are instants there
//	requests     one span an IRP, from when it is built until its last hop
//	machines     one span each, and in it one for each state that it waits in, with its line
//	counters     requests and machines in flight, threads blocked, goroutines
//
// The arrows of a request go from where its IRP is built over the doorbell, the
// interrupt, the ISR, the DPC, the APC, the packet and the post to where what
// awaited it goes on.
//
// What Perfetto makes of the format is stricter than the format: it knows a thread
// by its tid alone, whatever its process, takes a process's main thread to have
// the tid that is its pid, and what names threads to come last. So tids are apart
// from each other and from all pids. It does not want displayTimeUnit.
//
// # Time
//
// What happens at one and the same virtual time is drawn a nanosecond apart, in
// order, so that everything has a length, and an arrow something to point at. A
// hop lasts until the next one on its CPU, a microsecond at most.

// An event of the format. Times are in nanoseconds until they are written.
type event struct {
	ts    int64
	dur   int64 // of a slice that contains no other
	phase byte
	track track
	name  string
	cat   string
	id    uint64
	args  []arg
}

type arg struct {
	key  string
	text string // a number if it is empty
	n    int64
}

// A track is where an event is drawn: a process and a thread of the format.
type track struct{ process, thread int }

// The processes.
const (
	threads = 1 + iota
	processors
	devices
	requests
	machines
	counters
	processes = 10 // a World has so many numbers
)

var processNames = map[int]string{
	threads: "threads", processors: "processors", devices: "devices",
	requests: "requests (IRPs)", machines: "machines", counters: "counters",
}

// Write writes what the recorders have kept, one World each, as a trace in the
// trace-event format. It is the same for the same records.
func Write(out io.Writer, recorders ...*Recorder) error {
	b := bufio.NewWriterSize(out, 1<<16)
	fmt.Fprintf(b, "{\"otherData\":{\"by\":\"nothread\",\"worlds\":%d},\"traceEvents\":[\n", len(recorders))
	first, tid := true, processes*(len(recorders)+1)
	var line []byte
	for i, r := range recorders {
		c := newChart(r, i, len(recorders))
		c.firstTID = tid
		c.draw()
		tid += len(c.tracks)
		for j := range c.events {
			if !first {
				b.WriteString(",\n")
			}
			first = false
			line = c.events[j].append(line[:0])
			b.Write(line)
		}
	}
	b.WriteString("\n]}\n")
	return b.Flush()
}

func (e *event) append(b []byte) []byte {
	b = append(b, `{"ph":"`...)
	b = append(b, e.phase)
	b = append(b, `","pid":`...)
	b = strconv.AppendInt(b, int64(e.track.process), 10)
	b = append(b, `,"tid":`...)
	b = strconv.AppendInt(b, int64(e.track.thread), 10)
	if e.phase != 'M' {
		b = appendTime(append(b, `,"ts":`...), e.ts)
	}
	if e.dur > 0 {
		b = appendTime(append(b, `,"dur":`...), e.dur)
	}
	if e.name != "" {
		b = appendString(append(b, `,"name":`...), e.name)
	}
	if e.cat != "" {
		b = appendString(append(b, `,"cat":`...), e.cat)
		b = strconv.AppendUint(append(b, `,"id":`...), e.id, 10)
	}
	switch e.phase {
	case 'f':
		b = append(b, `,"bp":"e"`...)
	case 'i':
		b = append(b, `,"s":"t"`...) // it is its thread's
	}
	for i, a := range e.args {
		if i == 0 {
			b = append(b, `,"args":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(appendString(b, a.key), ':')
		if a.text != "" {
			b = appendString(b, a.text)
		} else {
			b = strconv.AppendInt(b, a.n, 10)
		}
	}
	if len(e.args) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

// appendTime writes nanoseconds as microseconds.
func appendTime(b []byte, ns int64) []byte { return fmt.Appendf(b, "%d.%03d", ns/1000, ns%1000) }

func appendString(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...) // cannot be: it is a string
	}
	return append(b, text...)
}

// metadata names the tracks, and puts them in order.
func (c *chart) metadata() []event {
	var list []event
	for p := threads; p <= counters; p++ {
		name := processNames[p]
		if c.worlds > 1 {
			name = fmt.Sprintf("World %d: %s", c.world+1, name)
		}
		at := track{c.process(p), 0}
		list = append(list, event{phase: 'M', track: at, name: "process_name", args: []arg{{key: "name", text: name}}},
			event{phase: 'M', track: at, name: "process_sort_index", args: []arg{{key: "sort_index", n: int64(c.process(p))}}})
	}
	for _, t := range c.tracks {
		list = append(list, event{phase: 'M', track: t.track, name: "thread_name", args: []arg{{key: "name", text: t.name}}},
			event{phase: 'M', track: t.track, name: "thread_sort_index", args: []arg{{key: "sort_index", n: t.order}}})
	}
	return list
}

// trackOf is where a hop is drawn.
func (c *chart) trackOf(h *kernel.Hop) track {
	switch {
	case h.CPU < 0:
		return c.trackNamed(devices, h.Name, 0)
	case h.IRQL > kernel.PassiveLevel || h.Thread == "":
		return c.trackNamed(processors, fmt.Sprintf("cpu%d %v", h.CPU, h.IRQL), int64(h.CPU)*100+100-int64(h.IRQL))
	}
	return c.trackNamed(threads, h.Thread, 0)
}

type namedTrack struct {
	track
	name  string
	order int64
}

// trackNamed returns a track of a process, a new one if there is none of the name.
func (c *chart) trackNamed(process int, name string, order int64) track {
	key := processNames[process] + "\x00" + name
	if t, ok := c.byName[key]; ok {
		return t
	}
	t := track{c.process(process), c.firstTID + len(c.tracks)}
	c.byName[key] = t
	if order == 0 {
		order = int64(t.thread)
	}
	c.tracks = append(c.tracks, namedTrack{t, name, order})
	return t
}

// sorted puts events in the order of their times; those of one time stay as they are.
func sorted(events []event) []event {
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.ts, b.ts) })
	return events
}

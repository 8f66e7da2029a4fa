package trace

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// This file checks a trace against the rules of the trace-event format, and what
// Perfetto's importer wants besides: all that it counts as an error, and what it
// would draw in a wrong place without a word. It knows nothing of how a trace of
// ours is drawn.

// A chromeEvent is an event as a reader of the format sees it.
type chromeEvent struct {
	Phase string          `json:"ph"`
	PID   *int            `json:"pid"`
	TID   *int            `json:"tid"`
	TS    *float64        `json:"ts"`
	Dur   *float64        `json:"dur"`
	Name  string          `json:"name"`
	Cat   string          `json:"cat"`
	ID    json.RawMessage `json:"id"`
	BP    string          `json:"bp"`
	Scope string          `json:"s"`
	Args  map[string]any  `json:"args"`
}

// Validate reports the first thing in a trace that the trace-event format does
// not allow, or that a reader would have to guess about: events out of order,
// slices that do not nest, spans without an end, flows that end nowhere or hang in
// the air, tracks without a name or that Perfetto takes for one another, counters
// without a number. Of the format's forms it knows the one that Write writes: an
// object with the list traceEvents, not a list alone.
func Validate(in io.Reader) error {
	var file struct {
		Unit   *string       `json:"displayTimeUnit"`
		Events []chromeEvent `json:"traceEvents"`
	}
	d := json.NewDecoder(in)
	if err := d.Decode(&file); err != nil {
		if other, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf(`the trace is not of the form {"traceEvents": [{…}, …]}: %s is a JSON %s (byte %d)`,
				cmp.Or(other.Field, "it"), other.Value, other.Offset)
		}
		return fmt.Errorf("the trace is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the trace")
	}
	if len(file.Events) == 0 {
		return errors.New("the trace has no events")
	}
	if file.Unit != nil {
		return errors.New("displayTimeUnit: some readers take it for the unit of the times")
	}
	v := validator{slices: make(map[place][]int64), named: make(map[string]bool), used: make(map[place]bool),
		threads: make(map[int]int), spans: make(map[identity][]string), flows: make(map[identity]*flow), last: make(map[int]float64)}
	for i := range file.Events {
		if err := v.event(&file.Events[i]); err != nil {
			return fmt.Errorf("event %d (%s %q): %w", i, file.Events[i].Phase, file.Events[i].Name, err)
		}
	}
	return v.end()
}

type place struct{ pid, tid int }

type identity struct{ cat, id string }

type validator struct {
	last    map[int]float64   // by the World's processes: when the last event was
	slices  map[place][]int64 // open ones, outermost first: when they end, never if an event will say so
	used    map[place]bool
	threads map[int]int // by tid: the pid
	named   map[string]bool
	spans   map[identity][]string // the names of those that are open
	flows   map[identity]*flow
}

type flow struct {
	name  string
	ended bool
}

// deepest is how many slices Perfetto draws in each other.
const deepest = 512

func (v *validator) event(e *chromeEvent) error {
	if e.PID == nil || e.TID == nil || *e.PID <= 0 {
		return errors.New("it has no pid or no tid")
	}
	at := place{*e.PID, *e.TID}
	if pid, known := v.threads[at.tid]; known && pid != at.pid && at.tid != 0 {
		return fmt.Errorf("thread %d is of process %d", at.tid, pid)
	}
	v.threads[at.tid] = at.pid
	if e.Phase == "M" {
		return v.metadata(e, at)
	}
	if e.TS == nil || *e.TS < 0 {
		return errors.New("it has no time")
	}
	world := *e.PID / processes
	if *e.TS < v.last[world] {
		return fmt.Errorf("it is at %v, after one at %v", *e.TS, v.last[world])
	}
	v.last[world] = *e.TS
	v.used[at] = true
	if e.Name == "" && e.Phase != "E" {
		return errors.New("it has no name")
	}
	switch e.Phase {
	case "B", "X", "E":
		return v.slice(e, at)
	case "C":
		for _, n := range e.Args {
			if _, ok := n.(float64); !ok {
				return errors.New("a counter that is no number")
			}
		}
		if len(e.Args) == 0 {
			return errors.New("a counter without a number")
		}
	case "b", "e":
		return v.span(e)
	case "s", "t", "f":
		return v.flow(e, at)
	case "i":
		if e.Scope != "t" && e.Scope != "p" && e.Scope != "g" {
			return errors.New("an instant that does not say of what it is one")
		}
	default:
		return errors.New("the format knows no such phase")
	}
	return nil
}

// never is when a slice ends whose end an event will say.
const never = math.MaxInt64

// nanoseconds are what Perfetto makes of microseconds.
func nanoseconds(t float64) int64 { return int64(math.Round(t * 1000)) }

// open lists the slices that are open on a track at a time, in nanoseconds.
func (v *validator) open(at place, ts int64) []int64 {
	list := v.slices[at]
	for len(list) > 0 && list[len(list)-1] <= ts {
		list = list[:len(list)-1]
	}
	return list
}

// slice checks that the slices of a track nest.
func (v *validator) slice(e *chromeEvent, at place) error {
	list, end := v.open(at, nanoseconds(*e.TS)), int64(never)
	switch {
	case e.Phase == "E" && len(list) == 0:
		return errors.New("it ends what has not begun")
	case e.Phase == "E" && list[len(list)-1] != never:
		return errors.New("it ends what has a slice in it that goes on")
	case e.Phase == "E":
		v.slices[at] = list[:len(list)-1]
		return nil
	case e.Phase == "X" && (e.Dur == nil || nanoseconds(*e.Dur) <= 0):
		return errors.New("it has no duration")
	case e.Phase == "X":
		end = nanoseconds(*e.TS) + nanoseconds(*e.Dur)
	}
	if len(list) > 0 && end > list[len(list)-1] {
		return errors.New("it goes on behind the slice around it")
	}
	if len(list) == deepest {
		return errors.New("there are too many slices around it")
	}
	v.slices[at] = append(list, end)
	return nil
}

func (v *validator) metadata(e *chromeEvent, at place) error {
	switch e.Name {
	case "process_name", "thread_name":
		if name, ok := e.Args["name"].(string); !ok || name == "" {
			return errors.New("it names nothing")
		}
		v.named[fmt.Sprint(e.Name, at.pid, " ", at.tid)] = true
	case "process_sort_index", "thread_sort_index":
		if _, ok := e.Args["sort_index"].(float64); !ok {
			return errors.New("it is no number")
		}
	default:
		return errors.New("the format knows no such metadata")
	}
	return nil
}

func (e *chromeEvent) identity() (identity, error) {
	if e.Cat == "" || len(e.ID) == 0 {
		return identity{}, errors.New("it has no category or no id")
	}
	if _, err := strconv.ParseInt(string(e.ID), 10, 64); err != nil {
		return identity{}, errors.New("its id is not a whole number")
	}
	return identity{e.Cat, string(e.ID)}, nil
}

// span checks the spans of one id, which nest.
func (v *validator) span(e *chromeEvent) error {
	id, err := e.identity()
	if err != nil {
		return err
	}
	open := v.spans[id]
	if e.Phase == "b" {
		v.spans[id] = append(open, e.Name)
		return nil
	}
	if len(open) == 0 || open[len(open)-1] != e.Name {
		return fmt.Errorf("it ends a span that is not the innermost of %v", open)
	}
	if v.spans[id] = open[:len(open)-1]; len(open) == 1 {
		delete(v.spans, id)
	}
	return nil
}

// flow checks that an arrow begins once, ends once, and always in a slice.
func (v *validator) flow(e *chromeEvent, at place) error {
	id, err := e.identity()
	if err != nil {
		return err
	}
	if len(v.open(at, nanoseconds(*e.TS))) == 0 {
		return errors.New("it hangs in the air: no slice is open there")
	}
	before := v.flows[id]
	switch {
	case e.Phase == "s" && before != nil:
		return errors.New("it begins a second time")
	case e.Phase != "s" && (before == nil || before.ended):
		return errors.New("it goes on where it has not begun, or has ended")
	case e.Phase != "s" && before.name != e.Name:
		return fmt.Errorf("it has begun as %q", before.name)
	case e.Phase == "f" && e.BP != "e":
		return errors.New("it does not say that it ends in the slice around it")
	}
	v.flows[id] = &flow{e.Name, e.Phase == "f"}
	return nil
}

func (v *validator) end() error {
	for at := range v.slices {
		if n := len(v.open(at, never-1)); n != 0 {
			return fmt.Errorf("%d slices of process %d, thread %d do not end", n, at.pid, at.tid)
		}
	}
	for id, names := range v.spans {
		return fmt.Errorf("span %s %s does not end: %v", id.cat, id.id, names)
	}
	for id, f := range v.flows {
		if !f.ended {
			return fmt.Errorf("flow %s %s does not end", id.cat, id.id)
		}
	}
	for at := range v.used {
		if pid := v.threads[at.tid]; v.named[fmt.Sprint("process_name", at.tid, " ", 0)] && pid != at.tid {
			return fmt.Errorf("thread %d of process %d has the number of a process, whose main thread it would be", at.tid, pid)
		}
		if !v.named[fmt.Sprint("process_name", at.pid, " ", 0)] {
			return fmt.Errorf("process %d has no name", at.pid)
		}
		if at.tid != 0 && !v.named[fmt.Sprint("thread_name", at.pid, " ", at.tid)] {
			return fmt.Errorf("thread %d of process %d has no name", at.tid, at.pid)
		}
	}
	return nil
}

package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// This file checks a trace against the rules of the trace-event format. It knows
// nothing of how one is drawn: only what a reader of the format relies on.

// A chromeEvent is an event as a reader of the format sees it.
type chromeEvent struct {
	Phase string         `json:"ph"`
	PID   *int           `json:"pid"`
	TID   *int           `json:"tid"`
	TS    *float64       `json:"ts"`
	Name  string         `json:"name"`
	Cat   string         `json:"cat"`
	ID    *json.Number   `json:"id"`
	BP    string         `json:"bp"`
	Args  map[string]any `json:"args"`
}

// Validate reports the first thing in a trace that the trace-event format does
// not allow, or that a reader would have to guess about: events out of order,
// slices that do not nest, spans without an end, flows that end nowhere or hang in
// the air, tracks without a name, counters without a number.
func Validate(in io.Reader) error {
	var file struct {
		Events []chromeEvent `json:"traceEvents"`
	}
	d := json.NewDecoder(in)
	if err := d.Decode(&file); err != nil {
		return fmt.Errorf("the trace is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the trace")
	}
	if len(file.Events) == 0 {
		return errors.New("the trace has no events")
	}
	v := validator{slices: make(map[place]int), named: make(map[string]bool), used: make(map[place]bool),
		spans: make(map[identity][]string), flows: make(map[identity]int), last: make(map[int]float64)}
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
	last   map[int]float64 // by the World's processes: when the last event was
	slices map[place]int   // open
	used   map[place]bool
	named  map[string]bool
	spans  map[identity][]string // the names of those that are open
	flows  map[identity]int      // 1: begun, 2: ended
}

func (v *validator) event(e *chromeEvent) error {
	if e.PID == nil || e.TID == nil {
		return errors.New("it has no pid or no tid")
	}
	at := place{*e.PID, *e.TID}
	if e.Phase == "M" {
		return v.metadata(e, at)
	}
	if e.TS == nil || *e.TS < 0 || math.IsInf(*e.TS, 0) {
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
	case "B":
		v.slices[at]++
	case "E":
		if v.slices[at]--; v.slices[at] < 0 {
			return errors.New("it ends what has not begun")
		}
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
	default:
		return errors.New("the format knows no such phase")
	}
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
	if e.Cat == "" || e.ID == nil {
		return identity{}, errors.New("it has no category or no id")
	}
	return identity{e.Cat, e.ID.String()}, nil
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
	if v.slices[at] == 0 {
		return errors.New("it hangs in the air: no slice is open there")
	}
	before := v.flows[id]
	switch {
	case e.Phase == "s" && before != 0:
		return errors.New("it begins a second time")
	case e.Phase != "s" && before != 1:
		return errors.New("it goes on where it has not begun, or has ended")
	case e.Phase == "f" && e.BP != "e":
		return errors.New("it does not say that it ends in the slice around it")
	}
	v.flows[id] = 1
	if e.Phase == "f" {
		v.flows[id] = 2
	}
	return nil
}

func (v *validator) end() error {
	for at, n := range v.slices {
		if n != 0 {
			return fmt.Errorf("%d slices of process %d, thread %d do not end", n, at.pid, at.tid)
		}
	}
	for id, names := range v.spans {
		return fmt.Errorf("span %s %s does not end: %v", id.cat, id.id, names)
	}
	for id, state := range v.flows {
		if state != 2 {
			return fmt.Errorf("flow %s %s does not end", id.cat, id.id)
		}
	}
	for at := range v.used {
		if !v.named[fmt.Sprint("process_name", at.pid, " ", 0)] {
			return fmt.Errorf("process %d has no name", at.pid)
		}
		if at.tid != 0 && !v.named[fmt.Sprint("thread_name", at.pid, " ", at.tid)] {
			return fmt.Errorf("thread %d of process %d has no name", at.tid, at.pid)
		}
	}
	return nil
}

package trace

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the timeline for a terminal: a line a hop, a lane for each thing
// that can do something, the hardware and the highest IRQL at the left.
//
//	         hardware
//	         │ cpu0 DIRQL 5
//	         │ │ cpu0 DISPATCH
//	         │ │ │ UI thread
//	1.950µs  · · ● ┃  irp#1    the driver writes the buffer's address to the registers of disk …
//	            ⋮ 82.467µs in which no CPU does anything
//	84.617µs ● · · ·           disk asserts its interrupt line

// TimelineOptions say how a timeline is written.
type TimelineOptions struct {
	Width int  // columns; 0: 100
	Lines int  // at most so many lines of hops, then what is left is counted; 0: 400
	Color bool // with ANSI sequences
}

// A lane is a column of the timeline.
type lane struct {
	name string
	rank int // its place: hardware, then levels from the highest, then threads
	busy bool
	stop bool // blocked
}

type timeline struct {
	TimelineOptions
	out    *bufio.Writer
	lanes  []*lane
	byName map[string]*lane
	last   time.Duration
	begun  bool
}

// Timeline writes what r has kept as lanes of text.
func Timeline(out io.Writer, r *Recorder, o TimelineOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	if o.Lines == 0 {
		o.Lines = 400
	}
	t := &timeline{TimelineOptions: o, out: bufio.NewWriter(out), byName: make(map[string]*lane)}
	records, dropped := r.kept()
	var shown []*record
	left := 0
	for i := range records {
		x := &records[i]
		switch {
		case x.machine == 0 && (x.hop.Kind == kernel.HopDecision || x.hop.Kind == kernel.HopNone), x.event == async.MachineEnded && x.machine != 0:
		case len(shown) == o.Lines:
			left++
		default:
			shown = append(shown, x)
		}
	}
	t.layOut(shown)
	t.heading()
	if dropped > 0 {
		fmt.Fprintf(t.out, "%12s  (%d before these are not kept)\n", "⋮", dropped)
	}
	for _, x := range shown {
		t.line(x)
	}
	if left > 0 {
		fmt.Fprintf(t.out, "%12s  and %d more, until %v\n", "⋮", left, r.last())
	}
	return t.out.Flush()
}

// laneOf names the lane of a record, and ranks it.
func laneOf(h *kernel.Hop) (name string, rank int) {
	switch {
	case h.CPU < 0:
		return "hardware", 0
	case h.IRQL > kernel.PassiveLevel || h.Thread == "":
		return fmt.Sprintf("cpu%d %v", h.CPU, h.IRQL), 100 + 100*h.CPU - int(h.IRQL)
	}
	return h.Thread, 1 << 20
}

// layOut finds the lanes that there are.
func (t *timeline) layOut(records []*record) {
	for _, x := range records {
		name, rank := laneOf(&x.hop)
		if t.byName[name] != nil {
			continue
		}
		l := &lane{name: name, rank: rank}
		t.byName[name] = l
		i := len(t.lanes)
		for i > 0 && (t.lanes[i-1].rank > rank || t.lanes[i-1].rank == rank && t.lanes[i-1].name > name) {
			i--
		}
		t.lanes = slices.Insert(t.lanes, i, l)
	}
}

const timeWidth = 12

// heading writes the lanes' names, each above its lane.
func (t *timeline) heading() {
	for i, l := range t.lanes {
		fmt.Fprintf(t.out, "%*s  ", timeWidth, "")
		for _, before := range t.lanes[:i] {
			t.out.WriteString(t.paint(before, "│") + " ")
		}
		t.out.WriteString(t.paint(l, l.name) + "\n")
	}
}

// line writes a hop.
func (t *timeline) line(x *record) {
	now := time.Duration(x.hop.Time)
	if gap := now - t.last; t.begun && gap >= 5*time.Microsecond && x.hop.CPU < 0 {
		fmt.Fprintf(t.out, "%*s  %v in which no CPU does anything\n", timeWidth, "⋮", gap)
	}
	shown := ""
	if !t.begun || now != t.last {
		shown = x.hop.Time.String()
	}
	t.begun, t.last = true, now
	name, _ := laneOf(&x.hop)
	here := t.byName[name]
	fmt.Fprintf(t.out, "%s  ", right(shown, timeWidth))
	for _, l := range t.lanes {
		mark := "·"
		switch {
		case l == here:
			mark = "●"
		case l.stop:
			mark = "×"
		case l.busy:
			mark = "┃"
		}
		t.out.WriteString(t.paint(l, mark) + " ")
	}
	t.out.WriteString(" " + cut(says(x), t.Width-timeWidth-3-2*len(t.lanes)) + "\n")
	here.after(x)
}

// after keeps what a thread is doing when a hop on it is over.
func (l *lane) after(x *record) {
	if x.machine != 0 {
		return
	}
	switch x.hop.Kind {
	case kernel.HopMessage, kernel.HopThreadBorrowed, kernel.HopResumed, kernel.HopWork:
		l.busy = true
	case kernel.HopMessageLoop, kernel.HopThreadReturned:
		l.busy = false
	case kernel.HopThreadBlocked:
		l.stop = true
	case kernel.HopThreadUnblocked:
		l.stop = false
	}
}

// says is what happens, in words.
func says(x *record) string {
	if x.machine != 0 {
		switch x.event {
		case async.MachineResumed:
			return fmt.Sprintf("» %s goes on at %s", x.name, x.pos)
		case async.MachineBegan:
			return fmt.Sprintf("» %s leaves the stack, to wait at %s for %s", x.name, x.pos, x.awaits)
		}
		return fmt.Sprintf("» %s waits at %s for %s", x.name, x.pos, x.awaits)
	}
	if x.hop.IRP != 0 {
		return fmt.Sprintf("irp#%d: %s", x.hop.IRP, x.hop.Sentence())
	}
	return x.hop.Sentence()
}

// cut cuts a text to a width.
func cut(s string, width int) string {
	if width = max(width, 10); utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// paint colours a text as its lane's.
func (t *timeline) paint(l *lane, s string) string {
	if !t.Color {
		return s
	}
	code := 32 // threads: green
	switch {
	case l.name == "hardware":
		code = 31
	case l.rank == 1<<20:
	case strings.HasSuffix(l.name, "DISPATCH"):
		code = 34
	case strings.HasSuffix(l.name, "APC"):
		code = 35
	default:
		code = 33
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", code, s)
}

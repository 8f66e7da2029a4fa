package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nothread/nothread/runtime/trace"
)

// A Report is what one run of this command found.
type Report struct {
	Date    string `json:"date"`
	Machine string `json:"machine"`
	Go      string `json:"go"`
	Quick   bool   `json:"quick,omitempty"` // too little was measured for the times to mean anything
	Rows    []Row  `json:"rows"`
}

// A Row compares one thing of ours with one peer's.
type Row struct {
	Section string  `json:"section"`
	What    string  `json:"what"`
	Ours    Figure  `json:"ours"`
	Peer    string  `json:"peer,omitempty"`
	Theirs  *Figure `json:"theirs,omitempty"` // nil: not to be had here; Note says why
	Ratio   float64 `json:"ratio,omitempty"`  // ours to theirs: below 1 is better than the peer
	Goals   []Goal  `json:"goals,omitempty"`
	Note    string  `json:"note,omitempty"`
}

// A Figure is a measured value.
type Figure struct {
	Value  float64  `json:"value"`
	Unit   string   `json:"unit"`
	Allocs *float64 `json:"allocs,omitempty"` // for each operation, where that was counted
	Bytes  *float64 `json:"bytes,omitempty"`
	Quoted bool     `json:"quoted,omitempty"` // not measured in this run
}

// A Goal is what a row is to show.
type Goal struct {
	Text string `json:"text"`
	Met  bool   `json:"met"`
}

// cost is a Figure of an operation.
func cost(c Cost) Figure {
	return Figure{Value: c.Nanoseconds, Unit: "ns", Allocs: &c.Allocs, Bytes: &c.Bytes}
}

// figure is one without allocations.
func figure(value float64, unit string) Figure { return Figure{Value: value, Unit: unit} }

// quoted is a figure of another day.
func quoted(value float64, unit string) *Figure {
	return &Figure{Value: value, Unit: unit, Quoted: true}
}

// A demand makes a Goal of a row that has its figures.
type demand func(r *Row) Goal

// ratioAtMost demands that ours be at most so many times the peer's.
func ratioAtMost(limit float64) demand {
	return func(r *Row) Goal {
		text := fmt.Sprintf("≤ %.4g ×", limit)
		if limit < 0.3 && limit > 0 {
			text = fmt.Sprintf("≤ 1/%.4g ×", 1/limit)
		}
		return Goal{text, r.Ratio > 0 && r.Ratio <= limit}
	}
}

// faster demands less than the peer's.
func faster(r *Row) Goal { return Goal{"< 1 ×", r.Ratio > 0 && r.Ratio < 1} }

// oursAtMost demands that ours be at most so much, whatever the peer's is.
func oursAtMost(limit float64) demand {
	return func(r *Row) Goal {
		return Goal{"≤ " + amount(limit, r.Ours.Unit), r.Ours.Value <= limit}
	}
}

// oursAtLeast demands at least so much.
func oursAtLeast(limit float64) demand {
	return func(r *Row) Goal {
		return Goal{"≥ " + amount(limit, r.Ours.Unit), r.Ours.Value >= limit}
	}
}

// zero is what counts as no allocation: less than one in a hundred operations,
// which is what starting the whole job takes.
const zero = 0.01

// noAllocs demands that ours allocate nothing in the steady state.
func noAllocs(r *Row) Goal {
	return Goal{"0 allocs", r.Ours.Allocs != nil && *r.Ours.Allocs < zero}
}

// row makes a Row. Theirs is nil where the peer cannot be had.
func row(what string, ours Figure, peer string, theirs *Figure, demands ...demand) Row {
	r := Row{What: what, Ours: ours, Peer: peer, Theirs: theirs}
	if theirs != nil && theirs.Value > 0 {
		r.Ratio = ours.Value / theirs.Value
	}
	for _, d := range demands {
		r.Goals = append(r.Goals, d(&r))
	}
	return r
}

// because adds a note.
func (r Row) because(format string, args ...any) Row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

// goal is the goals in a word or two.
func (r *Row) goal() (text, met string) {
	if len(r.Goals) == 0 {
		return "", ""
	}
	var texts []string
	met = "yes"
	for _, g := range r.Goals {
		texts = append(texts, g.Text)
		if !g.Met {
			met = "NO"
		}
	}
	return strings.Join(texts, ", "), met
}

// amount is a value as people read it: three digits that count.
func amount(v float64, unit string) string {
	if v == 0 {
		return strings.TrimSpace("0 " + unit)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	if digits < 0 {
		digits = 0
	}
	text := fmt.Sprintf("%.*f", digits, v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	for i := len(text) - 3; i > 0 && !strings.Contains(text, "."); i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return strings.TrimSpace(text + " " + unit)
}

// text is a figure as the table shows it.
func (f *Figure) text() string {
	text := amount(f.Value, f.Unit)
	if f.Quoted {
		text += " (quoted)"
	}
	return text
}

// memory is what a figure allocates.
func (f *Figure) memory() string {
	switch {
	case f.Allocs == nil:
		return ""
	case *f.Allocs < zero:
		return "0"
	}
	return fmt.Sprintf("%s, %s", amount(*f.Allocs, ""), amount(*f.Bytes, "B"))
}

var columns = []string{"what", "ours", "allocs", "peer", "theirs", "ratio", "goal", "met"}

// cells are a row's columns.
func (r *Row) cells() []string {
	theirs, ratio := "–", "–"
	if r.Theirs != nil {
		theirs = r.Theirs.text()
	}
	if r.Ratio > 0 {
		ratio = amount(r.Ratio, "×")
	}
	if r.Peer == "" {
		theirs, ratio = "", ""
	}
	goal, met := r.goal()
	return []string{r.What, r.Ours.text(), r.Ours.memory(), r.Peer, theirs, ratio, goal, met}
}

// print writes the table, as Markdown whose columns also stand under each other.
func (r *Report) print(w io.Writer) {
	rows := [][]string{columns}
	for i := range r.Rows {
		rows = append(rows, r.Rows[i].cells())
	}
	widths := make([]int, len(columns))
	for _, cells := range rows {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprint(w, "| ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+1))
		}
		fmt.Fprintln(w, "|")
	}
	for i, cells := range rows {
		line(cells)
		if i == 0 {
			var rule []string
			for _, width := range widths {
				rule = append(rule, strings.Repeat("-", width))
			}
			line(rule)
		}
	}
	fmt.Fprintln(w)
	for _, row := range r.Rows {
		if row.Note != "" {
			fmt.Fprintf(w, "- %s, %s: %s\n", row.What, row.Peer, row.Note)
		}
	}
	fmt.Fprintf(w, "\n%s, %s, %s\n", r.Date, r.Machine, r.Go)
}

// The lines of a Markdown file between which the table stands.
const (
	tableBegins = "<!-- what make bench prints -->\n"
	tableEnds   = "<!-- end of it -->\n"
)

// update replaces the table in a Markdown file.
func (r *Report) update(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(content), tableBegins)
	_, after, ends := strings.Cut(rest, tableEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the table: %q and %q", path, tableBegins, tableEnds)
	}
	var text strings.Builder
	r.print(&text)
	return replace(path, before+tableBegins+text.String()+tableEnds+after)
}

// replace writes a file whole or not at all: it may be all that an author has.
func replace(path, content string) error {
	f, err := trace.Create(path, 0o666)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(content)); err != nil {
		return err
	}
	return f.Commit()
}

// write puts the report into a file as JSON.
func (r *Report) write(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return replace(path, string(text)+"\n")
}

// newReport says where and when.
func newReport(quick bool) *Report {
	return &Report{
		Date:    time.Now().UTC().Format(time.DateOnly),
		Machine: fmt.Sprintf("%s/%s, %d × %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor()),
		Go:      runtime.Version(),
		Quick:   quick,
	}
}

// processor is the processor's name, as far as the system tells it.
func processor() string {
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor"
	}
	for line := range strings.Lines(string(content)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor"
}

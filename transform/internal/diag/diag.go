// Package diag holds what the compiler has to say to the author of the source:
// positions, codes and messages.
//
// Every stage adds to one [List]; nothing is printed where it is found. At the
// end of a run the list is sorted by file, line and column, stripped of
// repetitions (one file is type-checked in several variants of its package) and
// printed once, in the form that editors and terminals know:
//
//	copystream.go:17:3: the await cannot stand in a defer …
//
// A list that holds an error means that nothing is written and nothing removed.
//
// A code is a short stable word for the kind of a message ("directive",
// "type-error"): tests and tools match it, people read the message.
package diag

import (
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Severity says whether a diagnostic stops the run.
type Severity int

const (
	Error   Severity = iota // nothing is written
	Warning                 // the run goes on
)

// A Code names the kind of a diagnostic.
type Code string

// The codes, by the stage that finds them.
const (
	// load
	Load       Code = "load"       // the go command could not say what is in a package
	TypeError  Code = "type-error" // the source does not compile
	NotOurs    Code = "not-ours"   // a hand-written file has the output's name
	NoRuntime  Code = "no-runtime" // runtime/async is not among the module's requirements
	Constraint Code = "constraint" // a build constraint cannot be read
	Internal   Code = "internal"   // a stage panicked or its output did not verify

	// check
	Directive   Code = "directive"   // misspelled, misplaced, unknown option
	CannotAsync Code = "cannot-be"   // main, init, no body
	NameTaken   Code = "name-taken"  // the twin's name is in use
	BadAwait    Code = "bad-await"   // an await where none can stand
	Unsupported Code = "unsupported" // not supported yet
	Synchronous Code = "synchronous" // a warning: a call that blocks where an await would suspend
	Dropped     Code = "dropped"     // a warning: a task that nobody takes
	RealTime    Code = "real-time"   // a warning: what happens in a World, but not by its clock

	// budget
	Budget Code = "budget" // a machine costs more than its directive allows
)

// A Diagnostic is one message at one place.
type Diagnostic struct {
	Pos      token.Position // Filename is absolute, or "" for a message about no file
	Severity Severity
	Code     Code
	Message  string // without position; may go on over further lines, indented
}

// A List collects diagnostics. The zero List is empty and ready; it may be
// shared by goroutines.
type List struct {
	Dir string // which file names are written relative to; "" for none

	mu    sync.Mutex
	items []Diagnostic
}

// Add adds d.
func (l *List) Add(d Diagnostic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.items = append(l.items, d)
}

// Errorf adds an error at pos.
func (l *List) Errorf(pos token.Position, code Code, format string, args ...any) {
	l.Add(Diagnostic{Pos: pos, Severity: Error, Code: code, Message: fmt.Sprintf(format, args...)})
}

// Warnf adds a warning at pos.
func (l *List) Warnf(pos token.Position, code Code, format string, args ...any) {
	l.Add(Diagnostic{Pos: pos, Severity: Warning, Code: code, Message: fmt.Sprintf(format, args...)})
}

// HasErrors reports whether the list holds an error.
func (l *List) HasErrors() bool {
	return l.Errors() > 0
}

// Errors counts the errors, repetitions included: compare two counts to learn
// whether a step added any.
func (l *List) Errors() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, d := range l.items {
		if d.Severity == Error {
			n++
		}
	}
	return n
}

// All returns the diagnostics sorted by file, line and column, each once. The
// slice is the caller's.
func (l *List) All() []Diagnostic {
	l.mu.Lock()
	defer l.mu.Unlock()
	sorted := append([]Diagnostic(nil), l.items...)
	sort.SliceStable(sorted, func(i, j int) bool { return less(sorted[i], sorted[j]) })
	all := sorted[:0]
	for i, d := range sorted {
		if i == 0 || !same(d, all[len(all)-1]) {
			all = append(all, d)
		}
	}
	return all
}

// less orders by place, then by message so that a run's output is one and the
// same whichever goroutine added first.
func less(a, b Diagnostic) bool {
	switch {
	case a.Pos.Filename != b.Pos.Filename:
		return a.Pos.Filename < b.Pos.Filename
	case a.Pos.Line != b.Pos.Line:
		return a.Pos.Line < b.Pos.Line
	case a.Pos.Column != b.Pos.Column:
		return a.Pos.Column < b.Pos.Column
	case a.Severity != b.Severity:
		return a.Severity < b.Severity
	}
	return a.Message < b.Message
}

func same(a, b Diagnostic) bool {
	return !less(a, b) && !less(b, a)
}

// Print writes one line per diagnostic to w.
func (l *List) Print(w io.Writer) error {
	for _, d := range l.All() {
		if _, err := fmt.Fprintln(w, l.text(d)); err != nil {
			return err
		}
	}
	return nil
}

// text is a diagnostic as printed, without the final newline.
func (l *List) text(d Diagnostic) string {
	text := d.Message
	if d.Severity == Warning {
		text = "warning: " + text
	}
	if d.Pos.Filename != "" {
		text = l.Place(d.Pos) + ": " + text
	}
	return text
}

// Place is a position as printed: the file's name relative to Dir if it lies below
// that. Messages that mention another place than their own write it so.
func (l *List) Place(pos token.Position) string {
	text := Rel(l.Dir, pos.Filename)
	if pos.Line > 0 {
		text += ":" + strconv.Itoa(pos.Line)
		if pos.Column > 0 {
			text += ":" + strconv.Itoa(pos.Column)
		}
	}
	return text
}

// Rel is path relative to dir when it lies below dir, else path unchanged.
func Rel(dir, path string) string {
	if dir == "" || !filepath.IsAbs(path) {
		return path
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return path
	}
	return rel
}

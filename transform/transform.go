// Package transform compiles functions marked //nothread:async into state
// machines: Go source in, Go source out. This package is the façade; what it
// does stands in one table, in stages.go:
//
//	recall → load → check → plan → lower → emit → prove → budget → write
//
// Generate runs all stages and returns the generated files as values, compared
// with the disk but not written. The caller decides: [Result.Write] writes,
// [Result.Diff] shows. Where a diagnostic is an error, there is nothing to
// write.
//
// The same sources give the same bytes, from any working directory, in any
// order of patterns: packages are processed in parallel, but each on its own,
// and the results are put in order by path.
package transform

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
	"github.com/nothread/nothread/transform/internal/replace"
	"github.com/nothread/nothread/transform/internal/write"
)

// ErrNoPackages is wrapped by Generate's error if the patterns match nothing.
var ErrNoPackages = load.ErrNoPackages

// A Config says what to generate.
type Config struct {
	Dir        string   // where patterns are relative to; "" is the working directory
	Patterns   []string // as the go command takes them; none means "."
	Env        []string // of the go command; nil is the current environment
	BuildFlags []string // of the go command, such as -tags=x

	// Cache is a folder in which runs remember packages that have nothing left to
	// do, so that Generate can leave these out; "" for none: then all are looked
	// at. Package cache says when one is left out.
	Cache string

	// Lines has the machines' code bear //line directives, so that debuggers and
	// panics show the sources in its place.
	Lines bool

	// Dump asks for the intermediate representation of one function, "Func" or
	// "Type.Method", after the stages that work on it, plan and lower, or after
	// one: "Func:stage". The text goes to DumpTo.
	Dump   string
	DumpTo io.Writer // nil is standard error
}

// A State is how a generated file compares with the disk.
type State string

const (
	Unchanged State = "unchanged"
	Missing   State = "missing"
	Stale     State = "stale"
	Orphaned  State = "orphaned" // no annotated source asks for it
)

// A File is an output.
type File struct {
	Path    string // absolute
	Source  string // absolute path of the source it comes from
	Content []byte // nil for an orphan
	State   State
}

// A Diagnostic is a message for the author of the source.
type Diagnostic struct {
	File         string // absolute, "" if the message is about none
	Line, Column int    // from 1, 0 if unknown
	Code         string // the kind of message, a short stable word
	Message      string
	Warning      bool // else an error
}

// A StageTime is what one stage of a run took.
type StageTime struct {
	Stage string
	Time  time.Duration
}

// A Result is what one run made. It is the caller's.
type Result struct {
	Files       []File       // sorted by path; orphans among them
	Excluded    []string     // annotated sources that the platform or the tags leave out, sorted
	Diagnostics []Diagnostic // sorted by position, each once
	Skipped     []string     // folders of packages that were left out, see Config.Cache; sorted
	Times       []StageTime  // in the order of the stages that ran

	dir      string
	diags    *diag.List
	changes  []write.Change
	remember func()
}

// Generate runs the stages over the packages that cfg names. What is wrong with
// the sources stands in the result's diagnostics; an error means that there was
// nothing to look at or that the machine failed.
func Generate(cfg Config) (*Result, error) {
	r, err := begin(cfg)
	if err != nil {
		return nil, err
	}
	err = r.all(stages)
	if r.partial && (err != nil || r.diags.HasErrors()) {
		cfg.Cache = "" // what is wrong is to be said of all packages
		return Generate(cfg)
	}
	if err != nil {
		return nil, err
	}
	return r.result(), nil
}

// begin makes a run that knows its folder.
func begin(cfg Config) (*run, error) {
	if cfg.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		cfg.Dir = dir
	}
	return newRun(cfg)
}

// Failed reports whether a diagnostic is an error.
func (r *Result) Failed() bool { return r.diags.HasErrors() }

// PrintDiagnostics writes the diagnostics to w, one line each, file names
// relative to the run's folder where they lie below it.
func (r *Result) PrintDiagnostics(w io.Writer) error { return r.diags.Print(w) }

// Changed lists the files that Write would create, replace or remove.
func (r *Result) Changed() []File {
	var list []File
	for _, file := range r.Files {
		if file.State != Unchanged {
			list = append(list, file)
		}
	}
	return list
}

// Diff is what Write would do, as a unified diff.
func (r *Result) Diff() string {
	var b strings.Builder
	for i := range r.changes {
		b.WriteString(r.changes[i].Diff(r.dir))
	}
	return b.String()
}

// WriteFile writes a file that a user has asked for, whole or not at all. What a
// symbolic link leads to is replaced, and keeps its permissions.
func WriteFile(path string, content []byte) error { return replace.WriteFile(path, content) }

// Rel is a path as messages show it: relative to the run's folder if below it.
func (r *Result) Rel(path string) string { return diag.Rel(r.dir, path) }

// Write makes the files on the disk what the result says: all of them or, where
// a reason can be known beforehand, none. It refuses a failed result.
func (r *Result) Write() error {
	if r.Failed() {
		return errors.New("there are errors; nothing is written")
	}
	if err := write.Apply(r.changes); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	r.remember()
	return nil
}

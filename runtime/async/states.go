package async

import "strconv"

// This file is what generated machines know of their sources. It costs them
// nothing until somebody asks: a dump, a trace, a panic.

// States says of each state of a machine where that is in its author's source.
// It is generated, one for each machine, and never changes.
type States struct {
	Func string // as its package names it: F, T.M, or F.go1 for a closure
	File string // the source's base name
	Line int    // where in File the function begins
	Code int    // where in the generated file MoveNext does

	// Lines says where the machine's code comes from: "14:1" that line 14 of its
	// MoveNext, counted from the first, comes from line 1 of File, counted from
	// Line, and so do those that follow; "16-20:4" that these come from 4 to 8.
	Lines string

	At []State // by state; the first is of a machine that has not waited yet; none if it never waits
}

// Pos returns where in the source a machine in that state waits, as "copy.go:12";
// where its function begins if it has not waited yet.
func (s *States) Pos(state int) string {
	return s.File + ":" + strconv.Itoa(s.Line+s.At[state].Line)
}

// A State is a place where a machine waits.
type State struct {
	Line   int    // how many lines after the function's first that is
	Awaits string // what is awaited, as the author wrote it
	Needs  string // the machine's fields that are still needed after, with spaces between
}

// A Machine is what a generated machine is besides a task. Only one that can be
// suspended is.
type Machine interface {
	Continuation
	// States returns the machine's table and the state that it is in, or was in
	// when it was last resumed.
	States() (*States, int)
}

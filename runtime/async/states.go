package async

// This file is what generated machines know of their sources. It costs them
// nothing until somebody asks: a dump, a trace, a panic.

// States says of each state of a machine where that is in its author's source.
// It is generated, one for each machine, and never changes.
type States struct {
	Func string  // as its package names it: F, T.M, or F.go1 for a closure
	File string  // the source's base name
	At   []State // by state; the first is of a machine that has not waited yet
}

// A State is a place where a machine waits.
type State struct {
	Line   int    // of File
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

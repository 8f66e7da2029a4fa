// Package fuzz looks for miscompilations: it makes random annotated functions,
// compiles them, and runs both forms.
//
// # What is generated
//
// Generate makes a program from a seed: a root function, functions and methods
// that it awaits, async closures, globals. It type-checks, terminates, and says
// what it does at every step, by h.Say. Awaits stand anywhere an expression may,
// and what is awaited changes variables that the statement reads: so the order of
// evaluation shows. Some functions are likely to panic in the middle of a
// statement: so what was assigned before shows, and which panic comes first. The
// table of constructs in cover_expr.go is what a long run must have made, and but
// for a few, with an await inside; Coverage counts them by the syntax, not by
// what the generator meant to make.
//
// # What is compared
//
// A World is a module with two packages of the same sources. In ref, the twins
// that sources call are stubs which run sources: the form as it was written, all
// the way down. In gen, they are what the compiler made. Each case runs once in
// ref, and in gen under fourteen schedules: every await suspends, none does, and
// mixed ones, in which an operation completes at once, between IsCompleted and
// OnCompleted, or later, in a random order among several programs. Their machines
// are resumed each apart, or in a row by one executor, or by one completion for all
// of which they take turns, or on a SyncContext. Traces must be equal: what was said,
// results, panics and their values, runtime.Goexit. For half of the seeds Suspending
// makes even awaits of what is complete suspend.
//
// # What becomes of a failure
//
// Reduce cuts the program down while it fails alike. What is left goes to
// testdata/regress, where TestRegress runs it for ever after. TestPlanted sees
// that the fuzzer would find faults: it plants some into the generated text.
//
//	make fuzz FOR=1h SEED=7000     an hour of random programs, and the table
package fuzz

// Package async is the runtime of generated state machines: tasks, the cells
// they refer to, the continuations that completions release, and the contexts
// on which those are resumed. It imports the standard library alone and starts
// no goroutine for anything in flight.
//
// # The cell
//
// A task is not a unit of execution. It is a state cell with a list of
// continuations:
//
//	pending ──OnCompleted(c)──▶ pending, c stored ──complete──▶ done, c released
//	   └─────────────────────complete─────────────────────────▶ done
//
// [Task] is a value: a finished result inline, or a reference to a cell with the
// version token the cell had when the task was handed out. So a call that
// finishes at once allocates nothing, and a cell that is used again cannot be
// mistaken for its former self.
//
// Two things own cells. A [Source] is completed by whoever holds it: a driver's
// completion, a timer, a test. A [Builder] is embedded in a generated machine,
// which completes it by returning: the machine on the heap is the task.
//
// # Machines
//
// A machine starts as a struct on its kickoff function's stack. Its MoveNext
// runs the author's statements up to the first await that has to wait; there the
// struct is copied to the heap, once, and the copy is stored as the continuation
// of what it awaits. A machine that never waits never leaves the stack.
//
// # Who runs
//
// Go has no goroutine-local state, so who runs a continuation is passed, never
// looked up: an [Executor] travels into every MoveNext. MoveNext returns the
// continuation it released, and [Executor.Run] goes on with that one, in a loop:
// a chain of a million tasks, each awaiting the one before, completes in
// constant stack.
//
// # Where it resumes
//
// A machine whose function has a context.Context remembers the [SyncContext]
// that the context carries; it is resumed there, by Post, unless the executor at
// hand is that context's own. A machine without one, or one that awaits
// t.ConfigureAwait(false), resumes wherever the completion ran.
//
// # Panics and Goexit
//
// A panic in a machine is kept with its stack and rises again, with the same
// value, in whoever reads the task's result; so does runtime.Goexit. A loop that
// runs continuations survives both.
package async

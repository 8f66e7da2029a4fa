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
// finishes at once allocates nothing, and a cell that is used again is not mistaken
// for its former self, until it was used 65,536 times more.
//
// Two things own cells. A [Source] is completed by whoever holds it: a driver's
// completion, a timer, a test. A [Builder] is embedded in a generated machine,
// which completes it by returning: the machine on the heap is the task.
//
// # Machines
//
// A machine starts as a struct on its kickoff function's stack. Its MoveNext
// runs the author's statements up to the first await that has to wait; there the
// struct is copied to the heap, and the copy is stored as the continuation of what
// it awaits. A machine that never waits never leaves the stack.
//
// # Who runs
//
// Go has no goroutine-local state, so who runs a continuation is passed, never
// looked up: an [Executor] travels into every MoveNext. MoveNext returns the
// continuation it released, and [Executor.Run] goes on with that one, in a loop,
// first in first out: a chain of a million tasks, each awaiting the one before,
// completes in constant stack, also where each has several continuations.
//
// # Where it resumes
//
// A machine whose function has a context.Context remembers the [SyncContext]
// that the context carries; it is resumed there, by Post, unless the executor at
// hand is that context's own. A machine without one, or one that awaits
// t.ConfigureAwait(false), resumes wherever the completion ran.
//
// # Hosts
//
// A context may also carry a [Host], a simulated World. What is made with such a
// context belongs to it: a blocking Await parks one of its threads, timers are on
// its clock, and its cells need no interlocked instruction, for one goroutine at a
// time knows them. Without a host all of this package is safe for concurrent use.
//
// # Panics and Goexit
//
// A panic in a machine is kept with its stack and rises again, with the same
// value, in whoever reads the task's result; so does runtime.Goexit. The loop that
// runs continuations survives a panic; a Goexit costs it its goroutine, after all
// that was released has run on others. A Goexit before the first suspension, and what
// panics during it, is the caller's, whose goroutine it ends: there is no task yet, and
// a machine, one made of a literal given to Go too, has no goroutine of its own. The
// panic of a continuation that is no machine, and of a Post, is the completer's, after
// everything else has run: the last of them, if there are several.
//
// # Rules
//
// C1 to C46 in comments, messages and the names of tests are the rules of tasks,
// contexts and cancellation, C47 to C51 those of streams, C52 to C56 those of channels,
// read off .NET's sources.
// Where Go's habits differ, it is said where the rule stands: a continuation registered
// too late goes on inline instead of being scheduled (C6, C17); errors are joined by
// errors.Join and found by errors.Is (C31); ConfigureAwait(false) never changes threads
// (C25); SuppressThrowing (C26) is ignoring an error; ambient values are
// context.Context's (C27 to C30), and do not flow to whom another context is passed, which
// is SuppressFlow (C29). A context that has ended stays so: where .NET would set a source
// to another time (C39), or use it again (C41), another context is made.
//
// # Combinators
//
// [WhenAll], [WhenAny], [WhenEach], [Race], [FirstSuccess], [WithTimeout] and [Map]
// take a context first and end with its error when it ends before they do; their
// inputs go on, and only Map, which starts its own, waits for them. The slice of those
// is the caller's again as soon as they return. They read the tasks that they hand
// results of, which counts for tasks from a pool; WhenAny reads none. WhenAll0, Race0
// and the like are for tasks without a value; [Task2.Task] makes one with two fit the
// others. WhenAny and WhenAll0 take any [Operation], also mixed.
//
// All of these know their inputs when they are called. A [Group] takes operations while
// others are in flight, waits for all of them, and with [NewGroup] ends the others when
// one fails.
//
// # Streams
//
// A [Stream] is a sequence whose values are waited for, as a range over a function is one
// whose values are there: `for v, err := range s.Await(ctx)`. [NewStream] makes one of an
// async function that yields. That begins when the first value is asked for, goes on from
// each yield when the next one is, and is not running otherwise: consumer and producer take
// turns, and neither is ahead of the other by more than a value. However the range is left,
// it waits for the producer to end, which sees [ErrLeft] come from its yield and cleans up;
// so nothing of a stream is in flight behind its range. Where several write, or are to
// write ahead, take a Channel.
// [Channel.All] is what comes of a channel, as a stream.
//
// # Channels
//
// A [Channel] hands values from one machine to another, bounded or not, and a
// [Semaphore] lets so many at a time go on: what waits for them is no thread. A Go
// channel or a mutex would block the one that runs the machine.
//
// What Go's select does, WhenAny does: with the tasks of WaitToReadAsync, which take
// nothing, it says which channel to try. With those of reads it has a value at once, but
// those which lose go on, as all inputs do: each stands in line and takes the next value
// of its channel, which is lost if nobody looks. So keep its task and pass it to the next
// WhenAny; or end the context that it was given, which no value is handed to from then
// on, and read the task all the same: it has what it got before that, or else the
// context's error. It is alike with Race, and with WithTimeout, in place of which a
// ContextWithTimeout for the read ends it; and with a turn at a semaphore, which is to be
// released if it was got.
//
// # Pools
//
// A machine or source from a pool costs no allocation in the steady state; its task
// may be awaited once and read once, and a version token tells who does otherwise.
// pool.go says what generated code does for it.
package async

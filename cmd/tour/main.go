// Tour tells how an asynchronous operation comes to pass without a thread, in
// stories that run on the simulated machine:
//
//	tour                                        list the stories
//	tour write            a button click writes to a disk: every hop of it
//	tour copy    SRC DST  CopyStream, from one disk to another
//	tour server  [-n N]   so many requests at once, five async calls deep
//
// and so on, each with [-seed N] [-trace FILE] [-timeline] [-irp N] before its arguments. A story is a file, which begins by saying what to look at. Its
// program is a function marked //nothread:async that stands there; what it is
// compiled to stands beside it. What a story prints is taken from the machine
// while it runs: the hops from its trace, the numbers from its counters. The same
// seed gives the same output, byte for byte; but for what is measured of the
// machine that you sit at, memory and wall time, in cliff and server.
//
// The exit status is 0 if all is well, 1 if the story could not be told to its
// end, 2 if the command cannot be understood.
package main

//go:generate go run ../nothread

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// A story is one of the tour's commands. It tells itself to t; its arguments are
// as many as args names.
type story struct {
	name  string
	args  string // the arguments' names, for the usage
	doc   string
	tell  func(t *teller, args []string) error
	count int // what -n is by default; 0: there is no -n
}

// A chapter is the stories of one text.
type chapter struct {
	text    string
	stories []story
}

// chapters are the stories, in the order in which the texts tell them.
var chapters = []chapter{
	{"There Is No Thread", []story{
		{"write", "", "a button click writes to a disk: every hop, and on which thread it runs", tellWrite, 0},
	}},
	{"It is an orchestration", []story{
		{"tracker", "", "what must outlive a thread: a tracker built by hand, beside the machine", tellTracker, 0},
		{"overlapped", "", "a read by hand: open with the flag, bind, issue, pending, and a callback", tellOverlapped, 0},
		{"twoexits", "", "the method that exits twice: both timelines, and on which threads", tellTwoExits, 0},
		{"process", "FILE", "what a function knew before its await, it still knows after it", tellProcess, 0},
		{"server", "", "ten thousand requests, five async calls deep: the machines and the threads", tellServer, 10000},
		{"cliff", "", "the same job in both forms, 1 to N at once: where each side wins", tellCliff, 1024},
	}},
	{"The architecture of asynchrony", []story{
		{"apm", "", "Begin and End: why a loop was hard, and how stacks were dived into", tellAPM, 0},
		{"eap", "", "events: one thing to do, split over handlers", tellEAP, 0},
		{"breakfast", "", "toast and eggs, synchronous, parallel, asynchronous: the time and the threads", tellBreakfast, 0},
		{"copy", "SRC DST", "CopyStream, from one disk to another, and what it took", tellCopy, 0},
		{"classorstruct", "", "a machine begins on the stack: what goes to the heap, and when", tellClassOrStruct, 0},
		{"deadlock", "", "the UI thread blocks on a task that needs the UI thread; and both ways out", tellDeadlock, 0},
		{"contexts", "", "where a machine goes on, and what flows with it", tellContexts, 0},
		{"valuetask", "", "buffered reads: what is there already costs no object", tellValueTask, 0},
		{"pooling", "", "machines and sources that are used again, and what guards them", tellPooling, 0},
		{"void", "", "an operation that nobody awaits: where its error goes", tellVoid, 0},
		{"wheneach", "", "results in the order in which they come", tellWhenEach, 0},
		{"stream", "", "values that are read when somebody asks, and a loop that is left early", tellStream, 0},
		{"cancel", "", "who is asked to stop, who can, and that each ends once", tellCancel, 0},
	}},
}

// run is main with its surroundings as arguments; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		return list(stdout)
	}
	for _, c := range chapters {
		for _, s := range c.stories {
			if s.name == args[0] {
				return s.run(args[1:], stdout, stderr)
			}
		}
	}
	if strings.HasPrefix(args[0], "-") {
		fmt.Fprintf(stderr, "tour: a story comes first, then %s; tour alone lists them\n", args[0])
		return 2
	}
	fmt.Fprintf(stderr, "tour: there is no story %q; tour alone lists them\n", args[0])
	return 2
}

// list prints the stories.
func list(w io.Writer) int {
	var b strings.Builder
	b.WriteString("There is no thread. Each story runs on a simulated machine and shows that.\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n%s:\n\n", c.text)
		for _, s := range c.stories {
			fmt.Fprintf(&b, "  tour %-16s %s\n", strings.TrimSpace(s.name+" "+s.args), s.doc)
		}
	}
	b.WriteString(`
Between a story's name and its arguments may stand:

  -seed N       another run: the same seed is the same run, byte for byte (default 1)
  -trace FILE   write every hop of the run to FILE, for ui.perfetto.dev if it is called *.json or *.json.gz; - is standard output
  -timeline     show every hop in lanes by thread and IRQL, behind the story
  -irp N        show the way of irp#N, a line for each hop, behind the story
  -n N          how many at once, where the story is about that
`)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return 1
	}
	return 0
}

// run reads the story's flags and arguments and tells it.
func (s *story) run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("tour "+s.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	seed := flags.Uint64("seed", 1, "the `number` that the whole run follows from")
	trace := flags.String("trace", "", "write every hop of the run to a `file`, for Perfetto if it ends in .json or .json.gz; - is standard output")
	timeline := flags.Bool("timeline", false, "show every hop in lanes, behind the story")
	irp := flags.Uint64("irp", 0, "show the way of the IRP of that `number`, hop by hop, behind the story")
	options := " [-seed N] [-trace FILE] [-timeline] [-irp N] "
	count := new(int)
	if s.count > 0 {
		count = flags.Int("n", s.count, "how `many` at once")
		options += "[-n N] "
	}
	usage := strings.TrimSpace("usage: tour " + s.name + options + s.args)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "%s\n\n%s.\n\n", usage, capital(s.doc))
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "tour %s: %s\n%s\n", s.name, oneLine(err), usage)
		return 2
	case s.count > 0 && *count < 1:
		fmt.Fprintf(stderr, "tour %s: -n must be at least 1\n%s\n", s.name, usage)
		return 2
	case flags.NArg() != len(strings.Fields(s.args)):
		fmt.Fprintf(stderr, "tour %s: it takes %d arguments, not %d\n%s\n", s.name, len(strings.Fields(s.args)), flags.NArg(), usage)
		return 2
	}
	t := &teller{seed: *seed, count: *count, out: bufio.NewWriter(stdout)}
	t.recording = recording{path: *trace, timeline: *timeline, irp: *irp, color: isTerminal(stdout)}
	err = t.recording.finish(t.out, s.tell(t, flags.Args()))
	err = errors.Join(err, t.out.Flush())
	if err != nil {
		fmt.Fprintf(stderr, "tour %s: %s\n", s.name, oneLine(err))
		return 1
	}
	return 0
}

// capital is a sentence's beginning.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// oneLine is an error as a line, whatever the names in it.
func oneLine(err error) string {
	return strings.NewReplacer("\n", "; ", "\r", " ").Replace(err.Error())
}

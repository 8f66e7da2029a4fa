// Tour tells how an asynchronous operation comes to pass without a thread, in
// stories that run on the simulated machine:
//
//	tour                                        list the stories
//	tour write   [-seed N] [-trace FILE]          a button click writes to a disk: every hop of it
//	tour process [-seed N] [-trace FILE] FILE     what a function knew before its await, it knows after it
//	tour copy    [-seed N] [-trace FILE] SRC DST  CopyStream, from one disk to another
//
// A story's program is a function marked //nothread:async that stands in the
// story's file; what it is compiled to stands beside it. What a story prints is
// taken from the machine while it runs: the hops from its trace, the numbers
// from its counters. The same seed gives the same output, byte for byte.
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
	name string
	args string // the arguments' names, for the usage
	doc  string
	tell func(t *teller, args []string) error
}

// stories are listed in the order in which the texts tell them.
var stories = []story{
	{"write", "", "a button click writes to a disk: every hop, and on which thread it runs", tellWrite},
	{"process", "FILE", "what a function knew before its await, it still knows after it", tellProcess},
	{"copy", "SRC DST", "CopyStream, from one disk to another, and what it took", tellCopy},
}

// run is main with its surroundings as arguments; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		return list(stdout)
	}
	for _, s := range stories {
		if s.name == args[0] {
			return s.run(args[1:], stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "tour: there is no story %q; tour alone lists them\n", args[0])
	return 2
}

// list prints the stories.
func list(w io.Writer) int {
	var b strings.Builder
	b.WriteString("There is no thread. Each story runs on a simulated machine and shows that:\n\n")
	for _, s := range stories {
		fmt.Fprintf(&b, "  tour %-16s %s\n", strings.TrimSpace(s.name+" "+s.args), s.doc)
	}
	b.WriteString(`
Before the arguments may stand:

  -seed N       another run: the same seed is the same run, byte for byte (default 1)
  -trace FILE   write every hop of the run to FILE; - is standard output
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
	trace := flags.String("trace", "", "write every hop of the run to a `file`; - is standard output")
	usage := strings.TrimSpace("usage: tour " + s.name + " [-seed N] [-trace FILE] " + s.args)
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
	case flags.NArg() != len(strings.Fields(s.args)):
		fmt.Fprintln(stderr, usage)
		return 2
	}
	t := &teller{seed: *seed, tracePath: *trace, out: bufio.NewWriter(stdout)}
	err = s.tell(t, flags.Args())
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

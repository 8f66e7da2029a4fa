// Nothread compiles functions marked //nothread:async into state machines.
//
// Usage:
//
//	nothread [generate] [flags] [packages]   write the async forms beside their sources
//	nothread check [flags] [packages]        say which outputs are stale, missing or orphaned
//	nothread diff [flags] [packages]         show what generate would change
//	nothread explain [flags] [what]          say what was made of functions
//	nothread graph [flags] FUNC              draw a function's states
//	nothread version                         print the version
//
// Packages are named as for the go command; a .go file stands for its package,
// and none means the one in the current folder, so that this is enough in a
// source:
//
//	//go:generate go tool nothread
//
// The exit status is 0 if all is well; 1 if the sources have errors or, for
// check and diff, if something would change; 2 if the command cannot be
// understood or names no packages (for diff also if the sources have errors).
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// A command is one of the tool's.
type command struct {
	name, args, doc string
	failure         int // exit status for sources with errors
	run             func(r *transform.Result, verbose bool, stdout io.Writer) (int, error)
	study           func() study // in place of run: a command that looks into functions
}

var commands = []command{
	{"generate", "[packages]", "write the async forms beside their sources (the default)", 1, generate, nil},
	{"check", "[packages]", "say which outputs are stale, missing or orphaned", 1, check, nil},
	{"diff", "[packages]", "show what generate would change, as a unified diff", 2, diff, nil},
	{"explain", "[FUNC | TYPE.METHOD | FILE.go:LINE | packages]...",
		"say what was made of functions: states, what each saves and why, bytes, allocations", 1, nil, newExplain},
	{"graph", "FUNC | TYPE.METHOD | FILE.go:LINE [packages]",
		"draw a function's states as DOT, Mermaid or SVG", 1, nil, newGraph},
	{"version", "", "print the version", 1, nil, nil},
}

// run is main with its surroundings as arguments; it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "help" {
		return help(args[1:], stdout, stderr)
	}
	cmd, named := commands[0], false
	if i := indexOf(args); i >= 0 {
		cmd, named, args = commands[i], true, args[1:]
	}
	if cmd.run == nil && cmd.study == nil {
		return tellVersion(args, stdout, stderr)
	}
	cache, err := cacheFolder()
	if err != nil {
		fmt.Fprintf(stderr, "nothread: %v\n", err)
		return 2
	}
	cfg := transform.Config{Dump: os.Getenv("NOTHREADDUMP"), DumpTo: stderr}
	var look study
	if cmd.study != nil {
		look = cmd.study()
	}
	verbose, status := parse(&cfg, cmd, look, named, args, stdout, stderr)
	if status >= 0 {
		return status
	}
	if look != nil {
		return look.run(cfg, stdout, stderr)
	}
	if cmd.name == "generate" { // the others trust nobody
		cfg.Cache = cache
	}
	result, err := transform.Generate(cfg)
	if err != nil {
		fmt.Fprintf(stderr, "nothread: %s\n", reason(err, named, cfg.Patterns))
		return 2
	}
	result.PrintDiagnostics(stderr)
	if result.Failed() {
		return cmd.failure
	}
	status, err = cmd.run(result, verbose, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "nothread: %v\n", err)
		return cmd.failure
	}
	if verbose {
		if n := len(result.Skipped); n > 0 {
			packages := "packages"
			if n == 1 {
				packages = "package"
			}
			fmt.Fprintf(stderr, "%d %s left out: nothing to do since an earlier run\n", n, packages)
		}
		for _, t := range result.Times {
			fmt.Fprintf(stderr, "%-6s %v\n", t.Stage, t.Time)
		}
	}
	return status
}

// indexOf returns which command the first argument names, -1 if none.
func indexOf(args []string) int {
	return slices.IndexFunc(commands, func(c command) bool { return len(args) > 0 && c.name == args[0] })
}

// help is "help", and "help COMMAND", which is "COMMAND -h".
func help(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 0:
		usage(stdout)
		return 0
	case len(args) > 1 || indexOf(args) < 0:
		fmt.Fprintf(stderr, "nothread: there is no help on %s; see nothread -h\n", strings.Join(args, " "))
		return 2
	}
	return run([]string{args[0], "-h"}, stdout, stderr)
}

// parse reads flags and patterns into cfg. The status is an exit status if there
// is nothing left to do, else -1.
func parse(cfg *transform.Config, cmd command, look study, named bool, args []string, stdout, stderr io.Writer) (verbose bool, status int) {
	flags := flag.NewFlagSet("nothread "+cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	tags := flags.String("tags", "", "comma-separated `build tags`, as for the go command")
	flags.StringVar(&cfg.Dump, "dump", cfg.Dump, "print the ir of `Func[:stage]` to standard error (also: environment variable NOTHREADDUMP)")
	if look != nil {
		look.flags(flags)
	} else {
		flags.BoolVar(&cfg.Lines, "line", false, "write //line directives: debuggers and panics show the sources in place of the machines")
		flags.BoolVar(&verbose, "v", false, "name the files written, and what each stage took")
	}
	var err error
	for err == nil && len(args) > 0 { // flags may stand among the names
		if err = flags.Parse(args); err == nil && flags.NArg() > 0 {
			cfg.Patterns = append(cfg.Patterns, flags.Arg(0))
			args = flags.Args()[1:]
			continue
		}
		break
	}
	switch {
	case errors.Is(err, flag.ErrHelp) && !named:
		usage(stdout)
		return false, 0
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(stdout, "usage: nothread %s [flags] %s\n\n%s\n\n", cmd.name, cmd.args, cmd.doc)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return false, 0
	case err != nil:
		fmt.Fprintf(stderr, "nothread: %v; see nothread %s -h\n", err, cmd.name)
		return false, 2
	}
	if *tags != "" {
		cfg.BuildFlags = append(cfg.BuildFlags, "-tags="+*tags)
	}
	return verbose, -1
}

func usage(w io.Writer) {
	fmt.Fprint(w, "Nothread compiles functions marked //nothread:async into state machines.\n\nusage: nothread [command] [flags] [packages]\n\n")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.doc)
	}
	fmt.Fprint(w, "\nPackages are named as for the go command; none means the current folder's.\nEach command has -h.\n")
}

// reason is an error in one line. A word that is neither a command nor a
// package was meant as the former; a command behind a flag, as one.
func reason(err error, named bool, patterns []string) string {
	word := regexp.MustCompile(`^[a-z]+$`)
	if errors.Is(err, transform.ErrNoPackages) && !named {
		for _, c := range commands {
			if slices.Contains(patterns, c.name) {
				return fmt.Sprintf("%s is a command, and stands before flags and packages: nothread %s [flags] %s", c.name, c.name, c.args)
			}
		}
		if len(patterns) > 0 && word.MatchString(patterns[0]) {
			return fmt.Sprintf("%q is neither a command nor a package; see nothread -h", patterns[0])
		}
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// cacheFolder is where runs remember what has nothing left to do; "" for nowhere. It is
// not to depend on where the tool runs: go generate does that in each package's folder.
func cacheFolder() (string, error) {
	switch folder := os.Getenv("NOTHREADCACHE"); {
	case folder == "":
	case folder == "off":
		return "", nil
	case !filepath.IsAbs(folder):
		return "", fmt.Errorf("NOTHREADCACHE=%s is no absolute path", folder)
	default:
		return folder, nil
	}
	folder, err := os.UserCacheDir()
	if err != nil {
		return "", nil
	}
	return filepath.Join(folder, "nothread"), nil
}

func generate(r *transform.Result, verbose bool, stdout io.Writer) (int, error) {
	if err := uninterrupted(r.Write); err != nil {
		return 1, err
	}
	for _, file := range r.Changed() {
		if verbose {
			verb := map[transform.State]string{transform.Missing: "wrote", transform.Stale: "rewrote", transform.Orphaned: "removed"}
			fmt.Fprintln(stdout, verb[file.State], r.Rel(file.Path))
		}
	}
	return 0, nil
}

func check(r *transform.Result, _ bool, stdout io.Writer) (int, error) {
	status := 0
	for _, path := range r.Excluded {
		fmt.Fprintf(stdout, "%s: left out on this platform or by the build tags, not checked\n", r.Rel(path))
	}
	for _, file := range r.Changed() {
		status = 1
		fmt.Fprintf(stdout, "%s: %s (source: %s)\n", r.Rel(file.Path), file.State, r.Rel(file.Source))
	}
	return status, nil
}

func diff(r *transform.Result, _ bool, stdout io.Writer) (int, error) {
	text := r.Diff()
	if _, err := io.WriteString(stdout, text); err != nil {
		return 2, err
	}
	if text != "" {
		return 1, nil
	}
	return 0, nil
}

// tellVersion is the command version, which has no flags but -h.
func tellVersion(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("nothread version", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, "usage: nothread version\n\nprint the version\n")
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "nothread: %v; see nothread version -h\n", err)
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "nothread: version has no arguments, and %q is one; see nothread version -h\n", flags.Arg(0))
		return 2
	}
	fmt.Fprintln(stdout, "nothread", version())
	return 0
}

// version is the module's, and the revision for a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	if info.Main.Path == "github.com/nothread/nothread" {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/nothread/nothread" {
			return dep.Version
		}
	}
	return "(unknown)"
}

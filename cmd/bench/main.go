// Bench measures what nothread promises of its cost, each figure beside that of
// a peer which does the same job in the same run: state machines written by hand,
// goroutines and channels, iter.Pull, testing/synctest, C++20 coroutines, Rust's
// async functions, go vet. It prints one table, and writes it as JSON.
//
//	go run ./cmd/bench [-quick] [-json FILE] [-readme FILE] [-only REGEXP]
//
// A figure is the median of several runs, in which the contenders take turns; a
// time is the wall's or that of the processors, whichever is less. A
// ratio is ours to the peer's: below 1 is better than the peer. What is measured
// by the resident set runs in a process of its own.
//
// The figures of coroc (dispatchrun/coroutine v0.9.3), which does not build with
// this Go, are quoted: Go 1.22, durable mode, measured apart.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

// A section measures rows that belong together.
type section struct {
	name string
	rows func(b *bench) ([]Row, error)
}

var sections = []section{
	{"suspend", (*bench).suspend},
	{"nested", (*bench).nested},
	{"complete", (*bench).complete},
	{"stream", (*bench).stream},
	{"create", (*bench).create},
	{"resident", (*bench).resident},
	{"machine", (*bench).machine},
	{"million", (*bench).million},
	{"generate", (*bench).generate},
}

// A bench is one run of this command.
type bench struct {
	effort
	quick bool
	dir   string // for what is built
	cpp   native
	rust  native
}

func main() {
	if child() {
		return
	}
	isQuick := flag.Bool("quick", false, "measure as little as possible: to see that it works")
	path := flag.String("json", "", "write the table to `FILE` as JSON too")
	readme := flag.String("readme", "", "put the table in its place in `FILE`, which is Markdown")
	only := flag.String("only", "", "run the sections whose names match `REGEXP`")
	flag.Parse()
	report, err := measureAll(*isQuick, *only)
	if err == nil {
		report.print(os.Stdout)
		if *path != "" {
			err = report.write(*path)
		}
		if *readme != "" && err == nil {
			err = report.update(*readme)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measureAll runs the sections that a pattern names.
func measureAll(isQuick bool, only string) (*Report, error) {
	pattern, err := regexp.Compile(only)
	if err != nil {
		return nil, err
	}
	b := &bench{effort: full, quick: isQuick}
	if isQuick {
		b.effort = quick
	}
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.dir)
	b.buildNative()
	report := newReport(isQuick)
	for _, s := range sections {
		if !pattern.MatchString(s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s\n", s.name)
		rows, err := s.rows(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		for i := range rows {
			rows[i].Section = s.name
		}
		report.Rows = append(report.Rows, rows...)
	}
	return report, nil
}

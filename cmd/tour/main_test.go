package main

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tour": main})
}

// Each testdata/script/*.txtar tells stories to somebody who reads them closely.
// The commands below help:
//
//	bytes FILE SIZE     make a file of random bytes
//	usage ARG...        run tour, which must not understand: exit status 2, and nothing on standard output
//	told STORY ARG...   tell a story several times: it must be the same each time, in output and trace, on any number of
//	                    processors; another seed tells one, too
//	inorder FILE WANT   each line of WANT is a regexp; they must be found in FILE, each on a line after the one before
//
// With -update, files that a script compares its output with are rewritten; inspect the diff.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		UpdateScripts:       *update,
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each run of a program waits a second for stragglers
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "root" && os.Getuid() == 0 || cond == "race" && raceEnabled, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bytes":   makeBytes,
			"inorder": inOrder,
			"told":    told,
			"usage":   usageError,
		},
	})
}

var update = flag.Bool("update", false, "rewrite what stories are expected to print")

func told(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: told STORY ARG...")
	}
	tell := func(seed string) (page, trace string) {
		ts.Check(ts.Exec("tour", slices.Concat([]string{args[0], "-seed", seed, "-trace", "trace"}, args[1:])...))
		return ts.ReadFile("stdout"), ts.ReadFile("trace")
	}
	ts.Setenv("GOMAXPROCS", "1")
	tell("12345")
	page, trace := tell("1")
	ts.Setenv("GOMAXPROCS", "2")
	samePage, sameTrace := tell("1")
	if page != samePage {
		ts.Fatalf("%s is not the same each time, but\n%s", args[0], cmp.Diff(page, samePage))
	}
	if trace != sameTrace {
		ts.Fatalf("the trace of %s is not the same each time", args[0])
	}
}

func makeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: bytes FILE SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size), byte(size >> 8)}).Read(data)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

func usageError(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("tour", args...)
	var exit *exec.ExitError
	if neg || !errors.As(err, &exit) || exit.ExitCode() != 2 || ts.ReadFile("stdout") != "" {
		ts.Fatalf("tour %q: %v", args, err)
	}
}

func inOrder(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: inorder FILE WANT")
	}
	lines := strings.Split(ts.ReadFile(args[0]), "\n")
	for want := range strings.Lines(ts.ReadFile(args[1])) {
		want = strings.TrimSpace(want)
		re, err := regexp.Compile(want)
		ts.Check(err)
		for len(lines) > 0 && !re.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			ts.Fatalf("%s has no line %q after those before it", args[0], want)
		}
		lines = lines[1:]
	}
}

// full is a place that takes no more bytes.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, os.ErrInvalid }

// A page that cannot be written is an error of the story.
func TestFullPage(t *testing.T) {
	for _, args := range [][]string{nil, {"write"}, {"write", "-trace", "-"}} {
		var stderr bytes.Buffer
		if status := run(args, full{}, &stderr); status != 1 {
			t.Errorf("tour %q: exit status %d, says %q", args, status, &stderr)
		}
	}
}

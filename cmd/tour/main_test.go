package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

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
//	inorder FILE WANT   each line of WANT is a regexp; they must be found in FILE, each on a line after the one before
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition:           func(cond string) (bool, error) { return cond == "root" && os.Getuid() == 0, nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bytes":   makeBytes,
			"inorder": inOrder,
			"usage":   usageError,
		},
	})
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

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nothread": main})
}

// Each testdata/script/*.txtar is a session of a user whose module lies outside
// of this one. $CHECKOUT is this repository; the commands below help:
//
//	module PATH        go.mod for a module that requires nothread, from the checkout
//	stamp FILE...      give files an old modification time
//	untouched FILE...  fail if a file was written since
func TestScript(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command many times")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"module":    module,
			"stamp":     stamp,
			"untouched": untouched,
		},
	})
}

// setup lets the go command of a script use the caches of this machine.
func setup(env *testscript.Env) error {
	checkout, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	env.Setenv("CHECKOUT", checkout)
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN").Output()
	if err != nil {
		return err
	}
	values := strings.Split(string(out), "\n")
	for i, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GOTOOLCHAIN"} {
		env.Setenv(name, strings.TrimSpace(values[i]))
	}
	env.Setenv("GOFLAGS", "-mod=mod")
	env.Setenv("GOWORK", "off")
	return nil
}

func module(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: module PATH")
	}
	checkout := ts.Getenv("CHECKOUT")
	ts.Check(os.WriteFile(ts.MkAbs("go.mod"), []byte("module "+args[0]+`

go 1.26

require github.com/nothread/nothread v0.0.0

replace github.com/nothread/nothread => `+checkout+"\n"), 0o666))
	sums, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("go.sum"), sums, 0o666))
}

var stampTime = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

func stamp(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Check(os.Chtimes(ts.MkAbs(name), stampTime, stampTime))
	}
}

func untouched(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		if touched := !info.ModTime().Equal(stampTime); touched != neg {
			ts.Fatalf("%s: modified %v", name, info.ModTime())
		}
	}
}

package main

import (
	"bufio"
	"io"
	"os"
	"testing"
)

// These tests hold the numbers of stories that are another at each run: not what
// they are, but which is the greater.

// silent is a teller whose page nobody reads.
func silent() *teller { return &teller{seed: 1, out: bufio.NewWriter(io.Discard)} }

// TestThreadsCostMoreThanMachines: an operation in flight needs at least twice as
// much memory if a thread waits for it.
func TestThreadsCostMoreThanMachines(t *testing.T) {
	tell := silent()
	sync, err := tell.bill(200, onThread)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := tell.bill(200, JobAsync)
	if err != nil {
		t.Fatal(err)
	}
	if sync.memory < 2*machine.memory || machine.memory < 1 {
		t.Errorf("bytes for each operation: %d with threads, %d with machines", sync.memory, machine.memory)
	}
	if sync.blocked != 200 || machine.blocked != 0 {
		t.Errorf("threads blocked at once: %d, and %d with machines", sync.blocked, machine.blocked)
	}
	if sync.virtual <= machine.virtual {
		t.Errorf("the machine's time: %v with threads, %v with machines", sync.virtual, machine.virtual)
	}
}

// TestWhenEachIsLinear: what WhenEach costs for each task does not grow with
// their number, what WhenAny in a loop costs does.
func TestWhenEachIsLinear(t *testing.T) {
	tell := silent()
	if err := tell.start(nothing); err != nil {
		t.Fatal(err)
	}
	grows := func(l loop) bool { return tell.bytesPerTask(l, 256) > 2*tell.bytesPerTask(l, 64) }
	for _, l := range loops {
		if got, want := grows(l), l.name == "WhenAny, in a loop"; got != want {
			t.Errorf("%s: grows with the number of tasks: %v", l.name, got)
		}
	}
}

// TestEveryStoryIsScripted: each story has a script that tells it.
func TestEveryStoryIsScripted(t *testing.T) {
	for _, c := range chapters {
		for _, s := range c.stories {
			if !exists("testdata/script/" + s.name + ".txtar") {
				t.Errorf("%s has no script", s.name)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

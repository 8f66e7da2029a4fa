package main

import (
	"errors"
	"os"
	"os/signal"
	"runtime"
	"testing"
	"time"
)

// What is being written is written to its end, though somebody presses Ctrl-C.
func TestInterruptWaits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no process can interrupt itself there")
	}
	if signal.Ignored(os.Interrupt) {
		t.Skip("nobody can interrupt what runs in the background")
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	written := false
	err = uninterrupted(func() error {
		if err := self.Signal(os.Interrupt); err != nil {
			return err
		}
		time.Sleep(50 * time.Millisecond) // it kills at once what does not wait for it
		written = true
		return nil
	})
	if !errors.Is(err, errInterrupted) || !written {
		t.Errorf("%v, written: %v", err, written)
	}
	failure := errors.New("failure")
	if err := uninterrupted(func() error { return failure }); err != failure {
		t.Errorf("%v, want what writing returns", err)
	}
}

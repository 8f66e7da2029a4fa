package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// errInterrupted says that the user wanted an end, and got it too late to matter.
var errInterrupted = errors.New("interrupted, once all was written")

// uninterrupted calls write, and lets a Ctrl-C wait for its end: that takes
// milliseconds, and half of it would be some of the files, and what others were to
// be made from.
func uninterrupted(write func() error) error {
	if signal.Ignored(os.Interrupt) { // as in the background of a shell: it stays so
		return write()
	}
	came := make(chan os.Signal, 1)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	err := write()
	signal.Stop(came) // whatever came is in the channel by now
	if err == nil && len(came) > 0 {
		return errInterrupted
	}
	return err
}

package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/nothread/nothread/runtime/sim"
	"github.com/nothread/nothread/runtime/trace"
)

// This file is what -trace and -timeline make of a story: a file, which is
// written whole or not at all, and lanes behind the story.

// A recording is what is kept of a story's Worlds, to be shown at its end.
type recording struct {
	path      string // of -trace; "": none, "-": to the page
	timeline  bool
	irp       uint64 // of -irp; 0: none
	color     bool
	file      *trace.File // the trace in the making
	device    io.Writer   // instead, if the path is no regular file's
	recorders []*trace.Recorder
	explained bool // a World has had that IRP
	broken    bool // a World could not write its part
}

// inChrome reports whether the trace is written in Chrome's format, compressed or
// not.
func (r *recording) inChrome() bool {
	return filepath.Ext(strings.TrimSuffix(r.path, ".gz")) == ".json"
}

// options are what a World needs to be recorded; page is where a trace on - goes.
func (r *recording) options(page io.Writer) ([]sim.Option, error) {
	var options []sim.Option
	if r.timeline || r.irp != 0 || r.inChrome() {
		recorder := trace.NewRecorder(0)
		r.recorders = append(r.recorders, recorder)
		options = append(options, sim.WithRecorder(recorder))
	}
	switch {
	case r.path == "":
		return options, nil
	case r.path == "-":
		return append(options, sim.WithTrace(page)), nil
	}
	if r.file == nil && r.device == nil {
		if err := r.create(); err != nil {
			return nil, r.cannot(err)
		}
	}
	if !r.inChrome() {
		options = append(options, sim.WithTrace(r.out()))
	}
	return options, nil
}

func (r *recording) out() io.Writer {
	if r.device != nil {
		return r.device
	}
	return r.file
}

// create begins the file. What stands at its path stays until it is complete.
func (r *recording) create() error {
	if info, err := os.Stat(r.path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
		if err == nil {
			r.device = f
		}
		return err
	}
	var err error
	r.file, err = createTarget(r.path, nil)
	return err
}

// explain writes the way of one IRP, in each World that has it.
func (r *recording) explain(page io.Writer) error {
	var failed error
	for i, recorder := range r.recorders {
		var text strings.Builder
		if err := trace.Explain(&text, recorder, r.irp); err != nil {
			failed = err // the last World's
			continue
		}
		in := ""
		if len(r.recorders) > 1 {
			in = fmt.Sprintf(" in World %d", i+1)
		}
		fmt.Fprintf(page, "\nThe way of an IRP%s:\n\n%s", in, &text)
		r.explained = true
	}
	if r.explained {
		return nil
	}
	return failed
}

// finish writes what is kept, and puts the file in its place if the trace is
// complete: err is the story's.
func (r *recording) finish(page io.Writer, err error) error {
	if r.irp != 0 {
		err = errors.Join(err, r.explain(page))
	}
	if r.timeline {
		for i, recorder := range r.recorders {
			fmt.Fprintf(page, "\nThe timeline")
			if len(r.recorders) > 1 {
				fmt.Fprintf(page, " of World %d", i+1)
			}
			fmt.Fprintf(page, ": every hop, in the lane of what does it.\n\n")
			err = errors.Join(err, trace.Timeline(page, recorder, trace.TimelineOptions{Color: r.color}))
		}
	}
	if r.file == nil && r.device == nil {
		return err
	}
	var failed error
	switch {
	case r.inChrome() && filepath.Ext(r.path) == ".gz":
		z := gzip.NewWriter(r.out())
		failed = errors.Join(trace.Write(z, r.recorders...), z.Close())
	case r.inChrome():
		failed = trace.Write(r.out(), r.recorders...)
	}
	if f, ok := r.device.(*os.File); ok {
		failed = errors.Join(failed, f.Close())
	}
	if r.file != nil {
		defer r.file.Discard()
		if failed == nil && !r.broken {
			failed = r.file.Commit()
		}
	}
	if failed != nil {
		err = errors.Join(err, r.cannot(failed))
	}
	return err
}

func (r *recording) cannot(err error) error { return cannotWrite("the trace to "+r.path, err) }

// isTerminal reports whether colours can be seen there, and are wanted.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

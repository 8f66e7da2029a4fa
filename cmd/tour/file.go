package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nothread/nothread/runtime/trace"
)

// This file is about the real files that back simulated disks: what may be one,
// and how a target is written whole or not at all.

// openSource opens a file to be read.
func openSource(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, bare(err))
	}
	if err := regular(path, info); err != nil {
		return nil, fmt.Errorf("cannot read %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, bare(err))
	}
	return f, nil
}

// regular refuses what has no bytes of its own.
func regular(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s: it is a folder", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: it is not a regular file", path)
	}
	return nil
}

// createTarget begins a file beside the one that it replaces when it is committed, with
// that one's mode, else with that of the source, if there is one.
func createTarget(path string, source *os.File) (*trace.File, error) {
	mode, err := replaceable(path, source)
	if err != nil {
		return nil, err
	}
	return trace.Create(path, mode)
}

// replaceable refuses the source itself, and what must not be written to, which
// replacing it would not ask for. It returns the mode of a new file.
func replaceable(path string, source *os.File) (mode fs.FileMode, err error) {
	mode = 0o666
	old, err := os.Stat(path)
	if source != nil {
		from, err := source.Stat()
		if err != nil {
			return 0, err
		}
		if old != nil && os.SameFile(old, from) {
			return 0, errors.New("it is the source itself")
		}
		mode = from.Mode().Perm()
	}
	if err != nil || !old.Mode().IsRegular() {
		return mode, nil // whatever is wrong with it, Create says it
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	return mode, f.Close()
}

// cannotWrite says what could not be written, and why, once.
func cannotWrite(what string, err error) error {
	return fmt.Errorf("cannot write %s: %w", what, bare(err))
}

// traceApartFrom refuses to write the trace over a file of the story's.
func (t *teller) traceApartFrom(paths ...string) error {
	if t.recording.path == "" || t.recording.path == "-" {
		return nil
	}
	for _, path := range paths {
		if same(t.recording.path, path) {
			return t.recording.cannot(errors.New("it is a file of the story's"))
		}
	}
	return nil
}

// same reports whether two paths lead to one file, or would if it existed.
func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	if errX == nil || errY == nil || filepath.Base(a) != filepath.Base(b) {
		return false
	}
	return same(filepath.Dir(a), filepath.Dir(b))
}

// bare is the reason in an error about a file, without the name.
func bare(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

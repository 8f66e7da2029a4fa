package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
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

// A target is a file in the making: a new file beside the one that it replaces
// when it is committed.
type target struct {
	*os.File
	path string // as it was asked for
	real string // where it is: a link's destination
}

// createTarget begins a target, with the mode of the file that it replaces, else
// of the source, if there is one. What stands at path is left alone.
func createTarget(path string, source *os.File) (*target, error) {
	t := &target{path: path}
	if err := t.create(source); err != nil {
		return nil, t.cannot(err)
	}
	return t, nil
}

func (t *target) create(source *os.File) error {
	mode := fs.FileMode(0o666)
	old, err := t.resolve()
	if err != nil {
		return err
	}
	if source != nil {
		from, err := source.Stat()
		if err != nil {
			return err
		}
		if old != nil && os.SameFile(old, from) {
			return errors.New("it is the source itself")
		}
		mode = from.Mode().Perm()
	}
	if old != nil {
		mode = old.Mode().Perm()
	}
	name := filepath.Join(filepath.Dir(t.real), ".tour-"+strconv.FormatUint(rand.Uint64(), 36))
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	t.File = f
	if old != nil { // whose mode was not subject to our umask
		if err := f.Chmod(mode); err != nil {
			t.discard()
			return err
		}
	}
	return nil
}

// resolve finds where the target is, and what stands there already: nil if
// nothing does.
func (t *target) resolve() (fs.FileInfo, error) {
	if t.path == "" {
		return nil, errors.New("its name is empty")
	}
	if os.IsPathSeparator(t.path[len(t.path)-1]) {
		return nil, errors.New("its name is a folder's")
	}
	t.real = t.path
	_, err := os.Lstat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		t.real, err = filepath.EvalSymlinks(t.path)
	}
	if err != nil {
		return nil, err
	}
	old, err := os.Stat(t.real)
	if err != nil {
		return nil, err
	}
	if old.IsDir() {
		return nil, errors.New("it is a folder")
	}
	if !old.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	// Renaming would replace a file that must not be written to.
	f, err := os.OpenFile(t.real, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	return old, f.Close()
}

// WriteAt is the file's, without a word about the name that it has for now.
func (t *target) WriteAt(p []byte, offset int64) (int, error) {
	n, err := t.File.WriteAt(p, offset)
	return n, bare(err)
}

// commit puts the target in its place.
func (t *target) commit() error {
	if err := t.Close(); err != nil {
		return t.cannot(err)
	}
	if err := os.Rename(t.Name(), t.real); err != nil {
		return t.cannot(err)
	}
	t.File = nil
	return nil
}

// discard takes back a target that was not committed.
func (t *target) discard() {
	if t.File != nil {
		t.Close()
		os.Remove(t.Name())
		t.File = nil
	}
}

func (t *target) cannot(err error) error { return fmt.Errorf("cannot write %s: %w", t.path, bare(err)) }

// traceApartFrom refuses to write the trace over a file of the story's.
func (t *teller) traceApartFrom(paths ...string) error {
	if t.recording.path == "" || t.recording.path == "-" {
		return nil
	}
	for _, path := range paths {
		if same(t.recording.path, path) {
			return fmt.Errorf("cannot write the trace to %s: it is a file of the story's", t.recording.path)
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

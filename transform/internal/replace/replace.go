// Package replace writes files whole or not at all. A file is made beside the one
// that it is to replace, and takes its place at one stroke: whoever reads the path
// meanwhile sees the old content or the new one.
//
//   - A symbolic link stays; what it leads to is replaced.
//   - Permissions are those of the file that is replaced. A new file has those that
//     were asked for, less the umask, as with os.Create.
//   - What is no regular file is refused: a folder, a device.
//   - Nothing is synced: a file that a crash of the machine loses can be made again.
//
// Errors are *fs.PathError with the path that the caller knows.
package replace

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

// A File is one in the making. It is its caller's alone.
type File struct {
	made *os.File // nil once it is committed or discarded
	path string   // as it was asked for
	real string   // where it is: a link's destination
}

// Create begins a file that is to stand at path, with perm if none stands there
// yet. What stands there stays until Commit. The caller owes Commit or Discard.
func Create(path string, perm fs.FileMode) (*File, error) {
	real, old, err := resolve(path)
	if err == nil && old != nil {
		perm = old.Mode().Perm()
	}
	var f *os.File
	if err == nil {
		// The go command does not see a name that begins with a dot.
		name := filepath.Join(filepath.Dir(real), ".nothread-"+strconv.FormatUint(rand.Uint64(), 36))
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm|0o200)
	}
	if err != nil {
		return nil, named(path, err)
	}
	made := &File{f, path, real}
	if old != nil { // whose permissions were not subject to our umask
		if err := f.Chmod(perm); err != nil {
			made.Discard()
			return nil, named(path, err)
		}
	}
	return made, nil
}

// WriteFile writes a file with one content, if need be a new one that all may
// read and write, less the umask.
func WriteFile(path string, content []byte) error {
	f, err := Create(path, 0o666)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.Commit()
}

// Write implements io.Writer.
func (f *File) Write(content []byte) (n int, err error) {
	if n, err = f.made.Write(content); err != nil {
		err = named(f.path, err)
	}
	return n, err
}

// Commit puts the file in its place. If that fails, Discard is still owed.
func (f *File) Commit() error {
	if err := f.made.Close(); err != nil {
		return named(f.path, err)
	}
	if err := os.Rename(f.made.Name(), f.real); err != nil {
		return named(f.path, err)
	}
	f.made = nil
	return nil
}

// Discard takes back a file that has not been committed, and does nothing to one
// that has.
func (f *File) Discard() {
	if f.made == nil {
		return
	}
	f.made.Close()
	os.Remove(f.made.Name())
	f.made = nil
}

// resolve finds where a path leads, and what stands there: nil if nothing does.
func resolve(path string) (real string, old fs.FileInfo, err error) {
	switch {
	case path == "":
		return "", nil, errors.New("its name is empty")
	case os.IsPathSeparator(path[len(path)-1]):
		return "", nil, errors.New("its name is a folder's")
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return path, nil, nil
	} else if err != nil {
		return "", nil, err
	}
	if real, err = filepath.EvalSymlinks(path); err == nil {
		old, err = os.Stat(real)
	}
	switch {
	case err != nil:
		return "", nil, err
	case old.IsDir():
		return "", nil, errors.New("it is a folder")
	case !old.Mode().IsRegular():
		return "", nil, errors.New("it is not a regular file")
	}
	return real, old, nil
}

// named is the reason in an error, about the path that the caller knows.
func named(path string, err error) error {
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		err = at.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return &fs.PathError{Op: "write", Path: path, Err: err}
}

package trace_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/nothread/nothread/runtime/trace"
)

// write makes a file whole.
func write(path, content string, perm fs.FileMode) error {
	f, err := trace.Create(path, perm)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := f.Write([]byte(content)); err != nil {
		return err
	}
	return f.Commit()
}

// has fails unless a folder has just one file, with this content.
func has(t *testing.T, path, content string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if got, err := os.ReadFile(path); string(got) != content {
		t.Errorf("%q, want %q, %v", got, content, err)
	}
}

// old makes a file in a folder of its own.
func old(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "trace.json")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// What stands there is there until the new file is whole, and stays if that is given up.
func TestFileIsWholeOrNot(t *testing.T) {
	path := old(t)
	for want, finish := range map[string]func(*trace.File) error{
		"old": func(f *trace.File) error { f.Discard(); return nil },
		"new": (*trace.File).Commit,
	} {
		f, err := trace.Create(path, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(path); err != nil || len(now) != 3 {
			t.Errorf("meanwhile %q, %v", now, err)
		}
		if err := finish(f); err != nil {
			t.Fatal(err)
		}
		f.Discard() // does nothing
		has(t, path, want)
		if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// A process that dies in between leaves what it had made beside the old file, under a name that no other uses, and the
// next one begins anew.
func TestFileAfterACrash(t *testing.T) {
	path := old(t)
	f, err := trace.Create(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("ha")); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".nothread-*")) // for there is neither Commit nor Discard
	if len(left) != 1 {
		t.Fatalf("left are %v, %v", left, err)
	}
	if now, err := os.ReadFile(path); string(now) != "old" {
		t.Errorf("%q, %v", now, err)
	}
	if err := write(path, "new", 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(left[0]); err != nil {
		t.Error(err)
	}
	has(t, path, "new")
}

// If the file cannot take its place, what stands there stays, and nothing is left beside it.
func TestFileWithoutAPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "trace.json")
	f, err := trace.Create(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(path, "kept")
	if err := errors.Join(os.Mkdir(path, 0o777), os.WriteFile(kept, []byte("old"), 0o666)); err != nil {
		t.Fatal(err)
	}
	var at *fs.PathError
	if err := f.Commit(); !errors.As(err, &at) || at.Path != path {
		t.Errorf("committed over a folder: %v", err)
	}
	f.Discard()
	has(t, kept, "old")
	if entries, err := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
}

// Where nothing may be written, the error says so of the path that the caller knows.
func TestFileWithoutPermission(t *testing.T) {
	path := old(t)
	dir := filepath.Dir(path)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o777)
	if os.WriteFile(filepath.Join(dir, "probe"), nil, 0o666) == nil {
		t.Skip("permissions do not bind who runs this")
	}
	var at *fs.PathError
	if err := write(path, "new", 0o666); !errors.As(err, &at) || at.Path != path || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v", err)
	}
	has(t, path, "old")
}

// A write that fails is about the path that the caller knows, too.
func TestFileNamesItsPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.json")
	f, err := trace.Create(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	var at *fs.PathError
	if _, err := f.WriteAt([]byte("new"), -1); !errors.As(err, &at) || at.Path != path {
		t.Errorf("%v", err)
	}
	f.Discard()
	if _, err := f.Write([]byte("new")); !errors.As(err, &at) || at.Path != path {
		t.Errorf("of one that was given up: %v", err)
	}
	for path, reason := range map[string]string{
		"":                  "its name is empty",
		t.TempDir():         "it is a folder",
		t.TempDir() + "/x/": "its name is a folder's",
		os.DevNull:          "it is not a regular file",
	} {
		_, err := trace.Create(path, 0o666)
		if !errors.As(err, &at) || at.Path != path || runtime.GOOS != "windows" && at.Err.Error() != reason {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// What was written can be read, up to its end, and written anew, wherever it stands.
func TestFileIsReadAndWrittenAnywhere(t *testing.T) {
	path := old(t)
	f, err := trace.Create(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Discard()
	for offset, text := range []string{"new", "e"} {
		if _, err := f.WriteAt([]byte(text), int64(offset)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 4)
	if n, err := f.ReadAt(buf, 1); string(buf[:n]) != "ew" || err != io.EOF {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	has(t, path, "new")
}

// A link stays and leads to the new content; permissions are those of what is replaced.
func TestFileKeepsLinksAndPermissions(t *testing.T) {
	path := old(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	for _, perm := range []fs.FileMode{0o600, 0o666, 0o444} {
		if err := os.Chmod(path, perm); err != nil {
			t.Fatal(err)
		}
		if err := write(link, perm.String(), 0o640); err != nil {
			t.Fatal(err)
		}
		has(t, path, perm.String())
		if info, err := os.Stat(path); err != nil || info.Mode() != perm && runtime.GOOS != "windows" {
			t.Errorf("%v, want %v, %v", info.Mode(), perm, err)
		}
		if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link is %v, %v", info, err)
		}
	}
}

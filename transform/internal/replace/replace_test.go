package replace_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform/internal/replace"
)

// content fails unless a folder has just these files, which it returns.
func content(t *testing.T, dir string, names ...string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Errorf("%v for %v, %v", entries, names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		all = append(all, string(text))
	}
	return all
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, want := range []string{"new", "", "another"} {
		if err := replace.WriteFile(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, dir, "a"); got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The old content is there until the new one is complete, and afterwards if that
// is given up.
func TestCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, commit := range []bool{false, true} {
		f, err := replace.Create(path, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("new")); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); string(text) != "old" {
			t.Errorf("meanwhile %q, %v", text, err)
		}
		want := "old"
		if commit {
			want = "new"
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		f.Discard()
		f.Discard()
		if got := content(t, dir, "a"); got[0] != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A write that fails is about the path that the caller knows, not about the file that is
// in the making.
func TestFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := replace.Create(path, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	f.Discard()
	var at *fs.PathError
	if _, err := f.Write([]byte("new")); !errors.As(err, &at) || at.Path != path {
		t.Errorf("%v", err)
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permissions to speak of")
	}
	dir := t.TempDir()
	usual := filepath.Join(dir, "usual") // as os.Create has it, with this umask
	if err := os.WriteFile(usual, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(usual)
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []fs.FileMode{0, 0o600, 0o666, 0o755, 0o444} {
		path, want := filepath.Join(dir, old.String()), old
		if old == 0 {
			want = info.Mode()
		} else if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, old)); err != nil {
			t.Fatal(err)
		}
		if err := replace.WriteFile(path, []byte("new")); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%v, want %v, %v", info.Mode(), want, err)
		}
	}
}

func TestLink(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	path, link := filepath.Join(other, "a"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if err := replace.WriteFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if content(t, dir, "link")[0] != "new" || content(t, other, "a")[0] != "new" {
		t.Error("something else has been written to")
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
}

// What cannot be written is said once, with the name that the caller gave, and
// leaves nothing behind.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{
		"":                                "its name is empty",
		dir:                               "it is a folder",
		filepath.Join(dir, "x") + "/":     "its name is a folder's",
		filepath.Join(dir, "absent", "x"): "no such file or directory",
		filepath.Join(dir, "file", "x"):   "not a directory",
		os.DevNull:                        "it is not a regular file",
		filepath.Join(dir, "nul\x00byte"): "invalid argument",
	} {
		err := replace.WriteFile(path, []byte("new"))
		var at *fs.PathError
		if !errors.As(err, &at) || at.Path != path {
			t.Fatalf("%q: %v", path, err)
		}
		if runtime.GOOS != "windows" && at.Err.Error() != reason || strings.Contains(at.Err.Error(), dir) {
			t.Errorf("%q: %v", path, err)
		}
	}
	content(t, dir, "file")
}

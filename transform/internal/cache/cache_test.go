package cache

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/transform/internal/load"
)

// What could take packages from elsewhere, or from other modules, is not
// remembered.
func TestPlain(t *testing.T) {
	for _, c := range []struct {
		patterns, flags, env []string
		want                 bool
	}{
		{[]string{"."}, nil, nil, true},
		{[]string{"./...", "../x", "a.go", "example.com/x"}, []string{"-tags=a,b"}, nil, true},
		{nil, []string{"-mod=mod", "-trimpath"}, []string{"GOPACKAGESDRIVER="}, true},
		{[]string{"example.com/..."}, nil, nil, false},
		{[]string{"all"}, nil, nil, false},
		{nil, []string{"-overlay=o.json"}, nil, false},
		{nil, []string{"--modfile", "x.mod"}, nil, false},
		{nil, nil, []string{"GOPACKAGESDRIVER=driver"}, false},
	} {
		err := plain(&load.Config{Patterns: c.patterns, BuildFlags: c.flags, Env: c.env})
		if (err == nil) != c.want {
			t.Errorf("%v %v %v: %v", c.patterns, c.flags, c.env, err)
		}
	}
}

func TestReplacedModules(t *testing.T) {
	got := replacedModules("/w/go.mod", []byte(`module x

replace a => ../a // beside

replace (
	b v1.2.3 => ./b
	c => example.com/c v1.0.0
	d => "/abs/d"
)
`))
	if want := []string{"/a/go.mod", "/w/b/go.mod", "/abs/d/go.mod"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A digest says what Go sees of a folder, and nothing else.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("a.go", "package a")
	sum := func() string {
		t.Helper()
		d, err := readFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d.Sum
	}
	last := sum()
	for _, c := range []struct {
		name, content string
		differs       bool
	}{
		{"README.md", "text", false},
		{"a.go", "package b", true},
		{"a.go", "package b", false},
		{"b_windows_test.go", "package b", true},
		{"a.s", "", true},
		{"a.s", "TEXT", false}, // that it is there may matter; what is in it does not
		{".hidden.tmp", "", false},
	} {
		put(c.name, c.content)
		now := sum()
		if differs := now != last; differs != c.differs {
			t.Errorf("%s = %q: differs is %v", c.name, c.content, differs)
		}
		last = now
	}
}

// What changed while a run read it is not remembered.
func TestSeen(t *testing.T) {
	began := time.Now()
	before, after := began.Add(-time.Hour), began.Add(time.Second)
	sum := func(text string) [sha256.Size]byte { return sha256.Sum256([]byte(text)) }
	s := seen{began, &load.Program{
		Roots:   []string{"/w"},
		Scanned: map[string]bool{"/w/a.go": true, "/w/a_js.go": true, "/w/a_async.go": true},
		Read:    map[string][sha256.Size]byte{"/w/a.go": sum("a"), "/other/o.go": sum("o")},
	}, map[string][]byte{"/w/a_async.go": []byte("output")}}
	for _, c := range []struct {
		path     string
		content  string
		modified time.Time
		want     bool
	}{
		{"/w/a.go", "a", before, true},
		{"/w/a.go", "b", before, false}, // it was another when it was parsed
		{"/w/a_js.go", "x", before, true},
		{"/w/a_js.go", "x", after, false},
		{"/w/new.go", "x", before, false}, // moved here meanwhile
		{"/other/o.go", "o", after, true},
		{"/other/o_js.go", "x", before, true},
		{"/other/o_js.go", "x", after, false},
		{"/w/a_async.go", "output", after, true},
		{"/w/a_async.go", "edited", after, false},
	} {
		if got := s.file(c.path, file{sum(c.content), c.modified}, []byte(c.content)); got != c.want {
			t.Errorf("%s %q %v: %v", c.path, c.content, c.modified.Sub(began), got)
		}
	}
}

// What nobody asks for any more goes, and nothing that is not ours.
func TestTrim(t *testing.T) {
	c := &Cache{folder: t.TempDir()}
	old := time.Now().Add(-2 * keepFor)
	name := func(digit string) string { return strings.Repeat(digit, 64) + ".json" }
	for name, modified := range map[string]time.Time{name("a"): old, name("b"): time.Now(), ".nothread-1wgm8l": old, "notes.txt": old, ".nothread": old, "package.json": old} {
		path := filepath.Join(c.folder, name)
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	c.trim()
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	if want := []string{".nothread", name("b"), "notes.txt", "package.json"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, not %q", left, want)
	}
}

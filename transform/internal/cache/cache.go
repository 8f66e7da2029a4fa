// Package cache remembers packages for which there was nothing left to do, so
// that the next run can leave them out. It holds no outputs: those stand beside
// their sources, as they should be, or there is work to do.
//
// # What is remembered
//
// A run is known by all that its result depends on and that is not a file of the
// packages: this program, the toolchain and its settings, the platform, tags,
// folder and patterns. For each such run there is one record. It says of each
// folder of packages that the patterns matched
//
//	which folders it was made from: its own, and those of all it imports, its
//	tests included, that are neither the toolchain's nor the module cache's
//	(what those two hold does not change)
//
// and of each of these folders a digest: the names of all files in it that matter
// to Go, and the content of those that are Go, outputs and excluded files too.
//
// # When a package is left out
//
// If the digests of all its folders are what they were when a run had it
// generated and found nothing wrong, then a run would find the same again: that
// its outputs are as they should be. An output that was edited or removed, a
// dependency, a tag, another toolchain: each makes the digests differ, or has
// another record. What could make a difference otherwise is looked at as well:
//
//   - go.mod, go.sum, go.work and vendor/modules.txt of the main modules, go.mod of
//     modules that a folder replaces, and where in the main modules a go.mod stands
//   - with a pattern that has "...", every Go file of the main modules, since any
//     could make another folder match
//
// Where that is not enough nothing is remembered: packages that use cgo or embed
// files, which depend on more than Go files; flags and drivers that take sources
// from elsewhere; toolchains under development; runs that had something to say; and
// files that changed while the run read them.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nothread/nothread/transform/internal/load"
)

// format is the first thing that a run is known by; change it with what a record
// means.
const format = "nothread cache 1"

// A Cache is where one run looks up, and leaves, what is known of its packages.
type Cache struct {
	cfg    load.Config
	began  time.Time
	folder string     // of records
	path   string     // of this run's record
	work   string     // the go.work in use, "" if none
	before *record    // what Lookup found; nil: nothing
	kept   []recorded // what of it still holds
	stale  []string   // folders of what does not
}

// A Package is one that can be left out.
type Package struct {
	Dir      string
	Files    []Output
	Excluded []string
}

// An Output is a file that is as it should be.
type Output struct {
	Path, Source string // absolute
	Content      []byte `json:"-"`
}

// errUnknowable says that a run depends on more than is looked at here.
var errUnknowable = errors.New("this run depends on more than is remembered")

// Open begins with a run: folder is where records are. The error says why nothing
// can be remembered of it.
func Open(folder string, cfg load.Config) (*Cache, error) {
	c := &Cache{cfg: cfg, began: time.Now(), folder: folder}
	if dir, err := filepath.Abs(cfg.Dir); err == nil {
		c.cfg.Dir = dir
	}
	if c.cfg.Env == nil {
		c.cfg.Env = os.Environ()
	}
	if err := plain(&c.cfg); err != nil {
		return nil, err
	}
	settings, err := goEnv(&c.cfg)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(settings["GOVERSION"], "devel") || !plainFlags(strings.Fields(settings["GOFLAGS"])) {
		return nil, errUnknowable
	}
	if c.work = settings["GOWORK"]; c.work == "off" {
		c.work = ""
	}
	self, err := programDigest()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n%s\n%q\n%q\n%q\n", format, self, c.cfg.Dir, c.cfg.Patterns, c.cfg.BuildFlags)
	for _, name := range goVariables {
		fmt.Fprintf(sum, "%s=%s\n", name, settings[name])
	}
	c.path = filepath.Join(folder, fmt.Sprintf("%x.json", sum.Sum(nil)))
	return c, nil
}

// plain refuses what takes packages from elsewhere than where the go command
// finds them by itself, and patterns that can mean other modules' packages.
func plain(cfg *load.Config) error {
	if _, err := exec.LookPath("gopackagesdriver"); err == nil || variable(cfg.Env, "GOPACKAGESDRIVER") != "" {
		return errUnknowable
	}
	if !plainFlags(cfg.BuildFlags) {
		return errUnknowable
	}
	for _, pattern := range cfg.Patterns {
		path := strings.HasPrefix(pattern, ".") || filepath.IsAbs(pattern)
		switch {
		case !path && strings.Contains(pattern, "..."):
			return errUnknowable
		case slices.Contains([]string{"all", "std", "cmd", "tool", "work"}, pattern):
			return errUnknowable
		}
	}
	return nil
}

// plainFlags reports whether flags of the go command say no more than they spell.
func plainFlags(flags []string) bool {
	for _, flag := range flags {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), "=")
		if !slices.Contains([]string{"tags", "mod", "trimpath", "buildvcs", "race", "v", "p"}, name) {
			return false
		}
	}
	return true
}

// variable is a variable of an environment.
func variable(env []string, name string) string {
	value := ""
	for _, entry := range env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text // the last one counts
		}
	}
	return value
}

// goVariables are the settings of the go command that say what packages are.
var goVariables = []string{
	"GOVERSION", "GOROOT", "GOMOD", "GOWORK", "GOFLAGS", "GO111MODULE", "GOMODCACHE", "GOPATH",
	"GOOS", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64", "GOWASM",
	"CGO_ENABLED", "GOEXPERIMENT", "GOFIPS140",
}

// goEnv asks the go command, which also says which toolchain a go.mod selects.
func goEnv(cfg *load.Config) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"env", "-json"}, goVariables...)...)
	cmd.Dir = cfg.Dir
	cmd.Env = append(slices.Clip(cfg.Env), "PWD="+cfg.Dir)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var settings map[string]string
	return settings, json.Unmarshal(out, &settings)
}

// programDigest is the digest of this program.
func programDigest() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// Lookup says which packages can be left out, and in which folders those stand
// that cannot; ok is false if nothing is known, and all have to be looked at.
func (c *Cache) Lookup() (fresh []Package, stale []string, ok bool) {
	content, err := os.ReadFile(c.path)
	if err != nil {
		return nil, nil, false
	}
	var r record
	if json.Unmarshal(content, &r) != nil {
		return nil, nil, false
	}
	if modules, err := c.modules(r.Roots); err != nil || modules != r.Modules {
		return nil, nil, false
	}
	if rest, err := c.rest(&r, nil); err != nil || rest != r.Rest {
		return nil, nil, false
	}
	now := make(digests)
	now.read(r.folders())
	stale = r.Again
	for _, p := range r.Packages {
		if !r.holds(now, p) {
			stale = append(stale, p.Dir)
			continue
		}
		fresh = append(fresh, p.outputs(now))
		c.kept = append(c.kept, p)
	}
	c.before, c.stale = &r, stale
	if len(stale) == 0 {
		_ = os.Chtimes(c.path, c.began, c.began) // it is still asked for
	}
	return fresh, stale, true
}

// Store remembers what a run found: program is what it read, files are its
// outputs, which have been written. What Lookup found still to hold is kept.
func (c *Cache) Store(program *load.Program, files []Output) error {
	for _, dir := range c.stale {
		if !slices.ContainsFunc(program.Matched, func(m load.Matched) bool { return m.Dir == dir }) {
			return fmt.Errorf("%s is gone", dir)
		}
	}
	r := &record{Roots: program.Roots}
	now := make(digests)
	for _, p := range c.kept {
		now.read(c.before.reads(p))
		if c.before.holds(now, p) {
			r.add(now, p.Dir, c.before.reads(p), p.Files, p.Excluded)
		} else {
			r.Again = append(r.Again, p.Dir)
		}
	}
	s := seen{c.began, program, make(map[string][]byte)}
	for _, f := range files {
		s.written[f.Path] = f.Content
	}
	for _, m := range program.Matched {
		if now.read(m.Reads); s.all(now, m) {
			r.add(now, m.Dir, m.Reads, files, m.Excluded)
		} else {
			r.Again = append(r.Again, m.Dir)
		}
	}
	var err error
	if r.Modules, err = c.modules(r.Roots); err != nil {
		return err
	}
	if r.Rest, err = c.rest(r, &s); err != nil {
		return err
	}
	return c.write(r)
}

// A seen is what a run saw of the files, to be compared with what they are when
// it has ended.
type seen struct {
	began   time.Time
	program *load.Program
	written map[string][]byte
}

// all reports whether the run saw all that a package was made from, as it is now,
// and whether that is all there is to it.
func (s *seen) all(now digests, m load.Matched) bool {
	for _, dir := range m.Reads {
		d := now[dir]
		if d == nil || d.embeds {
			return false
		}
		for name, f := range d.files {
			if !s.file(filepath.Join(dir, name), f, d.outputs[name]) {
				return false
			}
		}
	}
	return !m.Cgo
}

// file reports whether the run saw a file as it is now. Outputs are no inputs, and
// what the run wrote it knows.
func (s *seen) file(path string, f file, output []byte) bool {
	if content, ours := s.written[path]; ours {
		return bytes.Equal(content, output)
	}
	if sum, parsed := s.program.Read[path]; parsed {
		return sum == f.sum
	}
	return s.old(path, f.modified)
}

// old reports whether a file that the run did not read was there before, as it is.
func (s *seen) old(path string, modified time.Time) bool {
	inside := slices.ContainsFunc(s.program.Roots, func(root string) bool {
		return strings.HasPrefix(path, root+string(filepath.Separator))
	})
	return modified.Before(s.began) && (s.program.Scanned[path] || !inside)
}

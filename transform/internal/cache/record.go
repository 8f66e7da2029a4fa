package cache

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/nothread/nothread/transform/internal/replace"
)

// A record is what is known of one run's packages.
type record struct {
	Roots    []string // folders of the main modules
	Modules  string   // digests, see Cache.modules and Cache.rest
	Rest     string
	Folders  []folder
	Packages []recorded
	Again    []string // folders of packages that are to be looked at in any case

	index map[string]int // of Folders
}

// A folder is one that packages were made from.
type folder struct{ Dir, Sum string }

// A recorded is a folder of packages with nothing left to do.
type recorded struct {
	Dir      string
	Reads    []int // indices of Folders
	Files    []Output
	Excluded []string
}

// folders lists the folders that have a digest.
func (r *record) folders() []string {
	dirs := make([]string, len(r.Folders))
	for i, f := range r.Folders {
		dirs[i] = f.Dir
	}
	return dirs
}

// reads lists the folders that a package was made from.
func (r *record) reads(p recorded) []string {
	dirs := make([]string, len(p.Reads))
	for i, at := range p.Reads {
		dirs[i] = r.Folders[at].Dir
	}
	return dirs
}

// holds reports whether the folders of a package are what they were.
func (r *record) holds(now digests, p recorded) bool {
	return !slices.ContainsFunc(p.Reads, func(at int) bool {
		f := r.Folders[at]
		return now[f.Dir] == nil || now[f.Dir].Sum != f.Sum
	})
}

// add takes in a folder of packages, with those of files that are its outputs.
func (r *record) add(now digests, dir string, reads []string, files []Output, excluded []string) {
	p := recorded{Dir: dir, Excluded: excluded}
	for _, read := range reads {
		at, known := r.index[read]
		if !known {
			if r.index == nil {
				r.index = make(map[string]int)
			}
			at = len(r.Folders)
			r.index[read] = at
			r.Folders = append(r.Folders, folder{read, now[read].Sum})
		}
		p.Reads = append(p.Reads, at)
	}
	for _, f := range files {
		if filepath.Dir(f.Path) == dir {
			p.Files = append(p.Files, f)
		}
	}
	r.Packages = append(r.Packages, p)
}

// outputs are a package's files, as its folder has them.
func (p recorded) outputs(now digests) Package {
	files := slices.Clone(p.Files)
	for i := range files {
		files[i].Content = now[p.Dir].outputs[filepath.Base(files[i].Path)]
	}
	return Package{Dir: p.Dir, Files: files, Excluded: p.Excluded}
}

// keepFor is how long a record is kept that no run renews.
const keepFor = 30 * 24 * time.Hour

// write puts the record in its place at one stroke, and removes records that
// nobody has asked for in a long time.
func (c *Cache) write(r *record) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return err
	}
	if err := replace.WriteFile(c.path, content); err != nil {
		return err
	}
	c.trim()
	return nil
}

// ours are the names that Cache.path ends with, and those of records that a crash has
// left in the making: the folder may be one in which others keep their files too.
var ours = regexp.MustCompile(`^([0-9a-f]{64}\.json|\.nothread-[0-9a-z]+)$`)

func (c *Cache) trim() {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > keepFor {
			os.Remove(filepath.Join(c.folder, entry.Name()))
		}
	}
}

package transform

import (
	"slices"

	"github.com/nothread/nothread/transform/internal/cache"
	"github.com/nothread/nothread/transform/internal/load"
	"github.com/nothread/nothread/transform/internal/write"
)

// recall leaves out packages of which it is known that there is nothing to do.
func (r *run) recall() error {
	if r.cfg.Cache == "" || r.cfg.Dump != "" || r.cfg.Lines {
		return nil
	}
	c, err := cache.Open(r.cfg.Cache, load.Config{Dir: r.cfg.Dir, Patterns: r.cfg.Patterns, Env: r.cfg.Env, BuildFlags: r.cfg.BuildFlags})
	if err != nil {
		return nil // it costs time, and changes nothing
	}
	r.cache = c
	fresh, stale, ok := c.Lookup()
	if ok {
		r.fresh, r.partial, r.cfg.Patterns = fresh, true, stale
	}
	return nil
}

// recalled are the outputs of packages that were left out.
func (r *run) recalled() (changes []write.Change) {
	for _, p := range r.fresh {
		for _, f := range p.Files {
			changes = append(changes, write.Change{Kind: write.Same, Path: f.Path, Source: f.Source, Old: f.Content, New: f.Content})
		}
	}
	return changes
}

// remember notes, once the outputs are written, that there is nothing left to do.
// Where that fails the next run does all again.
func (r *run) remember() {
	if r.cache == nil || r.nothing() || len(r.diags.All()) > 0 {
		return
	}
	stands := make(map[string][]byte) // what was left as it is, which may have other line ends
	for _, c := range r.changes {
		if c.Kind == write.Same {
			stands[c.Path] = c.Old
		}
	}
	var files []cache.Output
	for _, o := range r.outputs {
		content := o.content
		if old, same := stands[o.file.Output]; same {
			content = old
		}
		files = append(files, cache.Output{Path: o.file.Output, Source: o.file.Path, Content: content})
	}
	_ = r.cache.Store(r.program, files)
}

// nothing reports whether all packages were left out.
func (r *run) nothing() bool { return r.partial && len(r.cfg.Patterns) == 0 }

// recallResult adds what is known of the packages that were left out.
func (r *run) recallResult(result *Result) {
	for _, p := range r.fresh {
		result.Skipped = append(result.Skipped, p.Dir)
		result.Excluded = append(result.Excluded, p.Excluded...)
	}
	slices.Sort(result.Skipped)
	slices.Sort(result.Excluded)
}

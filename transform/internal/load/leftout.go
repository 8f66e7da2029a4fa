package load

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// leftOut lists the annotated sources of packages of which this platform or the build tags
// leave nothing. The go command does not match those by a pattern such as ./..., so that
// they would never be named; which of them it would, it is asked with a file in each that
// belongs to every build. That none of their files belongs to this one the scan cannot tell,
// but those without a constraint do.
func (l *loader) leftOut(ctx context.Context, cfg Config, loaded []*packages.Package) ([]string, error) {
	if !slices.ContainsFunc(cfg.Patterns, func(pattern string) bool { return strings.Contains(pattern, "...") }) {
		return nil, nil
	}
	known := make(map[string]bool)
	for _, pkg := range loaded {
		known[pkg.Dir] = true
	}
	overlay := make(map[string][]byte)
	for path, src := range l.scan.sources {
		if dir := filepath.Dir(path); src.constraint != "" && !known[dir] {
			overlay[filepath.Join(dir, leftName)] = []byte("package " + strings.TrimSuffix(src.file.Name.Name, "_test") + "\n")
		}
	}
	if len(overlay) == 0 {
		return nil, nil
	}
	matched, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles, Context: ctx, Dir: cfg.Dir, Env: cfg.Env, BuildFlags: cfg.BuildFlags, Overlay: overlay,
	}, l.queries(cfg.Patterns)...)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, pkg := range matched {
		if known[pkg.Dir] {
			continue
		}
		known[pkg.Dir] = true
		for path := range l.scan.sources {
			if filepath.Dir(path) == pkg.Dir {
				list = append(list, path)
			}
		}
	}
	return list, nil
}

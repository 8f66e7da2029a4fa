package transform

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/ir"
)

// ErrNoFunction is wrapped by the error if a name means no function, or several.
var ErrNoFunction = errors.New("no such function")

// A candidate is a function that a name may mean: declared, or an async closure.
type candidate struct {
	o *output
	u *unit
	f *ir.Func
}

// twin is the name of the async form.
func (c candidate) twin() string {
	if c.f.Parent != nil {
		return strings.TrimSuffix(c.f.Machine, "Machine")
	}
	return c.u.fn.Twin
}

// study runs the stages for their ir: not those that compare it with budgets and
// with the disk.
func study(cfg Config, names []string) (*run, *Result, error) {
	var files []string
	bare := len(names) == 0
	for _, name := range names {
		if m := placeName.FindStringSubmatch(name); m != nil {
			files = append(files, m[1])
		} else {
			bare = true
		}
	}
	if bare && len(cfg.Patterns) == 0 {
		files = append(files, ".")
	}
	cfg.Patterns = append(slices.Clone(cfg.Patterns), files...)
	r, err := begin(cfg)
	if err != nil {
		return nil, nil, err
	}
	if err := r.all(slices.DeleteFunc(slices.Clone(stages), func(s stage) bool { return s.name == "budget" || s.name == "write" })); err != nil {
		return nil, nil, err
	}
	return r, r.result(), nil
}

// placeName is file.go:12.
var placeName = regexp.MustCompile(`^(.+\.go):([0-9]+)$`)

// typeParameters are those of a name as the source has it, or as Go's stacks do: list[...].get[...].
var typeParameters = regexp.MustCompile(`\[[^\]]*\]`)

// choose finds what the names mean; all functions if there are none.
func (r *run) choose(names []string) ([]candidate, error) {
	var all []candidate
	for _, o := range r.outputs {
		for _, u := range o.units {
			all = appendTree(all, o, u, u.ir)
		}
	}
	if len(names) == 0 {
		return slices.DeleteFunc(all, func(c candidate) bool { return c.f.Parent != nil }), nil
	}
	var chosen []candidate
	for _, name := range names {
		c, err := r.meaning(name, all)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, c) {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

func appendTree(list []candidate, o *output, u *unit, f *ir.Func) []candidate {
	list = append(list, candidate{o, u, f})
	for _, child := range f.Children {
		list = appendTree(list, o, u, child)
	}
	return list
}

// meaning finds the one function that a name means.
func (r *run) meaning(name string, all []candidate) (candidate, error) {
	if m := placeName.FindStringSubmatch(name); m != nil {
		return r.at(m[1], m[2], all)
	}
	plain := typeParameters.ReplaceAllLiteralString(strings.NewReplacer("(", "", ")", "", "*", "").Replace(name), "")
	is := func(c candidate, s string) bool { return plain == s || plain == c.u.pkg.Types.Name()+"."+s } // as dumps and stacks have it
	for _, means := range []func(candidate) bool{
		func(c candidate) bool { return is(c, c.f.Name) },
		func(c candidate) bool {
			return is(c, c.twin()) || is(c, c.f.Machine+".MoveNext") || c.f.Parent == nil && is(c, c.f.Name+"Async")
		},
		func(c candidate) bool { return c.f.Parent == nil && is(c, c.u.fn.Decl.Name.Name) },
	} {
		var found []candidate
		for _, c := range all {
			if means(c) {
				found = append(found, c)
			}
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return found[0], nil
		}
		return candidate{}, fmt.Errorf("%w: %s may be %s; say which, or file.go:LINE", ErrNoFunction, name, r.listed(found))
	}
	if len(all) == 0 {
		return candidate{}, fmt.Errorf("%w: %s; there is no function marked //nothread:async in %s", ErrNoFunction, name, strings.Join(r.cfg.Patterns, " "))
	}
	return candidate{}, fmt.Errorf("%w: %s; there are %s", ErrNoFunction, name, r.listed(all))
}

// at finds the function around a line. A line of its comment counts.
func (r *run) at(file, number string, all []candidate) (candidate, error) {
	line, err := strconv.Atoi(number)
	if err != nil {
		return candidate{}, fmt.Errorf("%w: line %s", ErrNoFunction, number)
	}
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(r.cfg.Dir, path)
	}
	var inFile []candidate
	for _, c := range all {
		if c.o.file.Path != path || c.f.Parent != nil {
			continue
		}
		inFile = append(inFile, c)
		from := c.f.Decl.Pos()
		if c.f.Decl.Doc != nil {
			from = c.f.Decl.Doc.Pos()
		}
		if c.f.Source.Line(from) <= line && line <= c.f.Source.Line(c.f.Decl.End()) {
			return c, nil
		}
	}
	there := "there is none in that file"
	if len(inFile) > 0 {
		there = "there are " + r.listed(inFile)
	}
	return candidate{}, fmt.Errorf("%w: no function marked //nothread:async is at %s:%d; %s", ErrNoFunction, file, line, there)
}

const mostListed = 8

// listed names functions with their places.
func (r *run) listed(list []candidate) string {
	var texts []string
	for i, c := range list {
		if i == mostListed {
			texts = append(texts, fmt.Sprintf("%d more", len(list)-i))
			break
		}
		path := filepath.ToSlash(diag.Rel(r.cfg.Dir, c.o.file.Path))
		texts = append(texts, fmt.Sprintf("%s (%s:%d)", c.f.Name, path, c.f.Line()))
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
	return texts[0]
}

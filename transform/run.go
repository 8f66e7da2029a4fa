package transform

import (
	"cmp"
	"fmt"
	"go/token"
	"go/types"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nothread/nothread/transform/internal/cache"
	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
	"github.com/nothread/nothread/transform/internal/write"
)

// A run is one Generate on its way through the stages.
type run struct {
	cfg        Config
	dump       dump
	diags      *diag.List
	program    *load.Program
	typeErrors bool      // the sources do not compile
	outputs    []*output // in the order of program.Packages and their files
	changes    []write.Change
	times      []StageTime

	// What is known from earlier runs: recall.go.
	cache   *cache.Cache    // nil: nothing is remembered
	fresh   []cache.Package // left out
	partial bool            // cfg.Patterns are the folders that were not
}

// An output is a file on its way.
type output struct {
	pkg     *load.Package
	file    *load.File
	units   []*unit
	content []byte
	proved  *types.Package // the package with what was generated, after prove
}

// position is where messages about the whole file point to.
func (o *output) position() token.Position {
	return token.Position{Filename: o.file.Path, Line: 1}
}

// unitOf returns the unit that f belongs to.
func (o *output) unitOf(f *ir.Func) *unit {
	for _, u := range o.units {
		if u.ir == f.Root() {
			return u
		}
	}
	return nil
}

// A unit is a function on its way.
type unit struct {
	pkg  *load.Package
	file *load.File
	fn   *load.Func
	ir   *ir.Func // nil before plan
	text strings.Builder
}

// name is the function as messages and dumps name it: F or T.M.
func (u *unit) name() string { return load.QualifiedName(u.fn.Decl) }

func (u *unit) position() token.Position {
	return u.pkg.Fset.Position(u.fn.Decl.Pos())
}

func newRun(cfg Config) (*run, error) {
	r := &run{cfg: cfg, diags: &diag.List{Dir: cfg.Dir}}
	if r.cfg.DumpTo == nil {
		r.cfg.DumpTo = os.Stderr
	}
	var err error
	r.dump, err = parseDump(cfg.Dump)
	return r, err
}

// all runs the stages in the table's order. It stops before a stage that needs a
// clean list where the list is not.
func (r *run) all(table []stage) error {
	for _, s := range table {
		if s.clean && r.diags.HasErrors() {
			break
		}
		start := time.Now()
		err := r.one(s)
		r.times = append(r.times, StageTime{s.name, time.Since(start)})
		if err != nil {
			return err
		}
		if s.function != nil {
			r.printDumps()
		}
		if s.name == "check" && !r.diags.HasErrors() {
			for _, d := range r.program.Broken { // neither load nor check knew why
				r.diags.Add(d)
			}
		}
	}
	if r.dump.function != "" && !r.dump.found && !r.diags.HasErrors() {
		fmt.Fprintf(r.cfg.DumpTo, "nothread: nothing to dump: no annotated function %s\n", r.dump.function)
	}
	return nil
}

// one runs one stage over what it works on.
func (r *run) one(s stage) (err error) {
	switch {
	case s.whole != nil:
		return s.whole(r)
	case s.pkg != nil:
		r.each(func(pkg *load.Package, _ []*output) {
			r.guard(s.name, "package "+pkg.PkgPath, token.Position{}, func() { s.pkg(r, pkg) })
		})
	case s.function != nil:
		r.each(func(_ *load.Package, outputs []*output) {
			for _, o := range outputs {
				for _, u := range o.units {
					r.function(s, u)
				}
			}
		})
	case s.file != nil:
		r.each(func(_ *load.Package, outputs []*output) {
			for _, o := range outputs {
				r.guard(s.name, "file "+o.file.Path, o.position(), func() { s.file(r, o) })
			}
		})
	}
	return nil
}

// function runs a stage on one function and verifies what it leaves.
func (r *run) function(s stage, u *unit) {
	r.guard(s.name, u.name(), u.position(), func() {
		before := r.diags.Errors()
		s.function(r, u)
		if u.ir == nil {
			if r.diags.Errors() == before {
				r.defect(u.position(), fmt.Sprintf("stage %s made nothing of %s and does not say why", s.name, u.name()))
			}
			return
		}
		if r.dump.wants(u.name(), s.name) {
			fmt.Fprintf(&u.text, "# %s after %s\n%s\n", u.name(), s.name, u.ir)
		}
		if err := ir.Verify(u.ir); err != nil {
			r.defect(u.position(), fmt.Sprintf("stage %s left an invalid %v", s.name, err))
		}
	})
}

// each calls f for every package, with the outputs that belong to it: packages
// in parallel, what belongs to one on one goroutine.
func (r *run) each(f func(pkg *load.Package, outputs []*output)) {
	byPackage := make(map[*load.Package][]*output)
	for _, o := range r.outputs {
		byPackage[o.pkg] = append(byPackage[o.pkg], o)
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, pkg := range r.program.Packages {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(pkg, byPackage[pkg])
		})
	}
	wg.Wait()
}

// guard turns a panic of a stage into a diagnostic that names stage and
// function.
func (r *run) guard(stage, what string, pos token.Position, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			r.defect(pos, fmt.Sprintf("stage %s panicked at %s: %v\n%s", stage, what, cause, debug.Stack()))
		}
	}()
	f()
}

// defect reports a fault of the compiler itself.
func (r *run) defect(pos token.Position, message string) {
	message = strings.ReplaceAll(strings.TrimSpace(message), "\n", "\n\t")
	r.diags.Errorf(pos, diag.Internal, "internal error of nothread, please report it: %s", message)
}

// result puts what the run made in order.
func (r *run) result() *Result {
	result := &Result{dir: r.cfg.Dir, diags: r.diags, Times: r.times}
	if r.program != nil {
		result.Excluded = r.program.Excluded
	}
	r.recallResult(result)
	for _, d := range r.diags.All() {
		result.Diagnostics = append(result.Diagnostics, Diagnostic{
			File: d.Pos.Filename, Line: d.Pos.Line, Column: d.Pos.Column,
			Code: string(d.Code), Message: d.Message, Warning: d.Severity == diag.Warning})
	}
	if result.Failed() {
		return result
	}
	slices.SortStableFunc(r.changes, func(a, b write.Change) int { return cmp.Compare(a.Path, b.Path) })
	result.changes, result.remember = r.changes, r.remember
	for _, c := range r.changes {
		result.Files = append(result.Files, File{Path: c.Path, Source: c.Source, Content: c.New, State: State(c.Kind.String())})
	}
	return result
}

// A dump says whose ir is printed, and after which stage ("" for all).
type dump struct {
	function, stage string
	found           bool
}

// parseDump reads "Func", "Type.Method" or either with ":stage".
func parseDump(text string) (dump, error) {
	function, name, given := strings.Cut(text, ":")
	if !given {
		return dump{function: function}, nil
	}
	var known []string
	for _, s := range stages {
		if s.function != nil {
			known = append(known, s.name)
		}
	}
	if function == "" || !slices.Contains(known, name) {
		return dump{}, fmt.Errorf("dump %q: want Func or Func:stage, with one of the stages %s", text, strings.Join(known, ", "))
	}
	return dump{function: function, stage: name}, nil
}

func (d *dump) wants(function, stage string) bool {
	return d.function != "" && d.function == function && (d.stage == "" || d.stage == stage)
}

// printDumps writes what the stage's functions left, in the order of the
// sources.
func (r *run) printDumps() {
	for _, o := range r.outputs {
		for _, u := range o.units {
			if u.name() == r.dump.function {
				r.dump.found = true
			}
			io.WriteString(r.cfg.DumpTo, u.text.String())
			u.text.Reset()
		}
	}
}

package transform

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/emit"
	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
	"github.com/nothread/nothread/transform/internal/lower"
	"github.com/nothread/nothread/transform/internal/plan"
	"github.com/nothread/nothread/transform/internal/write"
)

// A stage is one step of a run. It has exactly one of the four bodies, which
// say what it works on: everything, or each package, function or file on its
// own (packages in parallel).
type stage struct {
	name  string
	doc   string
	clean bool // do not start after an error

	whole    func(r *run) error
	pkg      func(r *run, pkg *load.Package)
	function func(r *run, u *unit)
	file     func(r *run, o *output)
}

// stages is the compiler.
var stages = []stage{
	{name: "recall", doc: "packages with nothing left to do since an earlier run are left out",
		whole: (*run).recall},
	{name: "load", doc: "packages become typed syntax, read against stubs of what will be generated",
		whole: (*run).load},
	{name: "check", doc: "what may be async, and why not; changes nothing",
		pkg: checkPackage},
	{name: "plan", doc: "typed syntax becomes ir: evaluation order, control flow, which locals are lifted",
		clean: true, function: planFunc},
	{name: "lower", doc: "ir becomes ir: state numbers, dispatch, slots, names",
		clean: true, function: lowerFunc},
	{name: "emit", doc: "ir becomes Go text; the author's comments and lines survive",
		clean: true, file: emitFile},
	{name: "prove", doc: "what was generated compiles, together with its sources",
		clean: true, whole: (*run).proveOutputs},
	{name: "budget", doc: "no machine costs more than its directive allows",
		clean: true, file: keepBudgets},
	{name: "write", doc: "header, build constraint and gofmt; compared with the disk",
		clean: true, whole: (*run).prepare},
}

// order says which stage must come before which, and why. A test checks it
// against the table.
var order = []struct{ before, after, because string }{
	{"recall", "load", "what is left out is not read"},
	{"load", "check", "only types tell an await from another method called Await"},
	{"check", "plan", "plan takes for granted that each await belongs to the function it stands in"},
	{"check", "write", "an error anywhere in a run keeps all of its files from being written"},
	{"plan", "lower", "a suspension point needs its block before it can have a state"},
	{"lower", "emit", "labels and fields have their final names only then"},
	{"emit", "prove", "a twin may call any other of its package"},
	{"prove", "budget", "the bytes of a machine are those of the struct as it compiles"},
	{"prove", "write", "what does not compile is not written"},
	{"budget", "write", "a machine over its budget is not written"},
}

// checkPackage leaves awaits alone where types are not to be trusted.
func checkPackage(r *run, pkg *load.Package) {
	check.Syntax(pkg, r.diags)
	if !r.typeErrors {
		check.Types(pkg, r.diags)
	}
}

func planFunc(r *run, u *unit) {
	u.ir = plan.Func(u.pkg, u.file, u.fn, r.diags)
}

func lowerFunc(_ *run, u *unit) {
	lower.Func(u.ir)
}

// emitFile writes the body of one output: everything from the package clause on.
func emitFile(r *run, o *output) {
	var funcs []*ir.Func
	for _, u := range o.units {
		funcs = append(funcs, u.ir)
	}
	body, err := emit.File(o.pkg, o.file, funcs)
	if err == nil {
		o.content, err = write.Finish(o.file.Path, o.file.Constraint, body)
	}
	if err == nil {
		o.content, err = emit.Lines(o.content, filepath.Base(o.file.Path), filepath.Base(o.file.Output), r.cfg.Lines)
	}
	var fault *emit.Fault
	switch {
	case errors.As(err, &fault) && fault.Func != nil:
		r.defect(o.unitOf(fault.Func).position(), fmt.Sprintf("stage emit, %s: %v", fault.Func.Name, err))
	case err != nil:
		r.defect(o.position(), fmt.Sprintf("what stage emit made of %s is not Go: %v", filepath.Base(o.file.Path), err))
	}
}

// prepare compares what was generated with the disk.
func (r *run) prepare() error {
	var files []write.File
	for _, o := range r.outputs {
		files = append(files, write.File{Path: o.file.Output, Source: o.file.Path, Content: o.content})
	}
	changes, err := write.Prepare(files, r.program.Orphans)
	r.changes = append(changes, r.recalled()...)
	return err
}

// load reads the packages and lays out the work for the stages after it.
func (r *run) load() error {
	if r.nothing() {
		r.program = new(load.Program)
		return nil
	}
	program, err := load.Load(load.Config{Dir: r.cfg.Dir, Patterns: r.cfg.Patterns,
		Env: r.cfg.Env, BuildFlags: r.cfg.BuildFlags}, r.diags)
	if err != nil {
		return err
	}
	r.program = program
	r.typeErrors = r.diags.HasErrors()
	for _, pkg := range program.Packages {
		for _, file := range pkg.Files {
			o := &output{pkg: pkg, file: file}
			for _, fn := range file.Funcs {
				o.units = append(o.units, &unit{pkg: pkg, file: file, fn: fn})
			}
			r.outputs = append(r.outputs, o)
		}
	}
	return nil
}

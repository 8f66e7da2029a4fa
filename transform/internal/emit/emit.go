// Package emit writes lowered functions as Go.
//
// # What it writes
//
// For each function F: its kickoff FAsync, the machine's type, onHeap and leaveStack,
// finish, MoveNext, and States with the table of what is awaited where; RunDeferred,
// Return, exit and catch, if it defers calls or ranges over functions or streams (see
// end.go). jennifer writes the declarations and finds the imports; the bodies are
// text, in which the author's statements are copied (see package ir) and a name of
// another package is marked for jennifer to qualify (see mark).
//
// # MoveNext
//
//	var (…)                    locals that do not live across an await
//	switch m.State {…}         dispatch
//	…                          the blocks in source order, labelled where
//	                           something jumps to them
//
// A goto may not jump over a declaration, so there is none after the dispatch
// but inside braces.
package emit

import (
	"bytes"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
	"github.com/nothread/nothread/transform/internal/load"
)

// A Fault is text that is not Go.
type Fault struct {
	Func *ir.Func // whose it is, nil if that of none on its own
	Text string   // what is wrong, and the line
}

func (f *Fault) Error() string { return "the generated code is not Go: " + f.Text }

// File returns the output for file, from the package clause on. funcs are its
// functions in source order. An error is a *Fault.
func File(pkg *load.Package, file *load.File, funcs []*ir.Func) ([]byte, error) {
	source, text := render(pkg, funcs, file.Funcs)
	if text == "" {
		return source, nil
	}
	for i, f := range funcs {
		if _, alone := render(pkg, funcs[i:i+1], file.Funcs[i:i+1]); alone != "" {
			return nil, &Fault{f, alone}
		}
	}
	return nil, &Fault{nil, text}
}

// render returns the output for some functions of a file, or what is wrong with
// it.
func render(pkg *load.Package, funcs []*ir.Func, decls []*load.Func) (source []byte, fault string) {
	out := jen.NewFilePathName(pkg.PkgPath, pkg.Name)
	out.ImportName(load.AsyncPath, "async")
	for _, p := range pkg.Types.Imports() {
		out.ImportName(p.Path(), p.Name())
	}
	if len(funcs) > 0 {
		rename(out, pkg.Types.Imports(), funcs[0].Source.Imports, make(map[*types.Package]bool))
	}
	for i, f := range funcs {
		e := &emitter{f: f, fn: decls[i], pkg: pkg, out: out}
		e.machine()
	}
	know(out, funcs)
	var b bytes.Buffer
	if err := out.Render(&b); err != nil {
		return nil, firstFault(err.Error())
	}
	return standardFirst(b.Bytes()), ""
}

// rename imports packages under the names that they have instead of their own, if any.
func rename(out *jen.File, imports []*types.Package, names map[string]string, seen map[*types.Package]bool) {
	for _, p := range imports {
		if seen[p] {
			continue
		}
		seen[p] = true
		if name, ok := names[p.Path()]; ok && name != p.Name() {
			out.ImportAlias(p.Path(), name)
		}
		rename(out, p.Imports(), names, seen)
	}
}

// firstFault cuts jennifer's error, to which the whole source is appended, to its
// first line and the line of the source that it is about.
func firstFault(text string) string {
	reason, source, _ := strings.Cut(text, "\n")
	var line, column int
	if _, err := fmt.Sscanf(reason, "Error %d:%d", &line, &column); err != nil {
		return reason
	}
	if lines := strings.Split(source, "\n"); 0 < line && line <= len(lines) {
		return reason + "\n" + strings.TrimSpace(lines[line-1])
	}
	return reason
}

// standardFirst puts the imports of the standard library in a group of their
// own, before the others.
func standardFirst(source []byte) []byte {
	before, rest, ok := bytes.Cut(source, []byte("import (\n"))
	if !ok {
		return source
	}
	specs, after, _ := bytes.Cut(rest, []byte("\n)\n"))
	var standard, others [][]byte
	for spec := range bytes.SplitSeq(specs, []byte("\n")) {
		_, path, _ := bytes.Cut(spec, []byte(`"`))
		if first, _, _ := bytes.Cut(path, []byte("/")); bytes.Contains(first, []byte(".")) {
			others = append(others, spec)
		} else {
			standard = append(standard, spec)
		}
	}
	if len(standard) > 0 && len(others) > 0 {
		standard = append(standard, nil)
	}
	return slices.Concat(before, []byte("import (\n"),
		bytes.Join(append(standard, others...), []byte("\n")), []byte("\n)\n"), after)
}

// mark stands for a name of another package in a text: raw lets jennifer
// qualify it, and so import the package.
func mark(path, name string) string { return "\x00" + path + "\x00" + name + "\x00" }

// raw is Go text with marks, as jennifer has it.
func raw(text string) *jen.Statement {
	s := new(jen.Statement)
	for text != "" {
		before, rest, found := strings.Cut(text, "\x00")
		if before != "" {
			s.Op(before)
		}
		if !found {
			break
		}
		path, rest, _ := strings.Cut(rest, "\x00")
		name, rest, _ := strings.Cut(rest, "\x00")
		s.Qual(path, name)
		text = rest
	}
	return s
}

// An emitter writes one function.
type emitter struct {
	f   *ir.Func
	fn  *load.Func
	pkg *load.Package
	out *jen.File
	b   strings.Builder // MoveNext's body

	here   int    // the line of the source that is written; 0: none
	marker string // what the markers of such lines begin with; "": there are none

	parts  []types.Type // that are written as type parameters now
	wanted map[int]bool // of those, the ones that were written
	funcs  []string     // what the functions are called with that types are inferred for, in order
}

// declared writes [T any, U fmt.Stringer]; "" without type parameters.
func (e *emitter) declared() string { return e.declaredParams(e.f.TypeParams()) }

func (e *emitter) declaredParams(params []*types.TypeParam) string {
	var list []string
	for _, p := range params {
		list = append(list, e.paramTypeName(p)+" "+e.constraint(p.Constraint()))
	}
	return bracketed(list)
}

// used writes [T, U].
func (e *emitter) used() string { return e.usedParams(e.f.TypeParams()) }

func (e *emitter) usedParams(params []*types.TypeParam) string {
	var list []string
	for _, p := range params {
		list = append(list, e.paramTypeName(p))
	}
	return bracketed(list)
}

func bracketed(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// machineType writes copyStreamMachine, with type arguments if it has any.
func (e *emitter) machineType() string { return e.f.Machine + e.used() }

// carrierType writes the struct that carries the results. It has no parameters that are
// blank: no result names one.
func (e *emitter) carrierType() string { return e.fn.Struct.Name + e.usedParams(e.f.NamedTypeParams()) }

// async writes a name of the runtime.
func async(name string) string { return mark(load.AsyncPath, name) }

// arity is what the names Task, Builder and so on end in, and their type
// arguments: "", "[int64]"; "2", "[A, B]".
func (e *emitter) arity() (suffix, args string) {
	if e.fn.Struct != nil {
		return "", "[" + e.carrierType() + "]"
	}
	var list []string
	for _, t := range e.fn.TaskResults {
		list = append(list, e.typ(t))
	}
	if n := len(list); n != 1 {
		suffix = fmt.Sprint(n)
	}
	return suffix, bracketed(list)
}

func (e *emitter) taskType() string {
	suffix, args := e.arity()
	return async("Task"+suffix) + args
}

func (e *emitter) builderType() string {
	suffix, args := e.arity()
	name := "Builder"
	if e.fn.Options.Pool {
		name = "PooledBuilder"
	}
	return async(name+suffix) + args
}

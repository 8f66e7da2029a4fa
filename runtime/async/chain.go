package async

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// This file writes where a panic rose and which awaits it came through, by the
// author's files and lines: a machine's table says from where each line of its
// MoveNext comes.

// A place is a frame of a stack, as its author knows it.
type place struct {
	function, file string
	line           int
	machine        bool // it is a machine's, known by its table
	within         bool // it is a function literal's in a machine
}

// stack writes where the panic rose, as a crash would, and the awaits that it has
// come through since.
func (f *fault) stack() []byte {
	chain := f.chain()
	if len(chain) == 0 {
		return nil
	}
	var b []byte
	seen := make(map[place]bool)
	for _, p := range places(chain[0].trace) {
		seen[p] = true
		b = fmt.Appendf(b, "%s\n\t%s:%d\n", p.function, p.file, p.line)
	}
	for _, g := range chain[1:] {
		if p, ok := innermost(places(g.trace)); ok && !seen[p] {
			seen[p] = true
			b = fmt.Appendf(b, "awaited by %s\n\t%s:%d\n", p.function, p.file, p.line)
		}
	}
	return b
}

// awaits writes the machines that the panic came through, innermost first.
func (f *fault) awaits() []byte {
	var b []byte
	seen := make(map[place]bool)
	for _, g := range f.chain() {
		for _, p := range places(g.trace) {
			if (p.machine || p.within && g.cause == nil) && !seen[p] {
				seen[p] = true
				b = fmt.Appendf(b, "%s\n\t%s:%d\n", p.function, p.file, p.line)
			}
			if p.machine && g.cause != nil {
				break
			}
		}
	}
	return b
}

// chain lists the faults from where the panic rose first.
func (f *fault) chain() []*fault {
	var list []*fault
	for ; f != nil; f = f.cause {
		if len(f.trace) > 0 {
			list = append(list, f)
		}
	}
	slices.Reverse(list)
	return list
}

func innermost(list []place) (place, bool) {
	for _, p := range list {
		if p.machine {
			return p, true
		}
	}
	return place{}, false
}

// places are the frames of a trace. Those of machines are the author's, where
// their tables are known; two of one machine at one line are one.
func places(trace []uintptr) []place {
	var list []place
	frames := runtime.CallersFrames(trace)
	for {
		frame, more := frames.Next()
		p := place{function: frame.Function, file: frame.File, line: frame.Line}
		if t, literal := tableOf(frame.Function); t != nil {
			own := place{function: packageOf(frame.Function) + "." + t.Func + literal, file: frame.File, line: frame.Line,
				machine: literal == "", within: literal != ""}
			if t.Lines == "" { // its code bears directives: the line is the author's already
				p = own
			} else if own.line = t.source(frame.Line - t.Code); own.line > 0 {
				own.file = filepath.Join(filepath.Dir(frame.File), t.File)
				p = own
			}
		}
		list = append(list, p)
		if !more {
			return list
		}
	}
}

// source is the line of File that a line of MoveNext comes from, 0 if it is from
// none. line is counted from MoveNext's first.
func (s *States) source(line int) int {
	at := 0
	for pair := range strings.FieldsSeq(s.Lines) {
		lines, from, _ := strings.Cut(pair, ":")
		first, last, run := strings.Cut(lines, "-")
		begin, _ := strconv.Atoi(first)
		source, _ := strconv.Atoi(from)
		if begin > line {
			break
		}
		at = s.Line + source
		if run {
			end, _ := strconv.Atoi(last)
			at += min(line, end) - begin
		}
	}
	return at
}

// tables are those of the program's machines, by the names of their MoveNexts.
var tables struct {
	sync.Mutex
	unread []registered
	known  map[string]*States
}

type registered struct {
	pc      uintptr // in a function of their package
	machine string
	states  *States
}

// Know makes the table of a machine known to who reads stacks. Only generated code
// calls it, when its package is initialized.
func Know(machine string, states *States) {
	var pc [1]uintptr
	runtime.Callers(2, pc[:])
	tables.Lock()
	tables.unread = append(tables.unread, registered{pc[0], machine, states})
	tables.Unlock()
}

// tableOf returns the table of the machine whose MoveNext a function is, or of
// which it is a literal: pkg.(*fMachine[...]).MoveNext.func1. It is nil if it is
// neither; literal is ".func1".
func tableOf(function string) (t *States, literal string) {
	name, literal, ok := strings.Cut(function, ").MoveNext")
	if !ok || literal != "" && literal[0] != '.' && literal[0] != '-' { // -range1 is a loop's body
		return nil, ""
	}
	machine := name[strings.LastIndex(name, "(")+1:] // in pkg.g.(*fMachine[...]) if it is inlined in g
	machine, _, _ = strings.Cut(machine, "[")
	name = packageOf(function) + ".(" + machine + ")"
	tables.Lock()
	defer tables.Unlock()
	for _, r := range tables.unread {
		if tables.known == nil {
			tables.known = make(map[string]*States)
		}
		caller, _ := runtime.CallersFrames([]uintptr{r.pc}).Next()
		tables.known[packageOf(caller.Function)+".(*"+r.machine+")"] = r.states
	}
	tables.unread = nil
	return tables.known[name], literal
}

// packageOf is the path of the package that a function's name begins with.
func packageOf(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	if dot := strings.IndexByte(function[slash:], '.'); dot >= 0 {
		return function[:slash+dot]
	}
	return function
}

package emit

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/scanner"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file is about which line of the source a line of MoveNext comes from. The
// statements are written with a marker before each,
//
//	//line nothread@copystream.go:26
//	task = m.src.ReadAsync(m.ctx, m.buf)
//
// which Lines then takes out again, leaving a table for panics to be read by, or
// makes directives of, so that debuggers and panics know the source alone.

// markerPrefix is how the markers of a source's functions begin.
func markerPrefix(base string) string { return "//line nothread@" + base + ":" }

// at has what is written from here on come from pos.
func (e *emitter) at(pos token.Pos) {
	if pos.IsValid() {
		e.here = e.f.Source.Line(pos)
	}
}

// Mark is the marker of a line: see ir.Style.
func (e *emitter) Mark(line int) string {
	if e.marker == "" {
		return ""
	}
	return fmt.Sprintf("%s%d\n", e.marker, line)
}

// placeOf is where an instruction comes from, as far as it has a place.
func placeOf(in ir.Instr) token.Pos {
	switch in := in.(type) {
	case *ir.Stmt:
		if s, ok := in.Node.(*ast.IfStmt); ok && in.NoInit {
			return s.Cond.Pos()
		}
		return in.Node.Pos()
	case *ir.Await:
		return in.Call.Rparen
	case *ir.Code:
		for _, arg := range in.Args {
			switch arg := arg.(type) {
			case ir.Value:
				return arg.Expr.Pos()
			case ast.Expr:
				return arg.Pos()
			case *ir.Await:
				return arg.Call.Rparen
			case *ir.Var:
				if arg.Pos.IsValid() {
					return arg.Pos
				}
			}
		}
	}
	return token.NoPos
}

// placeOfTerm is where the end of a block comes from.
func placeOfTerm(f *ir.Func, t ir.Term) token.Pos {
	switch t := t.(type) {
	case *ir.Branch:
		return placeOf(t.Cond)
	case *ir.Switch:
		return t.Node.Pos()
	case *ir.Return:
		if t.Node == nil {
			return f.Body.Rbrace
		}
		return t.Node.Pos()
	}
	return token.NoPos
}

var (
	moveNext  = regexp.MustCompile(`^func \(\w+ \*\w+(\[.*\])?\) MoveNext\(`)
	firstLine = regexp.MustCompile(`^\tFunc: .*, Line: (\d+), Code: 0,$`)
)

// Lines finishes content, the whole output named output of the source named base:
// of its markers it makes directives, or else a table in each machine's States.
func Lines(content []byte, base, output string, directives bool) ([]byte, error) {
	prefix := markerPrefix(base)
	content = silence(content, prefix)
	var out [][]byte
	var t lineTable
	inside, first := false, 0
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		number, isMarker := strings.CutPrefix(string(line), prefix)
		switch {
		case moveNext.Match(line):
			inside, t = true, lineTable{code: len(out) + 1}
		case isMarker:
			t.source, _ = strconv.Atoi(number)
			t.marked = true
			if directives {
				out = append(out, fmt.Appendf(nil, "//line %s:%s", base, number))
			}
			continue
		case inside && string(line) == "}":
			inside = false
			if directives && t.marked {
				out = append(out, line, fmt.Appendf(nil, "//line %s:%d", output, len(out)+3))
				continue
			}
		case inside:
			t.next()
		case firstLine.Match(line):
			first, _ = strconv.Atoi(string(firstLine.FindSubmatch(line)[1]))
			if text, _ := bytes.CutSuffix(line, []byte("0,")); !directives {
				line = fmt.Appendf(nil, "%s%d,", text, t.code)
			}
		case string(line) == "\tLines: \"\"," && !directives:
			line = fmt.Appendf(nil, "\tLines: %q,", t.text(first))
		}
		out = append(out, line)
	}
	finished := bytes.Join(out, []byte("\n"))
	if directives {
		return finished, nil
	}
	return format.Source(finished)
}

// silence makes plain comments of the line directives that were copied from the
// source, as another generator leaves them there: they count that one's lines from
// where they stand in the source, and would hide all that follows in the output.
func silence(content []byte, prefix string) []byte {
	if !bytes.Contains(content, []byte("/*line ")) && bytes.Count(content, []byte("\n//line ")) == bytes.Count(content, []byte("\n"+prefix)) {
		return content
	}
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(content))
	var s scanner.Scanner
	s.Init(file, content, nil, scanner.ScanComments)
	var out []byte
	done := 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return append(out, content[done:]...)
		}
		if tok == token.COMMENT && strings.HasPrefix(text[2:], "line ") && !strings.HasPrefix(text, prefix) {
			behind := file.Offset(pos) + 2
			out = append(append(out, content[done:behind]...), ' ')
			done = behind
		}
	}
}

// A lineTable says of the lines of a MoveNext, counted from its first, from which
// line of the source they come.
type lineTable struct {
	code   int // where MoveNext begins
	marked bool
	source int // what the line at hand comes from; 0: nothing
	line   int // lines behind the first
	pairs  [][2]int
}

func (t *lineTable) next() {
	t.line++
	if t.source > 0 {
		t.pairs = append(t.pairs, [2]int{t.line, t.source})
		t.source++
	}
}

// text writes the table as async.States has it, the source's lines counted from
// the function's first.
func (t *lineTable) text(first int) string {
	var list []string
	last := 0
	for i := 0; i < len(t.pairs); {
		line, source := t.pairs[i][0], t.pairs[i][1]
		run := 1
		for i+run < len(t.pairs) && t.pairs[i+run] == [2]int{line + run, source + run} {
			run++
		}
		switch {
		case run > 1:
			list = append(list, fmt.Sprintf("%d-%d:%d", line, line+run-1, source-first))
		case source != last:
			list = append(list, fmt.Sprintf("%d:%d", line, source-first))
		}
		last = source + run - 1
		i += run
	}
	return strings.Join(list, " ")
}

package fuzz

import (
	"fmt"
	"go/format"
	"regexp"
	"strconv"
	"strings"
)

// Text is a verdict as a regression case: what was wrong as a comment, then the
// program.
func (v *Verdict) Text() string {
	var b strings.Builder
	for line := range strings.Lines(v.Detail) {
		fmt.Fprintf(&b, "// %s\n", strings.TrimRight(line, " \n"))
	}
	source := regexp.MustCompile(`\n\s*\n+`).ReplaceAllString(v.Program.Source, "\n\n")
	if text, err := format.Source([]byte(source)); err == nil {
		source = string(text)
	}
	return b.String() + "\n" + strings.TrimSpace(source) + "\n"
}

var rootName = regexp.MustCompile(`(?m)^//call: F(\d+)\(`)

// Parse reads a regression case, under another number.
func Parse(text string, id int) (Program, error) {
	m := rootName.FindStringSubmatch(text)
	if m == nil {
		return Program{}, fmt.Errorf("no //call: comment")
	}
	was, err := strconv.Atoi(m[1])
	if err != nil {
		return Program{}, err
	}
	source := renumber(text, was, id)
	if !strings.Contains(source, fmt.Sprintf("func reset%d()", id)) {
		source += fmt.Sprintf("\nfunc reset%d() {}\n", id)
	}
	return Program{ID: id, Source: source}, nil
}

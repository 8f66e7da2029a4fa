package inject

import (
	"cmp"
	"go/token"
	"slices"
	"strings"
)

// edits are changes of a text, noted by position. Insertions at one place keep
// the order in which they were noted.
type edits struct {
	content []byte
	base    *token.File
	list    []edit
}

type edit struct {
	start, end int
	text       string
}

func (e *edits) offset(pos token.Pos) int { return e.base.Offset(pos) }

func (e *edits) insert(pos token.Pos, text string) { e.replace(pos, pos, text) }

func (e *edits) replace(start, end token.Pos, text string) {
	e.list = append(e.list, edit{e.offset(start), e.offset(end), text})
}

// text is the text between two positions with the edits made.
func (e *edits) text(start, end token.Pos) string {
	slices.SortStableFunc(e.list, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var b strings.Builder
	at := e.offset(start)
	for _, edit := range e.list {
		b.Write(e.content[at:edit.start])
		b.WriteString(edit.text)
		at = edit.end
	}
	b.Write(e.content[at:e.offset(end)])
	return b.String()
}

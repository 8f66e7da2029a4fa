package plan

import (
	"bytes"
	"go/ast"
	"go/token"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file carries the author's layout over: comments that stand between
// statements, and empty lines.

// before emits what stands in front of pos: comments, and an empty line if the
// author left one.
func (b *builder) before(pos token.Pos) {
	for len(b.comments) > 0 && b.comments[0].Pos() < pos {
		group := b.comments[0]
		b.comments = b.comments[1:]
		line := b.f.Source.Line(group.Pos())
		if line == b.lastLine {
			b.emit(&ir.Comment{Text: b.commentText(group), Trailing: true})
		} else {
			b.gap(line)
			b.emit(&ir.Comment{Text: b.commentText(group)})
		}
		b.lastLine = b.f.Source.Line(b.commentEnd(group))
	}
	b.gap(b.f.Source.Line(pos))
}

func (b *builder) commentText(group *ast.CommentGroup) string {
	return b.f.Source.Text(group.Pos(), b.commentEnd(group))
}

// commentEnd is where a group ends in the source. Its End counts no carriage returns,
// for the text that a comment has in the syntax is without them.
func (b *builder) commentEnd(group *ast.CommentGroup) token.Pos {
	last := group.List[len(group.List)-1]
	s := b.f.Source
	if rest := s.Content[s.File.Offset(last.Pos()):]; bytes.HasPrefix(rest, []byte("/*")) {
		return last.Pos() + token.Pos(len("/*")+bytes.Index(rest[len("/*"):], []byte("*/"))+len("*/"))
	}
	return last.End()
}

// gap emits an empty line if there is one between the last thing and line.
func (b *builder) gap(line int) {
	if b.lastLine > 0 && line > b.lastLine+1 {
		b.emit(&ir.Blank{})
	}
}

// after notes that the text up to end has been emitted, comments inside
// included, and emits a comment behind it.
func (b *builder) after(end token.Pos) {
	for len(b.comments) > 0 && b.comments[0].Pos() < end {
		b.comments = b.comments[1:]
	}
	b.lastLine = b.f.Source.Line(end)
	if len(b.comments) == 0 || b.f.Source.Line(b.comments[0].Pos()) != b.lastLine {
		return
	}
	group := b.comments[0]
	b.comments = b.comments[1:]
	b.emit(&ir.Comment{Text: b.commentText(group), Trailing: true})
	b.lastLine = b.f.Source.Line(b.commentEnd(group))
}

// closing emits the comments in front of a closing brace.
func (b *builder) closing(rbrace token.Pos) {
	for len(b.comments) > 0 && b.comments[0].Pos() < rbrace {
		b.before(b.comments[0].Pos() + 1)
	}
	b.lastLine = b.f.Source.Line(rbrace)
}

package check

import (
	"go/ast"
	"go/token"
	"strings"
	"unicode"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// directives reports the directives of file that mark nothing, and comments
// that look like one and are none.
func directives(fset *token.FileSet, file *ast.File, diags *diag.List) {
	marks := make(map[*ast.Comment]bool) // in the doc comment of a function
	again := make(map[*ast.Comment]bool) // the second of a function, and further ones
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Doc != nil {
			found := false
			for _, comment := range fn.Doc.List {
				marks[comment] = true
				if _, ok := load.ParseDirective(comment.Text); ok {
					again[comment], found = found, true
				}
			}
		}
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			pos := fset.Position(comment.Pos())
			words, ok := load.ParseDirective(comment.Text)
			switch {
			case ok && !marks[comment]:
				diags.Errorf(pos, diag.Directive, "%s marks a function, and this is %s; put it directly above a func, as a line of its doc comment",
					load.Directive, placeOf(file, comment))
			case again[comment]:
				diags.Errorf(pos, diag.Directive, "%s stands above this function already; put all options on one line", load.Directive)
			case ok:
				options(words, pos, diags)
			case looksMisspelled(comment.Text):
				diags.Errorf(pos, diag.Directive, "%q is not a directive and marks nothing; did you mean %s?",
					firstWords(comment.Text), load.Directive)
			}
		}
	}
}

// options reports words after the directive that mean nothing.
func options(words []string, pos token.Position, diags *diag.List) {
	var known load.Options
	for i, word := range words {
		if strings.HasPrefix(word, "//") {
			diags.Errorf(pos, diag.Directive, "%s takes no comment beside it, and %q is one; put it on a line of its own", load.Directive, strings.Join(words[i:], " "))
			return
		}
		if err := known.Option(word); err != nil {
			diags.Errorf(pos, diag.Directive, "%v", err)
		}
	}
}

// placeOf says what a misplaced directive stands at.
func placeOf(file *ast.File, comment *ast.Comment) string {
	place := "a comment on its own"
	if comment.Pos() < file.Package {
		place = "the package clause"
	}
	at := func(group *ast.CommentGroup, what string) {
		if group != nil && group.Pos() <= comment.Pos() && comment.End() <= group.End() {
			place = what
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil && n.Body.Pos() <= comment.Pos() && comment.Pos() < n.Body.End() {
				place = "inside the body of " + n.Name.Name
			}
		case *ast.GenDecl:
			at(n.Doc, article(n.Tok))
			if n.Lparen.IsValid() && n.Lparen <= comment.Pos() && comment.Pos() < n.Rparen {
				place = "inside " + article(n.Tok)
			}
		case *ast.TypeSpec:
			at(n.Doc, "a type declaration")
			at(n.Comment, "a type declaration")
		case *ast.ValueSpec:
			at(n.Doc, "the declaration of "+n.Names[0].Name)
			at(n.Comment, "the declaration of "+n.Names[0].Name)
		case *ast.ImportSpec:
			at(n.Doc, "an import declaration")
			at(n.Comment, "an import declaration")
		case *ast.Field:
			at(n.Doc, "a field or a method of an interface")
			at(n.Comment, "a field or a method of an interface")
		}
		return true
	})
	return place
}

func article(tok token.Token) string {
	if tok == token.IMPORT {
		return "an import declaration"
	}
	return "a " + tok.String() + " declaration"
}

// looksMisspelled reports whether a comment that is no directive was meant as
// one: "//nothread:" with an unknown word, or a text that differs from the
// directive by little and is followed by nothing but options, if anything
// (prose that mentions the directive goes on).
func looksMisspelled(text string) bool {
	if strings.HasPrefix(text, "//\t") {
		return false // an example in a doc comment
	}
	if strings.HasPrefix(text, "//nothread:") {
		return true
	}
	fields := strings.Fields(strings.TrimSuffix(strings.TrimLeft(text, "/*"), "*/"))
	for n := 1; n <= 2 && n <= len(fields); n++ {
		rest := fields[n:]
		for len(rest) > 0 && (load.KnownOption(rest[0]) || strings.Contains(rest[0], "=")) {
			rest = rest[1:]
		}
		if len(rest) == 0 && distance(letters(strings.Join(fields[:n], "")), letters(load.Directive)) <= 2 {
			return true
		}
	}
	return false
}

// firstWords is the beginning of a comment as a message quotes it.
func firstWords(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > 40 {
		text = text[:40] + "…"
	}
	return text
}

// letters keeps the letters of s, in lower case.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance counts the letters to insert, delete or replace on the way from a to
// b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

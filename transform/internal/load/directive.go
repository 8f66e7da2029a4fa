package load

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The directive, as it stands in a doc comment.
const Directive = "//nothread:async"

// Options are the words after the directive.
type Options struct {
	Pool   bool      // pool: machines of this function are pooled
	Class  bool      // class: they are on the heap from their beginning, and keep every variable
	Budget Budget    // what the machine may cost
	Pos    token.Pos // of the directive
}

// A Budget is what a machine may cost at most; nil is no limit.
type Budget struct {
	Bytes  *int // max-bytes=N: of the machine
	Allocs *int // max-allocs=N: places where a call allocates what its author did not
}

// Option takes a word after the directive into o. The error says what is wrong
// with a word that has no meaning.
func (o *Options) Option(word string) error {
	name, value, valued := strings.Cut(word, "=")
	limits := map[string]**int{"max-bytes": &o.Budget.Bytes, "max-allocs": &o.Budget.Allocs}
	modes := map[string]*bool{"pool": &o.Pool, "class": &o.Class}
	limit, mode := limits[name], modes[name]
	switch {
	case mode != nil && valued:
		return fmt.Errorf("%s takes no value", name)
	case mode != nil && *mode, limit != nil && *limit != nil:
		return fmt.Errorf("%s is given twice", name)
	case mode != nil && (o.Pool || o.Class):
		return fmt.Errorf("pool and class exclude each other: a machine that shows every variable until its end is not used again")
	case mode != nil:
		*mode = true
		return nil
	case limit == nil:
		return fmt.Errorf("%s has no option %q; those it has are pool, class, max-bytes=N and max-allocs=N", Directive, word)
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return fmt.Errorf("%s wants a number, as in %s=100, and not %q", name, name, value)
	}
	*limit = &n
	return nil
}

// KnownOption reports whether word may follow the directive.
func KnownOption(word string) bool { return new(Options).Option(word) == nil }

// ParseDirective reports whether the text of a comment is the directive, and
// the words that follow it.
func ParseDirective(text string) (words []string, ok bool) {
	rest, ok := strings.CutPrefix(text, Directive)
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return nil, false
	}
	return strings.Fields(rest), true
}

// directiveOf finds the directive in a function's doc comment.
func directiveOf(decl *ast.FuncDecl) (Options, bool) {
	if decl.Doc == nil {
		return Options{}, false
	}
	var options Options
	found := false
	for _, comment := range decl.Doc.List {
		words, ok := ParseDirective(comment.Text)
		if !ok {
			continue
		}
		if !found {
			options.Pos = comment.Pos()
		}
		found = true
		for _, word := range words {
			_ = options.Option(word) // package check reports what is wrong with it
		}
	}
	return options, found
}

// Annotated lists the functions of file that carry the directive, in source
// order.
func Annotated(file *ast.File) []*ast.FuncDecl {
	var decls []*ast.FuncDecl
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			if _, ok := directiveOf(fn); ok {
				decls = append(decls, fn)
			}
		}
	}
	return decls
}

// CanHaveTwin reports whether a twin of decl, in the file at path, can be
// declared at all. Package check says why where it cannot.
func CanHaveTwin(path string, decl *ast.FuncDecl) bool {
	if decl.Body == nil || decl.Name.Name == "_" || TestPrefix(path, decl) != "" {
		return false
	}
	return decl.Recv != nil || decl.Name.Name != "init" && decl.Name.Name != "main"
}

// TestPrefix is the prefix by which go test takes decl, in the file at path, for
// a test; it is "" if it does not.
func TestPrefix(path string, decl *ast.FuncDecl) string {
	if decl.Recv != nil || !strings.HasSuffix(path, "_test.go") {
		return ""
	}
	for _, prefix := range []string{"Test", "Benchmark", "Fuzz", "Example"} {
		if rest, ok := strings.CutPrefix(decl.Name.Name, prefix); ok {
			if first, _ := utf8.DecodeRuneInString(rest); !unicode.IsLower(first) {
				return prefix
			}
		}
	}
	return ""
}

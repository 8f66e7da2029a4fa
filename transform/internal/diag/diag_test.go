package diag_test

import (
	"go/token"
	"strings"
	"testing"

	"github.com/nothread/nothread/transform/internal/diag"
)

func at(file string, line, col int) token.Position {
	return token.Position{Filename: file, Line: line, Column: col}
}

func TestPrintSortsOnceAndRelative(t *testing.T) {
	l := diag.List{Dir: "/w"}
	l.Errorf(at("/w/b.go", 2, 1), diag.TypeError, "undefined: x")
	l.Errorf(at("/w/a.go", 10, 3), diag.TypeError, "later line")
	l.Errorf(at("/w/a.go", 9, 7), diag.TypeError, "second column")
	l.Warnf(at("/w/a.go", 9, 2), diag.Unsupported, "first column")
	l.Errorf(at("/w/b.go", 2, 1), diag.TypeError, "undefined: x") // the test variant says it again
	l.Errorf(at("/elsewhere/c.go", 1, 0), diag.Load, "no column")
	l.Errorf(token.Position{}, diag.NoRuntime, "no place")
	l.Errorf(at("/w/sub/d.go", 1, 1), diag.NameTaken, "see %s", l.Place(at("/w/sub/e.go", 2, 3)))

	var b strings.Builder
	if err := l.Print(&b); err != nil {
		t.Fatal(err)
	}
	want := `no place
/elsewhere/c.go:1: no column
a.go:9:2: warning: first column
a.go:9:7: second column
a.go:10:3: later line
b.go:2:1: undefined: x
sub/d.go:1:1: see sub/e.go:2:3
`
	if b.String() != want {
		t.Errorf("got:\n%swant:\n%s", b.String(), want)
	}
}

func TestHasErrors(t *testing.T) {
	var l diag.List
	l.Warnf(at("a.go", 1, 1), diag.Unsupported, "only a warning")
	if l.HasErrors() {
		t.Error("a warning counts as an error")
	}
	l.Errorf(at("a.go", 1, 1), diag.Load, "x")
	if !l.HasErrors() || l.Errors() != 1 {
		t.Errorf("HasErrors %v, Errors %d", l.HasErrors(), l.Errors())
	}
}

func TestRel(t *testing.T) {
	for _, c := range []struct{ dir, path, want string }{
		{"/w", "/w/a.go", "a.go"},
		{"/w", "/w/sub/a.go", "sub/a.go"},
		{"/w", "/wide/a.go", "/wide/a.go"},
		{"/w/x", "/w/a.go", "/w/a.go"},
		{"", "/w/a.go", "/w/a.go"},
		{"/w", "a.go", "a.go"},
		{"/w", "/w/..odd.go", "..odd.go"},
	} {
		if got := diag.Rel(c.dir, c.path); got != c.want {
			t.Errorf("Rel(%q, %q) = %q, want %q", c.dir, c.path, got, c.want)
		}
	}
}

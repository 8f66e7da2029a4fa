package load

import (
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/nothread/nothread/transform/internal/diag"
)

// A failure is an error of the load with what belongs to it: the type checker
// follows up on some errors with further ones, such as where the other
// declaration of a name is.
type failure struct {
	packages.Error
	pos   token.Position
	more  []string
	stubs bool // it, or what follows it, is about a stub
}

// failures reads the errors of one package.
func (l *loader) failures(pkg *packages.Package) []*failure {
	var list []*failure
	for _, e := range pkg.Errors {
		f := &failure{Error: e, pos: position(l.dir, e.Pos)}
		f.stubs = l.overlay[f.pos.Filename] != nil
		if more, ok := strings.CutPrefix(e.Msg, "\t"); ok && len(list) > 0 {
			last := list[len(list)-1]
			last.stubs = last.stubs || f.stubs
			last.more = append(last.more, l.diags.Place(f.pos)+": "+more)
			continue
		}
		list = append(list, f)
	}
	return list
}

// text is the failure's message.
func (f *failure) text() string {
	return strings.Join(append([]string{strings.TrimSpace(f.Msg)}, f.more...), "\n\t")
}

// report turns the errors of the load into diagnostics: those of the main
// module's packages, matched or depended on. Errors in stubs are left out; if
// that leaves nothing although a stub is broken, the function is named whose
// twin cannot be declared.
func (l *loader) report(loaded []*packages.Package) {
	said := make(map[string]bool) // lines that the go command or the parser has complained of
	var late []*failure
	packages.Visit(loaded, nil, func(pkg *packages.Package) {
		unread := unreadable(pkg) || refused(pkg)
		for _, f := range l.failures(pkg) {
			switch {
			case f.Kind == packages.TypeError && unread:
				// types of half a package say more of the other half than of this
			case f.Kind == packages.TypeError && !f.stubs && !l.local(f.pos.Filename):
				// a package without bodies has errors, and it is not the user's
			case strings.HasPrefix(f.Msg, "found packages ") && len(pkg.TypeErrors) > 0:
				// the type checker says the same with a position
			case l.missingRuntime(f):
			case f.stubs:
				l.hide(f)
			case f.Kind == packages.TypeError:
				late = append(late, f)
			case !said[line(f.pos)]:
				said[line(f.pos)] = f.pos.IsValid()
				l.diags.Errorf(f.pos, code(f.Kind), "%s", f.text())
			}
		}
	})
	for _, f := range late {
		if !said[line(f.pos)] {
			l.diags.Errorf(f.pos, diag.TypeError, "%s%s", f.text(), l.unseen(f))
		}
	}
}

// unseen is what to add where a source names what is generated: that is there for
// the go command, but not for who generates it.
func (l *loader) unseen(f *failure) string {
	name, ok := strings.CutPrefix(f.Msg, "undefined: ")
	for path, src := range l.scan.sources {
		if !ok || filepath.Dir(path) != filepath.Dir(f.pos.Filename) {
			continue
		}
		for _, decl := range Annotated(src.file) {
			if strings.HasPrefix(name, NameBase(decl)+"Machine") {
				return "; of what is generated, sources can use async forms and the structs of their results only"
			}
		}
	}
	return ""
}

// unreadable reports whether pkg has syntax errors.
func unreadable(pkg *packages.Package) bool {
	return slices.ContainsFunc(pkg.Errors, func(e packages.Error) bool { return e.Kind == packages.ParseError })
}

// refused reports whether the go command has something against pkg as a whole, such as
// the name of a file, and so does not say what the package imports. Of import cycles,
// and of files of two packages, the type checker knows where.
func refused(pkg *packages.Package) bool {
	return len(pkg.Imports) == 0 && slices.ContainsFunc(pkg.Errors, func(e packages.Error) bool {
		return e.Kind != packages.TypeError && (e.Pos == "" || e.Pos == "-") &&
			!strings.HasPrefix(e.Msg, "import cycle") && !strings.HasPrefix(e.Msg, "found packages ")
	})
}

// hide keeps an error in a stub, as one at the source, for the case that nobody
// says what is wrong with the source. Unused imports are of no interest: a stub
// may have more than it needs.
func (l *loader) hide(f *failure) {
	if strings.Contains(f.Msg, "imported and not used") || strings.Contains(f.Msg, "imported as") {
		return
	}
	at := f.pos
	for _, src := range l.scan.sources {
		if src.output == f.pos.Filename {
			at = l.scan.fset.Position(Annotated(src.file)[0].Pos())
		}
	}
	l.hidden = append(l.hidden, diag.Diagnostic{Pos: at, Code: diag.TypeError,
		Message: "the async form cannot be declared: " + firstLine(f.Msg)})
}

// line names the line of a position.
func line(pos token.Position) string {
	return pos.Filename + ":" + strconv.Itoa(pos.Line)
}

func code(kind packages.ErrorKind) diag.Code {
	if kind == packages.TypeError || kind == packages.ParseError {
		return diag.TypeError
	}
	return diag.Load
}

// missingRuntime reports the runtime's absence, once and without a place, if
// that is what f is about.
func (l *loader) missingRuntime(f *failure) bool {
	if f.Kind == packages.ParseError || !f.stubs && f.Kind == packages.TypeError || !strings.Contains(f.Msg, AsyncPath) {
		return false
	}
	missing := false
	for _, phrase := range []string{"no required module provides", "cannot find module", "could not import",
		"is not in std", "missing go.sum entry", "import lookup disabled", "cannot find package"} {
		missing = missing || strings.Contains(f.Msg, phrase)
	}
	if missing {
		l.diags.Errorf(token.Position{}, diag.NoRuntime,
			"generated code needs %s, which this module does not require; run: go get %s", AsyncPath, "github.com/nothread/nothread@latest")
	}
	return missing
}

// position reads "file:line:col", "file:line", "file" or "-"; a relative file is
// below dir.
func position(dir, s string) token.Position {
	if s == "" || s == "-" {
		return token.Position{}
	}
	var numbers []int
	for len(numbers) < 2 {
		i := strings.LastIndexByte(s, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(s[i+1:])
		if err != nil {
			break
		}
		numbers, s = append(numbers, n), s[:i]
	}
	pos := token.Position{Filename: s}
	switch len(numbers) {
	case 1:
		pos.Line = numbers[0]
	case 2:
		pos.Line, pos.Column = numbers[1], numbers[0]
	}
	if !filepath.IsAbs(pos.Filename) {
		pos.Filename = filepath.Join(dir, pos.Filename)
	}
	return pos
}

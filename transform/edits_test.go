package transform

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A change of one line in a source changes only the lines of the output that
// follow from it. The golden sources are edited, each edit in a copy of its own,
// and the outputs compared with that of the source as it is.
func TestEditsStaySmall(t *testing.T) {
	b := newBench(t)
	var all []edit
	sources := goldenSources(t)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		source := sources[name]
		b.write(t, name+"/as_is/s.go", source)
		for i, e := range editsOf(t, name, string(source)) {
			e.dir = fmt.Sprintf("%s/edit%d", name, i)
			b.write(t, e.dir+"/s.go", []byte(e.source))
			all = append(all, e)
		}
	}
	made := b.compile(t)
	kinds := make(map[string]int)
	for _, e := range all {
		kinds[e.kind]++
		before, after := made[e.name+"/as_is/s.go"].generated, made[e.dir+"/s.go"].generated
		removed, added := changed(lines(before), lines(after))
		if problem := e.verdict(removed, added); problem != "" {
			t.Errorf("%s, %s: %s\n- %s\n+ %s", e.name, e.what, problem, strings.Join(removed, "\n- "), strings.Join(added, "\n+ "))
		}
	}
	for _, kind := range []string{"comment", "statement", "literal", "rename"} {
		if kinds[kind] < 10 {
			t.Errorf("only %d edits of kind %s", kinds[kind], kind)
		}
	}
}

// goldenSources are the golden cases' sources, by name.
func goldenSources(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../golden/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string][]byte)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".go")
		if filepath.Base(filepath.Dir(path)) != name || name == "play" {
			continue
		}
		if sources[name], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return sources
}

// An edit is a source with one change, and what may follow from it.
type edit struct {
	name, dir  string
	kind, what string
	source     string
	verdict    func(removed, added []string) string
}

// position is what the output says of a function's place: its line in the source.
var position = regexp.MustCompile(`^Func: "[^"]*", File: "[^"]*", Line: \d+, Code: \d+,$`)

// relative is what it says of a state's place, and of where the machine's lines
// come from: lines in the function.
var relative = regexp.MustCompile(`^\d+: \{Line: \d+, |^Lines: "[-0-9: ]*",$`)

func without(list []string, patterns ...*regexp.Regexp) []string {
	return slices.DeleteFunc(slices.Clone(list), func(line string) bool {
		return slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(line) })
	})
}

// editsOf makes edits of a source: a comment at its top; in two of its functions
// a statement more, a literal changed, a variable renamed.
func editsOf(t *testing.T, name, source string) []edit {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "s.go", source, parser.ParseComments) // with objects
	if err != nil {
		t.Fatal(err)
	}
	at := func(pos token.Pos) int { return fset.Position(pos).Offset }
	top := at(file.Name.End())
	list := []edit{{name: name, kind: "comment", what: "a comment at the top", source: source[:top] + "\n\n// One more.\n" + source[top:],
		verdict: func(removed, added []string) string {
			if len(without(removed, position)) > 0 || len(without(added, position)) > 0 {
				return "more changes than the places of functions"
			}
			return ""
		}}}
	var funcs []*ast.FuncDecl
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Doc != nil && strings.Contains(docText(fn), "\n//nothread:async") && len(fn.Body.List) > 0 {
			funcs = append(funcs, fn)
		}
	}
	for _, fn := range slices.Compact([]*ast.FuncDecl{funcs[0], funcs[len(funcs)/2]}) {
		first := at(fn.Body.Lbrace) + 1
		list = append(list, edit{name: name, kind: "statement", what: "a statement in " + fn.Name.Name,
			source:  source[:first] + "\n\tprintln(\"one more\")" + source[first:],
			verdict: oneMore})
		list = append(list, changedLiteral(name, source, fn, at)...)
		list = append(list, renamed(name, source, fn, at)...)
	}
	return list
}

func oneMore(removed, added []string) string {
	removed, added = without(removed, position, relative), without(added, position, relative)
	if len(removed) > 0 || len(added) != 1 || !strings.Contains(added[0], "one more") {
		return "more than one line changes, places aside"
	}
	return ""
}

// changedLiteral changes the first string of a function.
func changedLiteral(name, source string, fn *ast.FuncDecl, at func(token.Pos) int) []edit {
	var lit *ast.BasicLit
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && lit == nil && l.Kind == token.STRING && l.Value[0] == '"' && len(l.Value) > 2 {
			lit = l
		}
		return lit == nil
	})
	if lit == nil {
		return nil
	}
	return []edit{{name: name, kind: "literal", what: lit.Value + " in " + fn.Name.Name,
		source: source[:at(lit.Pos())+1] + "other " + source[at(lit.Pos())+1:],
		verdict: func(removed, added []string) string {
			for _, line := range added {
				if !strings.Contains(line, "other ") {
					return "a line without the literal changes"
				}
			}
			if len(added) == 0 || len(added) > 3 || len(removed) != len(added) {
				return "a string may stand in a statement, beside its label, and in the table of states"
			}
			return ""
		}}}
}

// renamed renames the first variable that a function declares.
func renamed(name, source string, fn *ast.FuncDecl, at func(token.Pos) int) []edit {
	var obj *ast.Object
	var uses []*ast.Ident
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok || id.Obj == nil || id.Obj.Kind != ast.Var || id.Name == "_" {
			return true
		}
		if decl, ok := id.Obj.Decl.(*ast.AssignStmt); obj == nil && ok && decl.Tok == token.DEFINE && id.Pos() == id.Obj.Pos() {
			obj = id.Obj
		}
		if id.Obj == obj {
			uses = append(uses, id)
		}
		return true
	})
	if obj == nil || strings.Count(source[at(fn.Pos()):at(fn.End())], obj.Name+":") > 0 {
		return nil
	}
	old := regexp.MustCompile(`\b` + obj.Name + `\d*\b`)
	for _, id := range slices.Backward(uses) {
		source = source[:at(id.Pos())] + "renamed" + source[at(id.End()):]
	}
	return []edit{{name: name, kind: "rename", what: obj.Name + " in " + fn.Name.Name, source: source,
		verdict: func(removed, added []string) string {
			if len(added) == 0 {
				return "nothing changes"
			}
			for _, line := range removed {
				if slices.Contains(added, line) {
					continue // two subsequences are of the same length
				}
				if !old.MatchString(line) {
					return "a line without the variable goes: " + line
				}
			}
			for _, line := range added {
				if !slices.Contains(removed, line) && !strings.Contains(line, "renamed") && !old.MatchString(line) { // another variable may get the name back
					return "a line without the variable comes: " + line
				}
			}
			return ""
		}}}
}

// lines splits an output, without the columns that gofmt aligns.
func lines(output []byte) []string {
	list := strings.Split(string(output), "\n")
	for i, line := range list {
		list[i] = strings.Join(strings.Fields(line), " ")
	}
	return list
}

// changed compares two texts line by line: what is in their longest common
// subsequence has not changed.
func changed(a, b []string) (removed, added []string) {
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			removed = append(removed, a[i])
			i++
		default:
			added = append(added, b[j])
			j++
		}
	}
	return append(removed, a[i:]...), append(added, b[j:]...)
}

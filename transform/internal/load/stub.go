package load

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// asyncName is what stubs call runtime/async: a name that no source declares.
const asyncName = "nothread_async"

// A stubber writes the stub of one source.
type stubber struct {
	scan    *scan
	src     *source
	body    bytes.Buffer
	imports map[string]bool // the specs that the stub needs, as text
}

// stub is the text of the file that stands in for src's output during the load.
func (s *scan) stub(src *source) []byte {
	b := &stubber{scan: s, src: src, imports: make(map[string]bool)}
	b.imports[asyncName+" "+strconv.Quote(AsyncPath)] = true
	for _, spec := range src.file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			b.imports[importText(spec)] = true // whether it is used cannot be seen
		}
	}
	twins := false
	for _, decl := range Annotated(src.file) {
		if CanHaveTwin(src.path, decl) {
			b.twin(decl)
			twins = true
		}
	}
	if !twins {
		return []byte(excludedContent)
	}

	var out bytes.Buffer
	fmt.Fprintln(&out, Header(filepath.Base(src.path)))
	if src.constraint != "" {
		fmt.Fprintf(&out, "\n//go:build %s\n", src.constraint)
	}
	fmt.Fprintf(&out, "\npackage %s\n\nimport (\n", src.file.Name.Name)
	specs := make([]string, 0, len(b.imports))
	for spec := range b.imports {
		specs = append(specs, spec)
	}
	slices.Sort(specs)
	for _, spec := range specs {
		fmt.Fprintf(&out, "\t%s\n", spec)
	}
	fmt.Fprint(&out, ")\n")
	out.Write(b.body.Bytes())
	return out.Bytes()
}

// twin writes
//
//	func (recv) NameAsync[P …](params) task { for {} }
//
// and, with more than three values, the struct that carries them.
func (b *stubber) twin(decl *ast.FuncDecl) {
	results := resultsOf(decl, b.shadowsError(decl))
	task := b.task(decl, results)

	fmt.Fprint(&b.body, "\nfunc ")
	if decl.Recv != nil {
		fmt.Fprintf(&b.body, "(%s) ", b.fields(decl.Recv))
	}
	fmt.Fprint(&b.body, decl.Name.Name+"Async")
	if decl.Type.TypeParams != nil {
		fmt.Fprintf(&b.body, "[%s]", b.fields(decl.Type.TypeParams))
	}
	fmt.Fprintf(&b.body, "(%s) %s { for {} }\n", b.fields(decl.Type.Params), task)
}

// task is the twin's result type as text.
func (b *stubber) task(decl *ast.FuncDecl, results resultList) string {
	types := make([]string, len(results.types))
	for i, t := range results.types {
		types[i] = b.text(b.src.file, t)
	}
	switch n := len(types); {
	case n == 0:
		return asyncName + ".Task0"
	case n == 1:
		return asyncName + ".Task[" + types[0] + "]"
	case n <= 3:
		return fmt.Sprintf("%s.Task%d[%s]", asyncName, n, strings.Join(types, ", "))
	}
	carrier := structOf(b.src.structs[QualifiedName(decl)], results)
	params, args := b.structParams(decl)
	fmt.Fprintf(&b.body, "\ntype %s%s struct {\n", carrier.Name, params)
	for i, field := range carrier.Fields {
		fmt.Fprintf(&b.body, "\t%s %s\n", field, types[i])
	}
	fmt.Fprint(&b.body, "}\n")
	return asyncName + ".Task[" + carrier.Name + args + "]"
}

// fields is a list of parameters, type parameters or a receiver as text.
func (b *stubber) fields(list *ast.FieldList) string {
	var parts []string
	for _, field := range list.List {
		t := b.text(b.src.file, field.Type)
		if len(field.Names) == 0 {
			parts = append(parts, t)
			continue
		}
		names := make([]string, len(field.Names))
		for i, name := range field.Names {
			names[i] = name.Name
		}
		parts = append(parts, strings.Join(names, ", ")+" "+t)
	}
	return strings.Join(parts, ", ")
}

// text is a type expression of file as text; the imports it needs are noted.
func (b *stubber) text(file *ast.File, expr ast.Expr) string {
	ast.Inspect(expr, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if base, ok := sel.X.(*ast.Ident); ok {
				b.need(file, base.Name)
			}
		}
		return true
	})
	return nodeText(b.scan.fset, expr)
}

func nodeText(fset *token.FileSet, node ast.Node) string {
	if ellipsis, ok := node.(*ast.Ellipsis); ok {
		return "..." + nodeText(fset, ellipsis.Elt)
	}
	var buf bytes.Buffer
	if err := format.Node(&buf, fset, node); err != nil {
		return "invalid" // a syntax error, which the load reports at the source
	}
	return buf.String()
}

// need notes the import of file that declares name. The name of a package is
// not known before it is loaded; where no import looks like it, all that state
// no name are taken: what is unused in a stub harms nobody.
func (b *stubber) need(file *ast.File, name string) {
	var unnamed, likely []string
	for _, spec := range file.Imports {
		text := importText(spec)
		switch {
		case spec.Name != nil && spec.Name.Name == name:
			b.imports[text] = true
			return
		case spec.Name == nil:
			unnamed = append(unnamed, text)
			if looksLike(spec, name) {
				likely = append(likely, text)
			}
		}
	}
	if len(likely) != 1 {
		likely = unnamed
	}
	for _, text := range likely {
		b.imports[text] = true
	}
}

// importText is an import spec as text.
func importText(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name + " " + spec.Path.Value
	}
	return spec.Path.Value
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// looksLike reports whether a package at the spec's path is called name by
// custom: the last element of the path that is no major version.
func looksLike(spec *ast.ImportSpec, name string) bool {
	importPath, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return false
	}
	base := path.Base(importPath)
	return base == name || majorVersion.MatchString(base) && path.Base(path.Dir(importPath)) == name
}

// A resultList is a function's results as its task has them.
type resultList struct {
	types    []ast.Expr // the values, without the error; one entry per value
	names    []string   // of the values; "" or "_" where there is none
	hasError bool
}

// resultsOf splits decl's results into values and error. That a last result is
// the predeclared error is read off its spelling; shadowed says that the name
// means something else here.
func resultsOf(decl *ast.FuncDecl, shadowed bool) resultList {
	var list resultList
	if decl.Type.Results == nil {
		return list
	}
	for _, field := range decl.Type.Results.List {
		if len(field.Names) == 0 {
			list.types, list.names = append(list.types, field.Type), append(list.names, "")
		}
		for _, name := range field.Names {
			list.types, list.names = append(list.types, field.Type), append(list.names, name.Name)
		}
	}
	last := len(list.types) - 1
	if last >= 0 && !shadowed {
		if id, ok := ast.Unparen(list.types[last]).(*ast.Ident); ok && id.Name == "error" {
			list.types, list.names, list.hasError = list.types[:last], list.names[:last], true
		}
	}
	return list
}

// structOf describes the carrier of more than three values. Its fields have the
// results' own names, exported, if all have one and they stay distinct; else
// R0, R1, ….
func structOf(name string, results resultList) *ResultStruct {
	carrier := &ResultStruct{Name: name}
	seen := make(map[string]bool)
	for _, result := range results.names {
		field := upperFirst(result)
		if !ast.IsExported(field) || seen[field] {
			break
		}
		seen[field] = true
		carrier.Fields = append(carrier.Fields, field)
	}
	if len(carrier.Fields) < len(results.names) {
		carrier.Fields = nil
		for i := range results.names {
			carrier.Fields = append(carrier.Fields, fmt.Sprintf("R%d", i))
		}
	}
	return carrier
}

func lowerFirst(s string) string { return mapFirst(s, unicode.ToLower) }
func upperFirst(s string) string { return mapFirst(s, unicode.ToUpper) }

func mapFirst(s string, f func(rune) rune) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(f(first)) + s[size:]
}

package check

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/nothread/nothread/transform/internal/diag"
	"github.com/nothread/nothread/transform/internal/load"
)

// function reports why fn cannot have an async form.
func function(pkg *load.Package, file *load.File, fn *load.Func, names map[string]declaration, diags *diag.List) {
	decl := fn.Decl
	name := decl.Name.Name
	pos := pkg.Fset.Position(decl.Name.Pos())
	errorf := func(code diag.Code, format string, args ...any) { diags.Errorf(pos, code, format, args...) }
	switch {
	case decl.Recv == nil && (name == "main" || name == "init"):
		errorf(diag.CannotAsync, "%s cannot be async, for nobody could await it; move its body to a function that can, and await that in %s", name, name)
		return
	case name == "_":
		errorf(diag.CannotAsync, "a function without a name cannot be async; give it one")
		return
	case decl.Body == nil:
		errorf(diag.CannotAsync, "%s has no body, so there is nothing to make async; annotate a function that calls it", name)
		return
	case load.TestPrefix(file.Path, decl) != "":
		errorf(diag.CannotAsync, "the async form of %s would be %s, which go test takes for a test and refuses; move the body to a function not called %s…",
			name, fn.Twin, load.TestPrefix(file.Path, decl))
		return
	}
	typeParams(pkg, decl, diags)
	typeName, _ := load.Receiver(decl)
	// A file in the output's place, which nothread did not write, is reported as a whole.
	apart := func(d declaration) bool { return pkg.Fset.File(d.pos).Name() != file.Output }
	if other, ok := names[member(typeName, fn.Twin)]; ok && apart(other) {
		errorf(diag.NameTaken, "the async form of %s would be %s, but there is %s of that name at %s; rename one of the two",
			name, fn.Twin, other.kind, diags.Place(pkg.Fset.Position(other.pos)))
	}
	if fn.Struct == nil {
		return
	}
	if other, ok := names[fn.Struct.Name]; ok && apart(other) {
		errorf(diag.NameTaken, "the results of %s would be of a type %s, but there is %s of that name at %s; rename one of the two",
			name, fn.Struct.Name, other.kind, diags.Place(pkg.Fset.Position(other.pos)))
	}
}

// needed are the predeclared names that generated code mentions, whatever the
// source does.
var needed = []string{"any", "append", "bool", "error", "false", "int", "len", "new", "nil", "recover", "rune", "string", "true", "uint16"}

// predeclared reports the package's own declarations of such names.
func predeclared(pkg *load.Package, names map[string]declaration, diags *diag.List) {
	for _, name := range needed {
		if d, ok := names[name]; ok {
			diags.Errorf(pkg.Fset.Position(d.pos), diag.NameTaken, "this is %s called %s in a package with async functions, whose generated code means the predeclared %s; rename it",
				d.kind, name, name)
		}
	}
}

// typeParams reports type parameters of such names: those of a function, and what a
// method calls its receiver's.
func typeParams(pkg *load.Package, decl *ast.FuncDecl, diags *diag.List) {
	var params []*ast.Ident
	if decl.Type.TypeParams != nil {
		for _, field := range decl.Type.TypeParams.List {
			params = append(params, field.Names...)
		}
	}
	_, receivers := load.Receiver(decl)
	for _, id := range append(params, receivers...) {
		if slices.Contains(needed, id.Name) {
			diags.Errorf(pkg.Fset.Position(id.Pos()), diag.NameTaken,
				"this is a type parameter called %s of an async function, whose generated code means the predeclared %s; rename it", id.Name, id.Name)
		}
	}
}

// A declaration is what a name stands for: at package level, or as a member of a
// type.
type declaration struct {
	kind string // "a function", "a type", …
	pos  token.Pos
}

// member is the key of a name in the map that declared makes.
func member(typeName, name string) string {
	if typeName == "" {
		return name
	}
	return typeName + "." + name
}

// declared collects the names that the package's own files declare at package
// level and as methods and fields of its types.
func declared(pkg *load.Package) map[string]declaration {
	names := make(map[string]declaration)
	for _, file := range pkg.Syntax {
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				kind := "a function"
				if decl.Recv != nil {
					kind = "a method"
				}
				typeName, _ := load.Receiver(decl)
				names[member(typeName, decl.Name.Name)] = declaration{kind, decl.Name.Pos()}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					declaredBy(spec, decl.Tok, names)
				}
			}
		}
	}
	return names
}

func declaredBy(spec ast.Spec, tok token.Token, names map[string]declaration) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		kind := map[token.Token]string{token.VAR: "a variable", token.CONST: "a constant"}[tok]
		for _, name := range spec.Names {
			names[name.Name] = declaration{kind, name.Pos()}
		}
	case *ast.TypeSpec:
		names[spec.Name.Name] = declaration{"a type", spec.Name.Pos()}
		if structure, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					names[member(spec.Name.Name, name.Name)] = declaration{"a field", name.Pos()}
				}
				if len(field.Names) == 0 {
					if name := embeddedName(field.Type); name != "" {
						names[member(spec.Name.Name, name)] = declaration{"an embedded field", field.Pos()}
					}
				}
			}
		}
	case *ast.ImportSpec:
		if spec.Name != nil {
			names[spec.Name.Name] = declaration{"an import", spec.Name.Pos()}
		}
	}
}

// embeddedName is the name of an embedded field of the given type.
func embeddedName(expr ast.Expr) string {
	switch x := ast.Unparen(expr).(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.StarExpr:
		return embeddedName(x.X)
	case *ast.IndexExpr:
		return embeddedName(x.X)
	case *ast.IndexListExpr:
		return embeddedName(x.X)
	}
	return ""
}

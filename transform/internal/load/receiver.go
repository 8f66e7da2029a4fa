package load

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Receiver is the name of a method's receiver type and the names that the
// method gives to that type's parameters. For a function both are empty.
//
//	func (s *Stack[T]) Pop()    // "Stack", [T]
func Receiver(decl *ast.FuncDecl) (typeName string, params []*ast.Ident) {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return "", nil
	}
	expr := ast.Unparen(decl.Recv.List[0].Type)
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = ast.Unparen(star.X)
	}
	var indices []ast.Expr
	switch x := expr.(type) {
	case *ast.IndexExpr:
		expr, indices = x.X, []ast.Expr{x.Index}
	case *ast.IndexListExpr:
		expr, indices = x.X, x.Indices
	}
	for _, index := range indices {
		if id, ok := index.(*ast.Ident); ok {
			params = append(params, id)
		}
	}
	if id, ok := ast.Unparen(expr).(*ast.Ident); ok {
		typeName = id.Name
	}
	return typeName, params
}

// QualifiedName is F for a function, T.M for a method.
func QualifiedName(decl *ast.FuncDecl) string {
	if base, _ := Receiver(decl); base != "" {
		return base + "." + decl.Name.Name
	}
	return decl.Name.Name
}

// NameBase is copyStream for CopyStream, stackPop for Stack.Pop: what is generated
// of a function, but for its async form, has names that begin so.
func NameBase(decl *ast.FuncDecl) string {
	base, _ := Receiver(decl)
	if base == "" {
		return lowerFirst(decl.Name.Name)
	}
	return lowerFirst(base + upperFirst(decl.Name.Name))
}

// structParams is the list of type parameters of the struct that carries decl's
// results, and the list of arguments that a twin uses it with. No result can name a
// blank one:
//
//	func Four[T any, E ~[]T]()       // "[T any, E ~[]T]", "[T, E]"
//	func (s *Stack[T]) Four()        // "[T any]", "[T]": constraints as Stack declares them
//	func (s *Stack[T]) Four[E any]() // "[T any, E any]", "[T, E]"
//	func Four()                      // "", ""
func (b *stubber) structParams(decl *ast.FuncDecl) (params, args string) {
	declares, uses := b.receiverParams(decl)
	if list := decl.Type.TypeParams; list != nil {
		own, names := b.namedParams(b.src.file, list, nil)
		declares, uses = append(declares, own...), append(uses, names...)
	}
	if len(uses) == 0 {
		return "", ""
	}
	return "[" + strings.Join(declares, ", ") + "]", "[" + strings.Join(uses, ", ") + "]"
}

// receiverParams are the type parameters of decl's receiver, as namedParams has them.
func (b *stubber) receiverParams(decl *ast.FuncDecl) (declares, uses []string) {
	typeName, names := Receiver(decl)
	if len(names) == 0 {
		return nil, nil
	}
	file, spec := b.declaredType(typeName)
	if spec == nil || spec.TypeParams == nil {
		return nil, nil // no such generic type: an error at the source
	}
	rename := make(map[string]string)
	for i, name := range fieldNames(spec.TypeParams) {
		if i < len(names) {
			rename[name] = names[i].Name
		}
	}
	return b.namedParams(file, spec.TypeParams, rename)
}

// namedParams are the type parameters of a list in file that have names, as they would be
// declared, and the names: those of rename, unless that is nil.
func (b *stubber) namedParams(file *ast.File, list *ast.FieldList, rename map[string]string) (declares, uses []string) {
	for _, field := range list.List {
		constraint := renamed(b.text(file, field.Type), rename)
		for _, name := range field.Names {
			to := name.Name
			if rename != nil {
				to = rename[to]
			}
			if to != "" && to != "_" {
				declares = append(declares, to+" "+constraint)
				uses = append(uses, to)
			}
		}
	}
	return declares, uses
}

func fieldNames(list *ast.FieldList) []string {
	var names []string
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}

// declaredType finds the declaration of a type in the package, and the file where
// it stands; nil if there is none.
func (b *stubber) declaredType(name string) (*ast.File, *ast.TypeSpec) {
	for _, file := range b.scan.neighbours(b.src) {
		for _, decl := range file.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range gen.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
					return file, t
				}
			}
		}
	}
	return nil, nil
}

// shadowsError reports whether "error" means something else than the
// predeclared type in decl's signature.
func (b *stubber) shadowsError(decl *ast.FuncDecl) bool {
	var params []string
	_, ids := Receiver(decl)
	for _, id := range ids {
		params = append(params, id.Name)
	}
	if decl.Type.TypeParams != nil {
		params = append(params, fieldNames(decl.Type.TypeParams)...)
	}
	if slices.Contains(params, "error") {
		return true
	}
	_, spec := b.declaredType("error")
	return spec != nil
}

// renamed is a constraint's text with its type parameters renamed.
func renamed(text string, names map[string]string) string {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return text
	}
	ast.Inspect(expr, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false // a name of another package
		case *ast.Ident:
			if to, ok := names[n.Name]; ok {
				n.Name = to
			}
		}
		return true
	})
	return nodeText(token.NewFileSet(), expr)
}

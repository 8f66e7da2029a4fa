package inject

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"
)

// signature is the head of the annotated function: decl's, with another name
// and the queue before its parameters.
//
//	func (l *List) nothreadPush(nothread_q *nothread_queue, v any)
func (in *injection) signature(f *File, decl *ast.FuncDecl) string {
	e := &edits{content: f.Content, base: in.p.Fset.File(f.Syntax.FileStart)}
	e.replace(decl.Name.Pos(), decl.Name.End(), prefix+decl.Name.Name)
	params := decl.Type.Params
	queue := "nothread_q *nothread_queue"
	if len(params.List) > 0 {
		queue += ", "
	}
	e.insert(params.Opening+1, queue)
	for _, field := range params.List {
		if len(field.Names) == 0 {
			e.insert(field.Type.Pos(), "_ ")
		}
	}
	return e.text(decl.Type.Func, decl.Type.End())
}

// driver is the new body of decl. It names parameters and receiver that have no
// name: decl's own text stays, so a closure around it binds them.
func (in *injection) driver(f *File, decl *ast.FuncDecl) string {
	sig := in.p.Info.Defs[decl.Name].(*types.Func).Signature()
	call, args := in.callee(decl), in.arguments(decl)
	var b strings.Builder
	fmt.Fprintf(&b, "{\n\tnothread_q := nothread_start()\n\tif nothread_sync {\n\t\t")
	if sig.Results().Len() > 0 {
		b.WriteString("return ")
	}
	fmt.Fprintf(&b, call+"\n", "", args)
	if sig.Results().Len() == 0 {
		b.WriteString("\t\treturn\n")
	}
	fmt.Fprintf(&b, "\t}\n\tnothread_t := "+call+"\n\tnothread_q.run(nothread_t)\n\t%s\n}", "Async", args, results(decl, sig))
	return b.String()
}

// callee is a format for a call of the annotated function or of its twin.
func (in *injection) callee(decl *ast.FuncDecl) string {
	name := prefix + decl.Name.Name + "%s"
	if decl.Recv != nil {
		return receiverName + "." + name + "(%s)"
	}
	if list := decl.Type.TypeParams; list != nil {
		var names []string
		for _, field := range list.List {
			for _, id := range field.Names {
				names = append(names, id.Name)
			}
		}
		name += "[" + strings.Join(names, ", ") + "]"
	}
	return name + "(%s)"
}

const receiverName = "nothread_r"

// arguments passes decl's parameters on, under the names that rename gives.
func (in *injection) arguments(decl *ast.FuncDecl) string {
	args := []string{"nothread_q"}
	n := 0
	for _, field := range decl.Type.Params.List {
		for range max(1, len(field.Names)) {
			args = append(args, parameterName(field, n))
			n++
		}
	}
	list := decl.Type.Params.List
	if len(list) > 0 {
		if _, ok := list[len(list)-1].Type.(*ast.Ellipsis); ok {
			args[len(args)-1] += "..."
		}
	}
	return strings.Join(args, ", ")
}

func parameterName(field *ast.Field, n int) string { return fmt.Sprintf("nothread_p%d", n) }

// rename gives decl's receiver and parameters names that nothing in the driver's
// body can be confused with.
func (in *injection) rename(e *edits, decl *ast.FuncDecl) {
	if decl.Recv != nil {
		field := decl.Recv.List[0]
		nameField(e, field, []string{receiverName})
	}
	n := 0
	for _, field := range decl.Type.Params.List {
		var names []string
		for range max(1, len(field.Names)) {
			names = append(names, parameterName(field, n))
			n++
		}
		nameField(e, field, names)
	}
}

func nameField(e *edits, field *ast.Field, names []string) {
	if len(field.Names) == 0 {
		e.insert(field.Type.Pos(), names[0]+" ")
		return
	}
	for i, id := range field.Names {
		e.replace(id.Pos(), id.End(), names[i])
	}
}

// results ends the driver: the task's results as decl's own.
func results(decl *ast.FuncDecl, sig *types.Signature) string {
	values, hasError := sig.Results().Len(), endsInError(sig)
	if hasError {
		values--
	}
	switch {
	case values == 0 && !hasError:
		return "nothread_t.GetResult()"
	case values <= 3 && hasError:
		return "return nothread_t.GetResult()"
	}
	var names []string
	if values > 3 {
		for _, field := range fields(decl, values) {
			names = append(names, "nothread_v."+field)
		}
		if hasError {
			names = append(names, "nothread_e")
			return "nothread_v, nothread_e := nothread_t.GetResult()\n\treturn " + strings.Join(names, ", ")
		}
		return "nothread_v, _ := nothread_t.GetResult()\n\treturn " + strings.Join(names, ", ")
	}
	for i := range values {
		names = append(names, fmt.Sprintf("nothread_%d", i))
	}
	list := strings.Join(names, ", ")
	return list + ", _ := nothread_t.GetResult()\n\treturn " + list
}

func endsInError(sig *types.Signature) bool {
	n := sig.Results().Len()
	return n > 0 && types.Identical(sig.Results().At(n-1).Type(), types.Universe.Lookup("error").Type())
}

// fields are the names by which the compiler's struct of results has the first
// n: the results' own, exported, if all have one and they stay distinct.
func fields(decl *ast.FuncDecl, n int) []string {
	var names []string
	seen := make(map[string]bool)
	for _, field := range decl.Type.Results.List {
		for _, id := range field.Names {
			r, size := utf8.DecodeRuneInString(id.Name)
			name := string(unicode.ToUpper(r)) + id.Name[size:]
			if len(names) < n && token.IsExported(name) && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	if len(names) < n {
		names = nil
		for i := range n {
			names = append(names, fmt.Sprintf("R%d", i))
		}
	}
	return names
}

package ir

import (
	"go/ast"
	"go/token"
	"go/types"
	"sort"
	"strings"
)

// A Style says how what is not the author's text is written.
type Style interface {
	// Var writes a variable; inside says that it stands in a closure.
	Var(v *Var, inside bool) string
	// Operand writes what replaces an expression.
	Operand(o Operand) string
	// Type writes a type that is declared in the function.
	Type(t types.Type) string
	// Package writes a name of another package.
	Package(pkg *types.Package, name string) string
	// Return writes a return statement that leaves the function.
	Return(ret *ast.ReturnStmt) string
	// Start writes a call that starts, or makes, an async closure.
	Start(call *ast.CallExpr, child *Func, inside bool) string
	// Defer writes a defer statement of the function's own.
	Defer(d *ast.DeferStmt) string
	// Leap writes br, a jump out of a whole statement, which leads to a block.
	Leap(br *ast.BranchStmt, to *Block) string
	// Mark writes, on a line of its own, which line of the source the next one
	// is; "" leaves that out.
	Mark(line int) string
}

// Expr writes an expression of the author's. If e itself is replaced, its
// replacement is written.
func (f *Func) Expr(e ast.Expr, style Style) string {
	if o, ok := f.Subst[e]; ok {
		return style.Operand(o)
	}
	return f.Value(e, style)
}

// Value writes an expression even if it is replaced itself: what its
// replacement is set to. An element of a literal gets the type that it left out.
func (f *Func) Value(e ast.Expr, style Style) string {
	text := f.text(e, e.Pos(), e.End(), style, nil)
	if lit, ok := e.(*ast.CompositeLit); ok && lit.Type == nil {
		t := f.Source.Info.TypeOf(e)
		if p, ok := t.Underlying().(*types.Pointer); ok {
			return "&" + style.Type(p.Elem()) + text
		}
		return style.Type(t) + text
	}
	return text
}

// List writes expressions that stand one behind the other.
func (f *Func) List(list []ast.Expr, style Style) string {
	t := &texter{f: f, style: style}
	for _, e := range list {
		if o, ok := f.Subst[e]; ok {
			t.replace(e, style.Operand(o))
			continue
		}
		t.top = e
		t.walk(e)
	}
	return t.edited(list[0].Pos(), list[len(list)-1].End())
}

// Node writes a statement of the author's between pos and end.
func (f *Func) Node(n ast.Node, pos, end token.Pos, style Style) string {
	root, _ := n.(ast.Stmt)
	return f.text(n, pos, end, style, root)
}

// text copies the source from pos to end, edited. The definitions of root, a
// statement that stands outside any whole statement, become assignments.
func (f *Func) text(n ast.Node, pos, end token.Pos, style Style, root ast.Stmt) string {
	t := &texter{f: f, style: style, root: root, top: n}
	t.walk(n)
	return t.edited(pos, end)
}

// edited copies the source from pos to end with what has been replaced.
func (t *texter) edited(pos, end token.Pos) string {
	sort.SliceStable(t.edits, func(i, j int) bool { return t.edits[i].pos < t.edits[j].pos })
	var b strings.Builder
	at := pos
	astray := false // the lines are not those of the source any more
	for _, e := range t.edits {
		if e.pos < at || e.end > end {
			continue // outside the part asked for
		}
		astray = t.copy(&b, at, e.pos, astray)
		if strings.HasSuffix(b.String(), "/") && strings.HasPrefix(e.text, "*") {
			b.WriteByte(' ') // else a/n begins a comment
		}
		b.WriteString(e.text)
		astray = astray || strings.Count(e.text, "\n") != strings.Count(t.f.Source.Text(e.pos, e.end), "\n")
		at = e.end
	}
	t.copy(&b, at, end, astray)
	return b.String()
}

// copy copies the source from pos to end. If the lines are astray, it marks the
// first that begins there; it returns whether they still are.
func (t *texter) copy(b *strings.Builder, pos, end token.Pos, astray bool) bool {
	text := t.f.Source.Text(pos, end)
	for from := 0; astray; {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			break
		}
		from += i + 1
		if start := pos + token.Pos(from); !t.inLiteral(start) {
			b.WriteString(text[:from])
			b.WriteString(t.style.Mark(t.f.Source.Line(start)))
			text, astray = text[from:], false
		}
	}
	b.WriteString(text)
	return astray
}

// inLiteral reports whether pos is inside a string over several lines.
func (t *texter) inLiteral(pos token.Pos) bool {
	for _, lit := range t.raw {
		if lit.Pos() < pos && pos < lit.End() {
			return true
		}
	}
	return false
}

// An edit replaces the source from pos to end.
type edit struct {
	pos, end token.Pos
	text     string
}

// A texter walks what is to be written, and notes the edits.
type texter struct {
	f     *Func
	style Style
	top   ast.Node // written itself even where Subst replaces it
	root  ast.Stmt // whose := becomes =; nil if it is none of ours
	edits []edit
	stack []ast.Node      // around what is visited
	lits  int             // closures around
	raw   []*ast.BasicLit // strings over several lines
}

func (t *texter) replace(n ast.Node, text string) {
	t.edits = append(t.edits, edit{n.Pos(), n.End(), text})
}

func (t *texter) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if n == nil {
			last := t.stack[len(t.stack)-1]
			t.stack = t.stack[:len(t.stack)-1]
			if _, ok := last.(*ast.FuncLit); ok {
				t.lits--
			}
			return true
		}
		if !t.visit(n) {
			return false
		}
		t.stack = append(t.stack, n)
		if _, ok := n.(*ast.FuncLit); ok {
			t.lits++
		}
		return true
	})
}

// visit edits n as a whole and returns false, or lets the walk go on inside.
func (t *texter) visit(n ast.Node) bool {
	if o, ok := t.f.Subst[n]; ok && n != t.top {
		t.replace(n, t.style.Operand(o))
		return false
	}
	switch n := n.(type) {
	case *ast.BasicLit:
		if n.Kind == token.STRING && strings.Contains(n.Value, "\n") {
			t.raw = append(t.raw, n)
		}
	case *ast.Ident:
		t.ident(n)
	case *ast.SelectorExpr:
		t.selector(n)
		return false
	case *ast.UnaryExpr:
		if v := t.cell(n.X); n.Op == token.AND && v != nil {
			t.replace(n, t.style.Var(v, t.lits > 0)) // &x is the cell
			return false
		}
	case *ast.ReturnStmt:
		if t.lits == 0 {
			t.replace(n, t.style.Return(n))
			return false
		}
	case *ast.DeferStmt:
		if t.lits == 0 {
			t.replace(n, t.style.Defer(n))
			return false
		}
	case *ast.SliceExpr:
		t.slice(n)
	case *ast.CallExpr:
		if child := t.f.ChildOf[n]; child != nil {
			t.replace(n, t.style.Start(n, child, t.lits > 0))
			return false
		}
	case *ast.DeclStmt:
		if t.moved(n) {
			t.replace(n, "")
			return false
		}
	case *ast.BranchStmt:
		if to, ok := t.f.Leaps[n]; ok {
			t.replace(n, t.style.Leap(n, to))
			return false
		}
	case *ast.AssignStmt:
		if n == t.root && n.Tok == token.DEFINE {
			t.edits = append(t.edits, edit{n.TokPos, n.TokPos + 2, "="})
		}
	}
	return true
}

// moved reports whether the types that s declares stand elsewhere now.
func (t *texter) moved(s *ast.DeclStmt) bool {
	for _, spec := range s.Decl.(*ast.GenDecl).Specs {
		if spec, ok := spec.(*ast.TypeSpec); ok && t.f.LocalType(t.f.Source.Info.Defs[spec.Name]) != nil {
			return true
		}
	}
	return false
}

// slice writes s[i:f()], where i is a variable in a cell, in two steps: gc reads a variable
// after the call, but what a pointer leads to before it.
//
//	s[:f()][*i:]
func (t *texter) slice(n *ast.SliceExpr) {
	v := t.cell(n.Low)
	if v == nil || n.Slice3 || n.High == nil || !t.f.Calls(n.High) {
		return
	}
	t.replace(n.Low, "")
	t.edits = append(t.edits, edit{n.End(), n.End(), "[*" + t.style.Var(v, t.lits > 0) + ":]"})
}

// cell returns the variable in a cell that e is, nil if it is anything else.
func (t *texter) cell(e ast.Expr) *Var {
	if v := t.f.Variable(e); v != nil && v.Cell {
		return v
	}
	return nil
}

func (t *texter) ident(id *ast.Ident) {
	info := t.f.Source.Info
	obj := info.Uses[id]
	if obj == nil {
		obj = info.Defs[id]
	}
	if obj == nil {
		return
	}
	if v, ok := t.f.VarOf[obj]; ok {
		text := t.style.Var(v, t.lits > 0)
		if v.Cell {
			text = t.deref(text, v, id)
		}
		t.replace(id, text)
		return
	}
	if name, ok := t.f.Names[obj]; ok {
		t.replace(id, name)
		return
	}
	if name, ok := obj.(*types.TypeName); ok && t.f.LocalType(name) != nil {
		t.replace(id, t.style.Type(name.Type()))
		return
	}
	if v, ok := obj.(*types.Var); ok {
		t.field(id, v)
	}
	// A name that a dot import brought in.
	if info.Uses[id] != nil && obj.Pkg() != nil && obj.Pkg() != t.f.Source.Pkg && obj.Parent() == obj.Pkg().Scope() {
		t.replace(id, t.style.Package(obj.Pkg(), obj.Name()))
	}
}

// field writes the name of a field that embeds a type declared in the function:
// that name has changed with the type's.
func (t *texter) field(id *ast.Ident, v *types.Var) {
	if local := t.f.Embedded(v); local != nil {
		t.replace(id, local.Name)
	}
}

// Embedded returns the type declared in the function that a field embeds, itself or
// by a pointer; nil if it embeds none.
func (f *Func) Embedded(field *types.Var) *LocalType {
	if !field.Embedded() {
		return nil
	}
	t := types.Unalias(field.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return f.LocalType(named.Obj())
	}
	return nil
}

// deref writes the value of the cell that text names, as its place demands.
func (t *texter) deref(text string, v *Var, id *ast.Ident) string {
	if len(t.stack) == 0 {
		return "*" + text
	}
	switch parent := t.stack[len(t.stack)-1].(type) {
	case *ast.SelectorExpr:
		if _, ok := v.Type.Underlying().(*types.Struct); ok {
			return text // the selector dereferences
		}
	case *ast.CallExpr:
		if parent.Fun != id {
			return "*" + text
		}
	case *ast.StarExpr, *ast.AssignStmt, *ast.IncDecStmt, *ast.BinaryExpr, *ast.ReturnStmt, *ast.ExprStmt, *ast.SendStmt,
		*ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.CaseClause, *ast.CompositeLit, *ast.ParenExpr, *ast.ValueSpec, *ast.KeyValueExpr:
		return "*" + text
	}
	return "(*" + text + ")"
}

// selector writes pkg.Name through the style, so that emit knows what is imported.
// Of any other x.name it walks x alone: the selected name is never a variable.
func (t *texter) selector(n *ast.SelectorExpr) {
	if id, ok := n.X.(*ast.Ident); ok {
		if name, ok := t.f.Source.Info.Uses[id].(*types.PkgName); ok {
			t.replace(n, t.style.Package(name.Imported(), n.Sel.Name))
			return
		}
	}
	t.stack = append(t.stack, n)
	t.walk(n.X)
	t.stack = t.stack[:len(t.stack)-1]
	if v, ok := t.f.Source.Info.Uses[n.Sel].(*types.Var); ok {
		t.field(n.Sel, v)
	}
}

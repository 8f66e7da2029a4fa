package fuzz

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// A Coverage counts the constructs of programs that were compared, and those
// among them with an await inside.
type Coverage map[string]struct{ All, Awaiting int }

// Add counts the constructs of a program.
func (c Coverage) Add(w *World, p Program) {
	done, err := w.types.check(p.Source)
	if err != nil {
		return
	}
	for _, d := range done.file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Doc == nil { // not async
			continue
		}
		done.functionMarks(fn, c.count)
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if n != nil {
				done.marks(n, c.count)
			}
			switch id := calleeOf(n); {
			case id == nil:
			case id.Name == fn.Name.Name+"Async":
				c.count("recursion", n)
			case id.Name == strings.TrimSuffix(fn.Name.Name, "x")+"yAsync":
				c.count("mutual recursion", n)
			}
			return true
		})
	}
}

// calleeOf is the name of what a call calls.
func calleeOf(n ast.Node) *ast.Ident {
	if call, ok := n.(*ast.CallExpr); ok {
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			return fun
		case *ast.SelectorExpr:
			return fun.Sel
		}
	}
	return nil
}

func (c Coverage) count(name string, n ast.Node) {
	e := c[name]
	e.All++
	if awaits(n) {
		e.Awaiting++
	}
	c[name] = e
}

// String is the table.
func (c Coverage) String() string {
	var b strings.Builder
	b.WriteString("construct                                        all  awaiting\n")
	for _, name := range constructs() {
		e := c[name]
		fmt.Fprintf(&b, "%-44s %7d %9d\n", name, e.All, e.Awaiting)
	}
	return b.String()
}

// Missing lists the constructs that no program had, or none with an await inside.
func (c Coverage) Missing() []string {
	var list []string
	without := strings.FieldsFunc(still, separates)
	for _, name := range constructs() {
		switch {
		case c[name].All == 0:
			list = append(list, name)
		case c[name].Awaiting == 0 && !slices.Contains(without, name):
			list = append(list, name+" with an await inside")
		}
	}
	return list
}

func constructs() []string {
	return strings.FieldsFunc(table, separates)
}

func separates(r rune) bool { return r == '\n' || r == ';' }

// awaits reports whether an await belongs to n itself.
func awaits(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(inner ast.Node) bool {
		switch x := inner.(type) {
		case *ast.FuncLit:
			return inner == n
		case *ast.SelectorExpr:
			found = found || x.Sel.Name == "Await"
		}
		return !found
	})
	return found
}

// functionMarks names what a declaration is.
func (c *checked) functionMarks(fn *ast.FuncDecl, mark func(string, ast.Node)) {
	if fn.Recv != nil {
		recv, text := fn.Recv.List[0].Type, "method of a value"
		if star, ok := recv.(*ast.StarExpr); ok {
			recv, text = star.X, "method of a pointer"
		}
		mark(text, fn.Body)
		if _, ok := recv.(*ast.IndexExpr); ok {
			mark("method of a generic type", fn.Body)
		}
	}
	if fn.Type.TypeParams != nil {
		mark("generic function", fn.Body)
		if text := c.text(fn.Type.TypeParams.List[0].Type); text != "any" {
			mark(map[bool]string{true: "type parameter with methods", false: "type parameter with operators"}[text == "I"], fn.Body)
		}
	}
	switch directive := fn.Doc.Text() + fn.Doc.List[len(fn.Doc.List)-1].Text; {
	case strings.Contains(directive, " pool"):
		mark("pooled machine", fn.Body)
	case strings.Contains(directive, " class"):
		mark("machine on the heap from its beginning", fn.Body)
	}
	c.sharedMarks("function", fn.Type, fn.Body, mark)
	c.literalMarks(fn, mark)
	loopsOf(fn.Body, func(d *ast.DeferStmt) { mark("defer in a loop", d.Call) })
	gotosOut(fn.Body, func(b *ast.BranchStmt) { mark("goto out of a statement", b) })
	for _, p := range fn.Type.Params.List {
		if _, ok := p.Type.(*ast.Ellipsis); ok {
			mark("variadic function", fn.Body)
		}
		if slices.ContainsFunc(p.Names, func(id *ast.Ident) bool { return id.Name == "_" }) {
			mark("blank parameter", fn.Body)
		}
	}
	switch n := fn.Type.Results.NumFields(); {
	case n == 0:
		mark("no results", fn.Body)
	case fn.Type.Results.List[0].Names != nil:
		mark("named results", fn.Body)
	case n > 1:
		mark("several results", fn.Body)
	}
}

// marks names what a node is.
func (c *checked) marks(n ast.Node, mark func(string, ast.Node)) {
	switch n := n.(type) {
	case ast.Expr:
		c.expressionMarks(n, mark)
	case *ast.RangeStmt:
		c.rangeMarks(n, mark)
	case *ast.AssignStmt:
		c.assignMarks(n, mark)
	case *ast.DeferStmt:
		mark(deferred(n), n)
		if len(n.Call.Args) == 1 {
			if _, ok := c.typeOf(n.Call.Args[0]).(*types.Tuple); ok {
				mark("defer with several values of a call", n)
			}
		}
	default:
		c.statementMarks(n, mark)
	}
}

func deferred(n *ast.DeferStmt) string {
	switch fun := n.Call.Fun.(type) {
	case *ast.FuncLit:
		text := "defer of a literal"
		ast.Inspect(fun, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "recover" || id.Name == "panic") {
					text = "defer of a literal that calls " + id.Name
				}
			}
			return true
		})
		return text
	case *ast.SelectorExpr:
		if fun.Sel.Name == "Await" {
			if id := calleeOf(ast.Unparen(fun.X)); id != nil && id.Name == "Go" {
				return "defer of an async closure"
			}
			return "defer of an await"
		}
		if id, ok := fun.X.(*ast.Ident); ok && id.Name == "h" {
			return "defer of a function"
		}
		return "defer of a method"
	case *ast.Ident:
		if fun.Name == "recover" {
			return "defer of recover"
		}
	}
	return "defer of a function value"
}

// statementMarks names statements.
func (c *checked) statementMarks(n ast.Node, mark func(string, ast.Node)) {
	switch n := n.(type) {
	case *ast.IfStmt:
		mark("if", n)
		if n.Init != nil {
			mark("if with init", n.Init)
		}
		if n.Else != nil {
			mark("else", n.Else)
		}
		if second, ok := n.Else.(*ast.IfStmt); ok && second.Init != nil {
			mark("else if with init", second.Init)
		}
	case *ast.ForStmt:
		c.forMarks(n, mark)
	case *ast.SwitchStmt:
		c.switchMarks(n, mark)
	case *ast.CaseClause:
		if n.List == nil {
			mark("default", n)
		}
		for _, x := range n.List {
			mark("case", x)
			if _, ok := c.typeOf(x).(*types.TypeParam); ok && c.info.Types[x].IsType() {
				mark("case of a type parameter", n)
			}
		}
	case *ast.TypeSwitchStmt:
		if n.Init != nil {
			mark("type switch with init", n.Init)
		}
		mark("type switch", n.Assign)
		if _, ok := n.Assign.(*ast.AssignStmt); ok {
			mark("type switch that binds", n)
		}
	case *ast.SelectStmt:
		mark("select", n)
	case *ast.CommClause:
		commMarks(n, mark)
	case *ast.LabeledStmt:
		mark("label", n)
		if !strings.HasPrefix(n.Label.Name, "L") && !strings.HasPrefix(n.Label.Name, "G") {
			mark("label called as something else", n)
		}
	case *ast.BranchStmt:
		text := n.Tok.String()
		if n.Label != nil && n.Tok != token.GOTO {
			text += " to a label"
		}
		mark(text, n)
	case *ast.GoStmt:
		mark("go", n)
	case *ast.SendStmt:
		mark("send", n)
	case *ast.IncDecStmt:
		mark("inc, dec", n)
	case *ast.ReturnStmt:
		c.returnMarks(n, mark)
	case *ast.GenDecl:
		c.declMarks(n, mark)
	}
}

func (c *checked) forMarks(n *ast.ForStmt, mark func(string, ast.Node)) {
	switch {
	case n.Post != nil:
		mark("for with clauses", n)
		mark("for: init", n.Init)
		if n.Cond != nil {
			mark("for: condition", n.Cond)
		} else {
			mark("for with clauses, without condition", n)
		}
		mark("for: post", n.Post)
		if init, ok := n.Init.(*ast.AssignStmt); ok && init.Tok == token.ASSIGN {
			mark("for: init that assigns", n)
		} else if ok && len(init.Lhs) > 1 {
			mark("for: several variables", n)
		}
	case n.Cond != nil:
		mark("for with condition", n)
	default:
		mark("for ever", n)
	}
}

func (c *checked) switchMarks(n *ast.SwitchStmt, mark func(string, ast.Node)) {
	if n.Init != nil {
		mark("switch with init", n.Init)
		if _, ok := n.Init.(*ast.AssignStmt); ok {
			mark("switch that defines", n.Init)
		}
	}
	if n.Tag == nil {
		mark("switch without tag", n)
	} else {
		mark("switch", n.Tag)
	}
}

func commMarks(n *ast.CommClause, mark func(string, ast.Node)) {
	switch s := n.Comm.(type) {
	case nil:
		mark("select: default", n)
	case *ast.SendStmt:
		mark("select: send", s)
	case *ast.ExprStmt:
		mark("select: receive", s)
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			mark("select: define", s)
		} else {
			mark("select: assign", s)
		}
	}
}

func (c *checked) returnMarks(n *ast.ReturnStmt, mark func(string, ast.Node)) {
	switch len(n.Results) {
	case 0:
		mark("bare return", n)
	case 1:
		if t, ok := c.info.Types[n.Results[0]].Type.(*types.Tuple); ok && t.Len() > 1 {
			mark("return of a call with several values", n)
		} else {
			mark("return", n)
		}
	default:
		mark("return of several", n)
	}
}

func (c *checked) declMarks(n *ast.GenDecl, mark func(string, ast.Node)) {
	switch n.Tok {
	case token.CONST:
		mark("const in a function", n)
		if n.Lparen.IsValid() {
			mark("const with iota", n)
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if _, ok := c.info.Uses[id].(*types.Var); ok {
					mark("const made of a variable", n)
				}
			}
			return true
		})
	case token.TYPE:
		mark("type in a function", n)
	case token.VAR:
		for _, s := range n.Specs {
			if len(s.(*ast.ValueSpec).Values) == 0 {
				mark("var without value", n)
			} else {
				mark("var", n)
			}
		}
	}
}

// gotosOut finds the gotos that leave a loop, a switch or a select.
func gotosOut(body ast.Node, found func(*ast.BranchStmt)) {
	ast.Inspect(body, func(around ast.Node) bool {
		switch around.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		default:
			return true
		}
		labels, gotos := make(map[string]bool), []*ast.BranchStmt{}
		ast.Inspect(around, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.LabeledStmt:
				labels[n.Label.Name] = true
			case *ast.BranchStmt:
				if n.Tok == token.GOTO {
					gotos = append(gotos, n)
				}
			}
			return true
		})
		for _, b := range gotos {
			if !labels[b.Label.Name] {
				found(b)
			}
		}
		return true
	})
}

// loopsOf finds the defer statements in the loops of a body.
func loopsOf(body ast.Node, found func(*ast.DeferStmt)) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt, *ast.RangeStmt:
			ast.Inspect(n, func(n ast.Node) bool {
				if d, ok := n.(*ast.DeferStmt); ok {
					found(d)
				}
				_, lit := n.(*ast.FuncLit)
				return !lit
			})
			return false
		}
		return true
	})
}

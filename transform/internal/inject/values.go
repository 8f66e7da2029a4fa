package inject

import (
	"go/ast"
	"go/token"
	"go/types"
	"math/rand/v2"
)

// This file walks the body of one function and notes where awaits go.
//
// A value e may be replaced by nothread_value(q, e).Await(), of the same type, if
// e is a value and nothing more: no constant, nothing untyped (it would take its
// default type), no operand whose address or identity matters, no form that is
// more than an expression (v, ok = m[k]; f(g()) with several values; a generic
// function that its context instantiates).

type walker struct {
	in     *injection
	e      *edits
	random *rand.Rand
	awaits int
	extra  bool // the file needs the runtime's names
}

// chance is true in percent of 100 cases.
func (w *walker) chance(percent int) bool { return w.random.IntN(100) < percent }

func (w *walker) block(list []ast.Stmt) {
	for _, s := range list {
		if w.chance(w.in.o.Statements) {
			w.awaits++
			w.e.insert(s.Pos(), "nothread_yield(nothread_q).Await(); ")
		}
		if !w.closed(s) {
			w.stmt(s)
		}
	}
}

func (w *walker) stmt(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.BlockStmt:
		w.block(s.List)
	case *ast.LabeledStmt:
		w.stmt(s.Stmt)
	case *ast.IfStmt:
		w.optional(s.Init)
		w.value(s.Cond)
		w.stmt(s.Body)
		w.optional(s.Else)
	case *ast.ForStmt:
		w.optional(s.Init)
		if s.Cond != nil {
			w.value(s.Cond)
		}
		w.optional(s.Post)
		w.stmt(s.Body)
	case *ast.RangeStmt:
		w.rangeStmt(s)
	case *ast.SwitchStmt:
		w.optional(s.Init)
		if s.Tag != nil {
			w.value(s.Tag)
		}
		w.clauses(s.Body)
	case *ast.TypeSwitchStmt:
		w.optional(s.Init)
		w.typeSwitch(s.Assign)
		w.clauses(s.Body)
	case *ast.SelectStmt:
		w.clauses(s.Body)
	default:
		w.simple(s)
	}
}

func (w *walker) optional(s ast.Stmt) {
	if s != nil {
		w.stmt(s)
	}
}

// clauses are a switch's or a select's: no statement may stand between them.
func (w *walker) clauses(body *ast.BlockStmt) {
	for _, c := range body.List {
		w.stmt(c)
	}
}

func (w *walker) simple(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.CaseClause:
		for _, x := range s.List {
			w.value(x)
		}
		w.block(s.Body)
	case *ast.CommClause:
		w.comm(s.Comm)
		w.block(s.Body)
	case *ast.AssignStmt:
		w.assign(s)
	case *ast.IncDecStmt:
		w.place(s.X)
	case *ast.ExprStmt:
		w.statementCall(s)
	case *ast.SendStmt:
		w.value(s.Chan)
		w.value(s.Value)
	case *ast.ReturnStmt:
		w.values(s.Results)
	case *ast.GoStmt:
		w.callParts(s.Call)
	case *ast.DeferStmt:
		w.callParts(s.Call)
	case *ast.DeclStmt:
		w.decl(s)
	}
}

func (w *walker) decl(s *ast.DeclStmt) {
	gen := s.Decl.(*ast.GenDecl)
	if gen.Tok != token.VAR {
		return
	}
	for _, spec := range gen.Specs {
		spec := spec.(*ast.ValueSpec)
		w.rightSide(len(spec.Names), spec.Values)
	}
}

func (w *walker) assign(s *ast.AssignStmt) {
	if s.Tok != token.DEFINE {
		for _, x := range s.Lhs {
			w.place(x)
		}
	}
	w.rightSide(len(s.Lhs), s.Rhs)
}

func (w *walker) rightSide(targets int, list []ast.Expr) {
	if targets == 2 && len(list) == 1 {
		w.parts(list[0]) // v, ok or the results of a call
		return
	}
	w.values(list)
}

func (w *walker) rangeStmt(s *ast.RangeStmt) {
	if s.Tok == token.ASSIGN {
		if s.Key != nil {
			w.place(s.Key)
		}
		if s.Value != nil {
			w.place(s.Value)
		}
	}
	switch w.core(s.X).(type) {
	case *types.Array, *types.Pointer:
		w.place(s.X) // perhaps only its type is asked for
	default:
		if !w.over(s) {
			w.value(s.X)
		}
	}
	w.stmt(s.Body)
}

func (w *walker) typeSwitch(s ast.Stmt) {
	var x ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		x = s.Rhs[0]
	}
	w.value(ast.Unparen(x).(*ast.TypeAssertExpr).X)
}

// comm is the communication of a select's case: the receive stays one.
func (w *walker) comm(s ast.Stmt) {
	receive := func(x ast.Expr) { w.value(ast.Unparen(x).(*ast.UnaryExpr).X) }
	switch s := s.(type) {
	case *ast.SendStmt:
		w.simple(s)
	case *ast.ExprStmt:
		receive(s.X)
	case *ast.AssignStmt:
		if s.Tok == token.ASSIGN {
			for _, x := range s.Lhs {
				w.place(x)
			}
		}
		receive(s.Rhs[0])
	}
}

// statementCall is a call or a receive whose result nobody takes.
func (w *walker) statementCall(s *ast.ExprStmt) {
	if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok {
		w.call(call)
		return
	}
	w.parts(s.X)
}

func (w *walker) values(list []ast.Expr) {
	for _, x := range list {
		w.value(x)
	}
}

// value walks x, which is read, and may wrap it.
func (w *walker) value(x ast.Expr) {
	tv, ok := w.in.p.Info.Types[x]
	if !ok || tv.Value != nil || tv.IsType() {
		return
	}
	if !w.wrappable(x, tv) || !w.chance(w.in.o.Values) {
		w.parts(x)
		return
	}
	w.awaits++
	space := ""
	if before := w.e.content[w.e.offset(x.Pos())-1]; before >= 'a' && before <= 'z' {
		space = " " // if(x)
	}
	w.e.insert(x.Pos(), space+"nothread_value(nothread_q, ")
	w.parts(x)
	w.e.insert(x.End(), ").Await()")
}

// wrappable reports whether x is a value and nothing more.
func (w *walker) wrappable(x ast.Expr, tv types.TypeAndValue) bool {
	if !tv.IsValue() || tv.IsNil() || tv.IsBuiltin() || tv.Type == nil {
		return false
	}
	switch t := tv.Type.(type) {
	case *types.Tuple:
		return false
	case *types.Basic:
		if t.Info()&types.IsUntyped != 0 && t.Kind() != types.UntypedBool {
			return false
		}
	}
	switch x := ast.Unparen(x).(type) {
	case *ast.CompositeLit:
		return x.Type != nil && !holdsLock(tv.Type, nil)
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
		return !w.instantiated(x) && !holdsLock(tv.Type, nil)
	case *ast.BinaryExpr, *ast.UnaryExpr:
		return w.typed(x, tv.Type)
	}
	return !holdsLock(tv.Type, nil)
}

// instantiated reports a generic function, whose type arguments its context may
// give.
func (w *walker) instantiated(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if _, ok := w.in.p.Info.Instances[id]; ok {
				found = true
			}
		}
		return !found
	})
	return found
}

// typed reports whether x has its type from its operands alone: 1 << n has it
// from its context, and so has x == y if that is another bool.
func (w *walker) typed(x ast.Expr, t types.Type) bool {
	if basic, ok := t.Underlying().(*types.Basic); ok && basic.Info()&types.IsBoolean != 0 {
		return t == basic && (basic.Kind() == types.Bool || basic.Kind() == types.UntypedBool)
	}
	typed := true
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.FuncLit, *ast.IndexExpr:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.SHL || n.Op == token.SHR {
				typed = typed && w.in.p.Info.Types[n.X].Value == nil
			}
		}
		return true
	})
	return typed
}

// holdsLock reports a type whose values must not be copied.
func holdsLock(t types.Type, seen []types.Type) bool {
	for _, s := range seen {
		if types.Identical(s, t) {
			return false
		}
	}
	seen = append(seen, t)
	if _, ok := t.(*types.Named); ok {
		lock, _, _ := types.LookupFieldOrMethod(types.NewPointer(t), true, nil, "Lock")
		if _, isFunc := lock.(*types.Func); isFunc && !types.IsInterface(t) {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Array:
		return holdsLock(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if holdsLock(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// core is the type that decides what can be done with x.
func (w *walker) core(x ast.Expr) types.Type {
	t := w.in.p.Info.TypeOf(x)
	if t == nil {
		return nil
	}
	return t.Underlying()
}

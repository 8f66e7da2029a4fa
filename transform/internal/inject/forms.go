package inject

import (
	"go/ast"
	"go/token"
	"go/types"
)

// This file puts in what is more than an await in a value's place: statements in
// async closures of their own, deferred awaits, and ranges over functions and streams
// in place of those over what they go through.

// deferred gives the function a deferred await, or another deferred call: what it
// returns must then be seen by those.
func (w *walker) deferred(body *ast.BlockStmt) {
	if !w.chance(w.in.o.Defers) {
		return
	}
	text := "defer nothread_yield(nothread_q).Await(); "
	switch w.random.IntN(4) {
	case 0:
		text = "defer nothread_nothing(nothread_q, 1); "
	case 1:
		text = "defer func() { nothread_q.n++ }(); "
	}
	w.e.insert(body.Lbrace+1, " "+text)
}

// closed puts a statement into an async closure that is awaited at once, if nothing in
// it leaves it.
func (w *walker) closed(s ast.Stmt) bool {
	if !w.chance(w.in.o.Closures) || !closable(s) {
		return false
	}
	w.awaits++
	w.extra = true
	start, end := "nothread_async.Go0(nothread_context.Background(), func(nothread_context.Context) error { ", "; return nil })"
	if w.chance(25) {
		start = "nothread_async.Func0(func(nothread_context.Context) (int, error) { "
		end = "; return 0, nil })(nothread_context.Background())"
		w.e.insert(s.Pos(), "_, _ = "+start)
	} else {
		w.e.insert(s.Pos(), "_ = "+start)
	}
	w.stmt(s)
	w.e.insert(s.End(), end+".Await()")
	return true
}

// closable reports whether a statement declares nothing for those behind it, and ends
// where it ends.
func closable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE {
			return false
		}
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.BlockStmt, *ast.SendStmt:
	default:
		return false
	}
	return !leaves(s, false, false)
}

// leaves reports whether a branch or a return below n goes elsewhere, or something
// belongs to the function's end; loop and breakable say what unlabelled branches leave.
func leaves(n ast.Node, loop, breakable bool) (found bool) {
	ast.Inspect(n, func(m ast.Node) bool {
		if found || m == nil {
			return false
		}
		switch m := m.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt, *ast.LabeledStmt:
			found = true
		case *ast.Ident:
			found = m.Name == "panic" // the end of a function, perhaps
		case *ast.BranchStmt:
			switch {
			case m.Label != nil, m.Tok == token.BREAK && !breakable, m.Tok == token.CONTINUE && !loop:
				found = true
			}
		case *ast.ForStmt:
			found = m.Cond == nil || leaves(m.Body, true, true)
			return false
		case *ast.RangeStmt:
			found = leaves(m.Body, true, true)
			return false
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			found = !breakable && leaves(m, loop, true)
			return !found && breakable
		}
		return !found
	})
	return found
}

// over ranges over a function or a stream that goes through the same; it reports whether
// it does.
func (w *walker) over(s *ast.RangeStmt) bool {
	tv := w.in.p.Info.Types[s.X]
	if !w.wrappable(s.X, tv) || tv.Value != nil {
		return false
	}
	if s.Tok == token.ASSIGN && s.Value != nil {
		return false // over a function gc assigns to the key before it looks at the value's place
	}
	name := ""
	switch t := w.core(s.X).(type) {
	case *types.Slice:
		name = "nothread_all"
	case *types.Map:
		name = "nothread_entries"
	case *types.Basic:
		switch {
		case t.Info()&types.IsUntyped != 0:
		case t.Info()&types.IsInteger != 0:
			name = "nothread_count"
		case t.Info()&types.IsString != 0:
			name = "nothread_runes"
		}
	}
	if name == "" || !w.chance(w.in.o.Ranges) {
		return false
	}
	w.awaits++
	if name == "nothread_all" && streamable(s) && w.chance(60) {
		w.extra, w.in.streams = true, true
		w.e.replace(s.Key.Pos(), s.Value.Pos(), "")
		w.e.insert(s.X.Pos(), " nothread_each(nothread_q, ")
		w.value(s.X)
		w.e.insert(s.X.End(), ").Await(nothread_context.Background())")
		return true
	}
	w.e.insert(s.X.Pos(), " "+name+"(")
	w.value(s.X)
	w.e.insert(s.X.End(), ")")
	return true
}

// streamable reports for _, v := range x.
func streamable(s *ast.RangeStmt) bool {
	if s.Tok != token.DEFINE || s.Value == nil {
		return false
	}
	key, _ := s.Key.(*ast.Ident)
	value, _ := s.Value.(*ast.Ident)
	return key != nil && key.Name == "_" && value != nil && value.Name != "_"
}

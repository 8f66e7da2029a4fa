package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file finds the statements that nothing reaches, and those that never let go
// on. In a statement without the former, the latter are what the language calls
// terminating: so a statement that stays whole either goes on, or can be last.

// A reach follows the statements of a body. Any condition may hold or not.
type reach struct {
	info    *types.Info
	targets []ast.Stmt // that a break may leave, innermost last

	jumped   map[types.Object]bool     // labels that a goto leads to
	broken   map[ast.Stmt]bool         // statements that a break leaves
	labelled map[types.Object]ast.Stmt // by their labels
	ends     map[ast.Stmt]bool         // never let go on
	dead     []ast.Stmt                // cannot be reached
}

func reachable(info *types.Info, body *ast.BlockStmt) *reach {
	r := &reach{
		info:     info,
		jumped:   make(map[types.Object]bool),
		broken:   make(map[ast.Stmt]bool),
		labelled: make(map[types.Object]ast.Stmt),
	}
	for known := -1; known < len(r.jumped); { // a goto back may make more of it reachable
		known = len(r.jumped)
		r.ends, r.dead = make(map[ast.Stmt]bool), nil
		r.list(body.List)
	}
	return r
}

// holdsDead reports whether something below n cannot be reached.
func (r *reach) holdsDead(n ast.Node) bool {
	return slices.ContainsFunc(r.dead, func(s ast.Stmt) bool {
		return n.Pos() <= s.Pos() && s.End() <= n.End() && n != s
	})
}

// list reports whether the end of a list of statements can be reached.
func (r *reach) list(list []ast.Stmt) bool {
	live := true
	for _, s := range list {
		if l, ok := s.(*ast.LabeledStmt); ok {
			live = live || r.jumped[r.info.Defs[l.Label]]
		}
		_, empty := s.(*ast.EmptyStmt)
		switch {
		case live:
			live = r.stmt(s)
		case !empty:
			r.dead = append(r.dead, s)
		}
	}
	return live
}

// stmt reports whether the end of a statement can be reached.
func (r *reach) stmt(s ast.Stmt) bool {
	r.targets = append(r.targets, s)
	goesOn := r.goesOn(s) || r.broken[s]
	r.targets = r.targets[:len(r.targets)-1]
	if !goesOn {
		r.ends[s] = true
	}
	return goesOn
}

// goesOn is stmt, but for breaks.
func (r *reach) goesOn(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return false
	case *ast.BranchStmt:
		r.branch(s)
		return false
	case *ast.ExprStmt:
		return !ir.Panics(r.info, s.X)
	case *ast.BlockStmt:
		return r.list(s.List)
	case *ast.LabeledStmt:
		r.labelled[r.info.Defs[s.Label]] = s.Stmt
		return r.stmt(s.Stmt)
	case *ast.IfStmt:
		then := r.stmt(s.Body)
		return s.Else == nil || r.stmt(s.Else) || then
	case *ast.ForStmt:
		r.stmt(s.Body)
		return s.Cond != nil
	case *ast.RangeStmt:
		r.stmt(s.Body)
	case *ast.SwitchStmt:
		return r.clauses(s.Body, false)
	case *ast.TypeSwitchStmt:
		return r.clauses(s.Body, false)
	case *ast.SelectStmt:
		return r.clauses(s.Body, true)
	}
	return true
}

// clauses reports whether one of the clauses goes on behind its statement; always
// says that one is chosen whatever happens.
func (r *reach) clauses(body *ast.BlockStmt, always bool) bool {
	goesOn := false
	for _, c := range body.List {
		var list []ast.Stmt
		switch c := c.(type) {
		case *ast.CaseClause:
			list, always = c.Body, always || c.List == nil
		case *ast.CommClause:
			list = c.Body
		}
		goesOn = r.list(list) || goesOn
	}
	return goesOn || !always
}

func (r *reach) branch(s *ast.BranchStmt) {
	switch {
	case s.Tok == token.GOTO:
		r.jumped[r.info.Uses[s.Label]] = true
	case s.Tok != token.BREAK:
	case s.Label != nil:
		r.broken[r.labelled[r.info.Uses[s.Label]]] = true
	default:
		for _, t := range slices.Backward(r.targets) {
			switch t.(type) {
			case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				r.broken[t] = true
				return
			}
		}
	}
}

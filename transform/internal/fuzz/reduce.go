package fuzz

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A cut is a change that makes a program smaller.
type cut struct {
	from, to int
	text     string
}

func (c cut) saves() int { return c.to - c.from - len(c.text) }

// apply makes several cuts, which do not overlap.
func apply(source string, cuts ...cut) string {
	slices.SortFunc(cuts, func(a, b cut) int { return cmp.Compare(b.from, a.from) })
	for _, c := range cuts {
		source = source[:c.from] + c.text + source[c.to:]
	}
	return source
}

// Reduce makes a failing program smaller while it fails in the same way, trying
// width candidates together, until nothing helps or the deadline has passed.
func (w *World) Reduce(ctx context.Context, v Verdict, deadline time.Time, width int) (Verdict, error) {
	r := &reducer{w: w, ctx: ctx, best: v, tried: make(map[string]bool), width: width}
	for time.Now().Before(deadline) {
		shrunk, err := r.round()
		if err != nil {
			return r.best, err
		}
		if !shrunk {
			break
		}
	}
	return r.best, r.globals()
}

// globals removes the variables of the file that nothing but its reset
// mentions.
func (r *reducer) globals() error {
	var lines []string
	source := r.best.Program.Source
	global := regexp.MustCompile(`^\s*(g\d+[a-z])\b`)
	for line := range strings.Lines(source) {
		m := global.FindStringSubmatch(line)
		if m == nil || len(regexp.MustCompile(`\b`+m[1]+`\b`).FindAllString(source, 3)) > 2 {
			lines = append(lines, line)
		}
	}
	_, err := r.attempt(strings.Join(lines, ""))
	return err
}

// attempt takes a source if it fails alike.
func (r *reducer) attempt(source string) (bool, error) {
	p := r.best.Program
	p.Source = source
	verdicts, err := r.w.Run(r.ctx, []Program{p}, r.best.Kind == Vetted)
	if err != nil || !r.alike(&verdicts[0]) {
		return false, err
	}
	r.best = verdicts[0]
	return true, nil
}

type reducer struct {
	w     *World
	ctx   context.Context
	best  Verdict
	tried map[string]bool
	width int
}

// round tries the next candidates, and takes all that can be taken together.
func (r *reducer) round() (bool, error) {
	if r.best.Kind == Crashed {
		r.width = min(r.width, 5) // each one that crashes costs a run
	}
	for {
		cuts, programs := r.candidates()
		if len(programs) == 0 {
			return false, nil
		}
		verdicts, err := r.w.Run(r.ctx, programs, r.best.Kind == Vetted)
		if err != nil {
			return false, err
		}
		var good []cut
		var first *Verdict
		for i := range verdicts {
			if r.alike(&verdicts[i]) {
				if first == nil {
					first = &verdicts[i]
				}
				if !slices.ContainsFunc(good, func(c cut) bool { return c.from < cuts[i].to && cuts[i].from < c.to }) {
					good = append(good, cuts[i])
				}
			}
		}
		if first == nil {
			continue
		}
		for n := len(good); n > 1; n /= 2 {
			ok, err := r.attempt(apply(r.best.Program.Source, slices.Clone(good[:n])...))
			if ok || err != nil {
				return ok, err
			}
		}
		first.Program.Source = renumber(first.Program.Source, first.Program.ID, r.best.Program.ID)
		first.Program.ID = r.best.Program.ID
		r.best = *first
		return true, nil
	}
}

// candidates are programs with one cut each, the largest cuts first.
func (r *reducer) candidates() ([]cut, []Program) {
	c, err := r.w.types.check(r.best.Program.Source)
	if err != nil {
		return nil, nil
	}
	all := c.cuts()
	slices.SortStableFunc(all, func(a, b cut) int { return cmp.Compare(b.saves(), a.saves()) })
	var cuts []cut
	var programs []Program
	for _, one := range all {
		source := apply(r.best.Program.Source, one)
		if one.saves() <= 0 || r.tried[source] {
			continue
		}
		r.tried[source] = true
		if _, err := r.w.types.repair(source); err != nil {
			continue
		}
		id := len(programs) + 1
		cuts = append(cuts, one)
		programs = append(programs, Program{ID: id, Source: renumber(source, r.best.Program.ID, id)})
		if len(programs) == r.width {
			break
		}
	}
	return cuts, programs
}

var (
	numbers = regexp.MustCompile(`\d+`)
	quoted  = regexp.MustCompile(`"[^"]*"|\b[a-z]\w*\d+\b`)
)

// alike reports whether a verdict is the failure that is looked for.
func (r *reducer) alike(v *Verdict) bool {
	if v.Kind != r.best.Kind {
		return false
	}
	return v.Kind == Differs || v.Signature() == r.best.Signature()
}

// Signature is a failure's kind and message without what is peculiar to the
// program.
func (v *Verdict) Signature() string {
	line, _, _ := strings.Cut(v.Detail, "\n")
	if v.Kind == Differs {
		return string(v.Kind)
	}
	if i := strings.Index(line, ": "); i > 0 && v.Kind != Crashed {
		line = line[i:]
	}
	line = regexp.MustCompile(`\S*/\S*`).ReplaceAllString(line, "")
	return string(v.Kind) + " " + numbers.ReplaceAllString(quoted.ReplaceAllString(line, "…"), "")
}

// renumber gives the names of a program another number.
func renumber(source string, from, to int) string {
	if from == to {
		return source
	}
	name := regexp.MustCompile(fmt.Sprintf(`\b(F|g|M|K|reset)%d([a-z]?(?:Async)?)\b`, from))
	return name.ReplaceAllString(source, fmt.Sprintf("${1}%d${2}", to))
}

// cuts lists what may be cut from a program.
func (c *checked) cuts() []cut {
	var list []cut
	add := func(from, to token.Pos, text string) {
		list = append(list, cut{c.offset(from), c.offset(to), text})
	}
	root, _, _ := rootCall(c.file)
	for _, d := range c.file.Decls {
		from := d.Pos()
		if fn, ok := d.(*ast.FuncDecl); ok {
			if fn.Name.Name == root || strings.HasPrefix(fn.Name.Name, "reset") {
				continue
			}
			if fn.Doc != nil {
				from = fn.Doc.Pos()
			}
		}
		add(from, d.End(), "")
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return !strings.HasPrefix(n.Name.Name, "reset")
		case *ast.BlockStmt:
			c.statements(n.List, add)
		case *ast.CaseClause:
			add(n.Pos(), n.End(), "")
			c.statements(n.Body, add)
			for _, x := range n.List {
				if len(n.List) > 1 {
					add(n.List[0].Pos(), n.List[len(n.List)-1].End(), c.text(x))
				}
			}
		case *ast.CommClause:
			add(n.Pos(), n.End(), "")
			c.statements(n.Body, add)
		case ast.Expr:
			c.expression(n, add)
		}
		return true
	})
	return list
}

// statements cuts statements, and what surrounds others.
func (c *checked) statements(stmts []ast.Stmt, add func(from, to token.Pos, text string)) {
	for i, s := range stmts {
		add(s.Pos(), s.End(), "")
		if i+1 < len(stmts) { // a run of them
			add(s.Pos(), stmts[len(stmts)-1].End(), "")
			add(stmts[0].Pos(), s.End(), "")
		}
		for _, inner := range c.inner(s) {
			add(s.Pos(), s.End(), inner)
		}
	}
}

// inner is what may stand for a statement.
func (c *checked) inner(s ast.Stmt) []string {
	body := func(b *ast.BlockStmt) string { return c.source[c.offset(b.Lbrace)+1 : c.offset(b.Rbrace)] }
	list := func(stmts []ast.Stmt) string {
		if len(stmts) == 0 {
			return ""
		}
		return c.source[c.offset(stmts[0].Pos()):c.offset(stmts[len(stmts)-1].End())]
	}
	switch s := s.(type) {
	case *ast.BlockStmt:
		return []string{body(s)}
	case *ast.IfStmt:
		texts := []string{body(s.Body), "{" + body(s.Body) + "}"}
		if s.Else != nil {
			texts = append(texts, c.text(s.Else), c.source[c.offset(s.Pos()):c.offset(s.Body.End())])
		}
		return texts
	case *ast.ForStmt:
		return []string{body(s.Body), "{" + body(s.Body) + "}"}
	case *ast.RangeStmt:
		return []string{body(s.Body), "{" + body(s.Body) + "}", "for range 1 {" + body(s.Body) + "}"}
	case *ast.LabeledStmt:
		return []string{c.text(s.Stmt)}
	case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
		var texts []string
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CaseClause:
				texts = append(texts, list(n.Body))
				return false
			case *ast.CommClause:
				texts = append(texts, list(n.Body))
				return false
			case *ast.FuncLit:
				return false
			}
			return true
		})
		return texts
	}
	return nil
}

// expression cuts an expression down to a value or to a part of it.
func (c *checked) expression(e ast.Expr, add func(from, to token.Pos, text string)) {
	tv, ok := c.info.Types[e]
	if !ok || tv.IsType() || tv.IsVoid() || tv.IsBuiltin() {
		if ok && tv.IsVoid() {
			if call, is := e.(*ast.CallExpr); is {
				c.arguments(call, add)
			}
		}
		return
	}
	if call, is := e.(*ast.CallExpr); is {
		c.arguments(call, add)
	}
	if zero := zeroOf(tv.Type); zero != "" {
		add(e.Pos(), e.End(), zero)
	}
	ast.Inspect(e, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok || n == e {
			return true
		}
		if in := c.info.Types[x]; in.Type != nil && in.IsValue() && types.Identical(types.Default(in.Type), types.Default(tv.Type)) {
			add(e.Pos(), e.End(), c.text(x))
		}
		_, literal := n.(*ast.FuncLit)
		return !literal
	})
	if lit, ok := e.(*ast.CompositeLit); ok {
		for _, x := range lit.Elts {
			end := x.End()
			if c.source[c.offset(end)] == ',' {
				end++
			}
			add(x.Pos(), end, "")
		}
	}
}

// arguments cuts single arguments of variadic calls.
func (c *checked) arguments(call *ast.CallExpr, add func(from, to token.Pos, text string)) {
	for i, a := range call.Args {
		if i > 0 {
			add(call.Args[i-1].End(), a.End(), "")
		}
	}
}

// zeroOf is a short value of a type.
func zeroOf(t types.Type) string {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return `""`
		case u.Info()&types.IsBoolean != 0:
			return "true"
		case u.Info()&types.IsNumeric != 0:
			return "1"
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface, *types.Signature, *types.Chan:
		if _, ok := t.(*types.TypeParam); !ok {
			return "nil"
		}
	case *types.Struct, *types.Array:
		return types.TypeString(t, func(*types.Package) string { return "" }) + "{}"
	}
	return ""
}

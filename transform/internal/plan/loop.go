package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"strconv"

	"github.com/nothread/nothread/transform/internal/ir"
)

// forStmt:
//
//	for init; cond; post { body }        becomes        init
//	                                              loop: if !cond { goto done }
//	                                                    body
//	                                              next: post
//	                                                    goto loop
//	                                              done:
func (b *builder) forStmt(s *ast.ForStmt, label string) {
	if s.Init != nil {
		b.stmt(s.Init, "")
	}
	loop, body, next, done := b.block("loop"), b.block("body"), b.block("next"), b.block("done")
	b.start(loop)
	if s.Cond != nil {
		b.hoist(s.Cond)
		b.end(&ir.Branch{Cond: snippet("%v", s.Cond), Then: body, Else: done})
		b.start(body)
	}
	b.enter(&target{stmt: s, label: label, brk: done, cont: next})
	b.stmts(s.Body.List, s.Body.Rbrace)
	b.leave()
	b.start(next)
	b.renew(s)
	if s.Post != nil {
		line := b.lastLine
		b.stmt(s.Post, "")
		b.lastLine = line
	}
	b.end(&ir.Jump{To: loop})
	b.start(done)
}

// renew gives each loop variable that keeps an identity a new one, with the old
// value, before the post statement: since Go 1.22 each iteration has its own.
func (b *builder) renew(s *ast.ForStmt) {
	assign, ok := s.Init.(*ast.AssignStmt)
	if !ok || assign.Tok != token.DEFINE || b.sharedLoopVars() {
		return
	}
	for _, lhs := range assign.Lhs {
		if v := b.f.VarOf[b.info.Defs[lhs.(*ast.Ident)]]; v != nil && (v.Captured || v.Addressed) {
			b.emit(&ir.Renew{Var: v})
		}
	}
}

// sharedLoopVars reports whether the file's language version is before 1.22.
func (b *builder) sharedLoopVars() bool {
	v := b.pkg.GoVersion
	for file, fileVersion := range b.info.FileVersions {
		if file.FileStart <= b.f.Decl.Pos() && b.f.Decl.Pos() < file.FileEnd && fileVersion != "" {
			v = fileVersion
		}
	}
	return v != "" && version.Compare(version.Lang(v), "go1.22") < 0
}

func (b *builder) rangeStmt(s *ast.RangeStmt, label string) {
	b.hoist(s.X)
	t := b.info.TypeOf(s.X)
	if basic, ok := t.(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
		if s.Tok == token.ASSIGN && s.Key != nil && !isBlank(s.Key) && isInteger(t) && isInteger(b.info.TypeOf(s.Key)) {
			t = b.info.TypeOf(s.Key)
		}
	}
	if s.Tok == token.DEFINE && b.sharedLoopVars() {
		for _, id := range []ast.Expr{s.Key, s.Value} {
			if id != nil {
				b.declare(id.(*ast.Ident), false)
			}
		}
	}
	r := &ranging{b: b, s: s, label: label, t: t,
		loop: b.block("loop"), body: b.block("body"), next: b.block("next"), done: b.block("done")}
	switch u := coreType(t).(type) {
	case *types.Basic:
		if u.Info()&types.IsString != 0 {
			r.overString()
		} else {
			r.overInt()
		}
	case *types.Slice:
		r.overSlice(u)
	case *types.Array:
		r.overArray(u, true)
	case *types.Pointer:
		r.overArray(coreType(u.Elem()).(*types.Array), false)
	case *types.Chan:
		r.overChan()
	case *types.Map:
		r.overMap(u)
	case *types.Signature:
		r.over = b.loops[s]
		if r.over.Left != nil {
			r.overStream()
		} else {
			r.overFunc(u)
		}
	default:
		panic("plan: a range over " + t.String())
	}
}

// coreType is the underlying type, of a type parameter that of its constraint.
func coreType(t types.Type) types.Type {
	tp, ok := types.Unalias(t).(*types.TypeParam)
	if !ok {
		return t.Underlying()
	}
	var core types.Type
	iface := tp.Constraint().Underlying().(*types.Interface)
	for e := range iface.EmbeddedTypes() {
		switch e := types.Unalias(e).(type) {
		case *types.Union:
			for term := range e.Terms() {
				core = term.Type().Underlying()
			}
		default:
			core = coreType(e)
		}
	}
	if core == nil {
		return t.Underlying()
	}
	return core
}

func isInteger(t types.Type) bool {
	basic, ok := coreType(t).(*types.Basic)
	return ok && basic.Info()&types.IsInteger != 0
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// ranging plans one range statement:
//
//	for k, v := range x { body }        becomes        x evaluated once
//	                                                   counter = 0
//	                                             loop: if !(counter < len(x)) { goto done }
//	                                                   k, v = counter, x[counter]
//	                                                   body
//	                                             next: counter++
//	                                                   goto loop
//	                                             done:
type ranging struct {
	b     *builder
	s     *ast.RangeStmt
	label string
	t     types.Type

	over *ir.Loop // of a range over a function or a stream

	loop, body, next, done *ir.Block
}

func (r *ranging) hasKey() bool   { return r.s.Key != nil && !isBlank(r.s.Key) }
func (r *ranging) hasValue() bool { return r.s.Value != nil && !isBlank(r.s.Value) }

// once returns what stands for the value of x: the author's variable if nothing
// can change it meanwhile, else a temporary that is set to it.
func (r *ranging) once(name string) any {
	b := r.b
	if id, ok := ast.Unparen(r.s.X).(*ast.Ident); ok {
		if v := b.f.VarOf[b.info.Uses[id]]; v != nil && v.Writes == 0 && !v.Addressed && !v.Captured && !v.Cell {
			return v
		}
	}
	if tv := b.info.Types[r.s.X]; tv.Value != nil {
		return r.s.X
	}
	v := b.temp(name, r.t, r.s.X.Pos())
	b.code([]*ir.Var{v}, "%v = %v", v, r.s.X)
	return v
}

// counter returns the variable that counts, and what the author's key is set to:
// nil if that counts itself, as it may if the body leaves it alone.
func (r *ranging) counter(t types.Type) (v *ir.Var, key *ir.Code) {
	b := r.b
	if id, ok := r.s.Key.(*ast.Ident); ok && r.hasKey() && r.s.Tok == token.DEFINE {
		u := b.usageOf(b.info.Defs[id])
		if u.writes == 0 && !u.captured && !u.addressed {
			v := b.declare(id, false)
			b.code([]*ir.Var{v}, "%v = 0", v)
			return v, nil
		}
	}
	v = b.temp("index", t, r.s.Pos())
	b.code([]*ir.Var{v}, "%v = 0", v)
	return v, snippet("%v", v)
}

// snippet is code of ours that is to be part of other code.
func snippet(format string, args ...any) *ir.Code { return &ir.Code{Format: format, Args: args} }

// iterate plans the loop around the body: while cond, each iteration begins by
// setting the key and value to the expressions given (nil for none), and ends
// with advance.
func (r *ranging) iterate(cond, key, value *ir.Code, advance func()) {
	r.b.start(r.loop)
	r.enterIf(cond)
	r.assign(key, value)
	r.finish(advance)
}

// enterIf goes on in the body if cond holds, else behind the loop.
func (r *ranging) enterIf(cond *ir.Code) {
	r.b.end(&ir.Branch{Cond: cond, Then: r.body, Else: r.done})
	r.b.start(r.body)
}

// finish plans the author's body, what ends each iteration, and the way back.
func (r *ranging) finish(advance func()) {
	b := r.b
	b.enter(&target{stmt: r.s, label: r.label, brk: r.done, cont: r.next, loop: r.over})
	b.stmts(r.s.Body.List, r.s.Body.Rbrace)
	b.leave()
	b.start(r.next)
	advance()
	b.end(&ir.Jump{To: r.loop})
	b.start(r.done)
}

// assign sets the iteration variables. The left sides of an assignment are
// evaluated at each iteration, key and value together; but over a function or a
// stream the key's is assigned to before the value's is evaluated.
func (r *ranging) assign(key, value *ir.Code) {
	b := r.b
	if !r.hasKey() {
		key = nil
	}
	if !r.hasValue() {
		value = nil
	}
	if r.s.Tok == token.DEFINE {
		for _, side := range []struct {
			id  ast.Expr
			val *ir.Code
		}{{r.s.Key, key}, {r.s.Value, value}} {
			if side.val == nil {
				continue
			}
			v := b.f.VarOf[b.info.Defs[side.id.(*ast.Ident)]]
			if !b.sharedLoopVars() {
				v = b.declare(side.id.(*ast.Ident), false)
			}
			b.set([]*ir.Var{v}, v, side.val)
		}
		return
	}
	if r.over != nil || key == nil || value == nil { // of a range over a function gc makes two statements
		r.assignOne(r.s.Key, key)
		r.assignOne(r.s.Value, value)
		return
	}
	b.stores(r.s.Key, r.s.Value)
	b.hoist(r.s.Key, r.s.Value)
	if b.isLate(r.s) {
		b.spillEvents([]ast.Expr{r.s.Key, r.s.Value})
		b.allInOrder(r.s, []*ir.Code{key, value}, func() {})
		return
	}
	args := append([]any{r.s.Key, r.s.Value}, key.Args...)
	b.code(nil, "%v, %v = "+key.Format+", "+value.Format, append(args, value.Args...)...)
}

// assignOne assigns to one of them, if there is a value.
func (r *ranging) assignOne(target ast.Expr, value *ir.Code) {
	if value == nil {
		return
	}
	r.b.stores(target)
	r.b.hoist(target)
	r.b.set(nil, target, value)
}

func (r *ranging) overInt() {
	limit := r.once("limit")
	i, key := r.counter(r.t)
	r.iterate(snippet("%v < %v", i, limit), key, nil, r.increment(i))
}

// increment is what ends the iterations of a loop that counts.
func (r *ranging) increment(i *ir.Var) func() { return func() { r.b.code(nil, "%v++", i) } }

// overSlice ranges over a slice: its length is fixed at the start.
func (r *ranging) overSlice(slice *types.Slice) { r.indexed(r.once("slice"), slice.Elem()) }

func (r *ranging) indexed(x any, elem types.Type) {
	i, key := r.counter(types.Typ[types.Int])
	r.b.start(r.loop)
	r.enterIf(snippet("%v < len(%v)", i, x))
	value := snippet("%v[%v]", x, i)
	if r.b.isLate(r.s) {
		v := r.b.temp("value", elem, r.s.Pos()) // the assignment to the key may change the element
		r.b.set([]*ir.Var{v}, v, value)
		value = snippet("%v", v)
	}
	r.assign(key, value)
	r.finish(r.increment(i))
}

// overArray ranges over an array, which is copied if its elements are wanted, or
// over a pointer to one, which is not. Without a value, and without a call in
// it, x is not even evaluated.
func (r *ranging) overArray(array *types.Array, copied bool) {
	if r.hasValue() || r.b.calls(r.s.X) {
		name := "array"
		if !copied {
			name = "pointer"
		}
		r.indexed(r.once(name), array.Elem())
		return
	}
	i, key := r.counter(types.Typ[types.Int])
	r.iterate(snippet("%v < %v", i, strconv.FormatInt(array.Len(), 10)), key, nil, r.increment(i))
}

// overString decodes one rune an iteration.
func (r *ranging) overString() {
	b := r.b
	s := r.once("text")
	i := b.temp("index", types.Typ[types.Int], r.s.Pos())
	char := b.temp("char", types.Typ[types.Rune], r.s.Pos())
	width := b.temp("width", types.Typ[types.Int], r.s.Pos())
	b.code([]*ir.Var{i}, "%v = 0", i)
	format := "%v, %v = %v(%v[%v:])"
	if !types.Identical(r.t, types.Typ[types.String]) {
		format = "%v, %v = %v(string(%v[%v:]))"
	}
	b.start(r.loop)
	r.enterIf(snippet("%v < len(%v)", i, s))
	b.code([]*ir.Var{char, width}, format, char, width, ir.Name{Path: "unicode/utf8", Name: "DecodeRuneInString"}, s, i)
	r.assign(snippet("%v", i), snippet("%v", char))
	r.finish(func() { b.code(nil, "%v += %v", i, width) })
}

// overChan receives until the channel is closed.
func (r *ranging) overChan() {
	b := r.b
	ch := r.once("channel")
	ok := b.temp("ok", types.Typ[types.Bool], r.s.Pos())
	b.start(r.loop)
	var key *ir.Code
	if r.hasKey() {
		received := b.temp("received", coreType(r.t).(*types.Chan).Elem(), r.s.Pos())
		b.code([]*ir.Var{received, ok}, "%v, %v = <-%v", received, ok, ch)
		key = snippet("%v", received)
	} else {
		b.code([]*ir.Var{ok}, "_, %v = <-%v", ok, ch)
	}
	r.enterIf(snippet("%v", ok))
	r.assign(key, nil)
	r.finish(func() {})
}

// overMap keeps the map's iterator: what is added and removed while the body is
// suspended is treated as the language says.
func (r *ranging) overMap(m *types.Map) {
	b := r.b
	t := b.runtimeType("MapRange", m.Key(), m.Elem())
	it := b.temp("entries", t, r.s.X.Pos())
	b.code([]*ir.Var{it}, "%v = %v(%v)", it, ir.Name{Path: ir.AsyncPath, Name: "RangeMap"}, r.s.X)
	r.iterate(snippet("%v.Next()", it), snippet("%v.Key()", it), snippet("%v.Value()", it), func() {})
}

package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// This file splits expressions at their awaits, in the order in which gc
// evaluates them (cmd/compile/internal/walk/order.go is the reference).
//
// gc evaluates calls, receives and a few other operations at a definite time,
// left to right, each into a temporary; these are the events. Everything else
// (variables, fields, elements, arithmetic) it reads where the value is used,
// after all events of the statement. So before an await, the events that come
// before it are spilled, and nothing else; the await's result stands where the
// await stood, as a call, and gc does the rest.

// An event is an expression with a definite time.
type event struct {
	expr     ast.Expr
	await    types.Type      // the awaitable's type, if it is an await
	logical  *ast.BinaryExpr // it is && or || whose right side suspends
	callee   bool            // of a call with arguments
	embedded embedded        // what of expr is the callee, if not all
	either   bool            // it is an event of some instances of the function alone
	consumed bool            // it has been spilled
}

// hoist plans everything that comes before and including the last await below
// the nodes, which are evaluated one after the other. What remains of the nodes
// then holds no await: each is replaced by its result, in place, or by a spill.
func (b *builder) hoist(nodes ...ast.Node) {
	var events []*event
	for _, n := range nodes {
		events = b.events(events, n)
	}
	for i, e := range events {
		switch {
		case e.await != nil:
			b.spillBefore(events[:i], e.expr)
			b.await(e)
		case e.logical != nil:
			b.spillBefore(events[:i], e.expr)
			b.logical(e.logical)
		case e.callee && b.suspends(e.expr): // gc will find no call in it any more
			b.spillBefore(events[:i], e.expr)
			b.consume(e)
		}
	}
}

// spillBefore spills the events that are complete before e is evaluated and
// that are no part of e: of nested ones, the outermost.
func (b *builder) spillBefore(events []*event, e ast.Expr) {
	for i, earlier := range events {
		if earlier.consumed || within(earlier.expr, e) || coveredBy(earlier, events[i+1:]) {
			continue
		}
		b.consume(earlier)
	}
}

func within(inner, outer ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

func coveredBy(e *event, later []*event) bool {
	for _, l := range later {
		if within(e.expr, l.expr) {
			return true
		}
	}
	return false
}

// consume evaluates what e is about now, into a temporary that stands for it from
// here on.
func (b *builder) consume(e *event) {
	e.consumed = true
	if e.either {
		b.errorf(e.expr.Pos(), "gc evaluates this before the await that follows if its type parameter is a string, but not if it is bytes; assign it to a variable first")
		return
	}
	path := e.embedded.path
	switch {
	case e.embedded.unnamed:
		b.errorf(e.expr.Pos(), "gc reads the interface embedded in this before the await that follows, and there is no name for it here; assign the method to a variable first")
		return
	case path == nil:
		b.spill(e.expr)
		return
	}
	v := b.temp("spill", e.embedded.typ, e.expr.Pos())
	b.code([]*ir.Var{v}, "%v = %v"+strings.Repeat(".%v", len(path)), append([]any{v, b.value(e.expr)}, path...)...)
	b.f.Subst[e.expr] = v
}

// spill is consume for all of an expression.
func (b *builder) spill(e ast.Expr) {
	if _, ok := b.f.Subst[e].(*ir.Var); ok {
		return
	}
	t := b.info.TypeOf(e)
	if tuple, ok := t.(*types.Tuple); ok && tuple.Len() != 1 {
		panic("plan: several values before an await")
	}
	v := b.temp("spill", t, e.Pos())
	b.code([]*ir.Var{v}, "%v = %v", v, b.value(e))
	b.f.Subst[e] = v
}

// value is e as it stands, even where Subst replaces it: by the awaited result
// if that is what it is replaced by, else by its own text.
func (b *builder) value(e ast.Expr) any {
	if a, ok := b.f.Subst[e].(*ir.Await); ok {
		return a
	}
	return ir.Value{Expr: e}
}

func (b *builder) await(e *event) {
	call := e.expr.(*ast.CallExpr)
	a := b.newAwait(call, e.await)
	a.Boxed, a.Shape = b.shape(a.Operand.Pos(), "the awaitable", a.Type)
	b.emit(a)
	a.Block = b.cur
	b.f.Awaits = append(b.f.Awaits, a)
	b.f.Subst[call] = a
}

// newAwait describes the await of an awaitable.
func (b *builder) newAwait(call *ast.CallExpr, awaitable types.Type) *ir.Await {
	sel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	a := &ir.Await{Call: call, Operand: sel.X, Type: awaitable}
	if !check.Awaitable(a.Type) { // its methods want the operand's address
		a.Address, a.Type = true, types.NewPointer(a.Type)
	}
	return a
}

// logical plans x && y (or ||) where y suspends:
//
//	holds = x
//	if holds { holds = y }
//
// What x is kept in, if it is such an operation itself, keeps the rest too.
func (b *builder) logical(e *ast.BinaryExpr) {
	t, kept := b.f.Subst[ast.Unparen(e.X)].(*ir.Var)
	if !kept || !b.holds(t, e) {
		t = b.temp("holds", b.info.TypeOf(e), e.Pos())
		b.code([]*ir.Var{t}, "%v = %v", t, e.X)
	}
	b.right(t, e)
	b.f.Subst[e] = t
}

// right plans the right side of e, whose left side is in t.
func (b *builder) right(t *ir.Var, e *ast.BinaryExpr) {
	right, done := b.block("right"), b.block("done")
	branch := &ir.Branch{Cond: snippet("%v", t), Then: right, Else: done}
	if e.Op == token.LOR {
		branch.Then, branch.Else = done, right
	}
	b.end(branch)
	b.start(right)
	b.decide(t, e.Y)
	b.start(done)
}

// decide sets t to e.
func (b *builder) decide(t *ir.Var, e ast.Expr) {
	if x, ok := ast.Unparen(e).(*ast.BinaryExpr); ok && b.branches(x) && b.holds(t, x) {
		b.decide(t, x.X)
		b.right(t, x)
		return
	}
	b.hoist(e)
	b.code([]*ir.Var{t}, "%v = %v", t, e)
}

// holds reports whether t is of e's type, which may be untyped.
func (b *builder) holds(t *ir.Var, e ast.Expr) bool {
	return types.Identical(t.Type, types.Default(b.info.TypeOf(e)))
}

// branches reports whether e is && or || whose right side suspends.
func (b *builder) branches(e *ast.BinaryExpr) bool {
	return (e.Op == token.LAND || e.Op == token.LOR) && b.suspends(e.Y)
}

// events appends the events below n in the order of their evaluation.
func (b *builder) events(list []*event, n ast.Node) []*event {
	switch n := n.(type) {
	case *ast.ExprStmt:
		return b.events(list, n.X)
	case *ast.SendStmt:
		if ch, ok := coreType(b.info.TypeOf(n.Chan)).(*types.Chan); ok {
			b.want[n.Value] = ch.Elem()
		}
		return b.events(b.events(list, n.Chan), n.Value)
	case *ast.IncDecStmt:
		b.stores(n.X)
		return b.events(list, n.X)
	case *ast.GoStmt:
		return b.operands(list, n.Call)
	case *ast.DeferStmt:
		return b.operands(list, n.Call)
	case ast.Expr:
		return b.exprEvents(list, n)
	}
	return list
}

func (b *builder) exprEvents(list []*event, e ast.Expr) []*event {
	if tv, ok := b.info.Types[e]; ok && (tv.Value != nil || tv.IsType()) {
		return list
	}
	list = b.ownEvents(list, e)
	if b.boxedEarly(e) && (len(list) == 0 || list[len(list)-1].expr != e) {
		list = append(list, &event{expr: e})
	}
	return list
}

func (b *builder) ownEvents(list []*event, e ast.Expr) []*event {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return b.exprEvents(list, e.X)
	case *ast.CallExpr:
		return b.callEvents(list, e)
	case *ast.BinaryExpr:
		return b.binaryEvents(list, e)
	case *ast.UnaryExpr:
		list = b.exprEvents(list, e.X)
		if e.Op == token.ARROW {
			list = append(list, &event{expr: e})
		}
	case *ast.StarExpr:
		return b.exprEvents(list, e.X)
	case *ast.SelectorExpr:
		return b.selectorEvents(list, e, e)
	case *ast.IndexListExpr:
		return b.instanceEvents(list, e)
	case *ast.IndexExpr:
		if b.info.Types[e.Index].IsType() {
			return b.instanceEvents(list, e)
		}
		list = b.exprEvents(list, e.X)
		list = b.exprEvents(list, e.Index)
		if want := b.want[e]; want != nil && isInterface(want) && stringOrBytes(b.info.TypeOf(e.X)) {
			list = append(list, &event{expr: e, either: true})
		}
		if m, ok := coreType(b.info.TypeOf(e.X)).(*types.Map); ok && b.keyIsCopied(m, e.Index) {
			list = append(list, &event{expr: e.Index})
		}
		if !b.stored[e] && b.convertsBytesKey(e) {
			list = append(list, &event{expr: e})
		}
	case *ast.SliceExpr:
		return append(b.boundsEvents(b.exprEvents(list, e.X), e), &event{expr: e})
	case *ast.TypeAssertExpr:
		list = b.exprEvents(list, e.X)
		if t := b.info.TypeOf(e.Type); e.Type != nil && !pointerShaped(t) && !b.derived(t) {
			list = append(list, &event{expr: e})
		}
	case *ast.CompositeLit:
		return b.literalEvents(list, e)
	}
	return list
}

// instanceEvents: of a generic function there are none, of a method those of its value.
func (b *builder) instanceEvents(list []*event, e ast.Expr) []*event {
	if sel, ok := b.generic(e).(*ast.SelectorExpr); ok {
		return b.selectorEvents(list, sel, e)
	}
	return list
}

// selectorEvents: an ordinary method value is made late; one that needs a dictionary is
// a closure, which captures the receiver at once (cmd/compile/internal/noder, curry). e is
// sel, or what instantiates it.
func (b *builder) selectorEvents(list []*event, sel *ast.SelectorExpr, e ast.Expr) []*event {
	s := b.info.Selections[sel]
	if s == nil {
		return list // of a package
	}
	list = b.exprEvents(list, sel.X)
	if s.Kind() == types.MethodVal && b.needsDictionary(s) {
		list = append(list, &event{expr: e})
	}
	return list
}

// needsDictionary reports whether what is called of the method that s selects depends on
// type parameters: the function's, or its own.
func (b *builder) needsDictionary(s *types.Selection) bool {
	if _, param := types.Unalias(s.Recv()).(*types.TypeParam); param {
		return true
	}
	method := s.Obj().(*types.Func)
	recv := method.Signature().Recv().Type()
	return !isInterface(recv) && (b.derived(recv) || method.Origin().Signature().TypeParams().Len() > 0)
}

// literalEvents: elements are read late, except that a map literal stores each
// entry before it evaluates the next.
func (b *builder) literalEvents(list []*event, e *ast.CompositeLit) []*event {
	m, isMap := literalType(b.info.TypeOf(e)).(*types.Map)
	b.wantElements(e)
	for _, elt := range e.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			list = b.exprEvents(list, elt)
			continue
		}
		if !isMap {
			list = b.exprEvents(list, kv.Value)
			continue
		}
		list = b.exprEvents(list, kv.Key)
		copied := b.spillable(kv.Key) && b.keyIsCopied(m, kv.Key)
		if copied {
			list = append(list, &event{expr: kv.Key})
		}
		list = b.exprEvents(list, kv.Value)
		if !copied && b.spillable(kv.Key) {
			list = append(list, &event{expr: kv.Key})
		}
		if b.spillable(kv.Value) {
			list = append(list, &event{expr: kv.Value})
		}
	}
	if isMap {
		list = append(list, &event{expr: e})
	}
	return list
}

// spillable reports whether e is a value that can be kept in a temporary, and
// whose reading early makes a difference.
func (b *builder) spillable(e ast.Expr) bool {
	if _, ok := e.(*ast.FuncLit); ok {
		return false
	}
	tv := b.info.Types[e]
	return tv.Value == nil && !tv.IsNil() && tv.IsValue()
}

func (b *builder) binaryEvents(list []*event, e *ast.BinaryExpr) []*event {
	if e.Op == token.EQL || e.Op == token.NEQ { // of an interface and a value, the value is converted
		b.want[e.X], b.want[e.Y] = b.info.TypeOf(e.Y), b.info.TypeOf(e.X)
	}
	list = b.exprEvents(list, e.X)
	if e.Op != token.LAND && e.Op != token.LOR {
		list = b.exprEvents(list, e.Y)
		for _, operand := range []ast.Expr{e.X, e.Y} {
			if b.comparedByAddress(e, operand) {
				list = append(list, &event{expr: operand})
			}
		}
		return list
	}
	ev := &event{expr: e}
	if b.branches(e) {
		ev.logical = e
	}
	return append(list, ev)
}

// callEvents: the callee's and the arguments' events, then the call's own.
func (b *builder) callEvents(list []*event, e *ast.CallExpr) []*event {
	if tv := b.info.Types[e.Fun]; tv.IsType() {
		b.want[e.Args[0]] = tv.Type
		list = b.exprEvents(list, e.Args[0])
		if to, from := b.info.TypeOf(e.Fun), b.info.TypeOf(e.Args[0]); convertsEarly(to, from) {
			list = append(list, &event{expr: e, either: stringOrBytes(from)})
		}
		return list
	}
	list = b.operands(list, e)
	if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok && b.info.Uses[sel.Sel] != nil && b.info.Uses[sel.Sel].Pkg() == types.Unsafe {
		return list // gc computes unsafe.String and the like where the value is used
	}
	ev := &event{expr: e}
	if awaitable, ok := check.IsAwait(b.info, e); ok {
		ev.await = awaitable
	}
	return append(list, ev)
}

// operands appends the events of a call's callee and arguments.
func (b *builder) operands(list []*event, e *ast.CallExpr) []*event {
	list = b.calleeEvents(list, e)
	b.wantArguments(e)
	for _, arg := range e.Args {
		list = b.exprEvents(list, arg)
	}
	return list
}

// convertsEarly reports whether a conversion is a call of gc's: string to bytes
// or runes. The other direction reads late.
func convertsEarly(to, from types.Type) bool {
	_, slice := coreType(to).(*types.Slice)
	basic, ok := coreType(from).(*types.Basic)
	return slice && (ok && basic.Info()&types.IsString != 0 || stringOrBytes(from))
}

// stores notes that the expressions are assigned to: only their operands are
// evaluated.
func (b *builder) stores(targets ...ast.Expr) {
	for _, e := range targets {
		if e != nil {
			b.stored[ast.Unparen(e)] = true
		}
	}
}

// pointerShaped reports whether values of t fit an interface's data word, so
// that an assertion to t is a mere read.
func pointerShaped(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer, *types.Map, *types.Chan, *types.Signature:
		_, isTypeParam := types.Unalias(t).(*types.TypeParam)
		return !isTypeParam
	case *types.Basic:
		return u.Kind() == types.UnsafePointer
	case *types.Struct:
		return u.NumFields() == 1 && pointerShaped(u.Field(0).Type())
	case *types.Array:
		return u.Len() == 1 && pointerShaped(u.Elem())
	}
	return false
}

// calls reports whether evaluating e calls or receives.
func (b *builder) calls(e ast.Expr) bool {
	for _, ev := range b.exprEvents(nil, e) {
		switch x := ev.expr.(type) {
		case *ast.CallExpr:
			return true
		case *ast.UnaryExpr:
			if x.Op == token.ARROW {
				return true
			}
		}
	}
	return false
}

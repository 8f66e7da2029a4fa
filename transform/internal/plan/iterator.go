package plan

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/nothread/nothread/transform/internal/check"
	"github.com/nothread/nothread/transform/internal/ir"
)

// This file is for the ranges that call somebody else's code between iterations, who is
// to be told when the loop is left: functions, and streams.

// returnsFromIterator reports whether there is a return in a range over a function
// below n. The iterator must be left before deferred calls are made and the task
// completes; so such a loop is taken apart as one with an await is.
func (b *builder) returnsFromIterator(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.RangeStmt:
			found = found || rangesOverFunc(b.info, n) && returns(n.Body)
		}
		return !found
	})
	return found
}

// rangesOverFunc reports whether s ranges over a function; a stream's pass is one, too.
func rangesOverFunc(info *types.Info, s *ast.RangeStmt) bool {
	_, ok := coreType(info.TypeOf(s.X)).(*types.Signature)
	return ok
}

// returns reports whether there is a return statement below n.
func returns(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		_, isLit := n.(*ast.FuncLit)
		_, isReturn := n.(*ast.ReturnStmt)
		found = found || isReturn
		return !found && !isLit
	})
	return found
}

// loop makes the iterator of a range over a function or a stream.
func (b *builder) loop(s *ast.RangeStmt) {
	l := &ir.Loop{Iterator: b.temp("iterator", types.Typ[types.Int], s.Pos())} // its type follows with its loop
	l.Iterator.Lifted = true
	if call, _, ok := check.RangesOverStream(b.info, s); ok {
		l.Iterator.Name = "stream"
		l.Left = &ir.Await{Call: call, Operand: call, Stream: l.Iterator, Leaves: true}
	}
	b.loops[s] = l
	b.f.Loops = append(b.f.Loops, l)
}

// iterator returns the variable that keeps the iterator, now that its type is known.
func (r *ranging) iterator(t types.Type) *ir.Var {
	it := r.over.Iterator
	it.Type = types.NewPointer(t)
	it.Boxed, it.Shape = r.b.shape(r.s.X.Pos(), "what is ranged over", t)
	return it
}

// overFunc gives the function a coroutine. Whatever leaves the loop, leaves the
// function first.
func (r *ranging) overFunc(f *types.Signature) {
	b := r.b
	yield := coreType(f.Params().At(0).Type()).(*types.Signature).Params()
	none := types.NewStruct(nil, nil)
	args := []types.Type{none, none}
	for i := range yield.Len() {
		args[i] = yield.At(i).Type()
	}
	it := r.iterator(b.runtimeType("FuncRange", args...))
	start := ir.Name{Path: ir.AsyncPath, Name: "RangeFunc" + strconv.Itoa(yield.Len())}
	b.code([]*ir.Var{it}, "%v = %v(%v)", it, start, r.s.X)
	r.iterate(snippet("%v.Next()", it), snippet("%v.Key()", it), snippet("%v.Value()", it), func() {})
	b.leaveLoop(b.cur, r.over)
}

// overStream awaits each value, and the end of the pass where the loop is left:
//
//	for v, err := range s.Await(ctx) { body }        becomes        it = s.Range(ctx)
//	                                                          loop: await it
//	                                                                if !‹result› { goto done }
//	                                                                v, err = it.Key(), it.Value()
//	                                                                body
//	                                                                goto loop
//	                                                          done: it.Leave()
//	                                                                await it
func (r *ranging) overStream() {
	b := r.b
	call, elem, _ := check.RangesOverStream(b.info, r.s)
	it := r.iterator(b.runtimeType("StreamRange", elem))
	sel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	path := b.toStream(sel)
	b.code([]*ir.Var{it}, "%v = %v"+strings.Repeat(".%v", len(path))+".Range(%v)", append(append([]any{it, sel.X}, path...), call.Args[0])...)
	b.start(r.loop)
	more := b.awaitStream(b.cur, r.over, false)
	r.enterIf(snippet("%v", more))
	r.assign(snippet("%v.Key()", it), snippet("%v.Value()", it))
	r.finish(func() {})
	b.leaveLoop(b.cur, r.over)
}

// toStream returns the names of the fields that lead to a stream embedded in what sel
// selects from, none if that has no other Range than the stream's.
func (b *builder) toStream(sel *ast.SelectorExpr) []any {
	selection := b.info.Selections[sel]
	index := selection.Index()
	way := index[:len(index)-1]
	obj, found, _ := types.LookupFieldOrMethod(selection.Recv(), true, b.pkg.Types, "Range")
	if _, method := obj.(*types.Func); method && slices.Equal(found[:len(found)-1], way) {
		return nil
	}
	to, _ := b.way(selection)
	if !to.unnamed {
		return to.path
	}
	last, named := to.path[len(to.path)-1].(string)
	if obj, found, _ := types.LookupFieldOrMethod(selection.Recv(), true, b.pkg.Types, last); !named || obj == nil || !slices.Equal(found, way) {
		b.errorf(sel.Pos(), "%s has another Range than the stream embedded in it, for which there is no name here; range over the stream itself", types.ExprString(sel.X))
	}
	return []any{last}
}

// leaveLoop adds to blk what leaves the loop.
func (b *builder) leaveLoop(blk *ir.Block, l *ir.Loop) {
	blk.Instrs = append(blk.Instrs, &ir.Code{Format: "%v.Leave()", Args: []any{l.Iterator}})
	if l.Left != nil {
		end := b.awaitStream(blk, l, true)
		blk.Instrs = append(blk.Instrs, &ir.Code{Format: "%v", Args: []any{end}})
	}
}

// awaitStream adds to blk the await of a stream's next value, or of its end.
func (b *builder) awaitStream(blk *ir.Block, l *ir.Loop, leaves bool) *ir.Await {
	a := &ir.Await{Call: l.Left.Call, Operand: l.Left.Operand, Type: l.Iterator.Type, Stream: l.Iterator, Leaves: leaves, Block: blk}
	blk.Instrs = append(blk.Instrs, a)
	b.f.Awaits = append(b.f.Awaits, a)
	return a
}

// runtimeType returns a generic type of runtime/async, instantiated.
func (b *builder) runtimeType(name string, args ...types.Type) types.Type {
	pkg := importOf(b.pkg.Types, ir.AsyncPath, make(map[*types.Package]bool))
	if pkg == nil {
		panic("plan: awaits without " + ir.AsyncPath)
	}
	t, err := types.Instantiate(nil, pkg.Scope().Lookup(name).Type(), args, false)
	if err != nil {
		panic("plan: " + err.Error())
	}
	return t
}

// importOf finds a package among those that pkg imports, directly or not.
func importOf(pkg *types.Package, path string, seen map[*types.Package]bool) *types.Package {
	if seen[pkg] {
		return nil
	}
	seen[pkg] = true
	for _, p := range pkg.Imports() {
		if p.Path() == path {
			return p
		}
		if found := importOf(p, path, seen); found != nil {
			return found
		}
	}
	return nil
}

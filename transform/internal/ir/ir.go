// Package ir is the compiler's picture of one async function between the
// author's syntax and the generated machine: basic blocks, suspension points
// and variables. It holds data, a printer and a verifier; plan builds it, lower
// refines it, emit reads it.
//
// # Text stays text
//
// The author's statements are kept as syntax and printed from their source
// bytes, with only what must change replaced. A statement without an await
// inside is one instruction, however large:
//
//	if err == io.EOF {            becomes      one Stmt, in which the printer
//		return copied, nil                     replaces the return
//	}
//
// A statement with awaits is split before each of them. What gc evaluates
// before the await is spilled into temporaries; what gc evaluates after it stays
// where the author wrote it, with the await replaced by its result:
//
//	x + f() + t.Await()           becomes      spill = f()
//	                                           await t
//	                                           x + spill + ‹result›
//
// So evaluation order after the await is gc's own doing.
//
// # Variables
//
// Each variable declared outside a whole statement is hoisted to the top of
// MoveNext; those that live across a suspension are lifted into the machine. A
// variable that must keep its identity (a closure captures it, its address is
// taken) lives in a cell of its own.
package ir

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"unicode"
)

// A Func is one async function.
type Func struct {
	Name   string        // as diagnostics and dumps name it: F, T.M
	Decl   *ast.FuncDecl // the declaration, or the one that Lit stands in
	Lit    *ast.FuncLit  // an async closure; nil for a declared function
	Body   *ast.BlockStmt
	Sig    *types.Signature
	Source *Source
	Class  bool // the machine is on the heap from its beginning, and keeps every variable

	Params  []*Var // those that the body mentions, the receiver first
	Results []*Var // nil where unnamed or blank and nobody but the caller sees them
	Context *Var   // the parameter whose SyncContext the machine captures; nil if none
	Vars    []*Var // all, in order of appearance
	Blocks  []*Block
	Entry   *Block
	Awaits  []*Await                // in source order
	Slots   []*Slot                 // by lower
	Consts  []*ast.GenDecl          // declared in the body, or mentioned from around it; they move to its top
	Defers  []*Defer                // in source order
	Names   map[types.Object]string // of those constants that need another name there, by lower
	Types   []*LocalType            // declared in the body; they move to the package level
	Loops   []*Loop                 // ranges over functions and streams, outer ones first

	Parent   *Func                   // the function that an async closure stands in
	Children []*Func                 // the async closures in the body, in source order
	ChildOf  map[*ast.CallExpr]*Func // by the call of async.Go or async.Func… they are passed to
	Maker    bool                    // an async closure passed to async.Func…

	Machine  string // the generated type's name, by lower
	Table    string // the variable that says where its states are, by lower
	Receiver string // m, by lower
	Called   string // the field that keeps the context if the body assigns to it, by lower
	Bound    string // what a type switch binds before the clause's own variable, by lower
	OnHeap   string // what the copy on the heap is called beside the machine, by lower

	VarOf map[types.Object]*Var
	Subst map[ast.Node]Operand       // what stands in an expression's place
	Leaps map[*ast.BranchStmt]*Block // branches that leave a whole statement

	Apart map[[2]*Var]bool // variables of one name that are alive together, in order of appearance
}

// A Defer is a defer statement. What it evaluates is kept in the machine until
// the function ends.
type Defer struct {
	Stmt   *ast.DeferStmt
	Type   string           // the generated type that keeps it, by lower; "" for a plain func()
	Static bool             // the callee is a declared function or predeclared: not a value to keep
	Sig    *types.Signature // of the callee, nil if predeclared
	Await  *Await           // defer x.Await(): x is kept, and awaited at the end; nil for a call
	Args   []types.Type     // of what is kept of the arguments
}

// A LocalType is a type declared outside any whole statement. It becomes a type of
// the package's, so that fields of the machine may be of it, if nothing else in
// the package bears its name: it keeps that, and looks the same to reflection.
// Else it stays inside, a type of MoveNext's, and the machine keeps its values
// boxed.
type LocalType struct {
	Spec   *ast.TypeSpec
	Obj    *types.TypeName
	Sole   bool   // nothing else in the package bears its name
	Inside bool   // only MoveNext knows it
	Name   string // by lower
}

// A Loop is a range over a function, or over a stream, that was taken apart. However
// the function ends, it is left.
type Loop struct {
	Iterator *Var
	Left     *Await // of a stream: its end, where the function ends; nil for a function
}

// Unwinds reports whether something is to be done when the function ends,
// however it ends: deferred calls are made, functions that are ranged over left.
func (f *Func) Unwinds() bool { return len(f.Defers) > 0 || len(f.Loops) > 0 }

// Iterates reports whether v is the iterator of one of the loops.
func (f *Func) Iterates(v *Var) bool {
	return slices.ContainsFunc(f.Loops, func(l *Loop) bool { return l.Iterator == v })
}

// Redeclares reports whether the declared function gives one of the names a
// meaning of its own somewhere.
func (f *Func) Redeclares(names ...string) bool {
	found := false
	ast.Inspect(f.Decl, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(names, id.Name) {
			obj := f.Source.Info.Defs[id]
			found = found || obj != nil && obj.Parent() != nil && obj.Parent() != obj.Pkg().Scope()
		}
		return !found
	})
	return found
}

// Hides reports whether the declared function gives a name in which t is written,
// or its zero value, a meaning of its own somewhere.
func (f *Func) Hides(t types.Type) bool {
	text := types.TypeString(t, func(p *types.Package) string { return f.Source.NameOf(p.Path(), p.Name()) })
	names := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return f.Redeclares(append(names, "nil", "false", "new")...)
}

// TypeParams are the machine's type parameters: those of the declared function's
// receiver, and its own. (As of Go 1.27 a method may have both.)
func (f *Func) TypeParams() []*types.TypeParam {
	sig := f.Root().Sig
	return slices.AppendSeq(slices.Collect(sig.RecvTypeParams().TypeParams()), sig.TypeParams().TypeParams())
}

// NamedTypeParams are those that are not blank.
func (f *Func) NamedTypeParams() []*types.TypeParam {
	return slices.DeleteFunc(f.TypeParams(), func(p *types.TypeParam) bool { return p.Obj().Name() == "_" })
}

// Generic reports whether there are any.
func (f *Func) Generic() bool { return len(f.TypeParams()) > 0 }

// Suspends reports whether the function awaits anything.
func (f *Func) Suspends() bool { return len(f.Awaits) > 0 || f.EndWaits() }

// EndWaits reports whether the function may have to wait when it ends: for a deferred
// await, or until a stream that it ranges over is closed.
func (f *Func) EndWaits() bool { return f.DefersAwaits() || f.LeavesStreams() }

// LeavesStreams reports whether the function ranges over streams.
func (f *Func) LeavesStreams() bool {
	return slices.ContainsFunc(f.Loops, func(l *Loop) bool { return l.Left != nil })
}

// DefersAwaits reports whether awaits are deferred.
func (f *Func) DefersAwaits() bool {
	for _, d := range f.Defers {
		if d.Await != nil {
			return true
		}
	}
	return false
}

// Root returns the declared function that f is or stands in.
func (f *Func) Root() *Func {
	for f.Parent != nil {
		f = f.Parent
	}
	return f
}

// Start returns where the function begins in the source: its keyword func.
func (f *Func) Start() token.Pos {
	if f.Lit != nil {
		return f.Lit.Pos()
	}
	return f.Decl.Pos()
}

// Line returns the line by which people find the function: that of its name, of an async
// closure where it begins.
func (f *Func) Line() int {
	if f.Lit != nil {
		return f.Source.Line(f.Lit.Pos())
	}
	return f.Source.Line(f.Decl.Name.Pos())
}

// Hidden reports whether another type of MoveNext's takes the name of t: that is
// an alias's from there on.
func (f *Func) Hidden(t *LocalType) bool {
	later := false
	for _, other := range f.Types {
		if later && t.Inside && other.Inside && !other.Obj.IsAlias() && other.Obj.Name() == t.Obj.Name() {
			return true
		}
		later = later || other == t
	}
	return false
}

// LocalType returns what becomes of a type that obj names, nil if it is none of
// the function's.
func (f *Func) LocalType(obj types.Object) *LocalType {
	if f.Parent != nil {
		if t := f.Parent.LocalType(obj); t != nil {
			return t
		}
	}
	for _, t := range f.Types {
		if t.Obj == obj {
			return t
		}
	}
	return nil
}

// Source is where the author's text comes from.
type Source struct {
	File      *token.File
	Base      string // the file's name, for comments
	Content   []byte
	Pkg       *types.Package
	Info      *types.Info
	Names     []string          // what stands at package level, and the types in functions' bodies; sorted
	Ambiguous map[string]bool   // the names that types of several functions would have at package level
	Imports   map[string]string // by path, what the file calls the packages that it imports, and the output those that it cannot call by their own names
}

// Taken reports whether a name stands at package level, or may come to.
func (s *Source) Taken(name string) bool {
	_, found := slices.BinarySearch(s.Names, name)
	return found
}

// NameOf returns what the file, or its output, calls a package.
func (s *Source) NameOf(path, name string) string {
	if own, ok := s.Imports[path]; ok {
		return own
	}
	return name
}

// AsyncPath is the import path of the runtime that generated code needs.
const AsyncPath = "github.com/nothread/nothread/runtime/async"

// Text returns the source between two positions.
func (s *Source) Text(pos, end token.Pos) string {
	return string(s.Content[s.File.Offset(pos):s.File.Offset(end)])
}

// Line returns pos's line in the file as it lies on disk.
func (s *Source) Line(pos token.Pos) int {
	return s.File.PositionFor(pos, false).Line
}

// A VarKind says where a variable comes from.
type VarKind int

const (
	Param VarKind = iota
	Result
	Local
	Temp // introduced by the compiler
)

// A Var is a variable of the generated machine.
type Var struct {
	Name string // the author's, then made unique by lower
	Type types.Type
	Obj  *types.Var // nil for temporaries
	Kind VarKind
	Pos  token.Pos // of what a temporary stands for

	Outer     bool // a parameter of an async closure that stands for what it captures
	Captured  bool // by a closure
	Addressed bool // its address is taken, perhaps by a method call
	Writes    int  // assignments besides the declaration

	Inside string // by lower: what a closure that captures it calls it

	Boxed bool   // no field can be of its type: what lives across a suspension is kept as any
	Shape *Shape // how MoveNext comes by its type, if that cannot be written at all
	Field string // by lower: where it is kept, if it is boxed and lifted

	Lifted bool // lives across a suspension: a field of the machine
	Brief  bool // by lower: a parameter that no wait outlives; the machine on the heap never holds it
	Cell   bool // keeps one identity: the variable is a pointer to its value
	Zeroed bool // its declaration must store the zero value
	Used   bool // some instruction reads it
	Set    bool // some instruction sets it
}

// An Operand replaces an expression: a *Var, or an *Await for its result.
type Operand interface{ operand() }

func (*Var) operand()   {}
func (*Await) operand() {}

// A Block is a basic block. Blocks stand in source order; one that ends in a
// jump to the next falls through.
type Block struct {
	Index  int
	Hint   string // what its label is named after
	Label  string // by lower; "" if nothing jumps here
	Instrs []Instr
	Term   Term
}

// An Instr is what happens inside a block.
type Instr interface{ instr() }

// A Stmt is a statement of the author's, whole or with its awaits replaced.
type Stmt struct {
	Node   ast.Stmt
	NoInit bool // its init has been done already
}

// Code is a statement of ours. Each %v of Format takes the next of Args: *Var,
// ast.Expr, Value, Name, string, *LocalType for its name, or *Await for its result.
type Code struct {
	Format string
	Args   []any
	Defs   []*Var // set by it, whole
}

// Declare makes v come into being: a new cell, or the zero value.
type Declare struct {
	Var  *Var
	Zero bool // no value follows
}

// Renew gives v, which keeps an identity, a new one with the same value.
type Renew struct{ Var *Var }

// A Value is an argument of Code: an expression written out even where Subst
// replaces it.
type Value struct{ Expr ast.Expr }

// A Name is an argument of Code: a name of a package.
type Name struct{ Path, Name string }

// Await is a suspension point: Operand is evaluated, and unless that is complete
// already, MoveNext returns and is called again once it is.
type Await struct {
	Call    *ast.CallExpr // x.Await(); of a stream x.Await(ctx)
	Operand ast.Expr      // x; of a stream the call
	Stream  *Var          // the iterator of a range over a stream, which is what is awaited; nil else
	Leaves  bool          // a stream's end is awaited, not its next value
	Address bool          // the awaitable is &x
	Type    types.Type    // of the awaitable
	Boxed   bool          // as Var.Boxed
	Shape   *Shape        // as Var.Shape
	Block   *Block

	Live []*Var // read after the resumption
	Held []*Var // may have been set before

	State  int    // by lower: 1, 2, …
	Resume string // by lower: the label
	Slot   *Slot  // by lower
	Tail   bool   // by lower: what it gives is returned as it is, and its task is of the function's own type
}

// What says what is awaited, of which operand is the text.
func (a *Await) What(operand string) string {
	if a.Leaves {
		return "the close of " + operand
	}
	return operand
}

// A Comment is the author's, on a line of its own or behind the last statement.
type Comment struct {
	Text     string
	Trailing bool
}

// A Blank is an empty line between statements.
type Blank struct{}

func (*Stmt) instr()    {}
func (*Code) instr()    {}
func (*Declare) instr() {}
func (*Await) instr()   {}
func (*Renew) instr()   {}
func (*Comment) instr() {}
func (*Blank) instr()   {}

// A Term ends a block.
type Term interface {
	// Succs lists the blocks that may follow.
	Succs() []*Block
}

// Jump goes on at To.
type Jump struct{ To *Block }

// Branch goes on at Then if Cond holds, else at Else.
type Branch struct {
	Cond       *Code
	Then, Else *Block
}

// Return completes the machine. Node is nil at the end of the body.
type Return struct{ Node *ast.ReturnStmt }

// Switch is a switch, type switch or select of the author's without its bodies.
type Switch struct {
	Node    ast.Stmt
	Tag     ast.Expr // of an expression switch; nil if none
	Clauses []*Clause
	Else    *Block // where no clause matches; nil if one always does
}

// A Clause is one case of a Switch.
type Clause struct {
	Node ast.Node // *ast.CaseClause or *ast.CommClause
	Bind *Var     // what the clause of a type switch binds
	Recv []*Var   // what is received, and whether, where the left side waits its turn
	To   *Block
}

// Stop ends a block whose last statement never lets go on.
type Stop struct{}

func (t *Jump) Succs() []*Block   { return []*Block{t.To} }
func (t *Branch) Succs() []*Block { return []*Block{t.Then, t.Else} }
func (t *Return) Succs() []*Block { return nil }
func (t *Stop) Succs() []*Block   { return nil }

func (t *Switch) Succs() []*Block {
	var succs []*Block
	for _, c := range t.Clauses {
		succs = append(succs, c.To)
	}
	if t.Else != nil {
		succs = append(succs, t.Else)
	}
	return succs
}

// A Slot is where the awaitables of one type are kept: in MoveNext while it
// runs, in the machine while it is suspended.
type Slot struct {
	Type  types.Type
	Boxed bool         // as Var.Boxed
	Shape *Shape       // as Var.Shape
	Task  *types.Named // Type, if it is one of async's tasks
	Local string       // in MoveNext
	Field string       // in the machine
}

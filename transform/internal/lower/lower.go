// Package lower makes a machine of a planned function: it numbers the states,
// gives each awaitable type a slot, and names everything: variables, fields,
// labels. It changes no instruction.
//
//	await r.Read()          becomes      state 1, resumed at readDone,
//	                                     kept in the field awaiter
package lower

import (
	"go/ast"
	"go/types"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nothread/nothread/transform/internal/ir"
)

// Func lowers f.
func Func(f *ir.Func) {
	n := newNamer(f)
	f.Receiver = n.unique("m", n.idents)
	f.Bound = n.unique("bound", n.idents)
	f.OnHeap = f.Receiver
	if !f.Class {
		f.OnHeap = n.onHeap()
	}
	f.Table = f.Machine + "States"
	n.constants()
	n.variables()
	n.boxes()
	n.slots()
	brief(f)
	f.Called = n.unique("called", n.fields)
	n.labels()
	n.defers()
	n.types()
	for _, child := range f.Children {
		Func(child)
	}
}

// onHeap names the machine's copy on the heap, beside which values of the machine's
// types are written.
func (n *namer) onHeap() string {
	taken := maps.Clone(n.idents)
	maps.Copy(taken, n.taken)
	for _, name := range n.f.Source.Names {
		taken[name] = true
	}
	return n.unique("h", taken)
}

// types names the types that move to the package level: pair in Sum stays pair if
// it is the only one, else it becomes sumPair, or sum_pair if another function has one
// that would become sumPair, too.
func (n *namer) types() {
	base := strings.TrimSuffix(n.f.Machine, "Machine")
	taken := make(map[string]bool)
	for _, t := range n.f.Types {
		if (t.Sole || t.Inside) && !n.f.Hidden(t) {
			t.Name = t.Obj.Name()
			continue
		}
		r, size := utf8.DecodeRuneInString(t.Obj.Name())
		name := base + string(unicode.ToUpper(r)) + t.Obj.Name()[size:]
		if n.f.Source.Ambiguous[name] {
			name = base + "_" + t.Obj.Name()
		}
		for n.f.Source.Taken(name) || generated.MatchString(name) {
			name += "_"
		}
		t.Name = n.unique(name, taken)
	}
}

// generated is how the names end of what is made for machines.
var generated = regexp.MustCompile(`(Machine[0-9]*(s|States)?|(Defer|Type|Go|Func)[0-9]+)$`)

// defers names the types that keep deferred calls; a plain func() needs none.
func (n *namer) defers() {
	for i, d := range n.f.Defers {
		if d.Await != nil || d.Static || len(d.Args) > 0 || d.Sig.Results().Len() > 0 {
			d.Type = strings.TrimSuffix(n.f.Machine, "Machine") + "Defer" + strconv.Itoa(i+1)
		}
	}
}

func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(r)) + s[n:]
}

// boxes names the fields that keep boxed variables.
func (n *namer) boxes() {
	for _, v := range n.f.Vars {
		if v.InMachine() {
			n.fields[v.Name] = true
		}
	}
	for _, v := range n.f.Vars {
		if v.Lifted && v.Boxed {
			v.Field = n.unique(v.Name, n.fields)
		}
	}
}

// slots numbers the states, gives each type of awaitable a slot, and marks tail awaits.
func (n *namer) slots() {
	f := n.f
	for i, a := range f.States() {
		a.State = i + 1
		if a.Stream != nil { // its iterator is kept already
			continue
		}
		for _, s := range f.Slots {
			if types.Identical(s.Type, a.Type) {
				a.Slot = s
			}
		}
		if a.Slot == nil {
			a.Slot = &ir.Slot{
				Type:  a.Type,
				Task:  taskType(a.Type),
				Boxed: a.Boxed,
				Shape: a.Shape,
				Local: n.unique("task", n.idents),
				Field: n.unique("awaiter", n.fields),
			}
			f.Slots = append(f.Slots, a.Slot)
		}
		a.Tail = tail(f, a)
	}
}

// brief finds the parameters whose fields nothing needs once the machine has waited,
// and that nothing sets.
func brief(f *ir.Func) {
	kept := make(map[string]bool)
	keep := func(list []*ir.Var) {
		for _, v := range list {
			if v != nil {
				kept[v.Kept()] = true
			}
		}
	}
	for _, a := range f.States() {
		keep(a.Live)
	}
	if f.Unwinds() {
		keep(f.Results)
		for _, l := range f.Loops {
			keep([]*ir.Var{l.Iterator})
		}
	}
	for _, v := range f.Params {
		v.Brief = v.Writes == 0 && !kept[v.Kept()]
	}
}

// tail reports whether nothing is left to do after a but to return what it gives:
//
//	return f(x).Await()
func tail(f *ir.Func, a *ir.Await) bool {
	if a.Slot.Task == nil || a.Boxed || a.Block == nil || f.Unwinds() || !yields(a.Slot.Task, f.Sig.Results()) {
		return false
	}
	ret, ok := a.Block.Term.(*ir.Return)
	if !ok || ret.Node == nil || len(ret.Node.Results) != 1 || ast.Unparen(ret.Node.Results[0]) != ast.Expr(a.Call) {
		return false
	}
	for _, v := range f.Results {
		if v != nil && v.Cell { // somebody may look at the results later
			return false
		}
	}
	return a.Block.Instrs[len(a.Block.Instrs)-1] == ir.Instr(a)
}

// yields reports whether a task gives these results.
func yields(task *types.Named, results *types.Tuple) bool {
	args := task.TypeArgs()
	if results.Len() != args.Len()+1 || !types.Identical(results.At(args.Len()).Type(), types.Universe.Lookup("error").Type()) {
		return false
	}
	for i := range args.Len() {
		if !types.Identical(results.At(i).Type(), args.At(i)) {
			return false
		}
	}
	return true
}

// taskType returns t if it is one of async's tasks: those are kept as awaiters.
func taskType(t types.Type) *types.Named {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != ir.AsyncPath {
		return nil
	}
	switch named.Obj().Name() {
	case "Task", "Task0", "Task2", "Task3":
		return named
	}
	return nil
}

// labels names the blocks that something jumps to, and the places where the
// machine resumes.
func (n *namer) labels() {
	f := n.f
	taken := n.keptLabels()
	targets := f.Targets()
	for _, blk := range f.Blocks {
		if targets[blk] {
			hint := blk.Hint
			if hint == "" {
				hint = "next"
			}
			blk.Label = n.unique(hint, taken)
		}
		for _, in := range blk.Instrs {
			if a, ok := in.(*ir.Await); ok {
				a.Resume = n.unique(resumeHint(a), taken)
			}
		}
	}
}

// keptLabels are the author's labels that stay in whole statements.
func (n *namer) keptLabels() map[string]bool {
	kept := make(map[string]bool)
	for _, blk := range n.f.Blocks {
		for _, in := range blk.Instrs {
			if s, ok := in.(*ir.Stmt); ok {
				ast.Inspect(s.Node, func(node ast.Node) bool {
					if l, ok := node.(*ast.LabeledStmt); ok {
						kept[l.Label.Name] = true
					}
					return true
				})
			}
		}
	}
	return kept
}

// resumeHint names the place after an await for what was awaited: readDone for
// r.ReadAsync(…).Await(); linesNext and linesLeft for a range over lines.Await(ctx).
func resumeHint(a *ir.Await) string {
	switch {
	case a.Stream == nil:
		return hint(a.Operand) + "Done"
	case a.Leaves:
		return hint(ast.Unparen(a.Call.Fun).(*ast.SelectorExpr).X) + "Left"
	default:
		return hint(ast.Unparen(a.Call.Fun).(*ast.SelectorExpr).X) + "Next"
	}
}

// hint is the last name in what says what is awaited: read for r.ReadAsync(…).
func hint(e ast.Expr) string {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.CallExpr:
			e = x.Fun
			if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && sel.Sel.Name == "ConfigureAwait" {
				e = sel.X
			}
		case *ast.IndexExpr:
			e = x.X
		case *ast.IndexListExpr:
			e = x.X
		case *ast.SelectorExpr:
			return withoutAsync(x.Sel.Name)
		case *ast.Ident:
			return withoutAsync(x.Name)
		default:
			return "await"
		}
	}
}

func withoutAsync(name string) string {
	if short := strings.TrimSuffix(name, "Async"); short != "" {
		name = short
	}
	return lowerFirst(name)
}

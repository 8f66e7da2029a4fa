// Package explain says what the compiler has made of a function, for people and
// for tools: its states and what each saves and why, the machine's bytes field by
// field against the fewest that could do, what stayed out of it, and what a call
// allocates. It reads lowered ir and the type-checked output; it decides nothing.
//
//	state 1  copystream.go:26  awaits src.ReadAsync(ctx, buf), goes on at readDone
//	  saves  buf     24            :34  if _, err := dst.WriteAsync(ctx, buf[:n]).Await(); err != n…
//	         copied   8            :28  return copied, nil
//
// Sizes are those of the struct that was generated, as gc lays it out.
package explain

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/nothread/nothread/transform/internal/ir"
)

// A Func is what there is to say of one function or async closure.
type Func struct {
	Name        string       `json:"name"` // F, T.M; F.go1 for a closure
	Package     string       `json:"package"`
	File        string       `json:"file"`
	Line        int          `json:"line"`
	Twin        string       `json:"twin"` // the async form
	Machine     Machine      `json:"machine"`
	States      []State      `json:"states"`
	Locals      []Local      `json:"locals"` // what is not in the machine
	Allocations []Allocation `json:"allocations"`
	Coroutines  []Coroutine  `json:"coroutines"`
	FastPaths   []string     `json:"fastPaths"`
	Closures    []*Func      `json:"closures"`

	base string // of File, as lines are named
}

// A Machine is the generated struct.
type Machine struct {
	Name   string  `json:"name"`
	Bytes  Bytes   `json:"bytes"` // null if it depends on type parameters
	Fields []Field `json:"fields"`

	Fixed      Bytes `json:"fixed"`      // what every such machine needs: all but variables and awaiters
	Padding    Bytes `json:"padding"`    // between the fields
	LowerBound Bytes `json:"lowerBound"` // fixed, and the most that is alive at once
	Fullest    int   `json:"fullest"`    // the state in which that is; 0 if it never suspends
}

// A Field is a field of the machine.
type Field struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Offset Bytes  `json:"offset"`
	Bytes  Bytes  `json:"bytes"`
	Role   Role   `json:"role"`
	States []int  `json:"states,omitempty"` // in which it is alive: of variables and awaiters
	Note   string `json:"note,omitempty"`
}

// A Role says what a field is for.
type Role string

// The roles.
const (
	Fixed    Role = "fixed"    // every machine, or every one of this form, has it
	Variable Role = "variable" // a parameter, a local, or a temporary
	Awaiter  Role = "awaiter"  // what is awaited
)

// A State is a suspension point.
type State struct {
	State    int     `json:"state"`
	Line     int     `json:"line"`
	Awaits   string  `json:"awaits"`
	Type     string  `json:"type"`
	Resume   string  `json:"resume,omitempty"` // the label where it goes on
	Deferred bool    `json:"deferred,omitempty"`
	Awaiter  string  `json:"awaiter"` // the field
	Saves    []Saved `json:"saves"`
	Bytes    Bytes   `json:"bytes"` // alive: what it saves and the awaiter
}

// A Saved is a variable that lives across a suspension.
type Saved struct {
	Name  string `json:"name"`
	Field string `json:"field"`
	Type  string `json:"type"`
	Bytes Bytes  `json:"bytes"` // in the machine
	Of    string `json:"of,omitempty"`
	Use   *Use   `json:"use,omitempty"`
	Why   string `json:"why,omitempty"` // where no use in the body keeps it
}

// A Use is the place that keeps a variable alive.
type Use struct {
	Line  int    `json:"line"`
	Text  string `json:"text"`            // the line
	Again bool   `json:"again,omitempty"` // it comes before the await, in a loop
}

// A Local is a variable that is not in the machine.
type Local struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	Why  string `json:"why"`
}

// An Allocation is one that the compiler brings in.
type Allocation struct {
	What  string `json:"what"`
	When  string `json:"when"`
	Line  int    `json:"line,omitempty"`
	Maybe string `json:"maybe,omitempty"` // what would spare it

	Pooled bool  `json:"pooled,omitempty"` // none in the steady state: its pool has one
	Bytes  Bytes `json:"bytes"`            // 0 if that is not for this compiler to say
}

// A Coroutine is the stack of a function that is ranged over.
type Coroutine struct {
	Line int    `json:"line"`
	Over string `json:"over"`
}

// A Subject is what New looks at.
type Subject struct {
	Func   *ir.Func       // lowered
	Output *types.Package // the package as compiled, outputs and all
	Sizes  types.Sizes    // of the platform that is compiled for
	Twin   string
	Pool   bool
	File   string // as the reader knows it
}

// New explains a function and the async closures in it.
func New(s Subject) *Func {
	e := &explainer{Subject: s, f: s.Func, flow: newFlow(s.Func), measure: measure{s.Sizes}}
	e.out = &Func{Name: e.f.Name, Package: e.f.Source.Pkg.Path(), File: s.File, Line: e.f.Line(), Twin: s.Twin,
		States: []State{}, Locals: []Local{}, Allocations: []Allocation{}, Coroutines: []Coroutine{}, FastPaths: []string{},
		Closures: []*Func{}, base: e.f.Source.Base}
	e.machine()
	e.states()
	e.bound()
	e.locals()
	e.allocations()
	e.coroutines()
	e.fastPaths()
	for _, child := range e.f.Children {
		c := s
		c.Func, c.Twin, c.Pool = child, strings.TrimSuffix(child.Machine, "Machine"), false
		e.out.Closures = append(e.out.Closures, New(c))
	}
	return e.out
}

type explainer struct {
	Subject
	measure
	f      *ir.Func
	flow   *flow
	out    *Func
	fields map[string]*Field
}

func (e *explainer) line(pos token.Pos) int {
	if !pos.IsValid() {
		return 0
	}
	return e.f.Source.Line(pos)
}

func (e *explainer) typ(t types.Type) string { return typeText(e.f.Source.Pkg, t) }

// machine lists the fields as they were generated.
func (e *explainer) machine() {
	m := &e.out.Machine
	m.Name = e.f.Machine
	e.fields = make(map[string]*Field)
	named, fields, ok := machine(e.Output, e.f)
	if !ok {
		return
	}
	m.Bytes = e.of(named)
	for i, offset := range e.offsets(fields) {
		v := fields.Field(i)
		role, note := e.role(v)
		m.Fields = append(m.Fields, Field{Name: v.Name(), Type: e.typ(v.Type()), Offset: offset, Bytes: e.of(v.Type()), Role: role, Note: note})
	}
	for i := range m.Fields {
		e.fields[m.Fields[i].Name] = &m.Fields[i]
	}
}

// role says what a field is for.
func (e *explainer) role(v *types.Var) (Role, string) {
	for _, s := range e.f.Slots {
		if s.Field == v.Name() {
			return Awaiter, "what is awaited"
		}
	}
	var names []string
	for _, w := range e.f.Vars {
		if w.Lifted && w.Kept() == v.Name() {
			names = append(names, e.what(w))
		}
	}
	switch {
	case len(names) > 0:
		return Variable, strings.Join(names, ", ")
	case v.Embedded():
		return Fixed, "the task: status, state, result, continuation"
	case v.Name() == "defers":
		return Fixed, "the deferred calls"
	case v.Name() == "unwinding":
		return Fixed, "what panics while the end waits"
	case v.Name() == e.f.Called:
		return Fixed, "the context as the caller passed it"
	}
	return Fixed, ""
}

// what describes a variable in a word or two.
func (e *explainer) what(v *ir.Var) string {
	text := map[ir.VarKind]string{ir.Param: "parameter", ir.Result: "result", ir.Local: "local"}[v.Kind]
	switch {
	case v.Kind == ir.Temp:
		text = "of the compiler"
		if of := e.stands(v); of != "" {
			text = "for " + of
		} else if v.Pos.IsValid() {
			text += fmt.Sprintf(", for :%d", e.line(v.Pos))
		}
	case v.Outer:
		text = "captured"
	case v == e.f.Context && e.f.Suspends():
		text += ", says where to resume"
	}
	switch {
	case v.Cell:
		text += ", in a cell of its own"
	case v.Boxed:
		text += ", as any: its type has no name here"
	}
	return text
}

// stands is what of the author's a temporary stands for.
func (e *explainer) stands(v *ir.Var) string {
	if v.Kind != ir.Temp {
		return ""
	}
	var found ast.Expr
	for n, o := range e.f.Subst {
		if x, ok := n.(ast.Expr); ok && o == ir.Operand(v) && (found == nil || x.Pos() < found.Pos()) {
			found = x
		}
	}
	if found != nil {
		return Short(oneLine(e.f.Source.Text(found.Pos(), found.End())), 40)
	}
	return ""
}

// states lists the suspension points.
func (e *explainer) states() {
	for _, a := range e.f.States() {
		s := State{
			State: a.State, Line: e.line(a.Call.Rparen), Awaits: Operand(e.f, a), Type: e.typ(a.Type),
			Resume: a.Resume, Deferred: a.Block == nil, Awaiter: keeps(a), Saves: []Saved{},
		}
		alive := make(map[string]bool)
		for _, v := range e.f.Kept(a) {
			s.Saves = append(s.Saves, e.saved(a, v))
			alive[v.Kept()] = true
		}
		alive[s.Awaiter] = true
		for i := range e.out.Machine.Fields {
			if field := &e.out.Machine.Fields[i]; alive[field.Name] {
				field.States = append(field.States, a.State)
				s.Bytes = s.Bytes.plus(field.Bytes)
			}
		}
		e.out.States = append(e.out.States, s)
	}
	e.unsaved()
}

// keeps names the field that keeps what is awaited.
func keeps(a *ir.Await) string {
	if a.Stream != nil {
		return a.Stream.Kept()
	}
	return a.Slot.Field
}

// unsaved says of variables that no state saves why they are fields.
func (e *explainer) unsaved() {
	if !e.f.Suspends() {
		return
	}
	until := make(map[string]bool) // by field: nothing reads it behind an await
	for _, v := range e.f.Vars {
		if v.Lifted && v.Kind == ir.Param {
			_, read := e.flow.afterAwaits(v)
			until[v.Kept()] = !read.IsValid()
		}
	}
	for i := range e.out.Machine.Fields {
		field := &e.out.Machine.Fields[i]
		switch {
		case field.Role != Variable || len(field.States) > 0:
		case until[field.Name]:
			field.Note += ", needed until it first waits"
		default:
			field.Note += ", alive in no state"
		}
	}
}

// saved says why v is kept at a.
func (e *explainer) saved(a *ir.Await, v *ir.Var) Saved {
	s := Saved{Name: words{e.f}.Var(v, false), Field: v.Name, Type: e.typ(v.Type), Of: e.stands(v)}
	if field := e.fields[v.Kept()]; field != nil {
		s.Bytes = field.Bytes
	}
	pos, again, ok := e.flow.nextUse(a, v)
	switch {
	case v == a.Stream:
		s.Why = "it is what is awaited"
	case ok:
		line := e.line(pos)
		s.Use = &Use{Line: line, Text: e.text(line), Again: again}
	case e.f.Iterates(v):
		s.Why = "left at the end, however the function ends"
	case slices.Contains(e.f.Results, v) && len(e.f.Defers) > 0:
		s.Why = "deferred calls may see it, and the end returns it"
	case slices.Contains(e.f.Results, v):
		s.Why = "the end returns it"
	case e.f.Class:
		s.Why = "for whoever looks: its function is marked class"
	default:
		s.Why = "kept, though it is set again before it is read"
	}
	return s
}

// text is a line of the source.
func (e *explainer) text(line int) string {
	if line < 1 || line > e.f.Source.File.LineCount() {
		return ""
	}
	from := e.f.Source.File.Offset(e.f.Source.File.LineStart(line))
	text, _, _ := strings.Cut(string(e.f.Source.Content[from:]), "\n")
	return strings.TrimSpace(text)
}

// bound compares the machine with what could do.
func (e *explainer) bound() {
	m := &e.out.Machine
	var sum Bytes
	for _, field := range m.Fields {
		sum = sum.plus(field.Bytes)
		if field.Role == Fixed {
			m.Fixed = m.Fixed.plus(field.Bytes)
		}
	}
	if m.Padding = Depends; m.Bytes != Depends && sum != Depends {
		m.Padding = m.Bytes - sum
	}
	most := Bytes(0)
	for _, s := range e.out.States {
		if m.Fullest == 0 || s.Bytes == Depends || most != Depends && s.Bytes > most {
			most, m.Fullest = s.Bytes, s.State
		}
	}
	m.LowerBound = m.Fixed.plus(most)
}

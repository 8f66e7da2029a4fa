package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/nothread/nothread/transform/internal/ir"
)

// This file writes how a function ends that has something to do then: deferred calls to
// make, loops to leave. It is done whatever ends the function:
//
//	a return statement                    calls exit
//	a panic or a runtime.Goexit           is caught by catch, or behind the first
//	                                      suspension by the runtime
//
// RunDeferred does it where it never waits, and Return completes the task. Where it may
// wait, until streams are closed and for deferred awaits, Unwind does it, in steps: the
// loops, innermost first; the calls deferred behind the last deferred await, that await,
// the calls before it, and so on. What panics in one step is panicking in the next.

// end writes the methods for that.
func (e *emitter) end() {
	if len(e.f.Defers) > 0 && e.f.Redeclares("append") {
		e.later()
	}
	e.runDeferred()
	e.returns()
	e.exit()
	if e.f.EndWaits() {
		e.unwind()
		if len(e.f.Defers) > 0 {
			e.settle()
		}
		if e.f.DefersAwaits() {
			e.isDeferredAwait()
		}
	}
	if e.f.Class {
		return // the runtime catches what ends it
	}
	e.catch()
	if e.f.EndWaits() {
		e.exiting()
	}
}

// aPanic writes p *async.Panic.
func aPanic(name string) *jen.Statement { return jen.Id(name).Op("*").Add(raw(async("Panic"))) }

// returns:
//
//	func (m *fMachine) Return() async.Continuation {
//		return m.finish(m.n, m.err)
//	}
func (e *emitter) returns() {
	results, _ := e.results()
	e.out.Comment("Return completes the task with the results as they are.")
	e.method("Return").Params().Add(raw(async("Continuation"))).
		Block(raw(fmt.Sprintf("return %s.finish(%s)", e.f.Receiver, strings.Join(results, ", "))))
	e.out.Line()
}

// exit:
//
//	func (m *fMachine) exit() async.Continuation {
//		m.RunDeferred(nil)
//		return m.Return()
//	}
func (e *emitter) exit() {
	ends := "the deferred calls run"
	if len(e.f.Defers) == 0 {
		ends = "the loops are left"
	}
	body := fmt.Sprintf("%[1]s.RunDeferred(nil)\nreturn %[1]s.Return()", e.f.Receiver)
	if e.f.EndWaits() {
		body = fmt.Sprintf("return %s.Unwind(nil)", e.f.Receiver)
	}
	e.out.Comment("exit is a return statement: " + ends + ", then the function returns.")
	e.method("exit").Params().Add(raw(async("Continuation"))).Block(raw(body))
	e.out.Line()
}

// unwind:
//
//	func (m *fMachine) Unwind(p *async.Panic) async.Continuation {
//		if m.lines.Open() {
//			…
//		}
//		for p = m.settle(p); len(m.defers) > 0; p = m.settle(p) {
//			…
//		}
//		p.End()
//		return m.Return()
//	}
func (e *emitter) unwind() {
	m := e.f.Receiver
	var b strings.Builder
	e.leaveLoops(&b)
	switch {
	case e.f.DefersAwaits():
		e.deferredAwaits(&b)
	case len(e.f.Defers) > 0:
		fmt.Fprintf(&b, "p = %s.settle(p)\n", m)
	}
	fmt.Fprintf(&b, "p.End()\nreturn %s.Return()", m)
	what := "makes the deferred calls and awaits, last first"
	switch {
	case !e.f.LeavesStreams():
	case len(e.f.Defers) > 0:
		what = "leaves the loops and " + what
	default:
		what = "leaves the loops"
	}
	e.out.Commentf("Unwind %s, while panicking with p if it is not nil.", what)
	e.method("Unwind").Params(aPanic("p")).Add(raw(async("Continuation"))).Block(raw(b.String()))
	e.out.Line()
}

// leaveLoops writes how the function leaves its loops where it ends inside of them,
// innermost first: a function's yield ends like that, a stream's end is awaited.
//
//	if m.lines.Open() {
//		if !m.lines.IsCompleted() {
//			m.unwinding = p
//			h := async.Self(m.onHeap(nil))
//			h.State = 3
//			if m.lines.OnCompleted(h) {
//				return nil
//			}
//		}
//		p = m.lines.After(p)
//	}
func (e *emitter) leaveLoops(b *strings.Builder) {
	if !e.f.LeavesStreams() {
		return // RunDeferred leaves the functions
	}
	for _, l := range slices.Backward(e.f.Loops) {
		it := e.iterator(l)
		if l.Left == nil {
			fmt.Fprintf(b, "p = %s.After(p)\n", it)
			continue
		}
		fmt.Fprintf(b, "if %[1]s.Open() {\nif !%[1]s.IsCompleted() {\n%[2]s.unwinding = p\n%[3]s\n}\np = %[1]s.After(p)\n}\n",
			it, e.f.Receiver, strings.Join(e.suspended(l.Left, it), "\n"))
	}
}

// iterator writes a loop's iterator where the function ends, outside of MoveNext.
func (e *emitter) iterator(l *ir.Loop) string {
	it := l.Iterator
	switch {
	case !it.Boxed:
		return e.f.Receiver + "." + it.Name
	case l.Left == nil:
		return fmt.Sprintf("%s(%s.%s)", async("UnboxedFunc"), e.f.Receiver, it.Field)
	default:
		return fmt.Sprintf("%s(%s.%s)", async("UnboxedStream"), e.f.Receiver, it.Field)
	}
}

// deferredAwaits:
//
//	for p = m.settle(p); len(m.defers) > 0; p = m.settle(p) {
//		last := len(m.defers) - 1
//		switch d := m.defers[last].(type) {
//		case fDefer1:
//			m.defers = m.defers[:last]
//			if !d.task.IsCompleted() {
//				m.unwinding = p
//				h := async.Self(m.onHeap(d.task.Header()))
//				h.State = 2
//				if h.awaiter.OnCompleted(d.task, &h.Header, h) {
//					return nil
//				}
//			}
//			p = d.after(p)
//		}
//	}
func (e *emitter) deferredAwaits(b *strings.Builder) {
	m := e.f.Receiver
	fmt.Fprintf(b, "for p = %[1]s.settle(p); len(%[1]s.defers) > 0; p = %[1]s.settle(p) {\n", m)
	fmt.Fprintf(b, "last := len(%[1]s.defers) - 1\nswitch d := %[1]s.defers[last].(type) {\n", m)
	for _, d := range e.f.Defers {
		if a := d.Await; a != nil {
			fmt.Fprintf(b, "case %s%s:\n%[3]s.defers = %[3]s.defers[:last]\n", d.Type, e.used(), m)
			fmt.Fprintf(b, "if !d.task.IsCompleted() {\n%s.unwinding = p\n%s\n}\np = d.after(p)\n", m, strings.Join(e.suspended(a, "d.task"), "\n"))
		}
	}
	b.WriteString("}\n}\n")
}

// settle:
//
//	func (m *fMachine) settle(p *async.Panic) (after *async.Panic) {
//		after = p.Exit()
//		defer async.Recovered(&after)
//		m.RunDeferred(p)
//		return after
//	}
func (e *emitter) settle() {
	what := "makes the deferred calls"
	if e.f.DefersAwaits() {
		what += " behind the last deferred await"
	}
	e.out.Commentf("settle %s, and returns what panics after them.", what)
	e.method("settle").Params(aPanic("p")).Params(aPanic("after")).
		Block(raw(fmt.Sprintf("after = p.Exit()\ndefer %s(&after)\n%s.RunDeferred(p)\nreturn after", async("Recovered"), e.f.Receiver)))
	e.out.Line()
}

// isDeferredAwait:
//
//	func (m *fMachine) deferredAwait(i int) bool {
//		switch m.defers[i].(type) {
//		case fDefer1:
//			return true
//		}
//		return false
//	}
func (e *emitter) isDeferredAwait() {
	var types []string
	for _, d := range e.f.Defers {
		if d.Await != nil {
			types = append(types, d.Type+e.used())
		}
	}
	e.out.Comment("deferredAwait reports whether what was deferred as the i-th is an await.")
	e.method("deferredAwait").Params(jen.Id("i").Int()).Bool().
		Block(raw(fmt.Sprintf("switch %s.defers[i].(type) {\ncase %s:\nreturn true\n}\nreturn false", e.f.Receiver, strings.Join(types, ", "))))
	e.out.Line()
}

// catch settles what ends the function before its first suspension. A machine
// that was moved to the heap, and then did not have to wait, may still exit: it
// waits only where its kickoff has said so. A runtime.Goexit is the caller's, and
// so is what panics meanwhile: nobody gets a task.
//
//	func (m *fMachine) catch(task *async.Task[int]) {
//		v := recover()
//		if v == nil && (m.IsCompleted() || m.State != 0) {
//			return
//		}
//		if v == nil {
//			m.RunDeferred(async.NewPanic(nil))
//			return
//		}
//		defer m.Catch(task)
//		m.RunDeferred(async.NewPanic(v))
//		m.Return()
//		*task = m.Result()
//	}
//
// and where the end may wait
//
//		if v != nil {
//			defer m.Catch(task)
//		}
//		defer m.exiting()
//		if m.Unwind(async.NewPanic(v)); m.IsCompleted() {
//			*task = m.Result()
//		} else {
//			*task = m.Task()
//		}
//		m.State = 1 // says to exiting that no deferred call exits
//	}
func (e *emitter) catch() {
	m := e.f.Receiver
	ended := m + ".IsCompleted()"
	if e.f.Suspends() {
		ended = fmt.Sprintf("(%s || %s.State != 0)", ended, m)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "v := recover()\nif v == nil && %s {\nreturn\n}\n", ended)
	if e.f.EndWaits() {
		fmt.Fprintf(&b, "if v != nil {\ndefer %[1]s.Catch(task)\n}\ndefer %[1]s.exiting()\n", m)
		fmt.Fprintf(&b, "if %[1]s.Unwind(%[2]s(v)); %[1]s.IsCompleted() {\n*task = %[1]s.Result()\n} else {\n*task = %[1]s.Task()\n}\n",
			m, async("NewPanic"))
		fmt.Fprintf(&b, "%s.State = 1 // says to exiting that no deferred call exits", m)
	} else {
		fmt.Fprintf(&b, "if v == nil {\n%s.RunDeferred(%s(nil))\nreturn\n}\n", m, async("NewPanic"))
		fmt.Fprintf(&b, "defer %[1]s.Catch(task)\n%[1]s.RunDeferred(%[2]s(v))\n%[1]s.Return()\n*task = %[1]s.Result()", m, async("NewPanic"))
	}
	ends := "deferred calls run, and one may recover"
	if len(e.f.Defers) == 0 {
		ends = "the loops are left"
	}
	e.out.Comment("catch settles a panic or a runtime.Goexit before the first suspension: " + ends + ".")
	e.method("catch").Params(jen.Id("task").Op("*").Add(raw(e.taskType()))).Block(raw(b.String()))
	e.out.Line()
}

// exiting:
//
//	func (m *fMachine) exiting() {
//		if m.State != 0 || len(m.defers) == 0 && !m.lines.Open() {
//			return
//		}
//		defer m.exiting()
//		m.Unwind(async.NewPanic(recover()))
//		m.State = 1
//	}
func (e *emitter) exiting() {
	m := e.f.Receiver
	what := "a deferred call exits in catch: those deferred before it are made all the same"
	if len(e.f.Defers) == 0 {
		what = "a stream's end exits in catch: the loops around its own are left all the same"
	}
	e.out.Comment("exiting goes on where " + what + ".")
	var done []string
	if len(e.f.Defers) > 0 {
		done = append(done, fmt.Sprintf("len(%s.defers) == 0", m))
	}
	if e.f.LeavesStreams() {
		for _, l := range e.f.Loops {
			done = append(done, "!"+e.iterator(l)+".Open()")
		}
	}
	e.method("exiting").Params().Block(raw(fmt.Sprintf(
		"if %[1]s.State != 0 || %[3]s {\nreturn\n}\ndefer %[1]s.exiting()\n%[1]s.Unwind(%[2]s(recover()))\n%[1]s.State = 1", m, async("NewPanic"), strings.Join(done, " && "))))
	e.out.Line()
}

package sim

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/kernel"
)

// This file is the dump: who waits for what in a World. Of a request in flight it says where its IRP is and what resumes
// when it is done: the chain of machines that await it, each with its state, or the thread that is blocked on it.

// Dump describes what is in flight: threads that are blocked, requests, and the machines that await them.
func (w *World) Dump() string {
	var s strings.Builder
	fmt.Fprintf(&s, "World at %v, seed %d, %v:\n", w.Now(), w.seed, w.Faults())
	for _, t := range w.kernel.Threads() {
		if t.Stack != nil || t.State() != kernel.Waiting && t != w.main {
			fmt.Fprintf(&s, "  %s is %v", t.Name(), t.State())
			if t.Stack != nil {
				fmt.Fprintf(&s, ", blocked on %s", t.WaitsFor())
			}
			if u, ok := t.Body().(interface{ Waiting() string }); ok && u.Waiting() != "" {
				fmt.Fprintf(&s, ", while %s", u.Waiting())
			}
			s.WriteByte('\n')
		}
	}
	requests := w.kernel.Requests()
	const most = 100
	for i := range requests {
		if i == most {
			fmt.Fprintf(&s, "  … and %d more requests\n", len(requests)-most)
			break
		}
		w.dumpRequest(&s, &requests[i])
	}
	if n := w.clock.Len(); n > 0 {
		fmt.Fprintf(&s, "  %d timers are set, the next not before %v\n", n, w.clock.Next())
	}
	if len(requests) == 0 && len(w.blocked()) == 0 {
		s.WriteString("  nothing is in flight and nobody is blocked\n")
	}
	return s.String()
}

func (w *World) dumpRequest(s *strings.Builder, r *kernel.RequestInfo) {
	fmt.Fprintf(s, "  irp#%d: %v of %d bytes at %d on %s, issued by %s: %s, for %v", r.IRP, r.Major, r.Length, r.Offset,
		r.Device, r.Thread, r.State, w.Now().Sub(r.Since).Round(time.Nanosecond))
	if r.Cancelled {
		s.WriteString("; cancelled")
	}
	s.WriteByte('\n')
	for _, line := range awaiters(reflect.ValueOf(r.Context), 0) {
		fmt.Fprintf(s, "    %s\n", line)
	}
}

// awaiters describes what awaits the task of an operation or of a machine, and what awaits that, and so on. Package async
// keeps continuations to itself, so they are read by reflection: a dump must not cost anything until it is needed.
func awaiters(v reflect.Value, depth int) []string {
	const deepest = 20
	next, ok := continuation(v)
	if !ok || depth == deepest {
		return nil
	}
	var lines []string
	for _, c := range flatten(next) {
		lines = append(lines, strings.Repeat("  ", depth)+"awaited by "+describe(c))
		lines = append(lines, awaiters(c, depth+1)...)
	}
	return lines
}

// continuation finds the cell in an operation, source or machine and returns its continuations.
func continuation(v reflect.Value) (next reflect.Value, ok bool) {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return v, false
	}
	if strings.HasPrefix(v.Type().Name(), "cell[") {
		next = v.FieldByName("next")
		return next, next.IsValid() && next.Kind() == reflect.Interface && !next.IsNil()
	}
	for i := range v.NumField() {
		f := v.Field(i)
		name := v.Type().Field(i).Type.Name()
		if f.Kind() == reflect.Struct && (strings.HasPrefix(name, "cell[") || strings.HasPrefix(name, "Source[") || isBuilder(name)) {
			if next, ok = continuation(f); ok {
				return next, true
			}
		}
	}
	return v, false
}

// flatten takes a list of continuations apart.
func flatten(c reflect.Value) []reflect.Value {
	for c.Kind() == reflect.Interface {
		c = c.Elem()
	}
	if c.Kind() != reflect.Pointer || c.Elem().Kind() != reflect.Struct || c.Type().Elem().Name() != "continuations" {
		return []reflect.Value{c}
	}
	var all []reflect.Value
	s := c.Elem()
	for i := range s.NumField() {
		if f := s.Field(i); f.Kind() == reflect.Slice {
			for j := range f.Len() {
				all = append(all, flatten(f.Index(j))...)
			}
		}
	}
	return all
}

// describe names a continuation: a machine by its function, the line that it waits at and what it awaits there, if it
// knows that, else by its type; a blocked thread by where it is blocked.
func describe(c reflect.Value) string {
	if b := blockerOf(c); b != nil {
		return fmt.Sprintf("%s, blocked on %s", b.thread.Name(), b.what())
	}
	if m, ok := clean(c).(async.Machine); ok {
		states, state := m.States()
		if awaits := states.At[state].Awaits; awaits != "" {
			return fmt.Sprintf("%s, which awaits %s at %s", states.Func, awaits, states.Pos(state))
		}
		return fmt.Sprintf("%s (%s)", states.Func, states.Pos(state))
	}
	text := c.Type().String()
	text = strings.TrimPrefix(text, "*")
	if c.Kind() == reflect.Pointer && c.Elem().Kind() == reflect.Struct {
		if state := c.Elem().FieldByName("state"); state.IsValid() && state.CanInt() {
			text += fmt.Sprintf(" in state %d", state.Int())
		}
	}
	return text
}

// clean returns a continuation that was read from a field that reflection may only look at.
func clean(c reflect.Value) any {
	for c.Kind() == reflect.Interface {
		c = c.Elem()
	}
	switch {
	case c.Kind() != reflect.Pointer:
		return nil
	case c.Type().Elem().Name() == "unbound":
		return clean(c.Elem().FieldByName("Continuation"))
	}
	return reflect.NewAt(c.Type().Elem(), c.UnsafePointer()).Interface()
}

// blockerOf returns the blocked thread that a continuation resumes, nil if it is something else.
func blockerOf(c reflect.Value) *blocker {
	if c.Kind() == reflect.Pointer && c.Type() == reflect.TypeFor[*blocker]() {
		return (*blocker)(c.UnsafePointer())
	}
	return nil
}

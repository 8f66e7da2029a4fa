// Package h is the world in which generated programs run: the trace that they
// leave, and the awaitables that they await. A program runs twice: as it was
// written, where an await does its work on the spot, and as it was generated,
// where a driver does the work when its turn comes.
package h

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sort"
	"strings"
)

// A run is one execution of one case.
type run struct {
	name  string
	trace []string
	turns uint64 // decides how each await completes
	mode  Mode

	full   bool // it says no more
	exited bool // its kickoff did

	see  func() []any // shows what others share
	loop *loop        // to which Ctx leads, nil if to none
}

// cur is the run that is going on: everything happens on one goroutine at a
// time.
var cur *run

// enough lines end a run that says too much; so does a line that is too long, for
// a text that grows in a loop soon takes all memory.
const (
	enough  = 4000
	tooLong = 1 << 16
)

type exhausted struct{}

// Say adds a line to the trace.
func Say(what string, values ...any) {
	if cur.full {
		panic(exhausted{})
	}
	var b strings.Builder
	b.WriteString(what)
	for _, v := range values {
		b.WriteByte(' ')
		show(&b, reflect.ValueOf(v), 0)
	}
	if b.Len() > tooLong {
		cur.full = true
		panic(exhausted{})
	}
	cur.trace = append(cur.trace, b.String())
	cur.full = len(cur.trace) >= enough
}

// Id returns v and says so: a call with an effect, anywhere in an expression.
func Id[T any](what string, v T) T {
	Say(what, v)
	return v
}

// See keeps what shows results of a function until Seen is called.
func See(show func() []any) { cur.see = show }

// Seen says what is shown, if anything is.
func Seen(what string) {
	if cur.see != nil {
		Say(what, cur.see()...)
	}
}

// Clip leaves s the capacity that its length needs: how much more append makes
// depends on whether s escapes.
func Clip[S ~[]E, E any](s S) S { return s[:len(s):len(s)] }

// Caught says what a recover returned.
func Caught(what string, v any) {
	if v == nil {
		Say(what, "nothing to recover")
		return
	}
	Say(what, panicText(v))
}

// ownPath is how a package of the world calls itself where Go names its path, as it
// does for a method of a value that is called by way of a nil pointer.
var ownPath = strings.NewReplacer("fuzzed/gen.", "p.", "fuzzed/ref.", "p.")

func panicText(v any) string {
	switch v := v.(type) {
	case runtime.Error:
		return "panic: " + ownPath.Replace(v.Error())
	case error:
		return fmt.Sprintf("panic: %T %s", v, v.Error())
	}
	var b strings.Builder
	show(&b, reflect.ValueOf(v), 0)
	return "panic: " + b.String()
}

// contexts differ from one way of running to the next.
var contexts = reflect.TypeFor[context.Context]()

// show writes a value so that equal states give equal texts: no addresses, maps
// in order.
func show(b *strings.Builder, v reflect.Value, depth int) {
	if depth > 4 {
		b.WriteString("…")
		return
	}
	if v.IsValid() && v.Type().Implements(contexts) {
		b.WriteString("context")
		return
	}
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nil")
	case reflect.Interface:
		show(b, v.Elem(), depth)
	case reflect.Pointer:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('&')
		show(b, v.Elem(), depth+1)
	case reflect.Struct:
		if _, ok := reflect.PointerTo(v.Type()).MethodByName("OnCompleted"); ok {
			b.WriteString("awaitable")
			return
		}
		b.WriteString(typeName(v.Type()) + "{")
		for i := range v.NumField() {
			if i > 0 {
				b.WriteByte(' ')
			}
			show(b, v.Field(i), depth+1)
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			b.WriteString("nil")
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			show(b, v.Index(i), depth+1)
		}
		b.WriteByte(']')
	case reflect.Map:
		showMap(b, v, depth)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprintf(b, "%s:%v", v.Kind(), !v.IsNil())
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Bool:
		fmt.Fprint(b, v.Bool())
	default:
		if v.CanFloat() {
			fmt.Fprint(b, v.Float())
		} else if v.CanUint() {
			fmt.Fprint(b, "u", v.Uint())
		} else if v.CanComplex() {
			fmt.Fprint(b, v.Complex())
		} else {
			fmt.Fprint(b, v.Int())
		}
	}
	if v.IsValid() && v.Kind() != reflect.Interface && depth == 0 && v.Type().PkgPath() != "" {
		b.WriteString(":" + typeName(v.Type()))
	}
}

func showMap(b *strings.Builder, v reflect.Value, depth int) {
	if v.IsNil() {
		b.WriteString("nilmap")
		return
	}
	var entries []string
	for it := v.MapRange(); it.Next(); {
		var e strings.Builder
		show(&e, it.Key(), depth+1)
		e.WriteByte(':')
		show(&e, it.Value(), depth+1)
		entries = append(entries, e.String())
	}
	sort.Strings(entries)
	b.WriteString("map[" + strings.Join(entries, " ") + "]")
}

// typeName is a type's name, but not that of one declared in a function, whose
// generated form has another, nor the package of its type arguments.
func typeName(t reflect.Type) string {
	if strings.Contains(t.Name(), "_") {
		return "local"
	}
	return forms.Replace(t.Name())
}

var forms = strings.NewReplacer("fuzzed/ref.", "", "fuzzed/gen.", "")

package inflight

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/nothread/nothread/runtime/async"
)

// locals returns the variables that a suspended machine still needs, as
// "name = value", in the order of its fields. Nobody may resume it meanwhile.
func locals(m async.Machine) []string {
	v := reflect.ValueOf(m).Elem()
	var list []string
	for name := range strings.FieldsSeq(stateOf(m).Needs) {
		if f := v.FieldByName(name); f.IsValid() {
			text := name + " = " + valueText(f)
			if ctx := contextIn(f); ctx != nil && ctx.Err() != nil {
				text += fmt.Sprintf(" (done: %v)", ctx.Err())
			}
			list = append(list, text)
		}
	}
	return list
}

// valueText writes a value in a few words, the same each time: no address is in it.
func valueText(v reflect.Value) string {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		return time.Duration(v.Int()).String()
	}
	typ := v.Type().String()
	switch {
	case strings.HasPrefix(typ, "*async.FuncRange["): // the compiler's own
		return "of a range over a function"
	case strings.HasPrefix(typ, "*async.StreamRange["):
		return "of a range over a stream"
	case strings.HasPrefix(typ, "async.MapRange["):
		return "of a range over a map"
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Complex64, reflect.Complex128:
		return strconv.FormatComplex(v.Complex(), 'g', -1, 128)
	case reflect.String:
		return quoted(v.String())
	case reflect.Slice, reflect.Map, reflect.Chan:
		if v.IsNil() {
			return "nil"
		}
		return fmt.Sprintf("%s of %d", typ, v.Len())
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return valueText(v.Elem())
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		if simple(v.Elem().Kind()) { // a variable with an identity of its own, mostly
			return "&" + valueText(v.Elem())
		}
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
	}
	return typ
}

func simple(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String
}

// quoted is a string, cut to what fits on a line.
func quoted(s string) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q… of %d bytes", s[:most], len(s))
	}
	return strconv.Quote(s)
}

// configured reports whether field i of a suspended machine is what it awaits, as ConfigureAwait has given it. (A variable of
// such a type is no field that is awaited.)
func configured(m async.Machine, i int) bool {
	f := reflect.ValueOf(m).Elem().Field(i)
	return strings.HasPrefix(f.Type().String(), "async.ConfiguredTask") && !f.IsZero() &&
		!slices.Contains(strings.Fields(stateOf(m).Needs), reflect.TypeOf(m).Elem().Field(i).Name)
}

// freed reports whether a suspended machine awaits what ConfigureAwait(false) has given it: then it goes on anywhere.
func freed(m async.Machine) bool {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		if configured(m, i) && v.Field(i).FieldByName("anywhere").Bool() {
			return true
		}
	}
	return false
}

// ready reports whether what a suspended machine awaits has completed: then it
// waits for its turn alone. Of an awaitable that is no task that is not known.
func ready(m async.Machine) (ready, known bool) {
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		f := v.Field(i)
		typ := f.Type().String()
		at := reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr()))
		switch {
		case strings.HasPrefix(typ, "*async.StreamRange["):
			at = at.Elem()
		case configured(m, i):
			return at.Interface().(interface{ IsCompleted() bool }).IsCompleted(), true
		case !strings.HasPrefix(typ, "async.Awaiter"):
			continue
		}
		a := at.Interface()
		if a, ok := a.(interface{ Awaits() (pending, known bool) }); ok {
			if pending, known := a.Awaits(); known {
				return !pending, true
			}
		}
	}
	return false, false
}

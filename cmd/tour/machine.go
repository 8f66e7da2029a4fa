package main

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/nothread/nothread/runtime/async"
)

// This file is about what stories want to know of machines: what one holds while
// it waits, and what it has cost.

// A watched task is awaited as any other, and shows the machine that awaits it:
// that is the continuation it is given. (Whatever has an awaitable's methods is
// an awaitable.)
type watched[T any] struct {
	async.Task[T]
	see func(machine async.Continuation)
}

// watch lets see look at the machine that will wait for task.
func watch[T any](task async.Task[T], see func(machine async.Continuation)) watched[T] {
	return watched[T]{task, see}
}

// OnCompleted shows the machine, and leaves the rest to the task.
func (w watched[T]) OnCompleted(machine async.Continuation) bool {
	w.see(machine)
	return w.Task.OnCompleted(machine)
}

// fieldsOf says what a suspended machine holds, a line a field: where it
// goes on, and its author's variables.
func fieldsOf(machine async.Continuation) []string {
	v := reflect.ValueOf(machine).Elem()
	fields := []string{fmt.Sprintf("state = %d", v.FieldByName("State").Uint())}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch f.Name {
		case "awaiter", "awaiting", "watched": // the machine's own
			continue
		}
		if f.Anonymous {
			continue
		}
		value := ""
		switch v := v.Field(i); v.Kind() {
		case reflect.Int:
			value = fmt.Sprintf(" = %d", v.Int())
		case reflect.String:
			value = fmt.Sprintf(" = %q", v.String())
		case reflect.Slice:
			value = fmt.Sprintf(", %d long", v.Len())
		}
		fields = append(fields, f.Name+" "+f.Type.String()+value)
	}
	return fields
}

// nameOf is the machine's type.
func nameOf(machine async.Continuation) string {
	name := reflect.TypeOf(machine).Elem().String()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// sizeOf is how many bytes the machine takes.
func sizeOf(machine async.Continuation) int { return int(reflect.TypeOf(machine).Elem().Size()) }

// allocations counts the objects that f makes on the heap. What the Go runtime
// makes meanwhile for its own ends counts too: a few, once in a while.
func allocations(f func()) int { return allocated(f).objects }

// A heap is what there is on one, or what was added to it.
type heap struct{ objects, bytes int }

// allocated counts what f puts on the heap.
func allocated(f func()) heap {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return heap{int(after.Mallocs - before.Mallocs), int(after.TotalAlloc - before.TotalAlloc)}
}

// inUse is what the program needs now: what is alive on the heap, and, as bytes,
// the goroutines' stacks.
func inUse() heap {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return heap{int(m.HeapObjects), int(m.HeapAlloc + m.StackInuse)}
}

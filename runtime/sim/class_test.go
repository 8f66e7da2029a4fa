package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/sim"
)

// asStruct and asClass differ in the mark alone.
//
//nothread:async
func asStruct(ctx context.Context, first, second async.Task[int], end func(int)) (sum int, err error) {
	defer func() { sum++ }()
	one, err := first.Await()
	if err != nil {
		return 0, err
	}
	label := fmt.Sprint("one is ", one)
	end(len(label))
	two, err := second.Await()
	return one + two, err
}

//nothread:async class
func asClass(ctx context.Context, first, second async.Task[int], end func(int)) (sum int, err error) {
	defer func() { sum++ }()
	one, err := first.Await()
	if err != nil {
		return 0, err
	}
	label := fmt.Sprint("one is ", one)
	end(len(label))
	two, err := second.Await()
	return one + two, err
}

// TestDumpOfClass: a class shows what it needs no more, a struct only what it needs.
func TestDumpOfClass(t *testing.T) {
	w := sim.New(1)
	second := async.NewSource[int]()
	tasks := []async.Task[int]{
		asStructAsync(w.Context(), async.Completed(1, nil), second.Task(), func(int) {}),
		asClassAsync(w.Context(), async.Completed(1, nil), second.Task(), func(int) {}),
	}
	dump := w.Dump()
	of := func(name string) string {
		_, rest, _ := strings.Cut(dump, "sim_test."+name+" ")
		text, _, _ := strings.Cut(rest, "sim_test.")
		return text
	}
	if !strings.Contains(of("asClass"), `one = 1`) || !strings.Contains(of("asClass"), `label = "one is 1"`) || strings.Contains(of("asStruct"), "label") {
		t.Errorf("the dump says\n%s", dump)
	}
	second.SetResult(2)
	w.Run()
	for i, task := range tasks {
		if n, err := task.Await(); n != 4 || err != nil {
			t.Errorf("task %d: %d, %v", i, n, err)
		}
	}
	if dump := w.Dump(); !strings.Contains(dump, "0 machines in flight") {
		t.Errorf("at the end the dump says\n%s", dump)
	}
	w.Close()
}

// inLoop has two variables of one name and type, which are never needed together.
//
//nothread:async class
func inLoop(ctx context.Context, tasks ...async.Task[int]) (string, error) {
	said := ""
	for _, task := range tasks {
		if n, err := task.Await(); err == nil {
			said += fmt.Sprint("one ", n, " ")
		}
		if n, err := async.Completed(7, error(nil)).Await(); err == nil {
			said += fmt.Sprint("two ", n, " ")
		}
	}
	return said, nil
}

// TestClassKeepsVariablesApart: each has a field of its own, and is in a dump once, though in a struct they share one.
func TestClassKeepsVariablesApart(t *testing.T) {
	w := sim.New(1)
	defer w.Close()
	last := async.NewSourceFor[int](w.Context())
	task := inLoopAsync(w.Context(), async.Completed(1, nil), last.Task())
	if dump := w.Dump(); !strings.Contains(dump, "n = 1, err = nil, n2 = 7, err2 = nil\n") {
		t.Errorf("the dump says\n%s", dump)
	}
	last.SetResult(2)
	if said, err := task.Await(); said != "one 1 two 7 one 2 two 7 " || err != nil {
		t.Errorf("%q, %v", said, err)
	}
}

// TestClassEndsAsStruct: however a function ends, before its first await that has to wait or behind it, it does so alike in
// both modes.
func TestClassEndsAsStruct(t *testing.T) {
	for name, end := range map[string]func(int){
		"returns": func(int) {},
		"panics":  func(int) { panic("in end") },
		"exits":   func(int) { runtime.Goexit() },
	} {
		for _, waits := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, waits %v", name, waits), func(t *testing.T) {
				want := strings.ReplaceAll(ending(asStructAsync, waits, end), "asStruct", "asClass")
				if got := ending(asClassAsync, waits, end); got != want || !strings.HasPrefix(got, name) {
					t.Errorf("a class %s, a struct %s", got, want)
				}
			})
		}
	}
}

type form func(context.Context, async.Task[int], async.Task[int], func(int)) async.Task[int]

// ending says how a call ends, and if it hands out no task how its goroutine does.
func ending(call form, waits bool, end func(int)) string {
	said := make(chan string, 1)
	go func() {
		text := "exits in its call"
		defer func() {
			if v := recover(); v != nil {
				text = fmt.Sprint("panics in its call: ", v)
			}
			said <- text
		}()
		first := async.NewSource[int]()
		if !waits {
			first.SetResult(1)
		}
		task := call(context.Background(), first.Task(), async.Completed(2, nil), end)
		if waits {
			go first.SetResult(1)
			for !task.IsCompleted() {
				time.Sleep(time.Microsecond)
			}
		}
		text = "exits where it is awaited"
		text = fmt.Sprint(awaited(task))
	}()
	return <-said
}

// awaited is what comes of a task, a panic among it.
func awaited(task async.Task[int]) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("panics with %v in %v", v, whereabouts(task))
		}
	}()
	n, err := task.Await()
	return fmt.Sprint("returns ", n, " ", err)
}

// whereabouts are the functions of this file that the panic of a task has come through, but for what is generated.
func whereabouts(task async.Task[int]) (list []string) {
	for line := range strings.Lines(string(task.PanicStack())) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "github.com/nothread/nothread/runtime/sim_test."); ok && !strings.Contains(name, "Machine)") {
			list = append(list, name)
		}
	}
	return list
}

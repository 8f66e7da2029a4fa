package h

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/nothread/nothread/runtime/async"
)

// A Case is a program in both forms.
type Case struct {
	Name  string
	Reset func(gen bool)
	Sync  func() []any  // runs the source and returns its results
	Start func() Flying // starts the generated form
}

// A Flying is a generated form on its way.
type Flying struct {
	Done   func() bool
	Result func() []any
}

// Fly is the Flying of a task whose results get reads.
func Fly(t interface{ IsCompleted() bool }, get func() []any) Flying {
	return Flying{t.IsCompleted, get}
}

// List makes a list of the first n of some results.
func List(n int) func(...any) []any {
	return func(values ...any) []any { return values[:n] }
}

// pending is the work that waits for the driver.
var pending []*work

// variants are the ways in which the generated form is run.
var variants = []struct {
	name string
	mode Mode
	seed uint64
}{
	{"later", Later, 1}, {"at once", AtOnce, 2}, {"mixed 1", Mixed, 3}, {"mixed 2", Mixed, 4}, {"mixed 3", Mixed, 5},
	{"mixed 4", Mixed, 6}, {"mixed 5", Mixed, 7}, {"mixed 6", Mixed, 8}, {"mixed 7", Mixed, 9}, {"mixed 8", Mixed, 10},
}

// Main runs all cases and prints what differs.
func Main(cases []Case) {
	if len(os.Args) > 1 {
		cases = slices.DeleteFunc(cases, func(c Case) bool { return !slices.Contains(os.Args[1:], c.Name) })
	}
	go watch()
	want := make(map[string]string)
	for _, c := range cases {
		announce(c.Name, "source")
		r := &run{name: c.Name, mode: Inline}
		cur = r
		c.Reset(false)
		apart(func() { r.outcome(c.Sync) })
		want[c.Name] = strings.Join(r.trace, "\n")
	}
	for _, v := range variants {
		runs := flyAll(cases, v.mode, v.seed)
		for i, c := range cases {
			if got := strings.Join(runs[i].trace, "\n"); got != want[c.Name] {
				fmt.Printf("! %s %q %q %q\n", c.Name, v.name, want[c.Name], got)
			}
		}
	}
	fmt.Println("@ end")
}

// apart runs f on a goroutine of its own, which may exit.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// outcome adds how f ends to the trace.
func (r *run) outcome(f func() []any) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		if _, ok := v.(exhausted); ok {
			return
		}
		if v == nil {
			r.trace = append(r.trace, "goexit")
			return
		}
		r.trace = append(r.trace, panicText(v))
	}()
	values := f()
	returned = true
	if !r.full {
		Say("returned", values...)
	}
}

// flyAll starts the generated forms, several at a time, and does the pending
// work in a random order.
func flyAll(cases []Case, mode Mode, seed uint64) []*run {
	driver := &run{mode: Mixed, turns: seed}
	runs := make([]*run, len(cases))
	const together = 4
	for first := 0; first < len(cases); first += together {
		group := cases[first:min(first+together, len(cases))]
		flying := make([]Flying, len(group))
		for i, c := range group {
			announce(c.Name, "generated")
			r := &run{name: c.Name, mode: mode, turns: seed + uint64(first+i)*7919}
			runs[first+i] = r
			cur = r
			c.Reset(true)
			apart(func() { r.start(c, &flying[i]) })
		}
		for len(pending) > 0 {
			i := driver.turn(uint64(len(pending)))
			w := pending[i]
			pending = slices.Delete(pending, int(i), int(i)+1)
			cur = w.run
			announce(cur.name, "generated")
			apart(w.resume)
		}
		for i := range group {
			r := runs[first+i]
			cur = r
			r.land(flying[i])
		}
	}
	return runs
}

// start calls the kickoff function, which must return or exit. What panics during an
// exit is its caller's.
func (r *run) start(c Case, f *Flying) {
	var cause any
	exits := true
	defer func() {
		switch _, over := cause.(exhausted); {
		case over || f.Done != nil:
		case cause == nil:
			r.exited = true
		case exits:
			r.trace = append(r.trace, panicText(cause))
		default:
			r.trace = append(r.trace, "kickoff panics: "+panicText(cause))
		}
	}()
	func() {
		defer func() {
			if f.Done == nil {
				cause = recover()
			}
		}()
		*f = c.Start()
	}()
	exits = false
}

func (w *work) resume() {
	defer func() {
		if v := recover(); v != nil {
			w.run.trace = append(w.run.trace, "the completer panics: "+panicText(v))
		}
	}()
	w.perform()
	if c := w.next; c != nil {
		w.next = nil
		var ex *async.Executor
		ex.Run(c)
	}
}

// land reads the result.
func (r *run) land(f Flying) {
	switch {
	case f.Done == nil && r.exited:
		r.trace = append(r.trace, "goexit") // after what was deferred has waited
	case f.Done == nil:
	case !f.Done():
		if !r.full {
			r.trace = append(r.trace, "never completes")
		}
	default:
		apart(func() { r.outcome(f.Result) })
	}
}

package h

import (
	"fmt"
	"os"
	"slices"
	"strings"
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

// variants are the ways in which the generated form is run.
var variants = []struct {
	name  string
	mode  Mode
	seed  uint64
	round round
	posts bool // what h.Ctx returns has a SyncContext
}{
	{"later", Later, 1, apart, false}, {"at once", AtOnce, 2, apart, false},
	{"mixed 1", Mixed, 3, apart, false}, {"mixed 2", Mixed, 4, apart, false}, {"mixed 3", Mixed, 5, apart, false},
	{"mixed 4", Mixed, 6, apart, false}, {"mixed 5", Mixed, 7, apart, false},
	{"later, in rows", Later, 8, inRows, false}, {"mixed, in rows", Mixed, 9, inRows, false},
	{"later, together", Later, 10, together, false}, {"mixed, together", Mixed, 11, together, false},
	{"later, posted", Later, 12, apart, true}, {"mixed, posted", Mixed, 13, inRows, true},
	{"later, posted together", Later, 14, together, true},
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
		aside(func() { r.outcome(c.Sync) })
		want[c.Name] = strings.Join(r.trace, "\n")
	}
	for _, v := range variants {
		runs := flyAll(cases, v.mode, v.seed, &driver{round: v.round, posts: v.posts, run: run{mode: Mixed, turns: v.seed}})
		for i, c := range cases {
			if got := strings.Join(runs[i].trace, "\n"); got != want[c.Name] {
				fmt.Printf("! %s %q %q %q\n", c.Name, v.name, want[c.Name], got)
			}
		}
	}
	fmt.Println("@ end")
}

// aside runs f on a goroutine of its own, which may exit.
func aside(f func()) {
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
func flyAll(cases []Case, mode Mode, seed uint64, d *driver) []*run {
	runs := make([]*run, len(cases))
	const several = 4
	for first := 0; first < len(cases); first += several {
		group := cases[first:min(first+several, len(cases))]
		flying := make([]Flying, len(group))
		d.begin()
		for i, c := range group {
			announce(c.Name, "generated")
			r := &run{name: c.Name, mode: mode, turns: seed + uint64(first+i)*7919}
			if d.posts {
				r.loop = d.loop
			}
			runs[first+i], flights[c.Name] = r, r
			cur = r
			c.Reset(true)
			aside(func() { r.start(c, &flying[i]) })
		}
		for len(pending) > 0 {
			d.step()
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
		aside(func() { r.outcome(f.Result) })
	}
}

package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/trace"
)

// testRun is one call of Test or Explore.
type testRun struct {
	t       *testing.T
	command string
	f       func(w *World)
	opts    []Option
	marks   []kernel.Mark
	own     map[string]bool // marks of the test itself
	linted  bool            // something has looked wrong, and was told
	ran     int             // Worlds of an exploration, before this one

	recorder *trace.Recorder // of the World that runs
}

func newTestRun(t *testing.T, f func(w *World), opts []Option) *testRun {
	t.Helper()
	if *shrinkFlag < 0 {
		t.Fatalf("sim: -sim.shrink=%v is not a time", *shrinkFlag)
	}
	return &testRun{t: t, command: replayCommand(t), f: f, opts: opts, own: make(map[string]bool), recorder: trace.NewRecorder(recorded)}
}

// way is one way that a test can go.
type way struct {
	seed   uint64
	calm   bool // but for the script; else the decisions are the seed's
	script Deviations
}

func (g way) String() string {
	if g.calm {
		return fmt.Sprintf("seed %d, %v", g.seed, g.script)
	}
	return fmt.Sprintf("seed %d", g.seed)
}

// flags are those of the command that runs it alone.
func (g way) flags() string {
	text := fmt.Sprintf("-sim.seed=%d", g.seed)
	if g.calm {
		text += fmt.Sprintf(" -sim.deviations=%v", g.script) // it has nothing that a shell would take for its own
	}
	return text
}

// once runs the test in one World, or twice if that is asked for, and returns the first.
func (r *testRun) once(g way, opts ...Option) *World {
	if !*twiceFlag {
		return r.world(g, opts...)
	}
	w := r.world(g, WithRecording())
	if r.t.Failed() || r.t.Skipped() {
		return w
	}
	again := r.world(g, func(o *options) { o.replay = w.Recording() }) // not WithReplay: a calm World stays one
	if !r.t.Failed() && !r.t.Skipped() && again.Hash() != w.Hash() {
		r.t.Errorf("%v: the second run is another one, by its hash: what does not follow from the World's decisions decides there", g)
	}
	return w
}

// world runs the test in one World, and returns it, closed.
func (r *testRun) world(g way, opts ...Option) (w *World) {
	returned := false
	recorder := r.recorder // unless the test has one of its own
	defer func() {
		if v := recover(); v != nil {
			r.t.Errorf("%v: %v%s", g, v, stackOf(v))
		} else if !returned && !r.t.Failed() && !r.t.Skipped() {
			r.t.Errorf("%v: the test's goroutine has ended", g) // by runtime.Goexit
		}
		if r.t.Failed() {
			r.failed(g, w, recorder)
		} else if chrome(*traceFlag) {
			r.writeTrace(*traceFlag, recorder)
		}
		if w != nil && !w.running.Load() {
			w.Close() // which flushes its trace
		}
	}()
	if g.calm {
		opts = slices.Insert(opts, 0, WithDeviations(g.script))
	}
	w = New(g.seed, append(slices.Concat(r.options(), opts), func(o *options) {
		if o.recorder == nil {
			o.recorder = recorder
		}
		recorder = o.recorder
		o.record = o.record || *shrinkFlag > 0
	})...)
	defer r.watch(w, g)()
	r.f(w)
	if w.closed {
		r.t.Error("sim: the test has closed its World: Test does, once it has settled")
	} else if err := w.Settle(settleBound); err != nil {
		r.t.Error(err)
	} else {
		r.lint(w, g)
	}
	r.add(w.Marks())
	for name := range w.own {
		r.own[name] = true
	}
	returned = true
	return w
}

// failed tells how a World that failed can be run again, and less of it if that is asked for.
func (r *testRun) failed(g way, w *World, recorder *trace.Recorder) {
	hint := "("
	if r.ran > 0 {
		hint += fmt.Sprintf("World %d of the exploration; ", r.ran+1)
	}
	hint += "-sim.trace=FILE writes down what happens in it"
	if came := cameUp(w); came != "" {
		hint += ": " + came
	}
	if !g.calm && *shrinkFlag <= 0 {
		hint += "; -sim.shrink=30s looks for less of it that fails"
	}
	r.t.Logf("%v failed; run it alone by\n\t%s %s\n%s)", g, r.command, g.flags(), hint)
	if os.Getenv(tryVariable) == "" {
		r.showTrace(recorder, g.seed)
	}
	if w != nil && *shrinkFlag > 0 {
		r.shrink(g.seed, w.Recording().Deviations())
	}
}

// fewDeviations is how many a report says the time of.
const fewDeviations = 8

// cameUp says when a World's deviations came up, if they are few: where to look in its trace.
func cameUp(w *World) string {
	if w == nil || w.decisions.script == nil || len(w.decisions.script.came) > fewDeviations {
		return ""
	}
	var text []string
	for _, d := range w.decisions.script.came {
		text = append(text, fmt.Sprintf("%v at %v", d.Deviation, d.at))
	}
	return strings.Join(text, ", ")
}

// recorded is how many hops and the like a test keeps to show where it failed: the last of them.
const recorded = 20_000

// chrome reports whether a trace is to be in Chrome's format.
func chrome(path string) bool { return strings.HasSuffix(path, ".json") }

// showTrace writes the trace of a seed that failed, for Perfetto, and says where.
func (r *testRun) showTrace(recorder *trace.Recorder, seed uint64) {
	path := *traceFlag
	if !chrome(path) {
		name := strings.Map(func(c rune) rune {
			if c < 128 && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
				return c
			}
			return '-'
		}, r.t.Name())
		path = filepath.Join(os.TempDir(), fmt.Sprintf("nothread-%s-seed%d.trace.json", name, seed))
	}
	if r.writeTrace(path, recorder) {
		r.t.Logf("its trace, to be opened at ui.perfetto.dev: %s", path)
	}
}

// writeTrace writes a trace whole, or not at all.
func (r *testRun) writeTrace(path string, recorder *trace.Recorder) (ok bool) {
	f, err := trace.Create(path, 0o666)
	if err == nil {
		defer f.Discard()
		err = trace.Write(f, recorder)
	}
	if err == nil {
		err = f.Commit()
	}
	if err != nil {
		r.t.Errorf("sim: the trace cannot be written: %v", err)
	}
	return err == nil
}

// watch ends a World that still runs when the time of go test is nearly over: with a *Hang, which says what is in flight,
// where go test would only list goroutines. A World whose code blocks its goroutine, or never comes back, is not to be
// stopped; which one that is is said where go test lists them.
func (r *testRun) watch(w *World, g way) (stop func()) {
	deadline, ok := r.t.Deadline()
	if !ok {
		return func() {}
	}
	left := time.Until(deadline)
	spare := min(left/4, 10*time.Second)
	var back atomic.Bool
	stuck := time.AfterFunc(left-spare/4, func() {
		if !back.Load() {
			fmt.Fprintf(os.Stderr, "sim: %s: in %v the World's code does not come back; run it alone by\n\t%s %s\n", r.t.Name(), g, r.command, g.flags())
		}
	})
	timer := time.AfterFunc(left-spare, func() {
		w.Inject(func() {
			back.Store(true)
			w.fatal = &Hang{Seed: w.seed, Text: "the time of go test is nearly over, and the World still runs", State: w.Dump()}
		})
	})
	return func() {
		timer.Stop()
		stuck.Stop()
	}
}

// options are the test's, and the trace's if one is asked for.
func (r *testRun) options() []Option {
	if *traceFlag == "" || chrome(*traceFlag) {
		return r.opts
	}
	f, err := os.Create(*traceFlag)
	if err != nil {
		r.t.Fatalf("sim: -sim.trace: %v", err)
	}
	r.t.Cleanup(func() { f.Close() })
	return append([]Option{WithTrace(f)}, r.opts...)
}

// stackOf returns where a panic rose, if what rises now does not say so itself; of a deadlock, who waits for what.
func stackOf(v any) string {
	switch v := v.(type) {
	case *Deadlock:
		return "\n" + v.State
	case *Panic, *Hang, *kernel.BugCheck, *Divergence:
		return ""
	}
	return "\n\n" + string(panicStack(v))
}

// add adds a seed's marks.
func (r *testRun) add(marks []kernel.Mark) {
next:
	for _, m := range marks {
		for i := range r.marks {
			if r.marks[i].Name == m.Name {
				r.marks[i].Reached += m.Reached
				continue next
			}
		}
		r.marks = append(r.marks, m)
	}
}

// lint tells what looks wrong in a World that has settled, of the first one where something does.
func (r *testRun) lint(w *World, g way) {
	if r.linted {
		return
	}
	if found := w.Lint(lintPatience); len(found) > 0 {
		r.linted = true
		r.t.Logf("%v: this looks wrong:\n\t%s", g, strings.Join(found, "\n\t"))
	}
}

// unreached reports what none of so many seeds, or Worlds, has reached: the test's own marks, faults that were on, and, if
// there were faults, the races and what drivers do about faults.
func (r *testRun) unreached(count uint64, what string) {
	r.t.Helper()
	if count < 2 {
		return
	}
	faults := false
	for _, m := range r.marks {
		faults = faults || strings.HasPrefix(m.Name, "fault: ")
	}
	var names []string
	for _, m := range r.marks {
		if m.Reached == 0 && (faults || r.own[m.Name]) {
			names = append(names, m.Name)
		}
	}
	if len(names) > 0 {
		r.t.Logf("none of %d %s has reached: %s", count, what, strings.Join(names, "; "))
	}
}

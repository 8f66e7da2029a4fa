package sim

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/trace"
)

// The flags of tests, and the environment variable that stands for the first one. Programs that are no tests do not have
// them.
var (
	seedsFlag = new(int)
	seedFlag  = new(string)
	traceFlag = new(string)
)

func init() {
	if testing.Testing() {
		seedsFlag = flag.Int("sim.seeds", 0, "how many seeds each sim.Test runs (default 20, or $NOTHREAD_SEEDS)")
		seedFlag = flag.String("sim.seed", "", "the one seed that each sim.Test runs")
		traceFlag = flag.String("sim.trace", "", "a file for the trace of the last seed that a sim.Test runs")
	}
}

const (
	defaultSeeds = 20
	shortSeeds   = 5 // with -short
	settleBound  = 10 * time.Minute
	lintPatience = time.Second
)

// Test runs f in a World of each of many seeds. When f returns, the World is healed and must settle: every request that is
// still in flight must complete and every blocked thread go on within ten virtual minutes, and no IRP may be left. Then it
// is closed; f does not close it.
//
// What fails in f (by the *testing.T that it closes over, or by a panic) is told with its seed and the command that runs
// just that one. A Skip of that T ends the test; no other seed runs. Failures of tasks that nobody has read (C44) are logged,
// as far as the collector has found them, and so is what looks wrong in a World that has settled (Lint). How many seeds:
// -sim.seeds, $NOTHREAD_SEEDS, else 20; -sim.seed=7 runs only seed 7. -sim.trace=FILE writes down what happened, hop by
// hop, in the last seed that ran: the one that failed, if one did; for Perfetto if FILE ends in .json. The end of a seed that fails is always written so, to a file that the failure names.
//
//	func TestCopy(t *testing.T) {
//		sim.Test(t, func(w *sim.World) {
//			…
//		}, sim.Swarm())
//	}
func Test(t *testing.T, f func(w *World), opts ...Option) {
	t.Helper()
	first, count := seeds(t)
	r := &testRun{t: t, command: replayCommand(t), f: f, opts: opts, own: make(map[string]bool)}
	defer r.unobserved()()
	for i := range count {
		r.seed(first + i)
		if t.Failed() || t.Skipped() {
			return
		}
	}
	r.unreached(count)
}

// seeds returns the first seed and how many to run.
func seeds(t *testing.T) (first, count uint64) {
	if *seedFlag != "" {
		seed, err := strconv.ParseUint(*seedFlag, 10, 64)
		if err != nil {
			t.Fatalf("sim: -sim.seed=%s is not a seed", *seedFlag)
		}
		return seed, 1
	}
	n := *seedsFlag
	if n == 0 {
		if s := os.Getenv("NOTHREAD_SEEDS"); s != "" {
			var err error
			if n, err = strconv.Atoi(s); err != nil || n < 1 {
				t.Fatalf("sim: NOTHREAD_SEEDS=%s is not a number of seeds", s)
			}
		}
	}
	switch {
	case n < 0:
		t.Fatalf("sim: -sim.seeds=%d is not a number of seeds", n)
	case n > 0:
	case testing.Short():
		n = shortSeeds
	default:
		n = defaultSeeds
	}
	return 1, uint64(n)
}

// testRun is one call of Test.
type testRun struct {
	t       *testing.T
	command string
	f       func(w *World)
	opts    []Option
	marks   []kernel.Mark
	own     map[string]bool // marks of the test itself
	linted  bool            // something has looked wrong, and was told
}

// seed runs one seed.
func (r *testRun) seed(seed uint64) {
	returned := false
	var w *World // closed at the end, which flushes its trace
	recorder := trace.NewRecorder(recorded)
	defer func() {
		if v := recover(); v != nil {
			r.t.Errorf("seed %d: %v%s", seed, v, stackOf(v))
		} else if !returned && !r.t.Failed() && !r.t.Skipped() {
			r.t.Errorf("seed %d: the test's goroutine has ended", seed) // by runtime.Goexit
		}
		if r.t.Failed() {
			r.t.Logf("seed %d failed; run it alone by\n\t%s -sim.seed=%d\n(-sim.trace=FILE writes down what happens in it)", seed, r.command, seed)
			r.showTrace(recorder, seed)
		} else if chrome(*traceFlag) {
			r.writeTrace(*traceFlag, recorder)
		}
		if w != nil && !w.running.Load() {
			w.Close()
		}
	}()
	w = New(seed, append(slices.Clone(r.options()), func(o *options) {
		if o.recorder == nil { // the test has none of its own
			o.recorder = recorder
		}
		recorder = o.recorder
	})...)
	defer r.watch(w)()
	r.f(w)
	if w.closed {
		r.t.Error("sim: the test has closed its World: Test does, once it has settled")
	} else if err := w.Settle(settleBound); err != nil {
		r.t.Error(err)
	} else {
		r.lint(w)
	}
	r.add(w.Marks())
	for name := range w.own {
		r.own[name] = true
	}
	returned = true
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
// stopped; go test tells of that.
func (r *testRun) watch(w *World) (stop func()) {
	deadline, ok := r.t.Deadline()
	if !ok {
		return func() {}
	}
	left := time.Until(deadline)
	timer := time.AfterFunc(left-min(left/4, 10*time.Second), func() {
		w.Inject(func() {
			w.fatal = &Hang{Seed: w.seed, Text: "the time of go test is nearly over, and the World still runs", State: w.Dump()}
		})
	})
	return func() { timer.Stop() }
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
	case *Panic, *Hang, *kernel.BugCheck:
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

// lint tells what looks wrong in a World that has settled, of the first seed where something does.
func (r *testRun) lint(w *World) {
	if found := w.Lint(lintPatience); len(found) > 0 && !r.linted {
		r.linted = true
		r.t.Logf("seed %d: this looks wrong:\n\t%s", w.seed, strings.Join(found, "\n\t"))
	}
}

// unreached reports what none of the seeds has reached: the test's own marks, faults that were on, and, if there were
// faults, the races and what drivers do about faults.
func (r *testRun) unreached(count uint64) {
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
		r.t.Logf("none of %d seeds has reached: %s", count, strings.Join(names, "; "))
	}
}

// replayCommand returns what a shell runs this test again by: it alone, in the package whose tests these are.
func replayCommand(t *testing.T) string {
	pkg := "."
	if info, ok := debug.ReadBuildInfo(); ok && info.Path != "command-line-arguments.test" {
		if path, ok := strings.CutSuffix(info.Path, ".test"); ok {
			pkg = path
		}
	}
	parts := strings.Split(t.Name(), "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return fmt.Sprintf("go test %s -run '%s'", pkg, strings.ReplaceAll(strings.Join(parts, "/"), "'", `'\''`))
}

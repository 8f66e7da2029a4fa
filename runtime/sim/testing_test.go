package sim_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/kernel"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
	chrometrace "github.com/nothread/nothread/runtime/trace"
)

// hole is a device that never answers.
func hole(t testing.TB, w *sim.World) *overlapped.File {
	d := &kernel.DeviceObject{Name: "hole", Driver: &kernel.DriverObject{Name: "hole.sys"}}
	d.Driver.Major[kernel.MajorRead] = func(_ *kernel.CPU, _ *kernel.DeviceObject, irp *kernel.IRP) kernel.Status {
		irp.MarkPending()
		return kernel.StatusPending
	}
	if status := w.Kernel().AddDevice(d, 1); status != kernel.StatusSuccess {
		t.Fatal(status)
	}
	f, err := w.Open("hole")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// neverEnds is the one of failing that goes on until its time is nearly over.
const neverEnds = "a World that never ends"

// failing are tests that fail, each with what must be said of it. They run in a process of their own.
var failing = map[string]struct {
	f    func(t *testing.T, w *sim.World)
	says []string
}{
	"an error in some seed": {func(t *testing.T, w *sim.World) {
		if w.Choose("coin", 4) == 0 {
			t.Fatalf("tails")
		}
	}, []string{"tails"}},
	"a machine that nobody will resume": {func(t *testing.T, w *sim.World) {
		stubbornAsync(w.Context(), async.NewSourceFor[int](w.Context()).Task())
		if w.Seed() == 3 {
			t.Error("something else")
		}
	}, []string{": this looks wrong:", "lost completion: sim_test.stubborn at lint_test.go:",
		", which awaits task: nothing is left that could complete it"}},
	"a failure that nobody reads": {func(t *testing.T, w *sim.World) {
		drop := func(text string) async.Task[int] {
			s := async.NewSourceFor[int](w.Context())
			s.SetError(errors.New(text))
			return s.Task()
		}
		drop("picked up").Await()
		drop("dropped on the floor")
		t.Error("to see the log")
	}, []string{"nobody has read", "dropped on the floor"}},
	"a function's failure that nobody reads": {func(t *testing.T, w *sim.World) {
		s := async.NewSourceFor[int](w.Context())
		stubbornAsync(w.Context(), s.Task())
		s.SetError(errors.New("dropped, too"))
		if _, err := s.Task().Await(); err == nil {
			t.Error("no error")
		}
		t.Error("to see the log")
	}, []string{"nobody has read", "failed: dropped, too (at sim_test.stubborn lint_test.go:23)"}},
	"a panic": {func(t *testing.T, w *sim.World) {
		w.Go("panic", func(context.Context) { panic("out of order") })
		w.Run()
	}, []string{"out of order", "testing_test.go"}},
	"a panic through awaits, to the owner": {func(t *testing.T, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 10))
		outerAsync(w.Context(), f).Await()
	}, throughAwaits},
	"a panic through awaits, to a message": {func(t *testing.T, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 10))
		w.Go("message", func(ctx context.Context) { outerAsync(w.Context(), f).Await() })
		w.Run()
	}, throughAwaits},
	"a panic through awaits, to a started thread": {func(t *testing.T, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 10))
		w.StartThread(func() { outerAsync(w.Context(), f).Await() })
		w.Run()
	}, throughAwaits},
	"a request that hangs": {func(t *testing.T, w *sim.World) {
		r := &reader{file: hole(t, w), w: w, buf: make([]byte, 7), left: new(int)}
		*r.left = 1
		r.MoveNext(nil)
	}, []string{"nothing is left that could happen, and 1 request is in flight", "read of 7 bytes on hole, issued by main: with hole.sys (irp#1 at 0), for 0s",
		"awaited by sim_test.reader"}},
	"a request that hangs while time passes": {func(t *testing.T, w *sim.World) {
		hole(t, w).ReadAsync(w.Context(), make([]byte, 7))
		var tick func()
		tick = func() { w.AfterFunc(time.Second, tick) }
		tick()
	}, []string{"10m0s after all faults have ended, and 1 request is in flight"}},
	"a thread that hangs while time passes": {func(t *testing.T, w *sim.World) {
		f := hole(t, w)
		w.Go("click", func(ctx context.Context) { f.ReadAsync(ctx, make([]byte, 7)).Await() })
		var tick func()
		tick = func() { w.AfterFunc(time.Second, tick) }
		tick()
	}, []string{"1 request is in flight and 1 thread blocked", "UI thread is waiting, blocked on an Await in sim_test.init.func",
		"awaited by UI thread, blocked on an Await in sim_test"}},
	neverEnds: {func(t *testing.T, w *sim.World) {
		hole(t, w).ReadAsync(w.Context(), make([]byte, 7))
		var tick func()
		tick = func() {
			time.Sleep(10 * time.Millisecond) // real: a trace of all that a World can do in seconds takes seconds to write
			w.AfterFunc(time.Second, tick)
		}
		tick()
		async.NewSourceFor[int](w.Context()).Task().Await()
	}, []string{"the time of go test is nearly over, and the World still runs", "read of 7 bytes on hole, issued by main: with hole.sys (irp#1 at 0)"}},
	"a deadlock": {func(t *testing.T, w *sim.World) {
		f := hole(t, w)
		w.Go("click", func(ctx context.Context) { f.ReadAsync(ctx, make([]byte, 7)).Await() })
		async.NewSourceFor[int](w.Context()).Task().Await()
	}, []string{"deadlock", "the owner waits for an Await in sim_test.init.func", "(irp#1 at 0)", "awaited by UI thread"}},
	"a World that its test closes": {func(t *testing.T, w *sim.World) { defer w.Close() },
		[]string{"the test has closed its World: Test does, once it has settled"}},
	"a bad driver": {func(t *testing.T, w *sim.World) {
		d := &kernel.DeviceObject{Name: "bad", Driver: &kernel.DriverObject{Name: "bad.sys"}}
		d.Driver.Major[kernel.MajorRead] = func(*kernel.CPU, *kernel.DeviceObject, *kernel.IRP) kernel.Status {
			return kernel.StatusPending
		}
		w.Kernel().AddDevice(d, 1)
		f, _ := w.Open("bad")
		f.ReadAsync(w.Context(), make([]byte, 1))
	}, []string{"SDV MarkIrpPending2", "rule A4", "irp-built", "call-driver", "testing_test.go"}},
	"a buffer touched in flight": {func(t *testing.T, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 10))
		buf := []byte("abc")
		task := f.WriteAsync(w.Context(), buf)
		buf[0] = 'x'
		task.Await()
	}, []string{"1010", "was changed while the write was in flight: wait for its completion, or write a copy"}},
}

// throughAwaits is what must be said of a panic of inner: its line, the awaits, and who read the result.
var throughAwaits = []string{"third\n", "sim_test.inner\n", "panics_test.go:27\n", "awaited by github.com/nothread/nothread/runtime/sim_test.middle\n",
	"awaited by github.com/nothread/nothread/runtime/sim_test.outer\n", "testing_test.go:"}

// TestFails is the other process.
func TestFails(t *testing.T) {
	name := os.Getenv("SIM_TEST_FAILS")
	if name == "" {
		t.Skip("runs in TestFailuresAreTold only")
	}
	sim.Test(t, func(w *sim.World) { failing[name].f(t, w) })
}

// TestFailuresAreTold runs tests that fail: each says why, and which seed, and that seed alone fails in the same way.
func TestFailuresAreTold(t *testing.T) {
	fails := func(name string, args ...string) string {
		timeout := "1m" // of a machine that has more to do
		if name == neverEnds {
			timeout = "5s" // which it takes
		}
		cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestFails$", "-test.timeout=" + timeout}, args...)...)
		cmd.Env = append(os.Environ(), "SIM_TEST_FAILS="+name, "TMPDIR="+t.TempDir())
		out, err := cmd.CombinedOutput()
		if _, ok := err.(*exec.ExitError); !ok {
			t.Errorf("%s: it does not fail, but %v", name, err)
		}
		return string(out)
	}
	command := regexp.MustCompile(`(go test github.com/nothread/nothread/runtime/sim -run '\^TestFails\$') (-sim.seed=\d+)\n`)
	for name, tc := range failing {
		t.Run(name, func(t *testing.T) {
			out := fails(name)
			replay := command.FindStringSubmatch(out)
			if replay == nil {
				t.Fatalf("no command to replay it in\n%s", out)
			}
			trace := filepath.Join(t.TempDir(), "trace")
			again := fails(name, replay[2], "-sim.trace="+trace)
			if hops, err := os.ReadFile(trace); err != nil || strings.Contains(out, "irp#1") && !bytes.Contains(hops, []byte("irp#1")) {
				t.Errorf("the trace has %d bytes, %v", len(hops), err)
			}
			chrome := regexp.MustCompile(`its trace, to be opened at ui.perfetto.dev: (.*\.json)`).FindStringSubmatch(out)
			if chrome == nil {
				t.Fatalf("no trace for Perfetto\n%s", out)
			}
			if f, err := os.Open(chrome[1]); err != nil || validate(f) != nil {
				t.Errorf("%s: %v, %v", chrome[1], err, validate(f))
			}
			for _, say := range tc.says {
				if !strings.Contains(out, say) || !strings.Contains(again, say) {
					t.Errorf("it does not say %q:\n%s\nor not again:\n%s", say, out, again)
				}
			}
		})
	}
}

// oddNames are names of tests that a regular expression or a shell reads otherwise.
var oddNames = []string{"(e)", "c$d", "x'y", "[a|b]/c d\\", "\x00"}

// TestFailsByName is the other process of TestReplayByName.
func TestFailsByName(t *testing.T) {
	if os.Getenv("SIM_TEST_FAILS") == "" {
		t.Skip("runs in TestReplayByName only")
	}
	for _, name := range oddNames {
		t.Run(name, func(t *testing.T) {
			sim.Test(t, func(w *sim.World) { t.Error("as it should") })
		})
	}
}

// TestReplayByName: the command that a failure names runs the test that failed, and no other, whatever that is called.
func TestReplayByName(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip(err)
	}
	run := func(command string) []byte {
		cmd := exec.Command("sh", "-c", command)
		cmd.Env = append(os.Environ(), "SIM_TEST_FAILS=by name", "TMPDIR="+t.TempDir())
		out, _ := cmd.CombinedOutput()
		return out
	}
	test := os.Args[0] + " -test.run "
	failed := regexp.MustCompile(`(?m)^ *--- FAIL: (TestFailsByName/.*) \(`)
	out := run(test + "'^TestFailsByName$'")
	names := failed.FindAllSubmatch(out, -1)
	commands := regexp.MustCompile(`go test github.com/nothread/nothread/runtime/sim -run (.*)\n`).FindAllSubmatch(out, -1)
	if len(commands) != len(oddNames) || len(names) != len(oddNames) {
		t.Fatalf("%d commands, %d failures, want %d of each:\n%s", len(commands), len(names), len(oddNames), out)
	}
	for i, command := range commands {
		again := failed.FindAllSubmatch(run(test+string(command[1])), -1)
		if len(again) != 1 || !bytes.Equal(again[0][1], names[i][1]) {
			t.Errorf("of %s, %s runs %q", names[i][1], command[1], again)
		}
	}
}

func validate(f *os.File) error {
	f.Seek(0, 0)
	return chrometrace.Validate(f)
}

// TestSeeds: as many seeds as are asked for, each another World; marks that none reaches are told.
func TestSeeds(t *testing.T) {
	t.Setenv("NOTHREAD_SEEDS", "7")
	seeds := map[uint64]bool{}
	unseeds := map[uint64]bool{}
	sim.Test(t, func(w *sim.World) {
		w.Sometimes("an even seed", w.Seed()%2 == 0)
		seeds[w.Seed()] = true
		f, _ := open(t, w, "disk", []byte("abc"))
		f.ReadAsync(w.Context(), make([]byte, 3)) // not awaited: Test waits for it
		unseeds[w.Unseed()] = true
	}, sim.Swarm())
	if len(seeds) != 7 || !seeds[1] || !seeds[7] || len(unseeds) != 7 {
		t.Errorf("seeds %v", seeds)
	}
}

// TestNumberOfSeeds: a negative one is refused.
func TestNumberOfSeeds(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSeeds$", "-sim.seeds=-1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "-sim.seeds=-1 is not a number of seeds") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestOwnRecorder: a test that gives its Worlds a recorder finds in it what the last one did.
func TestOwnRecorder(t *testing.T) {
	r := chrometrace.NewRecorder(0)
	sim.Test(t, func(w *sim.World) { w.AfterFunc(time.Second, func() {}) }, sim.WithRecorder(r))
	if r.Len() == 0 {
		t.Error("the test's own recorder was told of nothing")
	}
}

// TestSkip: a test that is skipped in some seed is skipped, wherever Skip is called, and no other seed runs.
func TestSkip(t *testing.T) {
	for name, skip := range map[string]func(t *testing.T, w *sim.World){
		"by the owner": func(t *testing.T, w *sim.World) { t.Skip("as it should") },
		"by a message": func(t *testing.T, w *sim.World) {
			w.Go("skip", func(context.Context) { t.Skip("as it should") })
			w.Run()
		},
		"by a thread":   func(t *testing.T, w *sim.World) { w.StartThread(func() { t.Skip("as it should") }) },
		"at the end of": func(t *testing.T, w *sim.World) { w.Go("skip", func(context.Context) { t.Skip("as it should") }) },
	} {
		seeds, skipped := 0, false
		t.Run(name, func(t *testing.T) {
			defer func() { skipped = t.Skipped() }()
			sim.Test(t, func(w *sim.World) {
				if seeds++; w.Seed() == 2 {
					skip(t, w)
				}
			})
		})
		if seeds != 2 || !skipped {
			t.Errorf("%s: %d seeds run, skipped %v", name, seeds, skipped)
		}
	}
}

// TestSettleTellsWhatHangs: how many, when, and where they are.
func TestSettleTellsWhatHangs(t *testing.T) {
	w := sim.New(1)
	hole(t, w).ReadAsync(w.Context(), make([]byte, 5))
	settle := func(want string) {
		t.Helper()
		hang, ok := w.Settle(time.Second).(*sim.Hang)
		if !ok || hang.Seed != 1 || hang.Text != want || !strings.Contains(hang.State, "read of 5 bytes on hole") {
			t.Errorf("want %q, got %v", want, hang)
		}
	}
	settle("all faults have ended, nothing is left that could happen, and 1 request is in flight and 0 threads blocked")
	w.AfterFunc(time.Hour, func() {})
	settle("1s after all faults have ended, and 1 request is in flight and 0 threads blocked")
}

// TestSettle: Settle waits for what is in flight, without its virtual time being spent.
func TestSettle(t *testing.T) {
	w := sim.New(1, sim.WithFaults(sim.Faults{LostInterrupt: sim.Always}))
	d, err := w.NewDisk("disk", device.NewMemory(make([]byte, 100)), device.DiskConfig{})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := d.Open()
	task := f.ReadAsync(w.Context(), make([]byte, 3))
	w.Go("blocks", func(ctx context.Context) { f.ReadAsync(ctx, make([]byte, 3)).Await() })
	if err := w.Settle(time.Hour); err != nil || !task.IsCompleted() || w.Elapsed() > time.Minute {
		t.Errorf("%v; complete %v after %v", err, task.IsCompleted(), w.Elapsed())
	}
	if !strings.Contains(w.Dump(), "nothing is in flight and nobody is blocked") {
		t.Errorf("%s", w.Dump())
	}
}

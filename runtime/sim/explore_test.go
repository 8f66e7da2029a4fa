package sim_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/device"
	"github.com/nothread/nothread/runtime/overlapped"
	"github.com/nothread/nothread/runtime/sim"
)

// TestDeviationsAreTheRun: what is not calm in a run of any scenario, written down and read again, makes the same run.
func TestDeviationsAreTheRun(t *testing.T) {
	for name := range scenarios {
		for seed := range uint64(10) {
			w, trace := run(t, name, seed, sim.WithRecording())
			d, err := sim.ParseDeviations(w.Recording().Deviations().String())
			if err != nil {
				t.Fatal(err)
			}
			again, same := run(t, name, seed, sim.WithDeviations(d))
			if w.Hash() != again.Hash() || trace != same {
				t.Errorf("%s, seed %d: %v makes another run", name, seed, d)
			}
		}
	}
}

// TestCalm: in the calm World nothing fails, devices take no longer than they must, and turns are taken, whatever the seed.
func TestCalm(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(5) {
		w := sim.New(seed, sim.WithDeviations(nil), sim.WithFaults(sim.AllFaults(99*sim.Percent)))
		d, err := w.NewDisk("disk", device.NewMemory([]byte("abc")), device.DiskConfig{Access: time.Microsecond, Jitter: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		f, err := d.Open()
		if err != nil {
			t.Fatal(err)
		}
		var turns []string
		for _, name := range []string{"a", "b", "c"} {
			w.StartThread(func() { turns = append(turns, name) })
		}
		if n, err := f.ReadAsync(w.Context(), make([]byte, 3)).Await(); n != 3 || err != nil || w.Elapsed() > time.Millisecond {
			t.Errorf("%d, %v, after %v", n, err, w.Elapsed())
		}
		w.Run()
		if !slices.Equal(turns, []string{"a", "b", "c"}) {
			t.Errorf("turns %v", turns)
		}
		hashes[w.Hash()] = true
	}
	if len(hashes) != 1 {
		t.Errorf("%d different runs", len(hashes))
	}
}

// TestDeviationText: what is written is read again, and nothing else is.
func TestDeviationText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var d sim.Deviations
		for range rapid.IntRange(0, 5).Draw(t, "deviations") {
			choice := rapid.Uint64Range(1, math.MaxUint64).Draw(t, "choice")
			d = append(d, sim.Deviation{Label: rapid.StringN(1, 20, 20).Draw(t, "label"), Number: rapid.Uint64Range(1, 1<<40).Draw(t, "number"), Choice: choice})
		}
		got, err := sim.ParseDeviations(" " + d.String() + "\n")
		if err != nil || !slices.Equal(got, d) {
			t.Errorf("%v: %v, %v", d, got, err)
		}
		if !regexp.MustCompile(`^[-\w.~%+:=,]+$`).MatchString(d.String()) {
			t.Errorf("a shell may read something else in %v", d)
		}
	})
	if d := (sim.Deviations{{Label: "buggify: a batch of one", Number: 3, Choice: sim.Greatest}}); d.String() != "buggify:+a+batch+of+one:3" {
		t.Errorf("%v is not easily read", d)
	}
	for _, bad := range []string{"", "calm,calm", "a", "a:", "a:0", "a:1=", "a:1=0", ":1", "a:1,", "%zz:1", "a:-1", "a:1=x", "a:1=2=3"} {
		if d, err := sim.ParseDeviations(bad); err == nil || !strings.Contains(err.Error(), "is no deviation: it should look like disk.latency:1=40000") {
			t.Errorf("%q: %v, %v", bad, d, err)
		}
	}
}

// TestExploresAll: every combination of up to so many deviations is run once, those with fewer first.
func TestExploresAll(t *testing.T) {
	for _, tc := range []struct {
		deviations int
		want       []string
	}{
		{0, []string{"000"}},
		{1, []string{"000", "100", "200", "010", "001"}},
		{2, []string{"000", "100", "200", "010", "001", "110", "101", "210", "201", "011"}},
		{3, []string{"000", "100", "200", "010", "001", "110", "101", "210", "201", "011", "111", "211"}},
	} {
		var got []string
		sim.Explore(t, tc.deviations, func(w *sim.World) {
			got = append(got, fmt.Sprint(w.Choose("die", 3), w.Choose("coin", 2), w.Choose("coin", 2)))
		})
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], " ", "")
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("with %d: %v, want %v", tc.deviations, got, tc.want)
		}
	}
}

// TestExploresWhatFollows: a decision that only comes up because of another one's deviation is explored, too.
func TestExploresWhatFollows(t *testing.T) {
	found := 0
	sim.Explore(t, 2, func(w *sim.World) {
		if w.Choose("door", 5) == 3 && w.Choose("behind it", 100_000) > 90_000 {
			found++
		}
	})
	if found != 1 {
		t.Errorf("found %d times", found)
	}
}

// TestExploresFaults: each fault strikes at each place where it may, and a reader that tries again survives any two.
func TestExploresFaults(t *testing.T) {
	struck := map[string]int{}
	sim.Explore(t, 1, func(w *sim.World) {
		f, _ := open(t, w, "disk", []byte("hello, world"))
		buf := make([]byte, 12)
		for {
			_, err := f.ReadAtAsync(w.Context(), buf, 0).Await()
			if err == nil || err == io.EOF {
				break
			}
		}
		if string(buf) != "hello, world" {
			t.Errorf("read %q", buf)
		}
		for _, m := range w.Marks() {
			if name, ok := strings.CutPrefix(m.Name, "fault: "); ok {
				struck[name] += int(m.Reached)
			}
		}
	}, sim.WithFaults(sim.Faults{DeviceError: 1, PassingError: 1, LostInterrupt: 1, ShortTransfer: 1, ZeroTransfer: 1}))
	for name, n := range struck {
		if n == 0 {
			t.Errorf("%s has not struck", name)
		}
	}
	if len(struck) != 5 {
		t.Errorf("struck: %v", struck)
	}
}

// TestExploresAPart: where there are more Worlds than may run, those that do are as many as may, always the same ones, and
// not just the first.
func TestExploresAPart(t *testing.T) {
	if err := flag.Set("sim.worlds", "100"); err != nil {
		t.Fatal(err)
	}
	defer flag.Set("sim.worlds", "0")
	explore := func() (ran int, last []int) {
		sim.Explore(t, 2, func(w *sim.World) {
			ran++
			for i := range 40 {
				if w.Choose("coin", 2) == 1 {
					last = append(last, i)
				}
			}
		})
		return ran, last
	}
	ran, last := explore()
	again, same := explore()
	if ran != 100 || again != 100 || !slices.Equal(last, same) {
		t.Errorf("%d and %d Worlds, the same ones: %v", ran, again, slices.Equal(last, same))
	}
	if once := last[:40]; !slices.IsSorted(once) || slices.Max(last[40:]) < 35 {
		t.Errorf("deviations %v", last)
	}
}

// batches counts how it hands on ten things, in batches as large as they may be.
func batches(ctx context.Context) (sizes []int) {
	for left := 10; left > 0; {
		n := min(left, 4)
		if async.Buggify(ctx, "a batch of one") {
			n = 1
		}
		sizes = append(sizes, n)
		left -= n
	}
	return sizes
}

// TestBuggify: what the code that is tested offers to do otherwise it does in some Worlds with faults, in each at which
// place Explore tries, and never elsewhere.
func TestBuggify(t *testing.T) {
	plain := []int{4, 4, 2}
	otherwise := func(w *sim.World) bool {
		return !slices.Equal(batches(w.Context()), plain)
	}
	if got := batches(context.Background()); !slices.Equal(got, plain) {
		t.Errorf("without a World: %v", got)
	}
	seeds, repeated := 0, 0
	for seed := range uint64(400) {
		if otherwise(sim.New(seed)) {
			t.Errorf("seed %d: without faults", seed)
		}
		w := sim.New(seed, sim.WithFaults(sim.Faults{DeviceError: 1}))
		if otherwise(w) {
			seeds++
			if otherwise(w) {
				repeated++
			}
		}
		w.Heal()
		if otherwise(w) {
			t.Errorf("seed %d: after Heal", seed)
		}
	}
	// A quarter is on, of which 1-(3/4)^3 say true in three batches or more.
	if seeds < 35 || seeds > 90 || repeated < seeds/3 {
		t.Errorf("in %d of 400 Worlds, in %d again", seeds, repeated)
	}
	var seen []string
	sim.Explore(t, 1, func(w *sim.World) { seen = append(seen, fmt.Sprint(batches(w.Context()))) })
	if want := []string{"[4 4 2]", "[1 4 4 1]", "[4 1 4 1]", "[4 4 1 1]"}; !slices.Equal(seen, want) {
		t.Errorf("explored %v, want %v", seen, want)
	}
}

// racy are tests that fail in few Worlds, each with what is found to be the least of it.
var racy = map[string]struct {
	f     func(t *testing.T, w *sim.World)
	opts  []sim.Option
	least string
}{
	// With less of it a try hangs, and the others have their time all the same.
	"hangs": {
		f: func(t *testing.T, w *sim.World) {
			first, second := w.Choose("first", 2) == 1, w.Choose("second", 2) == 1
			w.Choose("third", 100)
			for os.Getenv("NOTHREAD_SHRINKING") != "" && !first {
			}
			if first && second {
				t.Error("both")
			}
		},
		least: "first:1,second:1",
	},
	"an order": {func(t *testing.T, w *sim.World) {
		a, _ := open(t, w, "a", []byte("a"))
		b, _ := open(t, w, "b", []byte("b"))
		last := ""
		w.StartThread(func() { a.ReadAsync(w.Context(), make([]byte, 1)).Await(); last += "a" })
		w.StartThread(func() { b.ReadAsync(w.Context(), make([]byte, 1)).Await(); last += "b" })
		w.Run()
		if last == "ba" {
			t.Error("b was first")
		}
	}, nil, "disk.latency:1"},
	"an error that nobody expects": {func(t *testing.T, w *sim.World) {
		f, _ := open(t, w, "disk", make([]byte, 8))
		for i := range 8 {
			if _, err := f.ReadAtAsync(w.Context(), make([]byte, 1), int64(i)).Await(); errors.Is(err, overlapped.ErrDevice) {
				t.Fatal(err)
			}
		}
	}, []sim.Option{sim.Swarm()}, "swarm.on:+hard+error:1,hard+error:1"},
	"two things at once": {func(t *testing.T, w *sim.World) {
		for range 20 {
			w.Choose("noise", 1000)
		}
		if w.Choose("a", 10) > 4 && w.Choose("b", 10) > 7 {
			t.Error("both")
		}
	}, nil, "a:1,b:1"},
}

// TestUnsteady, TestUnsteadySeed, TestUnsteadyTime and TestNeverBack are the other process of TestUnfit.
func TestUnsteady(t *testing.T) {
	if os.Getenv("SIM_TEST_UNFIT") == "" {
		t.Skip("runs in TestUnfit only")
	}
	run := 0
	sim.Explore(t, 1, func(w *sim.World) {
		if run++; run > 1 {
			w.Choose("another coin", 2)
		}
		w.Choose("coin", 2)
	})
}

func TestUnsteadySeed(t *testing.T) {
	if os.Getenv("SIM_TEST_UNFIT") == "" {
		t.Skip("runs in TestUnfit only")
	}
	run := 0
	sim.Test(t, func(w *sim.World) {
		w.Choose("coin", 2)
		run++
		w.Choose("card", 30+run)
	})
}

func TestUnsteadyTime(t *testing.T) {
	if os.Getenv("SIM_TEST_UNFIT") == "" {
		t.Skip("runs in TestUnfit only")
	}
	run := 0
	sim.Test(t, func(w *sim.World) {
		run++
		async.Delay(w.Context(), time.Duration(run)*time.Second).Await()
	})
}

func TestNeverBack(t *testing.T) {
	if os.Getenv("SIM_TEST_UNFIT") == "" {
		t.Skip("runs in TestUnfit only")
	}
	sim.Explore(t, 1, func(w *sim.World) {
		if w.Choose("coin", 2) == 1 {
			select {}
		}
	})
}

// TestUnfit: a test that is not the same each time is told so, and of one that does not come back, which World that was.
func TestUnfit(t *testing.T) {
	for _, tc := range []struct{ name, flags, says string }{
		{"TestUnsteady", "", "seed 1, coin:1: it makes other decisions than the World that it departs from"},
		{"TestUnsteady", "-sim.twice", "seed 1, calm: "},
		{"TestUnsteadySeed", "-sim.twice", "seed 1: sim: the replay diverges at decision 2: it chooses card among 32, where the recorded run chose card among 31"},
		{"TestUnsteadyTime", "-sim.twice", "seed 1: the second run is another one, by its hash"},
		{"TestUnsteadyTime", "-sim.twice -sim.explore=1", "seed 1, calm: the second run is another one, by its hash"},
		{"TestNeverBack", "-sim.twice", "in seed 1, coin:1 the World's code does not come back; run it alone by\n\tgo test github.com/nothread/nothread/runtime/sim -run '^TestNeverBack$' -sim.seed=1 -sim.deviations=coin:1\n"},
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^"+tc.name+"$", "-test.timeout=2s")
		cmd.Args = append(cmd.Args, strings.Fields(tc.flags)...)
		cmd.Env = append(os.Environ(), "SIM_TEST_UNFIT=1", "TMPDIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), tc.says) {
			t.Errorf("%s %s: %v, it does not say %q:\n%s", tc.name, tc.flags, err, tc.says, out)
		}
	}
}

// TestRacy is the other process.
func TestRacy(t *testing.T) {
	name, how, _ := strings.Cut(os.Getenv("SIM_TEST_RACY"), "/")
	if name == "" {
		t.Skip("runs in TestLeastIsTold only")
	}
	f := func(w *sim.World) { racy[name].f(t, w) }
	if how == "explore" {
		sim.Explore(t, 2, f, racy[name].opts...)
		return
	}
	sim.Test(t, f, racy[name].opts...)
}

// TestLeastIsTold: what Explore finds, and what is left of a seed after shrinking, is the least that fails; and the command
// that is told runs it again.
func TestLeastIsTold(t *testing.T) {
	again := regexp.MustCompile(`go test github.com/nothread/nothread/runtime/sim -run '\^TestRacy\$' (-sim.seed=\d+) (-sim.deviations=\S+)\n`)
	for name, tc := range racy {
		for how, flags := range map[string][]string{"explore": nil, "shrink": {"-sim.seeds=1000", "-sim.shrink=30s"}} {
			t.Run(name+"/"+how, func(t *testing.T) {
				run := func(args ...string) string {
					cmd := exec.Command(os.Args[0], append([]string{"-test.run=^TestRacy$"}, args...)...)
					cmd.Env = append(os.Environ(), "SIM_TEST_RACY="+name+"/"+how, "TMPDIR="+t.TempDir())
					out, err := cmd.CombinedOutput()
					if _, ok := err.(*exec.ExitError); !ok {
						t.Errorf("it does not fail, but %v", err)
					}
					return string(out)
				}
				out := run(flags...)
				found := again.FindAllStringSubmatch(out, -1)
				if len(found) == 0 || found[len(found)-1][2] != "-sim.deviations="+tc.least {
					t.Fatalf("%v, want %s\n%s", found, tc.least, out)
				}
				if how == "explore" && !regexp.MustCompile(`\(World [1-9]\d* of the exploration; `).MatchString(out) {
					t.Errorf("which World that was is not said:\n%s", out)
				}
				command := found[len(found)-1]
				path := filepath.Join(t.TempDir(), "trace.txt")
				out = run(command[1], command[2], "-sim.trace="+path)
				if !strings.Contains(out, command[2]) || strings.Contains(out, "no such decisions") {
					t.Errorf("%v does not fail as it did:\n%s", command[1:], out)
				}
				trace, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for d := range strings.SplitSeq(tc.least, ",") {
					if strings.HasPrefix(d, "swarm.") { // drawn before there is anything to trace
						continue
					}
					line := regexp.MustCompile(`(?m)^ *(\S+) .*, which is ` + regexp.QuoteMeta(d) + `$`).FindSubmatch(trace)
					if line == nil || !strings.Contains(out, d+" at "+string(line[1])) {
						t.Errorf("%s: where it stands in the trace is not told, but %q:\n%s", d, line, out)
					}
				}
			})
		}
	}
}

package sim

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The flags of tests, and the environment variable that stands for the first one. Programs that are no tests do not have
// them.
var (
	seedsFlag      = new(int)
	seedFlag       = new(string)
	traceFlag      = new(string)
	exploreFlag    = new(int)
	worldsFlag     = new(int)
	deviationsFlag = new(string)
	shrinkFlag     = new(time.Duration)
	twiceFlag      = new(bool)
)

func init() {
	if testing.Testing() {
		seedsFlag = flag.Int("sim.seeds", 0, "how many seeds each sim.Test runs (default 20, or $NOTHREAD_SEEDS)")
		seedFlag = flag.String("sim.seed", "", "the one seed that each sim.Test runs")
		traceFlag = flag.String("sim.trace", "", "a file for the trace of the last World that a sim.Test runs")
		exploreFlag = flag.Int("sim.explore", 0, "each sim.Test is a sim.Explore of so many deviations")
		worldsFlag = flag.Int("sim.worlds", 0, "how many Worlds each sim.Explore runs at most (default 10000)")
		deviationsFlag = flag.String("sim.deviations", "", "the one World that each sim.Test runs: calm, or calm but for what is given; @FILE for what is in a file")
		twiceFlag = flag.Bool("sim.twice", false, "run each World of each test twice, and compare what happens")
		shrinkFlag = flag.Duration("sim.shrink", 0, "how long to look for less that fails, once a sim.Test has failed")
	}
}

const (
	defaultSeeds  = 20
	shortSeeds    = 5 // with -short
	defaultWorlds = 10_000
	shortWorlds   = 1_000
	settleBound   = 10 * time.Minute
	lintPatience  = time.Second
)

// Test runs f in a World of each of many seeds. When f returns, the World is healed and must settle: every request that is
// still in flight must complete and every blocked thread go on within ten virtual minutes, and no IRP may be left. Then it
// is closed; f does not close it.
//
// What fails in f (by the *testing.T that it closes over, or by a panic) is told with its seed and the command that runs
// just that one. A Skip of that T ends the test; no other seed runs. Failures of tasks that nobody has read (C44) are
// logged, as far as the collector has found them, and so is what looks wrong in a World that has settled (Lint). How many
// seeds: -sim.seeds, $NOTHREAD_SEEDS, else 20; -sim.seed=7 runs only seed 7. -sim.trace=FILE writes down what happened, hop
// by hop, in the last seed that ran: the one that failed, if one did; for Perfetto if FILE ends in .json, else a line
// each, where a decision that is not calm says which deviation it is. The end of a seed that fails is always written for
// Perfetto, to a file that the failure names.
//
// With -sim.shrink=30s the test is run again and again after it has failed, in processes of their own, with less and less
// of what was not calm in its World (Deviations). The least with which it still fails is told, and the command that runs
// just that. -sim.explore=2 makes an Explore of a Test. -sim.twice runs each World twice, and says at which decision f goes
// another way if it does: because of the order of a map, say, or of real time. Then neither a seed nor less of it means much.
//
//	func TestCopy(t *testing.T) {
//		sim.Test(t, func(w *sim.World) {
//			…
//		}, sim.Swarm())
//	}
func Test(t *testing.T, f func(w *World), opts ...Option) {
	t.Helper()
	if *exploreFlag != 0 || *deviationsFlag != "" {
		Explore(t, 0, f, opts...)
		return
	}
	r := newTestRun(t, f, opts)
	defer r.unobserved()()
	first, count := seeds(t)
	for i := range count {
		r.once(way{seed: first + i})
		if t.Failed() || t.Skipped() {
			return
		}
	}
	r.unreached(count, "seeds")
}

// seeds returns the first seed and how many to run.
func seeds(t *testing.T) (first, count uint64) {
	t.Helper()
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

// replayCommand returns what a shell runs this test again by: it alone, in the package whose tests these are.
func replayCommand(t *testing.T) string {
	pkg := "."
	if info, ok := debug.ReadBuildInfo(); ok && info.Path != "command-line-arguments.test" {
		if path, ok := strings.CutSuffix(info.Path, ".test"); ok {
			pkg = path
		}
	}
	command := fmt.Sprintf("go test %s -run %s", pkg, quoted(pattern(t.Name())))
	for _, f := range givenFlags() {
		command += " " + quoted(f)
	}
	return command
}

// quoted is an argument as a shell takes it.
func quoted(arg string) string { return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'" }

// givenFlags are the flags that were given and that a test may depend on: its package's own, and -short.
func givenFlags() (flags []string) {
	flag.Visit(func(f *flag.Flag) {
		ours := strings.HasPrefix(f.Name, "sim.") || strings.HasPrefix(f.Name, "test.")
		if !ours || f.Name == "test.short" || f.Name == "test.cpu" {
			flags = append(flags, fmt.Sprintf("-%s=%s", f.Name, f.Value))
		}
	})
	return flags
}

// pattern is what -run finds just the test of a name by.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

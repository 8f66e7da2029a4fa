package fuzz

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	duration = flag.Duration("for", 0, "fuzz for so long; 0 runs one short batch")
	seedFlag = flag.Uint64("seed", 1, "the first seed")
	size     = flag.Int("batch", 60, "programs in one build")
	only     = flag.String("only", "", "the numbers of the programs to run, with commas; none means all")
	flags    = flag.String("gcflags", "", "flags of the Go compiler; by default, every other batch is not optimised")
	keep     = flag.String("keep", "testdata/regress", "folder for programs that failed, made small")
)

// short is what a run without -for tries.
const short = 16

// newWorld makes a module in a folder of its own.
func newWorld(t *testing.T) *World {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorld(dir, root)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// batchOf makes the programs of a seed.
func batchOf(seed uint64, n int) []Program {
	var programs []Program
	for i := range n {
		if *only == "" || slices.Contains(strings.Split(*only, ","), strconv.Itoa(i)) {
			programs = append(programs, Generate(seed, i))
		}
	}
	return programs
}

// A campaign is a run over many seeds.
type campaign struct {
	t      *testing.T
	w      *World
	start  time.Time
	counts map[Kind]int
	cover  Coverage
	seen   map[string]int // how often each kind of failure was made small
	states int            // of graphs that were compared with the code
}

// Both forms of random functions do the same. Without -for it tries one batch of
// one seed; with it, batch after batch, and makes small what fails.
func TestFuzz(t *testing.T) {
	c := &campaign{t: t, w: newWorld(t), start: time.Now(), counts: make(map[Kind]int), cover: make(Coverage), seen: make(map[string]int)}
	if *duration == 0 && *only == "" {
		c.w.Flags = "-N -l"
		c.try(*seedFlag, short)
		if c.states < 100 {
			t.Errorf("no more than %d states in the graphs", c.states)
		}
		return
	}
	for seed := *seedFlag; seed == *seedFlag || time.Since(c.start) < *duration; seed++ {
		c.try(seed, *size)
		fmt.Printf("seed %d, %s: %v %s\n", seed, time.Since(c.start).Round(time.Second), c.counts, c.w.took())
	}
	fmt.Print(c.cover)
	if c.counts[Same] > 500 { // fewer may lack what is rare
		for _, name := range c.cover.Missing() {
			t.Errorf("no program has: %s", name)
		}
	}
}

// try runs one batch.
func (c *campaign) try(seed uint64, n int) {
	if *flags != "" {
		c.w.Flags = *flags
	} else if *duration > 0 {
		c.w.Flags = []string{"-N -l", ""}[seed%2]
	}
	c.w.Edit = nil
	if *duration > 0 && seed%4 >= 2 {
		c.w.Edit = Suspending
	}
	verdicts, err := c.w.Run(context.Background(), batchOf(seed, n), true)
	if err != nil {
		c.t.Fatal(err)
	}
	if slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.Kind == Same }) { // else there may be no code
		c.states += compareGraphs(c.t, c.w.Dir, "./gen")
	}
	for _, v := range verdicts {
		c.counts[v.Kind]++
		switch {
		case v.Kind == Same:
			c.cover.Add(c.w, v.Program)
		case v.Failed():
			c.failed(seed, v)
		case v.Kind == Invalid && *duration > 0:
			first, _, _ := strings.Cut(v.Detail, "\n")
			fmt.Printf("seed %d, program %d is invalid: %s\n", seed, v.Program.ID, first)
		case *only != "":
			c.t.Logf("%s: %s\n%s", v.Kind, v.Detail, v.Program.Source)
		}
	}
}

// failed reports a failure, and keeps it if there are not many like it.
func (c *campaign) failed(seed uint64, v Verdict) {
	c.t.Errorf("seed %d, program %d: %s\n%.600s", seed, v.Program.ID, v.Kind, v.Detail)
	c.seen[v.Signature()]++
	if *duration == 0 && *only == "" || c.seen[v.Signature()] > 3 {
		c.t.Logf("to make it small: go test ./transform/internal/fuzz -run TestFuzz$ -args -seed %d -only %d", seed, v.Program.ID)
		return
	}
	small, err := c.w.Reduce(context.Background(), v, time.Now().Add(3*time.Minute), 30)
	if err != nil {
		c.t.Error(err)
	}
	name := filepath.Join(*keep, fmt.Sprintf("%s_%d_%d.txt", v.Kind, seed, v.Program.ID))
	if err := os.WriteFile(name, []byte(small.Text()), 0o666); err != nil {
		c.t.Error(err)
	}
	c.t.Logf("made small in %s", name)
}

// The generator makes all that it promises; without building it, one can try many.
func TestCoverage(t *testing.T) {
	w := newWorld(t)
	cover, invalid := make(Coverage), 0
	const programs = 900
	for _, p := range batchOf(1, programs) {
		source, err := w.types.repair(p.Source)
		if err != nil {
			invalid++
			t.Logf("program %d: %v", p.ID, err)
			continue
		}
		p.Source = source
		cover.Add(w, p)
	}
	for _, name := range cover.Missing() {
		t.Errorf("no program has: %s", name)
	}
	if invalid > programs/20 {
		t.Errorf("%d of %d programs do not compile", invalid, programs)
	}
	t.Logf("\n%s", cover)
}

// A seed gives the same programs every time.
func TestGenerateIsDeterministic(t *testing.T) {
	for i := range 20 {
		if Generate(7, i).Source != Generate(7, i).Source {
			t.Fatalf("program %d is made in two ways", i)
		}
	}
}

package sim

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// shrink looks for less of what a World departs from the calm one in with which the test still fails, and tells of the
// least that it has found. As a test that has failed cannot be run again, each try is a process of its own.
func (r *testRun) shrink(seed uint64, all Deviations) {
	dir, err := os.MkdirTemp("", "nothread-shrink")
	if err != nil {
		r.t.Logf("sim: -sim.shrink: %v", err)
		return
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), *shrinkFlag)
	defer cancel()
	p := &tries{run: r, seed: seed, file: filepath.Join(dir, "deviations")}
	least, ok := least(all, func(d Deviations) bool { return p.fails(ctx, d) })
	switch {
	case p.err != nil:
		r.t.Logf("sim: -sim.shrink: %v", p.err)
	case !ok && ctx.Err() != nil:
		r.t.Logf("sim: in %v the test did not fail again", *shrinkFlag)
	case !ok:
		r.t.Logf("sim: run with the same decisions the test does not fail again: what does not follow from them decides there")
	default:
		more := ""
		if ctx.Err() != nil {
			more = "; the time was up"
		}
		r.t.Logf("it fails with %d of %d deviations, too (%d tries%s): %v\n%s", len(least), len(all), p.count, more, least, p.said)
	}
}

// tryVariable is set in the environment of a try: it writes no trace.
const tryVariable = "NOTHREAD_SHRINKING"

// tries are runs of a test in processes of their own.
type tries struct {
	run   *testRun
	seed  uint64
	file  string // where the deviations stand: there may be more than fit on a command line
	count int
	limit time.Duration // of each try after the first one, which says what a run may take
	said  string        // by the last one that failed
	err   error
}

// fails reports whether the test fails with these deviations alone; it does not once the time is up.
func (p *tries) fails(ctx context.Context, d Deviations) bool {
	if p.err != nil || ctx.Err() != nil {
		return false
	}
	p.count++
	if p.err = os.WriteFile(p.file, []byte(d.String()), 0o666); p.err != nil {
		return false
	}
	program, err := os.Executable()
	if p.err = err; err != nil {
		return false
	}
	try, cancel := ctx, func() {}
	if p.limit > 0 {
		try, cancel = context.WithTimeout(ctx, p.limit)
	}
	defer cancel()
	cmd := exec.CommandContext(try, program, p.args()...)
	cmd.Env = append(os.Environ(), tryVariable+"=1")
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if p.limit == 0 {
		p.limit = max(time.Second, 10*time.Since(began)) // with less a run may hang, and would take all the time there is
	}
	var exit *exec.ExitError
	switch {
	case try.Err() != nil || err == nil:
		return false
	case !errors.As(err, &exit):
		p.err = err
		return false
	}
	failed := exit.ExitCode() == 1 // else it has crashed
	if failed {
		p.said = strings.TrimSpace(string(out))
	}
	return failed
}

// args are the arguments of a try: this test alone, as it is run here, but for what is said of it.
func (p *tries) args() []string {
	args := []string{"-test.run=" + pattern(p.run.t.Name()), "-test.count=1", "-test.timeout=" + shrinkFlag.String(),
		fmt.Sprintf("-sim.seed=%d", p.seed), "-sim.deviations=@" + p.file}
	return slices.Concat(args, givenFlags(), flag.Args())
}

// least returns deviations that fail of which none can be left out, made as simple as was found; ok says that all of them
// fail to begin with. What fails is asked of fewer and fewer: first without all of a label, then of parts of what is left.
// Without one of them the others may come up elsewhere: so then chance leaves some out and moves the rest, until that has
// been of no use for a while, or there are very few.
func least(all Deviations, fails func(Deviations) bool) (d Deviations, ok bool) {
	if !fails(all) {
		return nil, false
	}
	d = all
	for _, label := range labelsOf(all) {
		d = without(d, fails, func(_ int, x Deviation) bool { return x.Label == label })
	}
	d = fewer(d, fails)
	chance := rand.New(rand.NewPCG(uint64(len(all)), 0)) // the same each time
	for vain := 0; len(d) > veryFew && vain < vainMoves; vain++ {
		if less := moved(d, chance); fails(less) {
			d, vain = fewer(less, fails), 0
		}
	}
	return d, true
}

const (
	veryFew   = 2   // deviations are little enough to look at
	vainMoves = 400 // in a row are enough
)

// fewer leaves out one half or the other, a quarter, and so on (Zeller's delta debugging), and makes what is left simpler.
func fewer(d Deviations, fails func(Deviations) bool) Deviations {
	for size := (len(d) + 1) / 2; size > 0; {
		before := len(d)
		for from := 0; from < len(d); {
			n := len(d)
			if d = without(d, fails, func(i int, _ Deviation) bool { return from <= i && i < from+size }); len(d) == n {
				from += size
			}
		}
		if size > 1 || len(d) == before {
			size /= 2
		}
	}
	for i := range d {
		d = simpler(d, i, fails)
	}
	return d
}

// moved is d without one or two of it, and of the rest some at another decision nearby, or with another choice.
func moved(d Deviations, chance *rand.Rand) Deviations {
	less := slices.Clone(d)
	for range 1 + chance.IntN(2) {
		i := chance.IntN(len(less))
		less = slices.Delete(less, i, i+1)
	}
	for i := range less {
		switch x := &less[i]; chance.IntN(4) {
		case 0:
			x.Number = uint64(max(1, int64(x.Number)+chance.Int64N(13)-6))
		case 1:
			if x.Choice < Greatest/2 {
				x.Choice = 1 + chance.Uint64N(2*x.Choice)
			}
		}
	}
	return less
}

// labelsOf are the labels of deviations, in their order.
func labelsOf(all Deviations) []string {
	var labels []string
	known := make(map[string]bool)
	for _, d := range all {
		if !known[d.Label] {
			known[d.Label] = true
			labels = append(labels, d.Label)
		}
	}
	return labels
}

// without leaves out what is named, if the rest fails too.
func without(d Deviations, fails func(Deviations) bool, out func(i int, x Deviation) bool) Deviations {
	var rest Deviations
	for i, x := range d {
		if !out(i, x) {
			rest = append(rest, x)
		}
	}
	if len(rest) < len(d) && fails(rest) {
		return rest
	}
	return d
}

// simpler has a simpler i-th deviation, if that fails too: with the greatest choice, which says only that something
// happens, else with a smaller one; and of the first decision with its label, if any.
func simpler(d Deviations, i int, fails func(Deviations) bool) Deviations {
	try := func(number, choice uint64) bool {
		changed := slices.Clone(d)
		changed[i].Number, changed[i].Choice = number, choice
		if slices.Equal(changed, d) || !fails(changed) {
			return false
		}
		d = changed
		return true
	}
	try(1, d[i].Choice)
	if number := d[i].Number; !try(number, Greatest) {
		for d[i].Choice > 1 && d[i].Choice < Greatest && try(number, d[i].Choice/2) {
		}
	}
	return d
}

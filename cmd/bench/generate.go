package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// generate measures the compiler on a module of many packages, beside go vet,
// which loads and checks the same.
func (b *bench) generate() ([]Row, error) {
	packages, lines, awaits, rounds := 100, 1000, 2000, 2
	if b.quick {
		packages, lines, awaits, rounds = 2, 100, 20, 1
	}
	tool, root, err := b.buildTool()
	if err != nil {
		return nil, err
	}
	var figures, long generation
	for round := range rounds + 1 {
		salt := fmt.Sprintf("%d-%d", time.Now().UnixNano(), round)
		n := packages
		if round == 0 {
			n = 1 // what all corpora have in common is compiled and vetted, and does not count
		}
		c, err := writeCorpus(filepath.Join(b.dir, "corpus"+salt), root, salt, n, lines)
		if err != nil {
			return nil, err
		}
		if err := figures.round(c, tool, round > 0); err != nil {
			return nil, err
		}
		if c, err = writeLong(filepath.Join(b.dir, "long"+salt), root, salt, awaits); err != nil {
			return nil, err
		}
		if err := long.round(c, tool, round > 0); err != nil {
			return nil, err
		}
		if c, err = writeCorpus(filepath.Join(b.dir, "built"+salt), root, salt+"-built", min(n, 10), lines); err != nil {
			return nil, err
		}
		if err := figures.build(c, tool, round > 0); err != nil {
			return nil, err
		}
	}
	const what = "generating 100 packages of 1,000 lines"
	cold, vet := figure(median(figures.cold), "ms"), figure(median(figures.vet), "ms")
	again, vetAgain := figure(median(figures.again), "ms"), figure(median(figures.vetAgain), "ms")
	one := figure(median(figures.one), "ms")
	built, plain := figure(median(figures.built), "ms"), figure(median(figures.plain), "ms")
	longCold, longVet := figure(median(long.cold), "ms"), figure(median(long.vet), "ms")
	return []Row{
		row(what+": cold", cold, "go vet of the sources, cold", &vet, ratioAtMost(1.3)).
			because("neither the build cache nor ours knows the packages; of what they import the former does"),
		row(what+": nothing changed", again, "go vet of the sources, cold", &vet, ratioAtMost(0.3)),
		row(what+": nothing changed", again, "go vet of the sources, nothing changed", &vetAgain, ratioAtMost(0.3)),
		row(what+": one changed, on which nine depend", one, "go vet of the sources, cold", &vet),
		row("building 10 packages of 1,000 lines with what was generated", built, "without", &plain),
		row("generating one function of 2,000 awaits", longCold, "go vet of the sources, cold", &longVet),
	}, nil
}

// buildTool builds the compiler from the module that this is.
func (b *bench) buildTool() (tool, root string, err error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/nothread/nothread").Output()
	if err != nil {
		return "", "", fmt.Errorf("run it in nothread's own module: %w", err)
	}
	root = strings.TrimSpace(string(out))
	tool = filepath.Join(b.dir, "nothread")
	cmd := exec.Command("go", "build", "-o", tool, "github.com/nothread/nothread/cmd/nothread")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("%w\n%s", err, out)
	}
	return tool, root, nil
}

// A generation is what rounds of generating took, in milliseconds.
type generation struct {
	cold, again, one, vet, vetAgain []float64

	built, plain []float64 // of a smaller corpus, by the Go compiler
}

// round has a corpus vetted and compiled, cold and warm; it may not count.
func (g *generation) round(c *corpus, tool string, counts bool) error {
	defer os.RemoveAll(c.dir)
	var took [5]float64
	steps := []func() error{
		func() error { return c.timed(&took[0], "go", "vet", "./...") },
		func() error { return c.timed(&took[1], "go", "vet", "./...") },
		func() error { return c.timed(&took[2], tool, "./...") },
		func() error { return c.timed(&took[3], tool, "./...") },
		func() error { return c.touch(0) },
		func() error { return c.timed(&took[4], tool, "./...") },
		c.complete,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if counts {
		g.vet, g.vetAgain = append(g.vet, took[0]), append(g.vetAgain, took[1])
		g.cold, g.again, g.one = append(g.cold, took[2]), append(g.again, took[3]), append(g.one, took[4])
	}
	return nil
}

// build has a corpus built as it is, and again once there are outputs; it may not
// count.
func (g *generation) build(c *corpus, tool string, counts bool) error {
	defer os.RemoveAll(c.dir)
	var plain, generated, built float64
	for _, step := range []func() error{
		func() error { return c.timed(&plain, "go", "build", "./...") },
		func() error { return c.timed(&generated, tool, "./...") },
		func() error { return c.timed(&built, "go", "build", "./...") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if counts {
		g.plain, g.built = append(g.plain, plain), append(g.built, built)
	}
	return nil
}

// timed runs a command in the corpus and says how many milliseconds it took, by
// the wall's clock or the processors', whichever is less.
func (c *corpus) timed(took *float64, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "NOTHREADCACHE="+filepath.Join(c.dir, ".cache"))
	start := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	*took = milliseconds(lesser(wall, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()))
	return nil
}

// touch changes a package without changing what others see of it.
func (c *corpus) touch(i int) error {
	path := filepath.Join(c.dir, packageName(i), packageName(i)+".go")
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, "\n// Changed.\n"...), 0o666)
}

// complete checks that there is an output with machines for each package.
func (c *corpus) complete() error {
	for i := range c.packages {
		content, err := os.ReadFile(filepath.Join(c.dir, packageName(i), packageName(i)+"_async.go"))
		if err != nil {
			return err
		}
		if !bytes.Contains(content, []byte("MoveNext")) {
			return fmt.Errorf("no machine in the output of %s", packageName(i))
		}
	}
	return nil
}

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
	figures, long, built := make(generation), make(generation), make(generation)
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
		if err := figures.round(c, tool); err != nil {
			return nil, err
		}
		if c, err = writeLong(filepath.Join(b.dir, "long"+salt), root, salt, awaits); err != nil {
			return nil, err
		}
		if err := long.once(c, tool); err != nil {
			return nil, err
		}
		if c, err = writeCorpus(filepath.Join(b.dir, "built"+salt), root, salt+"-built", min(n, 10), lines); err != nil {
			return nil, err
		}
		if err := built.build(c, tool); err != nil {
			return nil, err
		}
		if round == 0 {
			clear(figures)
			clear(long)
			clear(built)
		}
	}
	const what = "generating 100 packages of 1,000 lines"
	cold, vet := figures.median("cold"), figures.median("vet")
	again, vetAgain, one := figures.median("again"), figures.median("vet again"), figures.median("one")
	plain, longVet := built.median("plain"), long.median("vet")
	return []Row{
		row(what+": cold", cold, "go vet of the sources, cold", &vet, ratioAtMost(1.3)).
			because("neither the build cache nor ours knows the packages; of what they import the former does"),
		row(what+": nothing changed", again, "go vet of the sources, cold", &vet, ratioAtMost(0.3)),
		row(what+": nothing changed", again, "go vet of the sources, nothing changed", &vetAgain, ratioAtMost(0.3)),
		row(what+": one changed, on which nine depend", one, "go vet of the sources, cold", &vet),
		row("building 10 packages of 1,000 lines with what was generated", built.median("built"), "without", &plain),
		row("generating one function of 2,000 awaits", long.median("cold"), "go vet of the sources, cold", &longVet),
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

// A generation is what rounds of generating took, in milliseconds, by what was done.
type generation map[string][]float64

func (g generation) median(what string) Figure { return figure(median(g[what]), "ms") }

// step is a command that is run in the corpus as what.
func (g generation) step(c *corpus, what, name string, args ...string) func() error {
	return func() error {
		var took float64
		err := c.timed(&took, name, args...)
		g[what] = append(g[what], took)
		return err
	}
}

// round has a corpus vetted and compiled, cold and warm.
func (g generation) round(c *corpus, tool string) error {
	return c.steps(
		g.step(c, "vet", "go", "vet", "./..."),
		g.step(c, "vet again", "go", "vet", "./..."),
		g.step(c, "cold", tool, "./..."),
		g.step(c, "again", tool, "./..."),
		func() error { return c.touch(0) },
		g.step(c, "one", tool, "./..."),
		c.complete,
	)
}

// once has a corpus vetted and compiled, cold.
func (g generation) once(c *corpus, tool string) error {
	return c.steps(g.step(c, "vet", "go", "vet", "./..."), g.step(c, "cold", tool, "./..."), c.complete)
}

// build has a corpus built as it is, and again once there are outputs.
func (g generation) build(c *corpus, tool string) error {
	return c.steps(
		g.step(c, "plain", "go", "build", "./..."),
		g.step(c, "cold", tool, "./..."),
		c.complete,
		g.step(c, "built", "go", "build", "./..."),
	)
}

// steps takes steps until one fails, and removes the corpus.
func (c *corpus) steps(list ...func() error) error {
	defer os.RemoveAll(c.dir)
	for _, step := range list {
		if err := step(); err != nil {
			return err
		}
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

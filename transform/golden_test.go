package transform

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden cases whose new code builds, vets, runs and prints what it should")

// forms are the ways to play a case: see package play. The first is the oracle.
var forms = []string{"source", "later", "now", "mixed"}

// A golden case is testdata/NAME, a program whose main plays its own async
// functions, and golden/NAME, a package with
//
//	*.go         the sources, byte for byte
//	*_async.go   what the compiler makes of them
//	plan.txt     the ir that lower leaves
//	README.md    what to look at, the machines as pictures, and explained
//	output.txt   what the program prints, in whatever form
type goldenCase struct {
	name  string
	files map[string][]byte // all but output.txt, as they should be
}

// TestGolden compares the golden cases with what the compiler makes now.
func TestGolden(t *testing.T) {
	b := newBench(t)
	cases := goldenCases(t, b)
	if *update {
		updateGolden(t, b, cases)
	}
	binaries := t.TempDir()
	if _, err := runIn("..", "go", "build", "-ldflags=-s -w", "-o", binaries+string(filepath.Separator), "./golden/..."); err != nil {
		t.Error(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			same := c.compare(t)
			output, err := os.ReadFile(filepath.Join("..", "golden", c.name, "output.txt"))
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range forms {
				printed, err := runIn("..", filepath.Join(binaries, c.name), form)
				if err != nil {
					t.Fatal(err)
				}
				if diff := difference(string(output), printed); diff != "" {
					t.Errorf("form %s prints (-want +got):\n%s", form, diff)
				}
			}
			if !same && !*update {
				t.Log("make golden rewrites what still does what it should")
			}
		})
	}
}

// goldenCases copies the cases to the bench and compiles them.
func goldenCases(t *testing.T, b *bench) []goldenCase {
	t.Helper()
	sources, err := filepath.Glob("../testdata/*/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var cases []goldenCase
	for _, path := range sources {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(content, []byte("\npackage main\n")) {
			continue // the input of another test
		}
		name := filepath.Base(filepath.Dir(path))
		if len(cases) == 0 || cases[len(cases)-1].name != name {
			cases = append(cases, goldenCase{name, make(map[string][]byte)})
		}
		cases[len(cases)-1].files[filepath.Base(path)] = content
		b.write(t, name+"/"+filepath.Base(path), content)
	}
	made := b.compile(t)
	pages := goldenPages(t, b)
	for _, c := range cases {
		c.files["README.md"] = pages[c.name]
		var plan strings.Builder
		for _, source := range sorted(c.files) {
			if m, ok := made[c.name+"/"+source]; ok {
				c.files[strings.TrimSuffix(source, ".go")+"_async.go"] = m.generated
				plan.WriteString(m.plan)
			}
		}
		c.files["plan.txt"] = []byte(plan.String())
	}
	return cases
}

func sorted(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compare reports what in golden/NAME is not as it should be.
func (c goldenCase) compare(t *testing.T) (same bool) {
	t.Helper()
	dir := filepath.Join("..", "golden", c.name)
	same = true
	for _, name := range sorted(c.files) {
		want := c.files[name]
		have, err := os.ReadFile(filepath.Join(dir, name))
		if diff := difference(string(have), string(want)); diff != "" || err != nil {
			same = false
			t.Errorf("%s (-golden +now): %v\n%s", name, err, diff)
		}
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		if formatted, err := format.Source(want); err != nil || !bytes.Equal(formatted, want) {
			t.Errorf("%s is not as gofmt would have it: %v", name, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, entry := range entries {
		if _, known := c.files[entry.Name()]; !known && entry.Name() != "output.txt" {
			same = false
			t.Errorf("golden/%s/%s belongs to nothing", c.name, entry.Name())
		}
	}
	return same
}

// updateGolden rewrites the cases whose new code is good, and says of the others
// why they stay.
func updateGolden(t *testing.T, b *bench, cases []goldenCase) {
	oracles, binaries := t.TempDir(), t.TempDir()
	for _, c := range cases {
		c.writeClean(t, b)
	}
	b.buildAll(oracles)
	for _, c := range cases {
		for name, content := range c.files {
			b.write(t, c.name+"/"+name, content)
		}
	}
	b.buildAll(binaries)
	_, vetted := runIn(b.dir, "go", "vet", "./...") // all at once; one by one to know who is to blame
	for _, c := range cases {
		if vetted != nil {
			if _, err := runIn(b.dir, "go", "vet", "./"+c.name); err != nil {
				t.Errorf("golden/%s stays as it is: %v", c.name, err)
				continue
			}
		}
		output, err := c.tryOut(b, filepath.Join(oracles, c.name), filepath.Join(binaries, c.name))
		if err != nil {
			t.Errorf("golden/%s stays as it is: %v", c.name, err)
			continue
		}
		c.rewrite(t, output)
	}
}

// buildAll builds what can be built; who misses something asks for the reason.
func (b *bench) buildAll(binaries string) {
	_, _ = runIn(b.dir, "go", "build", "-ldflags=-s -w", "-o", binaries+string(filepath.Separator), "./...")
}

// writeClean makes of a case on the bench what its source form means, all the
// way down: see clean.
func (c goldenCase) writeClean(t *testing.T, b *bench) {
	t.Helper()
	for name, content := range c.files {
		output := strings.TrimSuffix(name, ".go") + "_async.go"
		if generated := c.files[output]; generated != nil {
			twins, err := clean(content, generated)
			if err != nil {
				t.Fatal(err)
			}
			b.write(t, c.name+"/"+output, twins)
		}
	}
}

// tryOut runs a case. What it should print is what the oracle does and,
// unless the source has changed, what it printed before.
func (c goldenCase) tryOut(b *bench, oracle, binary string) (output string, err error) {
	want, err := runIn(b.dir, oracle, forms[0])
	if err != nil {
		return "", fmt.Errorf("its source form is no oracle: %w", err)
	}
	if before, ok := c.before(); ok && before != want {
		return "", fmt.Errorf("its source is the same, but prints something else (-before +now); remove output.txt if that is right:\n%s", difference(before, want))
	}
	for _, form := range forms {
		printed, err := runIn(b.dir, binary, form)
		if err != nil {
			return "", err
		}
		if diff := difference(want, printed); diff != "" {
			return "", fmt.Errorf("its form %s prints something else than its source (-source +%s):\n%s", form, form, diff)
		}
	}
	return want, nil
}

// rewrite makes golden/NAME what the case is now.
func (c goldenCase) rewrite(t *testing.T, output string) {
	t.Helper()
	dir := filepath.Join("..", "golden", c.name)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range c.files {
		write(name, content)
	}
	write("output.txt", []byte(output))
}

// before is what the case printed when it was last updated, if its source is
// still the same.
func (c goldenCase) before() (output string, ok bool) {
	dir := filepath.Join("..", "golden", c.name)
	for name, content := range c.files {
		if strings.HasSuffix(name, "_async.go") || !strings.HasSuffix(name, ".go") {
			continue
		}
		if have, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(have, content) {
			return "", false
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "output.txt"))
	return string(text), err == nil
}

// difference is a diff of two texts by lines, "" if they are the same.
func difference(want, got string) string {
	return cmp.Diff(strings.SplitAfter(want, "\n"), strings.SplitAfter(got, "\n"))
}

// An update takes only what prints what its source form does.
func TestUpdateRefuses(t *testing.T) {
	script := func(text string) string {
		path := filepath.Join(t.TempDir(), "program")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b := &bench{dir: t.TempDir()}
	for _, c := range []struct{ oracle, binary, want string }{
		{"echo a", "echo a", ""},
		{"echo a", "echo b", "its form source prints something else"},
		{"echo a", "[ $1 = mixed ] && echo b || echo a", "its form mixed prints something else"},
		{"exit 1", "echo a", "no oracle"},
		{"echo a", "echo a; exit 1", "exit status 1"},
	} {
		output, err := goldenCase{name: "none"}.tryOut(b, script(c.oracle), script(c.binary))
		if c.want == "" && (err != nil || output != "a\n") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %q, %v", c, output, err)
		}
	}
	path := filepath.Join("..", "golden", "order")
	source, err := os.ReadFile(filepath.Join(path, "order.go"))
	if err != nil {
		t.Fatal(err)
	}
	same := goldenCase{"order", map[string][]byte{"order.go": source}}
	if _, err := same.tryOut(b, script("echo a"), script("echo a")); err == nil || !strings.Contains(err.Error(), "its source is the same") {
		t.Errorf("an unchanged source may print something else: %v", err)
	}
}

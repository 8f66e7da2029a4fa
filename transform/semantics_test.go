package transform

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestSemantics runs the cases of testdata/semantics in both forms, optimised
// and not, and compares what could be observed. The source form is built with
// clean twins.
func TestSemantics(t *testing.T) {
	b := newBench(t)
	sources := copyTo(t, b, "semantics", "../testdata/semantics")
	b.write(t, "cmd/main.go", semanticsMain)
	made := b.compile(t)
	for _, flags := range []string{"", "all=-N -l"} {
		t.Run("gcflags="+flags, func(t *testing.T) {
			want := b.runForm(t, made, sources, "source", flags)
			got := b.runForm(t, made, sources, "generated", flags)
			compareRuns(t, want, got)
		})
	}
}

// Each of the forty cases of the specification has a test; and so has each row of
// its table, by what is read late and what is fixed early.
func TestSemanticsAreComplete(t *testing.T) {
	paths, err := filepath.Glob("../testdata/semantics/*.go")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^\t\{"([^"]+)", (\w+), (\w+)Async\},$`)
	cases, rows := make(map[string]int), make(map[string]int)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range names.FindAllStringSubmatch(string(content), -1) {
			if m[2] != m[3] {
				t.Errorf("%s: %s and %sAsync are not the same function", m[1], m[2], m[3])
			}
			number, _, _ := strings.Cut(m[1], " ")
			cases[number]++
			when, what, _ := strings.Cut(m[1], ": ")
			rows[when]++
			rows[what]++
		}
	}
	for n := 1; n <= 40; n++ {
		if cases[strconv.Itoa(n)] == 0 {
			t.Errorf("case %d has no test", n)
		}
	}
	if rows["late"] < 14 || rows["early"] < 12 {
		t.Errorf("%d rows are read late, %d early", rows["late"], rows["early"])
	}
}

// semanticsMain runs the cases in the form that its argument names.
var semanticsMain = []byte("package main\n\nimport (\n\t\"os\"\n\n\t\"bench/semantics\"\n)\n\nfunc main() { semantics.Main(os.Args[1]) }\n")

// copyTo copies the Go files of a folder to one of the bench.
func copyTo(t testing.TB, b *bench, dir, from string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(from + "/*.go")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sources in %s: %v", from, err)
	}
	sources := make(map[string][]byte)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := dir + "/" + filepath.Base(path)
		sources[name] = content
		b.write(t, name, content)
	}
	return sources
}

// runForm builds the command of the bench with what was generated or, for the
// form "source", with clean twins, and returns what it prints.
func (b *bench) runForm(t *testing.T, made map[string]compiled, sources map[string][]byte, form, gcflags string) string {
	t.Helper()
	for source, content := range sources {
		m, annotated := made[source]
		if !annotated {
			continue
		}
		output := m.generated
		if form == "source" {
			var err error
			if output, err = clean(content, output); err != nil {
				t.Fatal(err)
			}
		}
		b.write(t, strings.TrimSuffix(source, ".go")+"_async.go", output)
	}
	binary := filepath.Join(t.TempDir(), form)
	if _, err := runIn(b.dir, "go", "build", "-ldflags=-s -w", "-gcflags="+gcflags, "-o", binary, "./cmd"); err != nil {
		t.Fatal(err)
	}
	printed, err := runIn(b.dir, binary, form)
	if err != nil {
		t.Fatal(err)
	}
	return printed
}

// compareRuns compares two runs by lines "case | mode | trace".
func compareRuns(t *testing.T, want, got string) {
	t.Helper()
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	if len(wants) != len(gots) || len(wants) < 100 {
		t.Fatalf("%d lines instead of %d:\n%s", len(gots), len(wants), got)
	}
	for i, want := range wants {
		if gots[i] != want {
			t.Errorf("the machine differs from its source\nsource    %s\ngenerated %s", want, gots[i])
		}
	}
	if strings.Contains(want, "waits for nothing") {
		t.Error("a case waits for nothing")
	}
}

package transform

import (
	"bufio"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestAllocations runs the benchmarks of testdata/allocs: a call whose awaits
// all find their tasks complete allocates nothing, one that suspends its machine,
// and a chain of calls one machine each.
func TestAllocations(t *testing.T) {
	want := map[string]string{
		"BenchmarkSum/now":      "0",
		"BenchmarkSum/later":    "1",
		"BenchmarkDeep/now":     "0",
		"BenchmarkDeep/later":   "4",
		"BenchmarkMethod/now":   "0",
		"BenchmarkMethod/later": "1",
	}
	b := newBench(t)
	b.generate(t, copyTo(t, b, "allocs", "../testdata/allocs"))
	printed, err := runIn(b.dir, "go", "test", "-bench=.", "-benchtime=1000x", "-cpu=1", "./allocs")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^(Benchmark\S+)\s.*\s(\d+) allocs/op`)
	for scanner := bufio.NewScanner(strings.NewReader(printed)); scanner.Scan(); {
		m := line.FindStringSubmatch(scanner.Text())
		if m == nil {
			continue
		}
		if m[2] != want[m[1]] {
			t.Errorf("%s: %s allocs/op instead of %q", m[1], m[2], want[m[1]])
		}
		delete(want, m[1])
	}
	if len(want) > 0 {
		t.Errorf("not measured: %v\n%s", want, printed)
	}
}

// generate compiles the sources and writes what comes out beside them.
func (b *bench) generate(t *testing.T, sources map[string][]byte) {
	t.Helper()
	made := b.compile(t)
	for source := range sources {
		if m, annotated := made[source]; annotated {
			b.write(t, strings.TrimSuffix(source, ".go")+"_async.go", m.generated)
		}
	}
}

// TestMachineStaysOnTheStack asks gc: the machine in the kickoff of CopyStream is
// not moved to the heap; the copy that leaveStack makes is.
func TestMachineStaysOnTheStack(t *testing.T) {
	cmd := exec.Command("go", "build", "-gcflags=-m", "-o", t.TempDir(), "./golden/copystream")
	cmd.Dir = ".."
	cmd.Env = environment()
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	escapes := regexp.MustCompile(`(?m)copystream_async\.go:.*(moved to heap: m\b|[ &]m escapes to heap|leaking param: m$)`)
	for _, found := range escapes.FindAllString(string(output), -1) {
		t.Error(found)
	}
	if !strings.Contains(string(output), "new(copyStreamMachine) escapes to heap") {
		t.Errorf("nothing is said of the machine's copy on the heap:\n%s", output)
	}
}

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nothread/nothread/runtime/trace"
)

// traced tells a story and returns its trace.
func traced(t *testing.T, args ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.json")
	var stdout, stderr bytes.Buffer
	args = append([]string{args[0], "-trace", path}, args[1:]...)
	if status := run(args, &stdout, &stderr); status != 0 {
		t.Fatalf("tour %v: %d, %s", args, status, stderr.String())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The traces of stories keep the rules of the format, and are the same each time.
func TestTracesAreValid(t *testing.T) {
	for _, args := range [][]string{
		{"write"}, {"server", "-n", "300"}, {"cancel"}, {"contexts"}, {"deadlock"}, {"breakfast"}, {"wheneach"}, {"stream"}, {"void"},
		{"cliff", "-n", "8"}, {"pooling"}, {"twoexits"}, {"apm"},
	} {
		t.Run(args[0], func(t *testing.T) {
			data := traced(t, args...)
			if err := trace.Validate(bytes.NewReader(data)); err != nil {
				t.Error(err)
			}
			if args[0] != "cliff" && !bytes.Equal(data, traced(t, args...)) {
				t.Error("the same seed gives another trace")
			}
		})
	}
}

// An arrowed is an event that the test looks at.
type arrowed struct {
	Phase string         `json:"ph"`
	TID   int            `json:"tid"`
	Name  string         `json:"name"`
	Cat   string         `json:"cat"`
	ID    uint64         `json:"id"`
	Args  map[string]any `json:"args"`
}

// The trace shows each IRP's whole way, and each machine's states with their lines.
func TestTraceShowsTheWholeWay(t *testing.T) {
	for _, c := range []struct {
		args     []string
		irps     int
		ends     string // the thread that goes on
		machines int
		line     string
	}{
		{[]string{"write"}, 1, "UI thread", 1, "write.go:"},
		{[]string{"server", "-n", "200"}, 200, "worker ", 1000, "server.go:"},
	} {
		var file struct {
			TraceEvents []arrowed `json:"traceEvents"`
		}
		if err := json.Unmarshal(traced(t, c.args...), &file); err != nil {
			t.Fatal(err)
		}
		names := make(map[int]string) // of tracks
		spans, machines := make(map[uint64]int), make(map[uint64]bool)
		ways := make(map[uint64][]string)
		states, goroutines := 0, []float64{}
		for _, e := range file.TraceEvents {
			switch {
			case e.Name == "thread_name":
				names[e.TID] = e.Args["name"].(string)
			case e.Cat == "irp":
				spans[e.ID]++
			case e.Cat == "way":
				ways[e.ID] = append(ways[e.ID], names[e.TID])
			case e.Cat == "machine" && e.Phase == "b":
				machines[e.ID] = true
				if strings.Contains(e.Name, c.line) {
					states++
				}
			case e.Phase == "C" && e.Name == "goroutines":
				goroutines = append(goroutines, e.Args["alive"].(float64))
			}
		}
		if len(spans) != c.irps || len(machines) != c.machines || states < c.machines {
			t.Errorf("%v: %d IRPs, %d machines, %d states with their lines", c.args, len(spans), len(machines), states)
		}
		if len(goroutines) != 1 || goroutines[0] != 1 {
			t.Errorf("%v: the line of goroutines is not flat: %v", c.args, goroutines)
		}
		// Built, doorbell, interrupt, ISR, DPC, APC, packet, borrowed, posted, resumed.
		whole := regexp.MustCompile(`^[^|]+( \d)?\|cpu\d DISPATCH\|(disk|storage)\|cpu\d DIRQL \d+\|cpu\d DISPATCH\|cpu\d APC\|cpu\d APC\|I/O thread \d\|I/O thread \d\|` + c.ends)
		for id, way := range ways {
			if text := strings.Join(way, "|"); !whole.MatchString(text) {
				t.Errorf("%v: irp %d went %s", c.args, id, text)
			}
		}
		if len(ways) != c.irps {
			t.Errorf("%v: %d ways of %d IRPs", c.args, len(ways), c.irps)
		}
	}
}

// A trace may be compressed.
func TestTraceCompressed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace.json.gz")
	var stdout, stderr bytes.Buffer
	if status := run([]string{"write", "-trace", path}, &stdout, &stderr); status != 0 {
		t.Fatalf("%d, %s", status, stderr.String())
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if want := traced(t, "write"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d, %v", len(got), len(want), err)
	}
}

// A trace that cannot be written is told, and what stood there stands.
func TestTraceWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "trace.json")
	if err := os.WriteFile(old, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none", "x.json"), dir, "/dev/full"} {
		if _, err := os.Stat("/dev/full"); path == "/dev/full" && err != nil {
			continue
		}
		var stdout, stderr bytes.Buffer
		if status := run([]string{"write", "-trace", path}, &stdout, &stderr); status != 1 ||
			!strings.Contains(stderr.String(), "cannot write the trace") || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%s: %d, %q", path, status, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if status := run([]string{"process", "-trace", old, filepath.Join(dir, "missing")}, &stdout, &stderr); status == 0 {
		t.Error("a story without its file was told")
	}
	if data, _ := os.ReadFile(old); string(data) != "old" {
		t.Errorf("what stood there is %q", data)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestTimeline(t *testing.T) {
	for _, args := range [][]string{{"write"}, {"server", "-n", "40"}, {"deadlock"}, {"contexts"}} {
		var stdout, stderr bytes.Buffer
		if status := run(append([]string{args[0], "-timeline"}, args[1:]...), &stdout, &stderr); status != 0 {
			t.Fatalf("%v: %s", args, stderr.String())
		}
		_, text, ok := strings.Cut(stdout.String(), "The timeline")
		if !ok || strings.Contains(text, "\x1b") {
			t.Errorf("%v: no timeline, or a coloured one where nobody sees it", args)
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
		lanes := regexp.MustCompile(`(?m)^ +(│ )*(hardware|cpu0 DISPATCH|UI thread|worker \d)$`).FindAllString(text, -1)
		if len(lanes) < 3 {
			t.Errorf("%v: lanes %q", args, lanes)
		}
		if marks := strings.Count(text, "●"); marks < 20 {
			t.Errorf("%v: %s marks", args, strconv.Itoa(marks))
		}
	}
}

// TestExplainIRP: each hop of one IRP, the seeds' in their order, and no other's; who asks for one that there is not is told
// which there are.
func TestExplainIRP(t *testing.T) {
	hops := []string{"builds an IRP", "goes down to the dispatch routine", "marks the IRP pending", "StartIo", "rings the doorbell",
		"STATUS_PENDING", "incomplete task", "has moved 1 bytes at 7 by itself", "asserts its interrupt line", "thank you for the interrupt",
		"DPC of storage is queued", "DPC of storage runs", "STATUS_SUCCESS", "special kernel APC is queued", "special kernel APC runs",
		"packet is queued", "is borrowed for a packet", "the task of ReadAtAsync is complete", "posted to worker", "goes back to its pool",
		"resumes the continuation", "goes on at server.go"}
	var stdout, stderr bytes.Buffer
	if status := run([]string{"server", "-n", "20", "-irp", "7"}, &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	_, text, ok := strings.Cut(stdout.String(), "\nThe way of an IRP:\n\nirp#7  storage, 1 bytes at 7, 22 hops\n")
	if !ok {
		t.Fatal(stdout.String())
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != len(hops) {
		t.Errorf("%d lines for %d hops:\n%s", len(lines), len(hops), text)
	}
	for i, line := range lines[:min(len(lines), len(hops))] {
		if !strings.Contains(line, hops[i]) {
			t.Errorf("line %d is %q, not of %q", i+1, line, hops[i])
		}
	}
	stdout.Reset()
	if status := run([]string{"server", "-n", "20", "-irp", "21"}, &stdout, &stderr); status != 1 {
		t.Errorf("status %d for an IRP that there is not", status)
	}
	if got, want := stderr.String(), "tour server: irp#21 is not in the record: the IRPs are irp#1 to irp#20\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestFirstWait: a machine that leaves the stack is said to wait where it does, as it is
// later.
func TestFirstWait(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if status := run([]string{"write", "-timeline"}, &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	found := regexp.MustCompile(`main\.window\.Click leaves the stack, to wait at write\.go:(\d+) for w\.`).FindStringSubmatch(stdout.String())
	if found == nil {
		t.Fatal("nobody leaves the stack for what the button waits for:\n", stdout.String())
	}
	source, err := os.ReadFile("write.go")
	if err != nil {
		t.Fatal(err)
	}
	line, _ := strconv.Atoi(found[1])
	if text := strings.Split(string(source), "\n")[line-1]; !strings.Contains(text, ".Await()") {
		t.Errorf("write.go:%d is %q, no await", line, text)
	}
}

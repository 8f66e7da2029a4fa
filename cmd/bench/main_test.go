package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if child() {
		return
	}
	os.Exit(m.Run())
}

// The rows that the table must have, by what and peer.
var wanted = []string{
	"suspend + resume, one event loop/by hand",
	"suspend + resume, one event loop/goroutine + channel",
	"suspend + resume, one event loop/iter.Pull",
	"suspend + resume, one event loop/C++20 coroutines (g++ -O2)",
	"suspend + resume, one event loop/Rust async (std, Rc)",
	"suspend + resume, any goroutine completes/by hand, one atomic word",
	"suspend + resume, operations from a pool/by hand, sync.Pool",
	"nested call, pooled/by hand, sync.Pool",
	"nested call, pooled/C++20 coroutines (g++ -O2)",
	"nested call, pooled/Rust async (std, Rc)",
	"nested 5 deep, pooled, each further level/",
	"nested 17 deep, pooled, each further level/the same 5 deep",
	"suspend + resume at depth 17/the same at depth 1",
	"suspend + resume at depth 17/coroc",
	"await of a completed task/plain call",
	"function whose awaits are all complete/the same without tasks",
	"bytes of a suspended minimal loop/by hand",
	"bytes of a suspended minimal loop/goroutine + channel",
	"bytes of a suspended minimal loop/iter.Pull",
	"bytes of a suspended minimal loop/coroc",
	"bytes of a suspended CopyStream, IRP and device, beyond its buffer/goroutine + channel",
	"IRP, issue to resume, 1 in flight/goroutine + channel, 100,000 in flight",
	"IRP, issue to resume, 1,000 in flight/goroutine + channel, 100,000 in flight",
	"IRP, issue to resume, 1,000,000 in flight/goroutine + channel, 100,000 in flight",
	"IRP, issue to resume, 1,000,000 in flight/the same, 1,000 in flight",
	"IRPs a second on one core, 1,000 in flight/",
	"100,000 simulated reads, all at once/goroutines under testing/synctest",
	"a value of a stream/goroutine + channel",
	"a value of a stream/iter.Pull",
	"created, suspended, dropped unfinished/by hand, unfinished",
	"created, suspended, dropped unfinished/coroc",
	"created, suspended, finished, pooled/goroutine + channel",
	"garbage collection, 1,000,000 suspended/goroutine + channel",
	"garbage collection, 1,000,000 suspended/coroc",
	"generating 100 packages of 1,000 lines: cold/go vet of the sources, cold",
	"generating 100 packages of 1,000 lines: nothing changed/go vet of the sources, cold",
	"generating 100 packages of 1,000 lines: nothing changed/go vet of the sources, nothing changed",
	"building 10 packages of 1,000 lines with what was generated/without",
	"generating one function of 2,000 awaits/go vet of the sources, cold",
	"a million reads in flight at once: time/a million goroutines + channels",
	"a million reads in flight at once: peak memory/a million goroutines + channels",
}

// The whole table, with as little work as possible: every row is there, each has
// its peer's figure or says why not, and what promises to allocate nothing does
// not. What the times are is not asked.
func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("starts two dozen processes")
	}
	report, err := measureAll(true, "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bench.json")
	if err := report.write(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read Report
	if err := json.Unmarshal(content, &read); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range read.Rows {
		name := r.What + "/" + r.Peer
		got = append(got, name)
		if r.Ours.Value <= 0 {
			t.Errorf("%s: ours is %v", name, r.Ours.Value)
		}
		if r.Peer != "" && r.Theirs == nil && r.Note == "" {
			t.Errorf("%s: no figure, and no reason", name)
		}
		if r.Theirs != nil && (r.Theirs.Value <= 0 || r.Ratio <= 0) {
			t.Errorf("%s: the peer's figure is %v, the ratio %v", name, r.Theirs.Value, r.Ratio)
		}
		for _, goal := range r.Goals {
			if goal.Text == "0 allocs" && !goal.Met {
				t.Errorf("%s: %v allocations", name, *r.Ours.Allocs)
			}
		}
	}
	for _, name := range wanted {
		if !slices.Contains(got, name) {
			t.Errorf("no row %s", name)
		}
	}
	var table bytes.Buffer
	report.print(&table)
	if lines := strings.Count(table.String(), "\n| "); lines < len(wanted) {
		t.Errorf("the table has %d lines:\n%s", lines, table.String())
	}
}

// The table has its place in a Markdown file, and leaves the rest alone.
func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	theirs := figure(20, "ns")
	r := &Report{Date: "today", Rows: []Row{row("it", figure(10, "ns"), "peer", &theirs, faster)}}
	if err := os.WriteFile(path, []byte("before\n"+tableBegins+"old\n"+tableEnds+"after\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.update(path); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	if !strings.HasPrefix(text, "before\n"+tableBegins+"| what") || !strings.HasSuffix(text, tableEnds+"after\n") ||
		strings.Count(text, "| it ") != 1 || strings.Contains(text, "old") || !strings.Contains(text, "| 0.5 × | < 1 × | yes |") {
		t.Error(text)
	}
	if err := r.update(os.DevNull); err == nil {
		t.Error("a file without a place for the table is no error")
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{0, "ns", "0 ns"}, {1.234, "ns", "1.23 ns"}, {0.01234, "×", "0.0123 ×"}, {12.34, "ns", "12.3 ns"},
		{123.4, "B", "123 B"}, {1234.4, "", "1,234"}, {1234567, "B", "1,234,567 B"}, {5, "ns", "5 ns"}, {100, "ns", "100 ns"},
	} {
		if got := amount(c.value, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median of three: %v", m)
	}
	if m := median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Errorf("median of four: %v", m)
	}
}

// A goal is met where the figures say so.
func TestGoals(t *testing.T) {
	none, some := 0.001, 1.0
	ns := func(v float64, allocs *float64) Figure { return Figure{Value: v, Unit: "ns", Allocs: allocs} }
	ten := ns(10, nil)
	for _, c := range []struct {
		ours   Figure
		demand demand
		text   string
		met    bool
	}{
		{ns(13, nil), ratioAtMost(1.3), "≤ 1.3 ×", true},
		{ns(14, nil), ratioAtMost(1.3), "≤ 1.3 ×", false},
		{ns(1, nil), ratioAtMost(1.0 / 15), "≤ 1/15 ×", false},
		{ns(9, nil), faster, "< 1 ×", true},
		{ns(10, nil), faster, "< 1 ×", false},
		{ns(80, nil), oursAtMost(80), "≤ 80 ns", true},
		{ns(81, nil), oursAtMost(80), "≤ 80 ns", false},
		{ns(3, nil), oursAtLeast(3), "≥ 3 ns", true},
		{ns(2.9, nil), oursAtLeast(3), "≥ 3 ns", false},
		{ns(1, &none), noAllocs, "0 allocs", true},
		{ns(1, &some), noAllocs, "0 allocs", false},
		{ns(1, nil), noAllocs, "0 allocs", false},
	} {
		r := row("it", c.ours, "peer", &ten, c.demand)
		if r.Goals[0] != (Goal{c.text, c.met}) {
			t.Errorf("%v: %+v, want %s %v", c.ours.Value, r.Goals[0], c.text, c.met)
		}
	}
	if r := row("it", ns(1, nil), "peer", nil, faster); r.Goals[0].Met {
		t.Error("a goal is met without a peer")
	}
}

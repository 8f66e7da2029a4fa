package fuzz

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What failed once does not fail again: where each await suspends, and without gc's
// optimisations, with all machines on the heap from their beginning, too. The graphs are
// compared, too.
func TestRegress(t *testing.T) {
	names, err := filepath.Glob("testdata/regress/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	var programs, classes []Program
	for i, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(string(text), i)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		programs = append(programs, p)
		p.Source = strings.ReplaceAll(p.Source, "//nothread:async\n", "//nothread:async class\n")
		classes = append(classes, p)
	}
	w := newWorld(t)
	for _, leg := range []struct {
		name, flags string
		edit        func(int, string) string
		programs    []Program
	}{
		{"", "", Suspending, programs},
		{"-N -l", "-N -l", nil, programs},
		{"-N -l class", "-N -l", nil, classes},
	} {
		w.Flags, w.Edit = leg.flags, leg.edit
		verdicts, err := w.Run(context.Background(), leg.programs, true)
		if err != nil {
			t.Fatal(err)
		}
		compareGraphs(t, w.Dir, "./gen")
		for i, v := range verdicts {
			t.Run(filepath.Base(names[i])+leg.name, func(t *testing.T) {
				if v.Kind != Same {
					t.Errorf("%s\n%s", v.Kind, v.Detail)
				}
			})
		}
	}
}

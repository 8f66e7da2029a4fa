package fuzz

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// What failed once does not fail again. The graphs are compared, too.
func TestRegress(t *testing.T) {
	names, err := filepath.Glob("testdata/regress/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatal("no cases", err)
	}
	var programs []Program
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
	}
	w := newWorld(t)
	for _, w.Flags = range []string{"", "-N -l"} {
		w.Edit = nil
		if w.Flags == "" {
			w.Edit = Suspending
		}
		verdicts, err := w.Run(context.Background(), programs, true)
		if err != nil {
			t.Fatal(err)
		}
		compareGraphs(t, w.Dir, "./gen")
		for i, v := range verdicts {
			t.Run(filepath.Base(names[i])+w.Flags, func(t *testing.T) {
				if v.Kind != Same {
					t.Errorf("%s\n%s", v.Kind, v.Detail)
				}
			})
		}
	}
}

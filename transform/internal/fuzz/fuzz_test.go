package fuzz

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	duration = flag.Duration("for", 0, "fuzz for so long; 0 runs the short fixed-seed test")
	flags    = flag.String("gcflags", "", "flags of the Go compiler; by default, every other batch is not optimised")
	seedFlag = flag.Uint64("seed", 1, "the first seed")
	size     = flag.Int("batch", 150, "programs in one build")
	reduce   = flag.Bool("reduce", false, "reduce failing programs")
	only     = flag.String("only", "", "the numbers of the programs to run, with commas; none means all")
	keep     = flag.String("keep", "", "folder for failing programs")
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFuzz(t *testing.T) {
	w, err := NewWorld(t.TempDir(), root(t))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cover := make(Coverage)
	seen := make(map[string]int)
	for seed := *seedFlag; ; seed++ {
		if w.Flags = *flags; w.Flags == "" && seed%2 == 0 {
			w.Flags = "-N -l"
		}
		var programs []Program
		for i := range *size {
			if *only != "" && !slices.Contains(strings.Split(*only, ","), strconv.Itoa(i)) {
				continue
			}
			programs = append(programs, Generate(seed, i))
		}
		verdicts, err := w.Run(context.Background(), programs, true)
		if err != nil {
			t.Fatal(err)
		}
		counts := make(map[Kind]int)
		for _, v := range verdicts {
			counts[v.Kind]++
			if v.Kind == Same {
				cover.Add(w, v.Program)
			}
			if v.Kind != Same && *keep != "" {
				os.WriteFile(filepath.Join(*keep, fmt.Sprintf("%s_%d_%d.go", v.Kind, seed, v.Program.ID)), []byte(v.Program.Source+"\n/*\n"+v.Detail+"\n*/\n"), 0o666)
			}
			if v.Failed() {
				if sig := v.Signature(); *reduce && seen[sig] < 3 {
					seen[sig]++
					small, err := w.Reduce(context.Background(), v, time.Now().Add(2*time.Minute), 30)
					if err != nil {
						t.Log(err)
					}
					os.WriteFile(filepath.Join(*keep, fmt.Sprintf("small_%s_%d_%d.go", v.Kind, seed, v.Program.ID)), []byte(small.Program.Source+"\n/*\n"+small.Detail+"\n*/\n"), 0o666)
				}
				t.Errorf("seed %d, program %d: %s\n%s", seed, v.Program.ID, v.Kind, v.Detail[:min(len(v.Detail), 400)])
			}
		}
		fmt.Println("seed", seed, counts, time.Since(start).Round(time.Second), w.Times)
		if time.Since(start) > *duration {
			break
		}
	}
	fmt.Print(cover)
	for _, name := range cover.Missing() {
		t.Errorf("no program has: %s", name)
	}
}

package transform

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPanicsNameTheSource compiles a program whose panics come through three
// awaits, and reads what it says of them: by default by the machines' tables, with
// -line by the directives in them.
func TestPanicsNameTheSource(t *testing.T) {
	content, err := os.ReadFile("testdata/panicchain/main.go")
	if err != nil {
		t.Fatal(err)
	}
	lineOf := func(mark string) int {
		before, _, ok := strings.Cut(string(content), mark)
		if !ok {
			t.Fatalf("no %q", mark)
		}
		return strings.Count(before, "\n") + 1
	}
	for _, directives := range []bool{false, true} {
		t.Run(fmt.Sprintf("line=%v", directives), func(t *testing.T) {
			b := newBench(t)
			b.write(t, "panicchain/main.go", content)
			result, err := Generate(Config{Dir: b.dir, Patterns: []string{"./panicchain"}, Env: environment(), Lines: directives})
			if err != nil || result.Failed() {
				t.Fatal(err, result.Diagnostics)
			}
			if err := result.Write(); err != nil {
				t.Fatal(err)
			}
			binary := filepath.Join(b.dir, "program")
			if _, err := runIn(b.dir, "go", "build", "-o", binary, "./panicchain"); err != nil {
				t.Fatal(err)
			}
			awaits := []string{"// panics", "// awaits leaf", "// awaits middle"}
			for mode, marks := range map[string][]string{
				"late": awaits, "at once": awaits, "crash": awaits, "forgotten": awaits,
				"plain":              {"// panics in plain", "// awaits plain", "// awaits through"},
				"literal":            {"// panics in a literal", "// calls the literal", "// awaits through"},
				"ranged":             {"// panics in a ranged body", "// awaits through"},
				"left":               {"// panics in a stream that is left", "// awaits that the stream ends", "// awaits what returns"},
				"awaited at the end": {"// panics in what is awaited at the end", "// awaits at the end", "// awaits what returns"},
				"deferred":           {"// panics in a deferred literal", "// runs the deferred literal", "// awaits through"},
			} {
				text, err := runIn(b.dir, binary, mode)
				if fails := mode == "crash" || mode == "forgotten"; (err != nil) != fails {
					t.Errorf("%s: %v", mode, err)
				} else if fails {
					text = err.Error()
				}
				at := 0 // each place stands behind the one before
				for _, mark := range marks {
					folder := "/panicchain/"
					if directives {
						folder = "" // gc keeps a directive's file as it is
					}
					place := regexp.MustCompile(fmt.Sprintf(`\n\s*\S*%smain\.go:%d\b`, folder, lineOf(mark)))
					found := place.FindStringIndex(text[at:])
					if found == nil {
						t.Errorf("%s: %s is not there:\n%s", mode, mark, text)
						break
					}
					at += found[1]
				}
				if want := "index out of range [2] with length 0"; (mode == "crash" || mode == "forgotten") && !strings.Contains(text, want) {
					t.Errorf("%s: it does not say %q:\n%s", mode, want, text)
				}
			}
			text, err := runIn(b.dir, binary, "recovered")
			if err != nil || text != "recovered: runtime error: index out of range [2] with length 0\n" {
				t.Errorf("recovered: %q, %v", text, err)
			}
		})
	}
}

// TestForeignDirectives: line directives of another generator, in a source of its, are
// not taken along. Panics name the source that the machine was made from.
func TestForeignDirectives(t *testing.T) {
	const source = `package main

import (
	"context"
	"fmt"

	"github.com/nothread/nothread/runtime/async"
)

//nothread:async
func F(ctx context.Context, n int) byte {
	if n > 0 {
//line parser.y:700
		n++
	}
	/*line parser.y:800:1*/
	async.Yield(ctx).Await()
	n++
	s := ~
//line stays~ + "/*line stays*/"
	fmt.Printf("%q\n", s)
	c := s[n:][100] // panics
	fmt.Println(c)
	return c
}

func main() {
	defer func() { fmt.Printf("%s", async.PanicStack(recover())) }()
	FAsync(context.Background(), 1).Await()
}
`
	content := strings.ReplaceAll(source, "~", "`")
	before, _, _ := strings.Cut(content, "// panics")
	for _, directives := range []bool{false, true} {
		b := newBench(t)
		b.write(t, "main/main.go", []byte(content))
		result, err := Generate(Config{Dir: b.dir, Patterns: []string{"./main"}, Env: environment(), Lines: directives})
		if err != nil || result.Failed() {
			t.Fatal(err, result.Diagnostics)
		}
		if err := result.Write(); err != nil {
			t.Fatal(err)
		}
		text, err := runIn(b.dir, "go", "run", "./main")
		if err != nil {
			t.Fatal(err)
		}
		if want := "\\n//line stays/*line stays*/"; !strings.Contains(text, want) {
			t.Errorf("line=%v: the string is another one:\n%s", directives, text)
		}
		if want := fmt.Sprintf("main.go:%d\n", strings.Count(before, "\n")+1); !strings.Contains(text, want) {
			t.Errorf("line=%v: no %s in\n%s", directives, want, text)
		}
	}
}

// TestLineDirectives: what is generated with directives compiles, and they are right.
func TestLineDirectives(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"defers", "selects", "ranges", "closures", "switches", "generics", "asyncclosures"} {
		copyTo(t, b, name, "../testdata/"+name)
	}
	result, err := Generate(Config{Dir: b.dir, Patterns: []string{"./..."}, Env: environment(), Lines: true})
	if err != nil || result.Failed() {
		t.Fatal(err, result.Diagnostics)
	}
	directive := regexp.MustCompile(`^//line (\S+):(\d+)$`)
	copied := 0
	for _, f := range result.Files {
		source, err := os.ReadFile(f.Source)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(source), "\n")
		copied += checkDirectives(t, f, lines, directive)
	}
	if copied < 30 {
		t.Errorf("only %d lines were compared", copied)
	}
	if err := result.Write(); err != nil {
		t.Fatal(err)
	}
	if _, err := runIn(b.dir, "go", "vet", "./..."); err != nil {
		t.Error(err)
	}
}

// plain is a line without what copying changes.
func plain(line string) string {
	return strings.NewReplacer("m.", "", ":=", "=", "*", "").Replace(strings.TrimSpace(line))
}

// checkDirectives: behind MoveNext the lines are the file's own again, and a line
// that is copied as it was is said to be where it was; it returns how many are.
func checkDirectives(t *testing.T, f File, lines []string, directive *regexp.Regexp) (copied int) {
	t.Helper()
	at := 0
	output := filepath.Base(f.Path)
	for i, line := range strings.Split(string(f.Content), "\n") {
		if m := directive.FindStringSubmatch(line); m != nil {
			fmt.Sscan(m[2], &at)
			if m[1] == output {
				if at != i+2 {
					t.Errorf("%s:%d: the next line is not %d", output, i+1, at)
				}
				at = 0
			} else if at < 1 || at > len(lines) {
				t.Errorf("%s:%d: no line %d", output, i+1, at)
			}
			continue
		}
		if at == 0 {
			continue
		}
		text := plain(line)
		once := 0
		for _, l := range lines {
			if plain(l) == text {
				once++
			}
		}
		if len(text) > 8 && once == 1 && !strings.HasPrefix(text, "//") {
			copied++
			if got := plain(lines[at-1]); got != text {
				t.Errorf("%s:%d: %q is said to come from line %d, which is %q", output, i+1, text, at, got)
			}
		}
		at++
	}
	return copied
}

package fuzz

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A plant changes generated text as a bug in the compiler would.
type plant struct {
	name   string
	edit   func(generated string) string
	latest int // the program of seed 3 that showed it last; if it no longer does, the search goes on
}

var plants = []plant{
	{"an operand is read early", readEarly, 30},
	{"a call is made late", callLate, 56},
	{"a loop variable is shared", func(text string) string {
		return regexp.MustCompile(`\{\n\t*fresh := [^\n]*\n[^\n]*= &fresh\n\t*\}\n`).ReplaceAllString(text, "")
	}, 87},
	{"deferred calls run at a suspension", deferEarly, 33},
	{"two states are mixed up", func(text string) string {
		state := regexp.MustCompile(`(\t+h\d*\.State = )([12])\n`)
		return state.ReplaceAllStringFunc(text, func(line string) string {
			return strings.NewReplacer("= 1", "= 2", "= 2", "= 1").Replace(line)
		})
	}, 39},
}

// readEarly reads a global before the await to its right:
//
//	f(g1a, task.GetResult())    becomes    planted = g1a (before the await)
//	                                       f(planted, task.GetResult())
func readEarly(text string) string {
	global := regexp.MustCompile(`\bg\d+a\b`)
	update := regexp.MustCompile(`^(\t+)(g\d+a) ([-+*^|&])= (.*)$`)
	lines := strings.Split(text, "\n")
	awaited, n := 0, 0
	for i, line := range lines {
		if strings.Contains(line, ".IsCompleted() {") {
			awaited = i
		}
		result := regexp.MustCompile(`task\d*\.GetResult\(\)`).FindStringIndex(line)
		if result == nil {
			continue
		}
		line = update.ReplaceAllString(line, "${1}${2} = ${2} ${3} (${4})")
		from := max(strings.Index(line, " = "), 0)
		at := global.FindStringIndex(line[from:])
		if at == nil || from+at[0] > result[0] || strings.ContainsAny(line[from:from+at[0]], "&{") {
			continue
		}
		n++
		name := line[from+at[0] : from+at[1]]
		planted := fmt.Sprintf("planted%d%s", n, name)
		lines[i] = line[:from+at[0]] + planted + line[from+at[1]:]
		lines[awaited] = "\t" + planted + " = " + name + "\n" + lines[awaited]
		lines[len(lines)-1] += "\nvar " + planted + " int\n"
	}
	return strings.Join(lines, "\n")
}

// callLate puts a call that was spilled back where its value is used.
func callLate(text string) string {
	spill := regexp.MustCompile(`^\t+(m\.spill\d*) = (.*\))$`)
	var lines []string
	late := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		if m := spill.FindStringSubmatch(line); m != nil {
			late[m[1]] = m[2]
			continue
		}
		for name, call := range late {
			line = regexp.MustCompile(regexp.QuoteMeta(name)+`\b`).ReplaceAllLiteralString(line, call)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// deferEarly runs what is deferred whenever the machine waits.
func deferEarly(text string) string {
	onHeap := regexp.MustCompile(`func \(m \*(\w+)\) onHeap\([^)]*\) \*\w+ \{\n`)
	return onHeap.ReplaceAllStringFunc(text, func(head string) string {
		if !strings.Contains(text, "func (m *"+onHeap.FindStringSubmatch(head)[1]+") RunDeferred(") {
			return head
		}
		return head + "\tm.RunDeferred(nil)\n"
	})
}

// Bugs planted into the generated text are found; with -for, they are made small
// too.
func TestPlanted(t *testing.T) {
	w := newWorld(t)
	w.Flags = "-N -l"
	w.Edit = func(id int, text string) string { return plants[id%len(plants)].edit(text) }
	found := make(map[string]bool)
	for round := 0; len(found) < len(plants) && round < 12; round++ {
		var programs []Program
		for i, p := range plants {
			switch {
			case found[p.name]:
			case round == 0:
				programs = append(programs, Generate(3, p.latest))
			default:
				for j := range 5 {
					programs = append(programs, Generate(3, (5*round+j)*len(plants)+i))
				}
			}
		}
		verdicts, err := w.Run(context.Background(), programs, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts {
			p := plants[v.Program.ID%len(plants)]
			if v.Kind != Differs || found[p.name] {
				continue
			}
			found[p.name] = true
			t.Logf("%s: program %d, round %d", p.name, v.Program.ID, round)
			if *duration > 0 {
				one := w.Edit
				w.Edit = func(_ int, text string) string { return p.edit(text) }
				reduced(t, w, p, v)
				w.Edit = one
			}
		}
	}
	for _, p := range plants {
		if !found[p.name] {
			t.Errorf("nothing shows that %s", p.name)
		}
	}
}

// reduced makes what shows a planted bug small.
func reduced(t *testing.T, w *World, p plant, v Verdict) {
	small, err := w.Reduce(context.Background(), v, time.Now().Add(5*time.Minute), 30)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(small.Program.Source) {
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	t.Logf("%s: %d lines\n%s", p.name, lines, small.Text())
	if lines >= 40 {
		t.Errorf("%s: %d lines are left", p.name, lines)
	}
}

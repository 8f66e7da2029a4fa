package fuzz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nothread/nothread/transform"
)

// A Kind is how a program fared.
type Kind string

const (
	Same     Kind = "same"     // both forms do the same
	Invalid  Kind = "invalid"  // the source does not compile: the generator's fault
	Refused  Kind = "refused"  // the compiler says that it cannot
	Internal Kind = "internal" // the compiler failed
	Broken   Kind = "broken"   // what it made does not compile
	Vetted   Kind = "vetted"   // what it made does not pass go vet
	Differs  Kind = "differs"  // what it made does something else
	Crashed  Kind = "crashed"  // the process died of it, or hung
)

// A Verdict is the result of one program.
type Verdict struct {
	Program Program
	Kind    Kind
	Detail  string
}

// Failed reports whether the verdict is the compiler's fault.
func (v *Verdict) Failed() bool {
	switch v.Kind {
	case Internal, Broken, Vetted, Differs, Crashed:
		return true
	}
	return false
}

// A batch is programs on their way through one world.
type batch struct {
	w        *World
	ctx      context.Context
	programs []Program
	verdicts map[int]*Verdict
	vet      bool
}

// Run tries programs together, and gives the verdicts in their order.
func (w *World) Run(ctx context.Context, programs []Program, vet bool) ([]Verdict, error) {
	b := &batch{w: w, ctx: ctx, programs: slices.Clone(programs), verdicts: make(map[int]*Verdict), vet: vet}
	steps := []struct {
		name string
		do   func() error
	}{{"check", b.check}, {"generate", b.generate}, {"build", b.build}, {"vet", b.vetted}, {"run", b.run}}
	for _, step := range steps {
		if len(b.open()) == 0 {
			break
		}
		start := time.Now()
		if err := step.do(); err != nil {
			return nil, err
		}
		w.Times[step.name] += time.Since(start)
	}
	list := make([]Verdict, len(programs))
	for i, p := range b.programs {
		list[i] = Verdict{Program: p, Kind: Same}
		if v := b.verdicts[p.ID]; v != nil {
			list[i] = *v
		}
	}
	return list, nil
}

// took says how long the steps took.
func (w *World) took() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(w.Times)) {
		parts = append(parts, fmt.Sprintf("%s %s", name, w.Times[name].Round(time.Second)))
	}
	return strings.Join(parts, ", ")
}

// open lists the programs that have no verdict yet.
func (b *batch) open() []Program {
	var list []Program
	for _, p := range b.programs {
		if b.verdicts[p.ID] == nil {
			list = append(list, p)
		}
	}
	return list
}

// close gives a program its verdict.
func (b *batch) close(id int, kind Kind, detail string) {
	for _, p := range b.programs {
		if p.ID == id && b.verdicts[id] == nil {
			b.verdicts[id] = &Verdict{p, kind, detail}
		}
	}
}

// check repairs the sources and drops what does not compile.
func (b *batch) check() error {
	for i, p := range b.programs {
		source, err := b.w.types.repair(p.Source)
		b.programs[i].Source = source
		if err != nil {
			b.close(p.ID, Invalid, err.Error())
		}
	}
	return nil
}

// generate runs the compiler until it has nothing against what is left.
func (b *batch) generate() error {
	for len(b.open()) > 0 {
		if err := b.w.lay(b.open()); err != nil {
			return err
		}
		result, err := transform.Generate(transform.Config{Dir: b.w.Dir, Patterns: []string{"./gen"}, Env: environment()})
		if err != nil {
			return err
		}
		if !result.Failed() {
			return b.put(result)
		}
		before := len(b.verdicts)
		for _, d := range result.Diagnostics {
			id, ok := programOf(d.File)
			if d.Warning || !ok {
				continue
			}
			kind := Invalid
			switch d.Code {
			case "internal":
				kind = Internal
			case "unsupported", "bad-await", "cannot-be":
				kind = Refused
			}
			b.close(id, kind, fmt.Sprintf("%d:%d: %s: %s", d.Line, d.Column, d.Code, d.Message))
		}
		if len(b.verdicts) == before {
			var text strings.Builder
			result.PrintDiagnostics(&text)
			return fmt.Errorf("errors about no program: %s", text.String())
		}
	}
	return nil
}

// put writes what was generated.
func (b *batch) put(result *transform.Result) error {
	for _, f := range result.Files {
		text := string(f.Content)
		if id, ok := programOf(f.Path); ok {
			if b.w.Edit != nil {
				text = b.w.Edit(id, text)
			}
			text = entering(id, text)
		}
		if err := os.WriteFile(f.Path, []byte(text), 0o666); err != nil {
			return err
		}
	}
	return b.w.connect(b.open())
}

var fileName = regexp.MustCompile(`p_(\d+)(_async)?\.go$`)

// programOf finds the program that a file belongs to.
func programOf(file string) (int, bool) {
	m := fileName.FindStringSubmatch(file)
	if m == nil {
		return 0, false
	}
	id, err := strconv.Atoi(m[1])
	return id, err == nil
}

func environment() []string {
	return append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
}

// command runs the go command in the world's folder.
func (b *batch) command(args ...string) (string, error) {
	cmd := exec.CommandContext(b.ctx, "go", args...)
	cmd.Dir = b.w.Dir
	cmd.Env = append(environment(), "GOGC=400") // a quarter less time in the Go compiler
	out, err := cmd.CombinedOutput()
	if b.ctx.Err() != nil {
		return "", b.ctx.Err()
	}
	return string(out), err
}

var message = regexp.MustCompile(`(?m)^(?:vet: )?\S*?((?:ref|gen)/p_(\d+)(_async)?\.go):(\d+):(?:\d+:)? (.*)$`)

// build compiles until what is left does.
func (b *batch) build() error {
	for len(b.open()) > 0 {
		out, err := b.command("build", "-gcflags=fuzzed/...=-e -dwarf=false "+b.w.Flags, "-ldflags=-s -w", "-o", "fuzzed.exe", ".")
		if err == nil {
			return nil
		}
		before := len(b.verdicts)
		for _, m := range message.FindAllStringSubmatch(out, -1) {
			id, _ := strconv.Atoi(m[2])
			kind := Broken
			if m[3] == "" || strings.HasPrefix(m[1], "ref") || strings.Contains(m[0], "internal compiler error") {
				kind = Invalid // gc's own errors too: it fails at plain Go alike
			}
			b.close(id, kind, m[0])
		}
		if len(b.verdicts) == before {
			return fmt.Errorf("go build: %v\n%s", err, out)
		}
		if err := b.drop(); err != nil {
			return err
		}
	}
	return nil
}

// drop removes the files of programs that have a verdict.
func (b *batch) drop() error {
	for id := range b.verdicts {
		for _, dir := range []string{"ref", "gen"} {
			for _, suffix := range []string{"", "_async"} {
				os.Remove(filepath.Join(b.w.Dir, dir, fmt.Sprintf("p_%d%s.go", id, suffix)))
			}
		}
	}
	return b.w.connect(b.open())
}

// vetted runs go vet on the generated package. What it says of the author's
// file it may say of the generated one too.
func (b *batch) vetted() error {
	if !b.vet {
		return nil
	}
	out, err := b.command("vet", "./gen")
	if err == nil {
		return nil
	}
	said := make(map[string]bool)
	messages := message.FindAllStringSubmatch(out, -1)
	for _, m := range messages {
		if m[3] == "" {
			said[m[2]+kindOf(m[5])] = true
		}
	}
	for _, m := range messages {
		if m[3] != "" && !said[m[2]+kindOf(m[5])] {
			id, _ := strconv.Atoi(m[2])
			b.close(id, Vetted, m[0])
		}
	}
	if len(messages) == 0 {
		return fmt.Errorf("go vet: %v\n%s", err, out)
	}
	return nil
}

// kindOf is the beginning of a message, which tells the analyzer.
func kindOf(message string) string {
	words := strings.Fields(message)
	return strings.Join(words[:min(2, len(words))], " ")
}

// patience is what a run of all programs may take.
const patience = 15 * time.Second

// run runs the programs together until none kills the process.
func (b *batch) run() error {
	for len(b.open()) > 0 {
		var names []string
		for _, p := range b.open() {
			names = append(names, fmt.Sprintf("p_%d", p.ID))
		}
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		cmd := exec.CommandContext(ctx, filepath.Join(b.w.Dir, "fuzzed.exe"), names...)
		cmd.Env = append(os.Environ(), "GOTRACEBACK=single", "GOMEMLIMIT=1GiB")
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
		cmd.WaitDelay = 2 * time.Second
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		cancel()
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		last, form, ended := b.read(out.String())
		if ended && err == nil {
			return nil
		}
		id, ok := programOf(last + ".go")
		if !ok {
			return fmt.Errorf("running: %v\n%s", err, errs.String())
		}
		text, kind := form+": "+errs.String(), Crashed
		if form == "source" {
			kind = Invalid
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			text = "it hangs\n" + text
		}
		b.close(id, kind, text[:min(len(text), 2000)])
	}
	return nil
}

// read takes the verdicts from what the process printed; last is the case that
// ran last.
func (b *batch) read(out string) (last, form string, ended bool) {
	for line := range strings.Lines(out) {
		switch {
		case line == "@ end\n":
			ended = true
		case strings.HasPrefix(line, "@ "):
			last, form = strings.Fields(line)[1], strings.Fields(line)[2]
		case strings.HasPrefix(line, "! "):
			var name, variant, want, got string
			if _, err := fmt.Sscanf(line, "! %s %q %q %q", &name, &variant, &want, &got); err != nil {
				continue
			}
			id, _ := programOf(name + ".go")
			b.close(id, Differs, difference(variant, want, got))
		}
	}
	return last, form, ended
}

// difference shows where two traces part.
func difference(variant, want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	at := func(lines []string) string {
		if i < len(lines) {
			return lines[i]
		}
		return "(end)"
	}
	before := ""
	if i > 0 {
		before = w[i-1]
	}
	return fmt.Sprintf("variant %s, step %d, after %q:\nsource:    %s\ngenerated: %s", variant, i, before, at(w), at(g))
}

package transform_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/nothread/nothread/transform"
	"github.com/nothread/nothread/transform/internal/inject"
)

// Real code that nobody here wrote must mean after the compiler what it meant
// before. Package inject puts awaits into it mechanically: packages of the
// standard library, copied with their tests, and the programs of the
// toolchain's own tests. The packages must pass the tests that they pass
// unchanged; the programs must print what they print unchanged.
//
//	go test ./transform -run TestEverything                      two small packages
//	go test ./transform -run TestEverything -timeout 3h -args -all
//	go test ./transform -run TestEverything -args -packages=sort,bufio -programs=ken -seed=7 -keep=/tmp/x
//
// A function that the compiler refuses with a message keeps its own body; the
// messages are counted in the log. Whatever else goes wrong fails the test: a
// panic of the compiler, output that does not compile, a test that no longer
// passes.

var (
	all          = flag.Bool("all", false, "TestEverything: every package and program")
	onlyPackages = flag.String("packages", "", "TestEverything: these packages, comma-separated")
	onlyPrograms = flag.String("programs", "", "TestEverything: the programs whose name has this prefix")
	seed         = flag.Uint64("seed", 1, "TestEverything: where awaits go")
	statements   = flag.Int("statements", 25, "TestEverything: percentage of statements that get an await")
	values       = flag.Int("values", 10, "TestEverything: percentage of values that get one")
	closures     = flag.Int("closures", 4, "TestEverything: percentage of statements that get an async closure, if they can")
	defers       = flag.Int("defers", 8, "TestEverything: percentage of functions that get a deferred call")
	ranges       = flag.Int("ranges", 10, "TestEverything: percentage of ranges that go over a function or a stream instead")
	keep         = flag.String("keep", "", "TestEverything: a folder to work in and leave behind")
)

// A workshop is the module in which copies are changed and run.
type workshop struct {
	dir, goroot string
	refused     map[string]int // how often the compiler said what
}

// A subject is a package on its way.
type subject struct {
	name    string // its folder in the workshop
	p       *inject.Package
	leave   map[string]bool
	changed bool // leave has grown
	result  *inject.Result
}

func TestEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs whole packages")
	}
	w := newWorkshop(t)
	list, prefix := inject.Few, "-"
	switch {
	case *onlyPackages != "" || *onlyPrograms != "":
		list, prefix = nil, cmp.Or(*onlyPrograms, "-")
		if *onlyPackages != "" {
			list = strings.Split(*onlyPackages, ",")
		}
	case *all:
		list, prefix = inject.Packages, ""
	}
	for _, pkg := range list {
		t.Run(pkg, func(t *testing.T) { w.testPackage(t, pkg) })
	}
	w.testPrograms(t, prefix)
	for _, message := range slices.Sorted(maps.Keys(w.refused)) {
		t.Logf("refused %d times: %s", w.refused[message], message)
	}
}

func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	dir := *keep
	if dir == "" {
		dir = t.TempDir()
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	if err := inject.NewModule(dir, root); err != nil {
		t.Fatal(err)
	}
	return &workshop{dir: dir, goroot: runtime.GOROOT(), refused: make(map[string]int)}
}

// testPackage converts one package of the standard library and runs its tests.
func (w *workshop) testPackage(t *testing.T, pkg string) {
	if err := os.RemoveAll(filepath.Join(w.dir, pkg)); err != nil {
		t.Fatal(err)
	}
	if err := inject.Copy(w.goroot, w.dir, pkg); err != nil {
		t.Skipf("cannot be copied: %v", err)
	}
	skipped, err := inject.CountAllocations(filepath.Join(w.dir, pkg))
	if err != nil {
		t.Fatal(err)
	}
	skipped = append(skipped, strings.Fields(inject.Excused[pkg])...)
	skip := "^(" + strings.Join(skipped, "|") + ")$"
	before, output := w.goTest(t, pkg, skip)
	for w.dropForeign(t, pkg, output) {
		before, output = w.goTest(t, pkg, skip)
	}
	if !slices.Contains(slices.Collect(maps.Values(before)), "pass") {
		t.Skipf("its copy passes no tests:\n%s", firstLines(output, 12))
	}
	w.convert(t, pkg)
	after, output := w.goTest(t, pkg, skip)
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(before)) {
		switch {
		case after[name] == "pass":
			passed++
		case before[name] == "pass" && after[name] != "": // after a crash most have not run
			t.Errorf("%s passes unchanged; with awaits, the last thing it does is: %s", name, after[name])
		}
	}
	if t.Failed() || passed == 0 {
		t.Errorf("%s", firstLines(output, 40))
	}
	t.Logf("%d of %d tests pass", passed, len(before))
}

// dropForeign removes the test files of a copy that do not compile because they
// meet the original through another package.
func (w *workshop) dropForeign(t *testing.T, pkg, output string) bool {
	t.Helper()
	dropped := false
	for line := range strings.Lines(output) {
		if m := vetLine.FindStringSubmatch(line); m != nil && strings.HasPrefix(m[1], pkg+"/") && strings.HasSuffix(m[1], "_test.go") {
			if os.Remove(filepath.Join(w.dir, m[1])) == nil {
				t.Logf("without %s: %s", m[1], m[3])
				dropped = true
			}
		}
	}
	return dropped
}

// convert puts awaits into packages until the compiler takes all of them and
// what it makes of them compiles. It returns those that could be read.
func (w *workshop) convert(t *testing.T, names ...string) []*subject {
	t.Helper()
	subjects := w.load(t, names)
	for range 40 {
		for _, s := range subjects {
			w.inject(t, s)
		}
		bad := w.generate(t, subjects)
		if len(bad) == 0 {
			bad = w.build(t, subjects)
		}
		if len(bad) == 0 {
			w.logCounts(t, subjects)
			return subjects
		}
		for s, functions := range bad {
			s.changed = true
			for _, name := range functions {
				s.leave[name] = true
			}
		}
	}
	t.Fatal("the compiler does not settle")
	return nil
}

func (w *workshop) logCounts(t *testing.T, subjects []*subject) {
	t.Helper()
	machines, functions, awaits := 0, 0, 0
	for _, s := range subjects {
		functions += len(s.result.Funcs)
		awaits += s.result.Awaits
		for _, f := range s.result.Funcs {
			if f.Left == "" {
				machines++
			}
		}
	}
	t.Logf("%d of %d functions, %d awaits", machines, functions, awaits)
}

// inject writes a package with awaits.
func (w *workshop) inject(t *testing.T, s *subject) {
	t.Helper()
	if !s.changed {
		return
	}
	s.changed = false
	s.result = inject.Inject(s.p, inject.Options{Seed: *seed, Statements: *statements, Values: *values, Calls: 60,
		Closures: *closures, Defers: *defers, Ranges: *ranges, Leave: s.leave})
	w.clean(t, s.p)
	for path, content := range s.result.Files {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// load reads packages as they were copied.
func (w *workshop) load(t *testing.T, names []string) []*subject {
	t.Helper()
	loaded, err := packages.Load(&packages.Config{Dir: w.dir, Env: environment(),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedExportFile},
		patterns(names)...)
	if err != nil {
		t.Fatal(err)
	}
	var subjects []*subject
	for _, from := range loaded {
		name := strings.TrimPrefix(from.PkgPath, inject.Module+"/")
		if len(from.Errors) > 0 {
			t.Logf("%s is left out: %v", name, from.Errors[0])
			continue
		}
		p := &inject.Package{Fset: from.Fset, Types: from.Types, Info: from.TypesInfo}
		for i, file := range from.Syntax {
			content, err := os.ReadFile(from.CompiledGoFiles[i])
			if err != nil {
				t.Fatal(err)
			}
			p.Files = append(p.Files, inject.File{Path: from.CompiledGoFiles[i], Syntax: file, Content: content})
		}
		subjects = append(subjects, &subject{name: name, p: p, leave: make(map[string]bool), changed: true})
	}
	return subjects
}

func patterns(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = "./" + name
	}
	return list
}

func namesOf(subjects []*subject) []string {
	var names []string
	for _, s := range subjects {
		names = append(names, s.name)
	}
	return names
}

// at finds the subject that a file belongs to, and the function at a line of it.
func (w *workshop) at(subjects []*subject, path string, line int) (*subject, string) {
	for _, s := range subjects {
		if filepath.Dir(path) == filepath.Join(w.dir, s.name) {
			return s, inject.FunctionAt(path, line)
		}
	}
	return nil, ""
}

// clean puts a package back as it was copied.
func (w *workshop) clean(t *testing.T, p *inject.Package) {
	t.Helper()
	for _, f := range p.Files {
		if err := os.WriteFile(f.Path, f.Content, 0o666); err != nil {
			t.Fatal(err)
		}
		generated, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path), "*_async*.go"))
		for _, path := range generated {
			if content, err := os.ReadFile(path); err == nil && bytes.HasPrefix(content, []byte("// Code generated by nothread ")) {
				os.Remove(path)
			}
		}
	}
}

// generate runs the compiler and writes what it makes. It returns the functions
// that it refuses.
func (w *workshop) generate(t *testing.T, subjects []*subject) map[*subject][]string {
	t.Helper()
	result := w.compile(t, subjects)
	bad := make(map[*subject][]string)
	for _, d := range result.Diagnostics {
		if d.Warning {
			continue
		}
		s, name := w.at(subjects, d.File, d.Line)
		switch {
		case s == nil:
			t.Fatalf("%s:%d: %s", d.File, d.Line, d.Message)
		case d.Code != "internal" && name == "": // it is the package's: all of its functions are left alone
			w.refused[general(d.Message)]++
			t.Logf("%s: %s", s.name, d.Message)
			for _, f := range s.result.Funcs {
				bad[s] = append(bad[s], f.Name)
			}
		case d.Code != "internal":
			w.refused[general(d.Message)]++
			t.Logf("%s: %s: %s", s.name, name, d.Message)
			bad[s] = append(bad[s], name)
		case name != "":
			t.Errorf("%s: %s: %s", s.name, name, firstLines(d.Message, 6))
			bad[s] = append(bad[s], name)
		case len(bad[s]) == 0:
			bad[s] = w.culprits(t, s, d.File)
			t.Errorf("%s: %v: %s", s.name, bad[s], firstLines(d.Message, 6))
		}
	}
	if len(bad) == 0 {
		if err := result.Write(); err != nil {
			t.Fatal(err)
		}
	}
	return bad
}

func (w *workshop) compile(t *testing.T, subjects []*subject) *transform.Result {
	t.Helper()
	result, err := transform.Generate(transform.Config{Dir: w.dir, Patterns: patterns(namesOf(subjects)), Env: environment()})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// culprits finds the functions of a file that the compiler fails at without
// saying where.
func (w *workshop) culprits(t *testing.T, s *subject, path string) []string {
	t.Helper()
	var list []string
	for _, f := range s.result.Funcs {
		if f.Path == path && f.Left == "" {
			list = append(list, f.Name)
		}
	}
	whole := s.leave
	defer func() { s.leave = whole }()
	var search func(part []string) []string
	search = func(part []string) []string {
		if len(part) == 0 {
			return nil
		}
		s.leave, s.changed = maps.Clone(whole), true
		for _, name := range list {
			s.leave[name] = s.leave[name] || !slices.Contains(part, name)
		}
		w.inject(t, s)
		failed := false
		for _, d := range w.compile(t, []*subject{s}).Diagnostics {
			failed = failed || d.File == path && d.Code == "internal"
		}
		if !failed {
			return nil
		}
		if len(part) == 1 {
			return part
		}
		found := append(search(part[:len(part)/2]), search(part[len(part)/2:])...)
		if len(found) == 0 {
			return part // together only
		}
		return found
	}
	return search(list)
}

var particular = regexp.MustCompile(`\(in \w+\)|nothread\w+|^\w+ has type .*, which|range over .* is`)

// general is a message without what is particular to one function.
func general(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	return particular.ReplaceAllString(message, "…")
}

var vetLine = regexp.MustCompile(`^(?:vet: )?(\S+\.go):(\d+):\d+: (.*)`)

// build vets the packages. It returns the functions whose machines do not
// compile, or that vet objects to.
func (w *workshop) build(t *testing.T, subjects []*subject) map[*subject][]string {
	t.Helper()
	output, err := w.run(t, 10*time.Minute, append([]string{"vet", "-copylocks", "-defers", "-lostcancel", "-nilfunc", "-assign"}, patterns(namesOf(subjects))...)...)
	bad := make(map[*subject][]string)
	if err == nil {
		return bad
	}
	var lines [][]string
	source := make(map[string]bool) // what is the source's own fault
	for line := range strings.Lines(output) {
		if m := vetLine.FindStringSubmatch(line); m != nil {
			if strings.Contains(filepath.Base(m[1]), "_async") {
				lines = append(lines, m)
			} else {
				source[m[3]] = true
			}
		}
	}
	for _, m := range lines {
		if source[m[3]] {
			continue
		}
		at, _ := strconv.Atoi(m[2])
		s, name := w.at(subjects, filepath.Join(w.dir, m[1]), at)
		if name != "" && !slices.Contains(bad[s], name) {
			t.Errorf("%s: %s:%d: %s", name, m[1], at, m[3])
			bad[s] = append(bad[s], name)
		}
	}
	return bad
}

// goTest runs a package's tests and returns what is last heard of each.
func (w *workshop) goTest(t *testing.T, pkg, skip string) (last map[string]string, output string) {
	t.Helper()
	text, _ := w.run(t, 20*time.Minute, "test", "-short", "-json", "-vet=off", "-timeout=15m", "-run=^Test|^Example", "-skip="+skip, "./"+pkg)
	last = make(map[string]string)
	var b strings.Builder
	for line := range strings.Lines(text) {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal([]byte(line), &event) != nil {
			b.WriteString(line)
			continue
		}
		if event.Action != "output" && event.Test != "" && !strings.Contains(event.Test, "/") {
			last[event.Test] = event.Action
		}
		if !strings.HasPrefix(event.Output, "=== ") && !strings.HasPrefix(event.Output, "--- PASS") {
			b.WriteString(event.Output)
		}
	}
	return last, b.String()
}

// run runs the go command in the workshop.
func (w *workshop) run(t *testing.T, limit time.Duration, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = w.dir, environment()
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func environment() []string {
	return append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
}

func firstLines(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[:min(n, len(lines))], "")
}

// testPrograms converts the programs of the toolchain's tests that need nothing
// but themselves, and compares what they print.
func (w *workshop) testPrograms(t *testing.T, prefix string) {
	list, err := inject.Programs(w.goroot, prefix)
	if err != nil {
		t.Fatal(err)
	}
	for batch := range slices.Chunk(list, 40) {
		t.Run(batch[0], func(t *testing.T) {
			w.testBatch(t, batch)
		})
	}
}

func (w *workshop) testBatch(t *testing.T, batch []string) {
	if err := os.RemoveAll(filepath.Join(w.dir, "programs")); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range batch {
		if reason := inject.Odd[name]; reason != "" {
			continue
		}
		folder, err := inject.CopyProgram(w.goroot, w.dir, name)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, folder)
	}
	before := w.outputs(t, names, 5*time.Second, "")
	var usable []string
	for _, name := range names {
		if before[name] == "" || strings.HasPrefix(before[name], tooLong) {
			t.Logf("%s is left out: it does not build or end in time", name)
			continue
		}
		usable = append(usable, name)
	}
	if len(usable) == 0 {
		return
	}
	subjects := w.convert(t, usable...)
	after := w.outputs(t, namesOf(subjects), time.Minute, "")
	var differ []string
	for _, s := range subjects {
		if before[s.name] != after[s.name] {
			differ = append(differ, s.name)
		}
	}
	blocking := w.outputs(t, differ, time.Minute, "NOTHREAD_SYNC=1")
	for _, name := range differ {
		verdict := "unchanged:\n%swith awaits:\n%s"
		if blocking[name] == after[name] && after[name] != "" { // that an await is a call is enough
			t.Logf("%s: both forms do the same: "+verdict, name, firstLines(before[name], 15), firstLines(after[name], 15))
			continue
		}
		t.Errorf("%s: "+verdict, name, firstLines(before[name], 15), firstLines(after[name], 15))
	}
}

// cause is the panic that ended a program: of several, the last that was raised.
func cause(text string) string {
	trace, _, _ := strings.Cut(text, "\ngoroutine ")
	if i := strings.LastIndex(trace, "panic: "); i >= 0 {
		trace = trace[i:]
	}
	line, _, _ := strings.Cut(trace, "\n")
	return line
}

const tooLong = "takes too long"

// outputs builds programs and runs them. What one does is its output and how it
// exits; of a crash, its cause. A program that does not build is missing.
func (w *workshop) outputs(t *testing.T, names []string, limit time.Duration, env string) map[string]string {
	t.Helper()
	if len(names) == 0 {
		return nil
	}
	bin := t.TempDir() + string(filepath.Separator)
	if _, err := w.run(t, 20*time.Minute, append([]string{"build", "-o", bin}, patterns(names)...)...); err != nil {
		for _, name := range names { // one that does not build keeps all from being written
			w.run(t, 5*time.Minute, "build", "-o", bin, "./"+name)
		}
	}
	outputs := make(map[string]string)
	for _, name := range names {
		path := bin + filepath.Base(name)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		cmd := exec.CommandContext(ctx, path)
		cmd.Dir, cmd.Env = bin, append(os.Environ(), env)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		outputs[name] = fmt.Sprintf("%v\n%s\n%s\n", err, cause(stderr.String()), stdout.String())
		if err == nil {
			outputs[name] = "ends\n" + stderr.String() + stdout.String()
		}
		if ctx.Err() != nil {
			outputs[name] = tooLong + "\n"
		}
		cancel()
	}
	return outputs
}

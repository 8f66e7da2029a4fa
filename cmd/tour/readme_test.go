package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme does what README.md tells a newcomer to do, in a module of its own
// that takes this checkout for the published version, and gets what it promises.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string // program, commands, output, local commands; program, output; again; package, test, failure; part of the first one's machine
	for _, m := range regexp.MustCompile("(?ms)^```(?:go|sh|)\n(.*?)^```$").FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) != 12 {
		t.Fatalf("%d blocks of code, not 12", len(blocks))
	}
	commands, local := blocks[1], blocks[3]
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	script := regexp.MustCompile(`(?m)^go get .*$`).ReplaceAllLiteralString(commands, strings.TrimSpace(local))
	script = "set -e\n" + strings.ReplaceAll(script, "/path/to/nothread", checkout)
	generated := play(t, script, blocks[0], blocks[2])
	play(t, script, blocks[4], blocks[5])
	play(t, script, blocks[6], blocks[7])
	playTest(t, script, blocks[8], blocks[9], blocks[10])
	if machine := blocks[11]; !strings.Contains(generated, machine) {
		t.Errorf("the machine is\n%snot\n%s", generated, machine)
	}
}

// play makes a module of a program, runs it by a script, compares what it prints,
// and returns what was generated.
func play(t *testing.T, script, program, output string) (generated string) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "main.go", program)
	printed, err := shell(dir, script)
	if err != nil {
		t.Fatalf("%s\n%v", script, err)
	}
	if printed != output {
		t.Errorf("the program prints\n%snot\n%s", printed, output)
	}
	text, err := os.ReadFile(filepath.Join(dir, "main_async.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// playTest makes a module of a package and its test, runs that by a script, and
// compares the lines of the failure. The command that those name fails, too.
func playTest(t *testing.T, script, pkg, test, failure string) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "box.go", pkg)
	put(t, dir, "box_test.go", test)
	script = strings.NewReplacer("example.com/count", "example.com/box", "go run .", "go test").Replace(script)
	printed, err := shell(dir, script)
	if err == nil {
		t.Fatalf("the test passes:\n%s", printed)
	}
	again := ""
	for line := range strings.Lines(failure) {
		if line = strings.TrimSpace(line); !strings.Contains(printed, line) {
			t.Errorf("the test does not say %s\nbut\n%s%v", line, printed, err)
		}
		if strings.HasPrefix(line, "go test ") {
			again = line
		}
	}
	if printed, err := shell(dir, again); err == nil || !strings.Contains(printed, again) {
		t.Errorf("%s: %v\n%s", again, err, printed)
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// shell runs a script in a folder. The error has what it has written to standard error.
func shell(dir, script string) (stdout string, err error) {
	var stderr strings.Builder
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &stderr)
	}
	return string(out), err
}

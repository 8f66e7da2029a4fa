package main

import (
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
	var blocks []string // program, commands, output, local commands; program, output; again; part of the first one's machine
	for _, m := range regexp.MustCompile("(?ms)^```(?:go|sh|)\n(.*?)^```$").FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) != 9 {
		t.Fatalf("%d blocks of code, not 9", len(blocks))
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
	if machine := blocks[8]; !strings.Contains(generated, machine) {
		t.Errorf("the machine is\n%snot\n%s", generated, machine)
	}
}

// play makes a module of a program, runs it by a script, compares what it prints,
// and returns what was generated.
func play(t *testing.T, script, program, output string) (generated string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "GOWORK=off")
	printed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", script, err, &stderr)
	}
	if string(printed) != output {
		t.Errorf("the program prints\n%snot\n%s", printed, output)
	}
	text, err := os.ReadFile(filepath.Join(dir, "main_async.go"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

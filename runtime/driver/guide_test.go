package driver_test

import (
	"os"
	"strings"
	"testing"
)

// TestTheGuideIsTrue: every line of Go in runtime/README.md stands in the toaster's files, in that order within a block.
func TestTheGuideIsTrue(t *testing.T) {
	guide, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources [][]string
	for _, name := range []string{"../device/toaster.go", "toaster.go", "../overlapped/toaster.go", "../sim/toaster.go", "../overlapped/toaster_test.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, strings.Split(string(source), "\n"))
	}
	blocks := strings.Split(string(guide), "```go\n")[1:]
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		lines := strings.Split(strings.TrimRight(block, "\n"), "\n")
		found := false
		for _, source := range sources {
			found = found || contains(source, lines)
		}
		if !found {
			t.Errorf("this stands in none of the toaster's files:\n%s", block)
		}
	}
	if len(blocks) < 10 {
		t.Errorf("the guide has %d blocks of Go", len(blocks))
	}
}

// contains reports whether lines follow each other somewhere in a source.
func contains(source, lines []string) bool {
	for i := range source {
		if i+len(lines) > len(source) {
			return false
		}
		same := true
		for j, line := range lines {
			same = same && source[i+j] == line
		}
		if same {
			return true
		}
	}
	return false
}

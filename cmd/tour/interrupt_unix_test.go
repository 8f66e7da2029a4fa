//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestInterruptedCopyLeavesNothing: a copy that is interrupted says so, and there
// is neither a target nor a file in the making.
func TestInterruptedCopyLeavesNothing(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		dir := t.TempDir()
		src := filepath.Join(dir, "src")
		if err := os.WriteFile(src, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(src, 1<<40); err != nil { // a hole: it takes no room
			t.Fatal(err)
		}
		var out, stderr bytes.Buffer
		cmd := exec.Command("tour", "copy", src, filepath.Join(dir, "dst"))
		cmd.Stdout, cmd.Stderr = &out, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !under(t, dir) {
			t.Error("no copy was begun")
		}
		if err := cmd.Process.Signal(s); err != nil {
			t.Error(err)
		}
		cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 1 || out.Len() > 0 || stderr.String() != "tour copy: interrupted\n" {
			t.Errorf("%v: exit status %d, %q, %q", s, status, &out, &stderr)
		}
		if left := names(t, dir); left != "src" {
			t.Errorf("%v leaves %s", s, left)
		}
	}
}

// under reports whether a file in the making appears in a folder, and grows.
func under(t *testing.T, dir string) bool {
	for range 20_000 {
		found, err := filepath.Glob(filepath.Join(dir, ".nothread-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 {
			if info, err := os.Stat(found[0]); err == nil && info.Size() > 0 {
				return true
			}
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

func names(t *testing.T, dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

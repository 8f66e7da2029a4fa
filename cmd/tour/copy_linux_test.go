package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLargeCopy copies 64 MiB, in under 200 MiB of memory.
func TestLargeCopy(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 64 MiB of files")
	}
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	data := random(64 << 20)
	if err := os.WriteFile(src, data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tour", "copy", src, dst)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(dst)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Error("the copy differs")
	}
	if kilobytes := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; kilobytes >= 200<<10 {
		t.Errorf("%d KiB resident", kilobytes)
	}
}

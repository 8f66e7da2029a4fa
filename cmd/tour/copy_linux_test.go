package main

import (
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLargeCopy copies 64 MiB, in under 200 MiB of memory. The test itself holds
// no more than a buffer: what Linux reports of a child begins with its parent's.
func TestLargeCopy(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 128 MiB of files")
	}
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	f, err := os.Create(src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{64}), 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("tour", "copy", src, dst)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if sum(t, src) != sum(t, dst) {
		t.Error("the copy differs")
	}
	if kilobytes := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss; kilobytes >= 200<<10 {
		t.Errorf("%d KiB resident", kilobytes)
	}
}

func sum(t *testing.T, path string) (sum [sha256.Size]byte) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	h.Sum(sum[:0])
	return sum
}

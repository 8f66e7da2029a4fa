//go:build unix

package inflight_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/inflight"
)

// collector is a writer that tells what was written to it.
type collector chan string

func (c collector) Write(p []byte) (int, error) { c <- string(p); return len(p), nil }

func TestOnSignal(t *testing.T) {
	defer inflight.Track()()
	source := async.NewSource[int]()
	listenAsync(context.Background(), source.Task(), nil, nil)
	defer source.SetResult(0)
	out := make(collector, 1)
	stop := inflight.OnSignal(func() { inflight.Write(out) }, syscall.SIGUSR1)
	defer stop()
	defer stop() // the second time it does nothing
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(syscall.SIGUSR1)
	}
	if err != nil {
		t.Skip(err)
	}
	if got := <-out; !strings.Contains(got, "inflight_test.listen  program_test.go:48") {
		t.Errorf("%s", got)
	}
}

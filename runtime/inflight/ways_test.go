package inflight_test

import (
	"context"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/nothread/nothread/runtime/async"
	"github.com/nothread/nothread/runtime/inflight"
)

// meet returns a task that awaits task by two ways.
func meet(ctx context.Context, task async.Task[int]) async.Task[int] {
	return async.Race(ctx, async.WithTimeout(ctx, async.Infinite, task), async.WithTimeout(ctx, async.Infinite, task))
}

// Combinators that await one thing by several ways are followed once.
func TestReportOfSeveralWays(t *testing.T) {
	ctx := context.Background()
	source := async.NewSource[int]()
	listenAsync(ctx, meet(ctx, source.Task()), nil, nil)
	r := inflight.Report{Causes: []inflight.Cause{{What: "a timer", Of: source}}}
	const want = `  a timer, for 0s
      awaited by a combinator of package async
      awaited by a combinator of package async
      inflight_test.listen  program_test.go:48  state 1, awaits done
          names = nil, seen = nil
      nobody awaits it
      awaited by a combinator of package async
      awaited by a combinator of package async
      inflight_test.listen, as above
`
	if got := string(r.Append(nil)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	defer inflight.Track()()
	task := listenAsync(ctx, source.Task(), nil, nil)
	for range 100 { // by 2¹⁰⁰ ways
		task = meet(ctx, task)
	}
	var b strings.Builder
	inflight.Write(&b)
	if got := b.String(); len(got) > 100_000 || !strings.Contains(got, "awaited by a combinator of package async, as above") {
		t.Errorf("%d bytes: %.1000s…", len(got), got)
	}
	source.SetResult(0)
}

// A chain of machines is followed without a stack that grows with it.
func TestReportOfALongChain(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(4 << 20))
	const length = 20_000
	ctx := context.Background()
	source := async.NewSource[int]()
	task := source.Task()
	for range length {
		task = listenAsync(ctx, task, nil, nil)
	}
	r := inflight.Report{Causes: []inflight.Cause{{What: "a timer", Of: source}}}
	if got := string(r.Append(nil)); strings.Count(got, "inflight_test.listen") != length || !strings.HasSuffix(got, "nobody awaits it\n") {
		t.Errorf("%d bytes: %.1000s…", len(got), got)
	}
}
